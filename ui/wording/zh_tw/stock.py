"""zh-TW: stock (BA109_3_DOWNLOAD)."""

from store.stock import ConsumptionState, StockWarning

STOCK = "疫苗批號和數量下載且上傳"
STOCK_DOWNLOAD = "下載(CDC)庫存"
STOCK_UPLOAD = "上傳(CDC)庫存 (F9)"
STOCK_COLUMNS = (
    "筆數", "上傳狀態", "上傳訊息", "疫苗代碼(2021)", "疫苗批號", "批號型別", "庫存量(CDC)", "消耗量(劑)", "消耗量(瓶)",
    "結存量(瓶)",
)  # fmt: skip
STOCK_PATIENT_COLUMNS = {
    "number": "筆數",
    "vaccine_code": "(2021)疫苗代碼",
    "lot_number": "疫苗批號",
    "chart_number": "病歷號",
    "name": "姓名",
    "vaccination_date": "接種日期",
}
STOCK_NEVER = "尚未下載庫存"
STOCK_DOWNLOADED_AT = "庫存下載時間 {at}　共 {rows} 筆"
STOCK_UNREADABLE = "（另有 {unreadable} 筆看不懂，原文保留在主機）"
STOCK_EMPTY = "還沒有庫存資料。領到疫苗後，請在「主機 正常」時按「下載(CDC)庫存」，系統會自動新增批號。"
STOCK_HOW = "消耗量(瓶)請手動輸入，隨打隨存，離線也可以；結存量 = 庫存量(CDC) - 消耗量(瓶)。點疫苗批號可看接種名單。"
STOCK_SCOPED = "這台裝置只存放指定場次，消耗量(劑)無法完整計算，所以不顯示；上傳時由主機計算。"
STOCK_MORE = "另有 {count} 筆未列出。"
STOCK_VIALS_INVALID = "請填整數 0-99999"
STOCK_FIX_FIRST = "有 {count} 列的消耗量(瓶)看不懂，請先改正再上傳。"
STOCK_LOT_TYPE = {"1": "中央", "2": "自費", "3": "地方自購"}
STOCK_PATIENTS = "{vaccine} {lot} 接種名單：共 {total} 劑，其中 {since} 劑尚未上傳耗用"
STOCK_PATIENTS_HERE = "{vaccine} {lot} 接種名單：這台裝置的場次共 {total} 劑"
STOCK_PATIENTS_NONE = "這個批號還沒有接種紀錄。接種紀錄的疫苗代碼與批號必須正確，才會列在這裡。"
STOCK_PATIENTS_LIMIT = "只列出 {count} 筆。"
STOCK_STATE = {
    ConsumptionState.NOTHING: "",
    ConsumptionState.NOT_SENT: "待上傳",
    ConsumptionState.SENT: "已送出(等候回應)",
    ConsumptionState.ACCEPTED: "上傳成功",
    ConsumptionState.LATE: "請確認",
    ConsumptionState.REFUSED: "上傳失敗",
}
STOCK_IN_CONFLICT = "兩站登錄不同"
STOCK_SETTLE = "另一站登錄的瓶數不同，確認前不上傳。請重新輸入，或到「待處理衝突」選擇。"
STOCK_SENT_WAITS = "還沒有收到疾管署的回應，請再按一次上傳；不會重複扣帳。"
STOCK_ACCEPTED = "已上傳 {vials} 瓶"
STOCK_LATE = "已上傳 {sent} 瓶，但另有登錄 {typed} 瓶。請輸入還沒上傳的瓶數，沒有就填 0。"
STOCK_WARNING = {
    StockWarning.BALANCE_BELOW_ZERO: "消耗量比庫存量多，請核對",
    StockWarning.TOO_MANY_VIALS: "瓶數比 {doses} 劑所需的多，請核對",
    StockWarning.TOO_FEW_VIALS: "瓶數不夠 {doses} 劑使用，請核對",
}
STOCK_DOWNLOADING = "疫苗庫存下載中，請稍候..."
STOCK_UPLOADING = "疫苗耗用上傳中，請稍候..."
STOCK_UNREACHABLE = "連不上主機。已登錄的消耗量都在這台裝置，請在「主機 正常」時再按一次。"
STOCK_NO_ANSWER = "主機還在等疾管署回應，完成後會自動顯示在下面。"
STOCK_ANSWER = {
    "downloaded": "下載成功：共 {rows} 筆，新增批號 {new_lots} 筆。",
    "uploaded": "疾管署已收下 {accepted} 筆，退回 {refused} 筆。API回傳訊息={detail}",
    "nothing_to_upload": "沒有待上傳的消耗量。請先輸入消耗量(瓶)。",
    "stock_empty": "疾管署回覆的庫存是空的，原來的庫存沒有變動。請稍後再試，或洽疾管署。",
    "busy": "另一站正在下載或上傳庫存，完成後會自動顯示。",
    "registry_unreachable": "主機連不上疾管署，請確認 VPN 已連線後再按一次。（{detail}）",
    "registry_down": "疾管署沒有回應（VPN 已通），請稍後再按一次。（{detail}）",
    "registry_busy": "疾管署系統忙碌，請稍後再按一次。（{detail}）",
    "registry_key_refused": "疾管署不接受本院的 API 識別碼，請洽資訊人員。（{detail}）",
    "registry_answer_unreadable": "看不懂疾管署的回應，原文已保留在主機，請稍後再試。（{detail}）",
    "cdc_not_configured": "主機尚未設定疾管署連線，請洽資訊人員。",
    "cdc_link_failed": "主機的疾管署連線無法使用，請洽資訊人員。（{detail}）",
}
STOCK_NEW_MAKERS = "新批號的廠商請到「疫苗批號建檔」補上。"
STOCK_VIALS_OF = "消耗量(瓶) {lot}"
