"""zh-TW: the outage kit: export files, paper forms."""

from store.outage_csv import NoteKind
from store.uploads import AfterExport

OUTAGE = "中斷作業"
OUTAGE_MENU = "匯出檔案、列印紙本表單"
OUTAGE_INTRO = (
    "疾管署連線長時間中斷時，可把待上傳的接種資料匯出成 NIIS 媒體匯入檔，由人員登入 NIIS 匯入。"
    "一般斷線不需要匯出：資料都在本機，恢復後會自動上傳。"
)
OUTAGE_UNSENT = "未上傳資料搜尋"
EXPORT = "匯出 (F9)"
PAPER_FORM = "紙本表單"
EXPORT_NO_CODE = "匯入檔的每一列都要有本院的 10 碼醫事機構代碼，請先到「設定」填寫。"
EXPORT_TO_SETTINGS = "到設定"
EXPORT_COUNT = "可匯出 {count} 筆，已勾選 {chosen} 筆"
EXPORT_LIMIT = "（一個檔案最多 {limit} 筆；匯出後請再按「確定」，列出其餘的）"
EXPORT_NOTHING = (
    "沒有可以匯出的資料。檢核通過、已送出或已匯出的不會列在這裡；疾管署已有的紀錄，修正和作廢也只能由系統上傳。"
)
EXPORT_EVERY = "全部勾選"
EXPORT_TOLD = "注意"
EXPORT_LEFT_OUT = "不能匯出 {count} 筆，請點開修正，再按「確定」"
EXPORT_NOTE = {
    NoteKind.NO_IDENTITY: "沒有身分證，也沒有父母身分證",
    NoteKind.MISSING: "{field}沒有填寫，NIIS 必填",
    NoteKind.NOT_IN_BIG5: "{field}有匯入檔 (Big5) 沒有的字「{characters}」",
    NoteKind.SUBSTITUTED: "{field}有匯入檔 (Big5) 沒有的字「{characters}」，檔案裡會是「？」",
    NoteKind.FORMULA: "{field}以「{characters}」開頭，試算表會當成公式執行，不能放進檔案",
    NoteKind.LIKE_A_FORMULA: "{field}以「{characters}」開頭，試算表會當成公式執行，檔案裡會是「？」",
    NoteKind.LOT_TYPE_UNSURE: "這種批號型別的匯入代碼未經疾管署確認，匯入後請核對",
}
EXPORT_NONE_CHOSEN = "請先勾選要匯出的資料。"
EXPORT_OUTDATED = "列出之後有 {count} 筆已經變動或送出，還沒有匯出。清單已更新，請核對後再匯出。"
EXPORT_ASK = (
    "匯出這 {count} 筆？匯出後系統不再自動上傳這些資料，要請人員把檔案匯入 NIIS；"
    "改變主意時，在「匯出紀錄」可以改由系統上傳。"
)
EXPORT_DONE = "已匯出 {count} 筆，檔案編號 {number}"
EXPORT_UNTOUCHED = "請把原檔匯入 NIIS，不要用試算表 (Excel) 開啟後存檔：前面的 0 和字碼會被改掉。"

EXPORTS = "匯出紀錄"
EXPORTS_NONE = "還沒有匯出過檔案。"
EXPORTS_MORE = "只列最近 {count} 個檔案。"
EXPORT_COLUMNS = {
    "number": "檔案編號",
    "made_at": "匯出時間",
    "count": "匯出筆數",
    "released": "改由系統上傳",
    "sha256": "SHA-256",
}
EXPORT_TITLE = "檔案編號 {number}"
EXPORT_FACTS = "{at} 匯出 {count} 筆，其中 {released} 筆已改由系統上傳。"
EXPORT_AGAIN = "再下載一次"
EXPORT_DAMAGED = "檔案內容和匯出時的 SHA-256 不符，不能下載。請通知資訊人員。"
EXPORT_NOTES = "匯入檔和紀錄不同、或匯入後要核對的"
EXPORT_NOTE_LINE = "{chart} {name}：{told}"
RELEASE = "改由系統上傳"
RELEASE_ASK = (
    "改由系統上傳這 {count} 筆？檔案若已匯入 NIIS，再上傳會變成重複的接種紀錄。"
    "請確定檔案沒有匯入，而且不會再匯入。"
)
RELEASED = "{count} 筆已改由系統上傳。"

EXPORTED_WAIT = "已匯出檔案 {count} 筆，不會自動上傳。"
EXPORTED_SEE = "看匯出紀錄"
EXPORTED_COUNT = "已匯出 {count}"
CHANGED_COUNT = "　匯出後變動 {count}"
EXPORTED_IN = "已匯出檔案 {number}（{at}），系統不會自動上傳這筆。"
AFTER_EXPORT_COUNT = "匯出後又有變動 {count} 筆，檔案和紀錄不同，請處理"
AFTER_EXPORT = {
    AfterExport.UPLOADED: "系統也已經送出這筆：檔案請勿再匯入 NIIS；已匯入時，請到 NIIS 刪除重複的一筆。",
    AfterExport.VOIDED: "匯出後已作廢，檔案裡還有這筆：已匯入時，請到 NIIS 刪除。",
    AfterExport.CORRECTED: "匯出後已修正，檔案裡是舊內容：已匯入時，請到 NIIS 更正；沒有匯入時，可改由系統上傳。",
    AfterExport.PERSON_CHANGED: (
        "匯出後患者證號已修正，檔案裡是舊證號：已匯入時，請到 NIIS 更正；沒有匯入時，可改由系統上傳。"
    ),
}
SETTLE = "已處理"
SETTLE_UPLOADED = "確定 NIIS 沒有重複的一筆（檔案沒有匯入，或已到 NIIS 刪除）？"
SETTLE_VOIDED = "確定 NIIS 沒有這筆（檔案沒有匯入，或已到 NIIS 刪除）？這筆已作廢，不會上傳。"
EXPORT_SETTLED = "已記錄處理完成。"

# The paper form
PAPER = "紙本接種紀錄表"
PAPER_INTRO = (
    "電腦或電力全部中斷時，用這張表手寫；平時先印一些備用。恢復後到「BA102_3」補登："
    "先打接種日期，每一位查詢後按 Enter，核對後按 F9。"
)
PAPER_DAY = "場次日期 (例 1150520)"
PAPER_SESSION = "場次"
PAPER_BLANK = "空白表單"
PAPER_SESSION_CHOICE = "{name}（{count} 人）"
PAPER_LINES = "空白列數"
PAPER_LINES_FAULT = "請填 1 到 {highest} 的整數。"
PAPER_PRINT = "列印 (F9)"
PAPER_LIST_CUT = "名單只印前 {count} 人。"
PAPER_CLINIC = "院所"
PAPER_DATE = "接種日期"
PAPER_DATE_BLANK = "＿＿＿年＿＿月＿＿日"
PAPER_LOT = "疫苗及批號（整場相同時填這裡）"
PAPER_BLANK_LINE = "＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿"
PAPER_FOOT = "補登完成：＿＿＿＿＿＿＿＿　日期：＿＿＿＿＿＿＿＿　共＿＿＿＿筆"
PAPER_COLUMNS = {
    "number": "序",
    "chart_number": "病歷號碼",
    "name": "姓名",
    "national_id": "身分證",
    "birth_date": "出生日期",
    "vaccine_code": "疫苗",
    "dose_number": "劑別",
    "lot_number": "批號",
    "body_site": "部位",
    "time": "時間",
    "sign": "接種人員簽名",
    "entered": "補登",
}
