"""zh-TW: who did what, for the manager."""

from store.audit import HUB, NOBODY, AuditAction
from store.changes import ChangeKind
from store.protocol import STAFF

AUDIT = "稽核紀錄"
AUDIT_MENU = "稽核紀錄：誰、何時、看了或做了什麼"
AUDIT_HINT = (
    "每一次查看、登錄、匯出與設定都留有紀錄，一筆接一筆以雜湊相連，事後無法無痕更改；至少保存七年，程式不會刪除。"
)
AUDIT_WHO_FIELD = "人員"
AUDIT_WHAT_FIELD = "做了什麼"
AUDIT_FROM, AUDIT_TO = "日期起 (例 1150501)", "日期迄 (例 1150531)"
AUDIT_ANY = "全部"
AUDIT_SEARCH = "查詢 (F9)"
AUDIT_CLEAR = "清除條件"
AUDIT_OLDER = "看更早的紀錄"
AUDIT_SEARCHING = "查詢中…"
AUDIT_SEARCHING_BACK = "查詢中…已查到第 {number} 號"
AUDIT_FOUND = "列出 {count} 筆"
AUDIT_FOUND_MORE = "列出 {count} 筆，還有更早的紀錄"
AUDIT_NONE = "沒有符合的稽核紀錄。請放寬條件再查。"
AUDIT_OF_RECORD = "只列與此有關的紀錄：{name}"
AUDIT_OF_RECORD_END = "看全部"
AUDIT_SEE = "看稽核紀錄"
AUDIT_NO_HUB = "連不上主機。稽核紀錄存放在主機上，連線恢復後再按「查詢」。"
AUDIT_OLD_HUB = "主機的程式版本較舊，還不能查詢稽核紀錄。請更新主機。"
AUDIT_MAY_NOT = "只有管理者可以查看稽核紀錄。請管理者解鎖後再查。"
AUDIT_PRACTICE = "練習模式不留稽核紀錄。"
AUDIT_HEAD = "最新一筆：第 {number} 號，檢查碼 {mark}。抄在紙上，日後可核對紀錄是否被截短。"
AUDIT_COLUMNS = {
    "at": "時間",
    "who": "人員",
    "what": "做了什麼",
    "about": "對象",
    "device": "裝置",
    "seq": "編號",
}
AUDIT_WHO = {STAFF: "工作人員", HUB: "主機", NOBODY: "未登入者"}
AUDIT_AT_HUB = "主機"
AUDIT_ACTION = {
    AuditAction.VIEWED: "查看",
    AuditAction.SEARCHED: "搜尋",
    AuditAction.OPENED_HISTORY: "查看全國接種紀錄",
    AuditAction.EXPORTED: "匯出檔案",
    AuditAction.PRINTED: "列印",
    AuditAction.UNLOCKED: "解鎖",
    AuditAction.LOCKED: "鎖定",
    AuditAction.UNLOCK_REFUSED: "PIN 碼錯誤",
    AuditAction.SET_DEVICE: "變更裝置設定",
    AuditAction.LOST: "磁碟已滿，未能留下的紀錄",
    AuditAction.UNKNOWN_CHANGE: "較新版本的異動",
    AuditAction.SIGNED_IN: "登入",
    AuditAction.SIGN_IN_REFUSED: "登入被拒",
    AuditAction.SESSION_BEGAN: "開始連線",
    AuditAction.SESSION_REFUSED: "連線被拒",
    AuditAction.ROLE_REFUSED: "權限不足被拒",
    AuditAction.MADE_ACCOUNT: "新增帳號",
    AuditAction.SET_ROLES: "變更權限",
    AuditAction.SET_PASSWORD: "變更密碼",
    AuditAction.TURNED_OFF: "停用帳號",
    AuditAction.TURNED_ON: "啟用帳號",
    AuditAction.OFFERED_ENROLMENT: "產生登記碼",
    AuditAction.ENROLLED: "登記裝置",
    AuditAction.ENROLMENT_REFUSED: "登記被拒",
    AuditAction.REVOKED: "撤銷裝置",
    AuditAction.HANDED_OVER: "撤銷的裝置交出資料",
    AuditAction.VIEWED_AUDIT: "查看稽核紀錄",
    AuditAction.TOOK_SNAPSHOT: "整批取得資料",
    AuditAction.AUDIT_BEGAN: "開始留存稽核紀錄",
    AuditAction.CHAIN_BROKEN: "紀錄的鏈中斷",
    AuditAction.STORE_REPLACED: "資料由備份還原",
}
AUDIT_CHANGE = {
    ChangeKind.REGISTER_PATIENT: "新增個案",
    ChangeKind.CORRECT_PATIENT: "修改個案",
    ChangeKind.REGISTER_LOT: "新增批號",
    ChangeKind.REGISTER_SESSION: "新增接種場次",
    ChangeKind.CORRECT_SESSION: "修改接種場次",
    ChangeKind.RECORD_VACCINATION: "登錄接種",
    ChangeKind.CORRECT_VACCINATION: "修改接種",
    ChangeKind.VOID_VACCINATION: "作廢接種",
    ChangeKind.REQUEST_UPLOAD: "要求上傳",
    ChangeKind.RECORD_EXAM: "登錄產檢",
    ChangeKind.CORRECT_EXAM: "修改產檢",
    ChangeKind.VOID_EXAM: "作廢產檢",
    ChangeKind.RECORD_CONSUMPTION: "登錄疫苗消耗",
    ChangeKind.SET_CLINIC: "變更院所設定",
    ChangeKind.SET_VACCINES_IN_USE: "變更使用中的疫苗",
    ChangeKind.SET_LOT_OF_THE_DAY: "設定當日批號",
    ChangeKind.SET_CODE_TABLE: "載入代碼表",
    ChangeKind.REGISTER_STAFF_MEMBER: "新增人員名單",
    ChangeKind.MERGE_PATIENTS: "合併病歷",
    ChangeKind.CONFIRM_DISTINCT_PATIENTS: "確認是不同的人",
    ChangeKind.CONFIRM_DISTINCT_DOSES: "確認是不同的接種",
    ChangeKind.WITHDRAW_DECISION: "撤回合併或確認",
    ChangeKind.EXPORT_DOSES: "匯出接種資料",
    ChangeKind.RELEASE_EXPORT: "匯出改回上傳",
    ChangeKind.UPLOAD_SENT: "上傳疾管署",
    ChangeKind.UPLOAD_ACCEPTED: "疾管署收件",
    ChangeKind.UPLOAD_REFUSED: "疾管署退回",
    ChangeKind.UPLOAD_OVERDUE: "疾管署逾時未回",
    ChangeKind.VERIFICATION_RECEIVED: "收到檢核結果",
    ChangeKind.STOCK_RECEIVED: "下載庫存",
    ChangeKind.CONSUMPTION_SENT: "上傳疫苗消耗",
    ChangeKind.CONSUMPTION_ANSWERED: "收到消耗回覆",
    ChangeKind.HISTORY_RECEIVED: "向疾管署查詢接種紀錄",
    ChangeKind.EXAMS_SENT: "上傳產檢",
    ChangeKind.EXAMS_ANSWERED: "收到產檢回覆",
}
AUDIT_WHAT_OTHER = "其他 ({code})"
# What was searched, exported, printed or set.
AUDIT_KIND = {
    "patients": "個案",
    "patients_on_hub": "主機上的個案",
    "uploads": "待上傳清單",
    "verification": "檢核結果清單",
    "conflicts": "待處理清單",
    "exam_uploads": "產檢待上傳清單",
    "exports": "匯出清單",
    "receipts": "傳輸紀錄",
    "receipt": "傳輸紀錄",
    "doses_file": "接種資料匯入檔",
    "bad_rows": "名冊的問題列",
    "paper_list": "紙本表單（附名單）",
    "audit": "稽核紀錄",
    "scope": "選定場次的範圍",
    "everyone": "所有人",
    "idle_time": "自動鎖定時間",
    "practice": "進入練習模式",
}
AUDIT_REASON = {
    "altered": "內容被改過",
    "lacking": "前面有缺",
    "repeated": "編號重複",
    "other_before": "前一筆不同",
    "cut_off": "結尾被截去",
    "written_anew": "被重寫過",
    "wrong_code": "登記碼錯誤",
    "wrong_password": "密碼錯誤",
    "account_off": "帳號已停用",
    "sign_in_needed": "需重新輸入密碼",
    "device_revoked": "裝置已撤銷",
    "role_may_not": "權限不足",
}
AUDIT_COUNT = "{count} 筆"
AUDIT_NUMBER = "第 {number} 號"
AUDIT_FROM_ADDRESS = "來自 {address}"
AUDIT_BATCH = "批次 {batch}"
AUDIT_ACCOUNT = "帳號 {staff_id}"
AUDIT_DEVICE = "裝置 {device}"
AUDIT_RECORD = "資料 {mark}"
AUDIT_EXPORT = "存成 CSV"
AUDIT_EXPORT_FILE = "稽核紀錄-{day}.csv"
AUDIT_EXPORT_ASK = "把符合條件的稽核紀錄（最多 {most} 筆）存成檔案？匯出本身也會留下紀錄。"
AUDIT_EXPORT_DONE = "已存成檔案，{count} 筆"
AUDIT_EXPORT_CUT = "已存成檔案，只含最新的 {count} 筆；請縮小日期範圍分次匯出。"
AUDIT_FILE_COLUMNS = (
    "編號", "時間", "人員", "做了什麼", "對象", "代碼", "資料識別碼", "裝置識別碼", "到主機時間", "前一筆雜湊", "雜湊",
)  # fmt: skip
