"""zh-TW: CDC's history of a person (BA102_3FF)."""

from store.history import RowMark
from store.protocol import HistoryOutcome

HISTORY_TITLE = "預防接種(CDC)查詢(BA102_3FF)"
HISTORY_BUTTON = "CDC 接種查詢 (F7)"
HISTORY_ASK = "查詢 (F9)"
HISTORY_LEAVE = "離開 (Esc)"
HISTORY_PERSON = "病歷號 {chart}　姓名 {name}　{id_name} {id}　生日 {birth}"
HISTORY_NOTHING = "未填"
HISTORY_AS_OF = "截至 {at}"
HISTORY_NEVER = "尚無查詢結果"
HISTORY_BEGIN = "還沒有這位患者的疾管署接種紀錄。按「查詢」取得，之後離線也看得到。"
HISTORY_ASKING = "正在向疾管署查詢，請稍候..."
HISTORY_DONE = "查詢完成。"
HISTORY_NO_HUB = "連不上主機，現在不能向疾管署查詢；先前查到的結果仍可查看。"
HISTORY_NONE = "查無接種紀錄（以 {identity} 查詢）"
HISTORY_NONE_THEN = "當時查無接種紀錄。"
HISTORY_OTHER_IDENTITY = "這是以更改前的證號或生日查到的結果，與患者現在的資料不同，請重新查詢。"
HISTORY_BY_PARENT = "以父母身分證及生日查詢：同胎的兄弟姊妹可能列在一起，請核對。"
HISTORY_HAS_MORE = "疾管署還有其他紀錄沒有列出，以上不是全部。"
HISTORY_ONLY_OURS = "本院有，CDC 沒有（{count} 筆）"
HISTORY_COLUMNS = {
    "number": "筆數",
    "vaccination_date": "接種日期",
    "vaccine_code": "接種疫苗",
    "vaccine_name": "接種疫苗名稱",
    "institution_code": "接種機構",
    "institution_name": "接種機構名稱",
    "dose_number": "劑別",
    "lot_number": "批號",
    "marks": "註記",
}
HISTORY_MARK = {
    RowMark.OURS: "（本院）",
    RowMark.NOT_A_ROW: "⚠ 看不懂，照疾管署原文顯示",
    RowMark.DATE_UNREADABLE: "⚠ 日期看不懂，照原文顯示",
    RowMark.DATE_IN_FUTURE: "⚠ 日期在未來",
    RowMark.DATE_BEFORE_BIRTH: "⚠ 早於出生日期",
    RowMark.VACCINE_UNKNOWN: "⚠ 代碼表沒有這個疫苗",
    RowMark.LOT_MISSING: "沒有批號",
    RowMark.NOT_COMPLETED: "⚠ 疾管署註記 {status}",
}
HISTORY_OUTCOME = {
    HistoryOutcome.RECEIVED: "已取得，正在存到這台裝置...",
    HistoryOutcome.REFUSED: "疾管署拒絕這次查詢：{words}。這不代表沒有接種過，請核對證號與生日。",
    HistoryOutcome.NOT_IDENTIFIED: "不能查詢：{words}。請先更正患者資料。",
    HistoryOutcome.UNKNOWN_PERSON: "主機還沒有這位患者的資料，同步後請再按一次查詢。",
    HistoryOutcome.UNREACHABLE: "主機連不上疾管署，請確認 VPN 已連線後再查詢；先前查到的結果仍可查看。",
    HistoryOutcome.BUSY: "疾管署忙碌中，請稍後再查詢。",
    HistoryOutcome.KEY_REFUSED: "疾管署不接受本院的 API 識別碼，請洽資訊人員（{words}）。",
    HistoryOutcome.UNREADABLE: "疾管署的回應不完整或看不懂，沒有採用，請稍後再查詢（{words}）。",
    HistoryOutcome.STILL_ASKING: "疾管署還沒有回應；有結果時會自動出現在這裡，也可以稍後再按一次查詢。",
}
HISTORY_ERROR = {
    "cdc_not_configured": "主機尚未設定疾管署連線，不能查詢。",
    "cdc_link_failed": "主機的疾管署連線無法使用（憑證或設定），請洽資訊人員。",
    "not_found": "主機的程式版本較舊，還不能查詢。",
    "storage_failed": "主機無法存檔，查到的結果沒有保存，請洽資訊人員。",
    "storage_full": "主機的儲存空間已滿，查到的結果沒有保存，請洽資訊人員。",
}
HISTORY_LOT = "{lot}（{lot_type}）"
