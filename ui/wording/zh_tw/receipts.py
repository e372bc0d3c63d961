"""zh-TW: what went to CDC and came back, and the whole way of one record."""

from store.protocol import STAFF, ReceiptKind
from store.record_way import WayStep

RECEIPTS = "傳輸紀錄"
RECEIPTS_MENU = "傳輸紀錄：與疾管署往來的原文"
RECEIPTS_HINT = "每一次與疾管署的往來都照原文保存，隨時可查。點選一筆看完整內容。"
RECEIPT_KIND = {
    ReceiptKind.UPLOAD: "上傳接種資料",
    ReceiptKind.CONFIRM: "查詢檢核結果",
    ReceiptKind.STOCK: "下載庫存",
    ReceiptKind.CONSUMPTION: "上傳疫苗消耗",
    ReceiptKind.HISTORY: "查詢個人接種紀錄",
    ReceiptKind.EXAMS: "上傳產檢資料",
    ReceiptKind.SENT: "送出前留存的原文",
}
RECEIPT_KIND_OTHER = "其他往來"
RECEIPT_KIND_ALL = "全部種類"
RECEIPT_OUTCOME = {"": "全部結果", "ok": "疾管署有回應", "failed": "沒有回應或錯誤"}
RECEIPT_KIND_LABEL = "往來種類"
RECEIPT_OUTCOME_LABEL = "傳輸結果"
RECEIPT_BATCH = "批次"
RECEIPT_CHART = "病歷號碼"
RECEIPT_FROM, RECEIPT_TO = "日期起 (例 1150501)", "日期迄 (例 1150531)"
RECEIPT_SEARCH = "查詢 (F9)"
RECEIPT_CLEAR = "清除條件"
RECEIPT_OF_RECORD = "只列這一筆資料的往來"
RECEIPT_OF_RECORD_END = "看全部"
RECEIPT_OLDER = "看更早的紀錄"
RECEIPT_SEARCHING = "查詢中…"
RECEIPT_FOUND = "列出 {count} 筆"
RECEIPT_FOUND_MORE = "列出 {count} 筆，還有更早的紀錄"
RECEIPT_NONE = "沒有符合的傳輸紀錄。請放寬條件再查，或先到「BA102_3_UPLOAD」上傳。"
RECEIPT_NO_HUB = "連不上主機。傳輸紀錄存放在主機上，連線恢復後再按「查詢」。"
RECEIPT_OLD_HUB = "主機的程式版本較舊，還不能查詢傳輸紀錄。請更新主機。"
RECEIPT_PRACTICE = "練習模式不與疾管署往來，沒有傳輸紀錄。"
RECEIPT_COLUMNS = {
    "at": "時間",
    "kind": "往來種類",
    "records": "筆數",
    "http": "HTTP",
    "words": "疾管署回覆",
    "who": "由誰",
    "batch": "批次",
}
RECEIPT_WHO_AUTOMATIC = "自動"
RECEIPT_WHO = {STAFF: "工作人員"}
RECEIPT_NO_ANSWER = "沒有回應"
RECEIPT_FAILURE = {
    "time_out": "等候逾時，沒有回應",
    "not_reached": "連不上疾管署",
    "connection_lost": "連線中斷，沒有收到完整回應",
    "answer_too_large": "回應過大，只收到一部分",
}
RECEIPT_NO_WORDS = "沒有附訊息"
RECEIPT_TITLE = "傳輸紀錄第 {number} 號　{kind}"
RECEIPT_FACTS = "{at}　由誰：{who}　HTTP {http}"
RECEIPT_TOOK = "　歷時 {seconds} 秒"
RECEIPT_BATCH_LINE = "批次 {batch}　{count} 筆"
RECEIPT_REQUEST = "送出的內容"
RECEIPT_ANSWER = "疾管署的回應"
RECEIPT_EMPTY = "沒有內容"
RECEIPT_NOT_TEXT = "不是文字，以 Base64 顯示"
RECEIPT_DROPPED = "已過保存年限，原文已於 {at} 刪除；這一列及內容的雜湊值永久保留。"
RECEIPT_CUT = "只顯示前 {count} 字；完整內容請用「存成檔案」。"
RECEIPT_CUT_AT_HUB = "內容過長，主機只提供前 {count} 位元組。"
RECEIPT_SIZE = "{title}（{count} 位元組）"
RECEIPT_COPY_REQUEST = "複製送出的內容"
RECEIPT_COPY_ANSWER = "複製疾管署的回應"
RECEIPT_COPIED = "已複製"
RECEIPT_SAVE = "存成檔案"
RECEIPT_FILE = "傳輸紀錄-{number}.json"

# The way of one record
WAY = "歷程"
WAY_TITLE = "這筆資料的歷程"
WAY_STEP = {
    WayStep.RECORDED: "登錄",
    WayStep.CORRECTED: "修改",
    WayStep.VOIDED: "作廢",
    WayStep.SENT: "送往疾管署",
    WayStep.ACCEPTED: "疾管署收件（尚未檢核）",
    WayStep.VERIFIED: "檢核通過",
    WayStep.REFUSED: "檢核失敗",
    WayStep.REFUSED_WHOLE: "整批退回（分批重送，這筆未必有誤）",
}
WAY_METHOD = {"POST": "新增", "PUT": "修改", "DELETE": "刪除"}
WAY_SENT = "{step}：{method}"
WAY_WHO = "{who}，{device}"
WAY_THIS_DEVICE = "這台裝置"
WAY_OTHER_DEVICE = "另一台裝置 ({mark})"
WAY_CHANGED = "改了{fields}"
WAY_REASON = "原因：{reason}"
WAY_BATCH = "批次 {batch}"
WAY_RECEIPT = "看往來原文"
WAY_ALL_RECEIPTS = "看這筆資料的全部傳輸紀錄"
WAY_HUB_KNOWS = "主機另有較早的送出紀錄："
WAY_NO_HUB = "連不上主機，只列出這台裝置所知的歷程。"
