"""zh-TW: lots (BA109)."""

LOT_TYPE = {"1": "1 中央", "2": "2 自費", "3": "3 地方自購"}
LOTS = "疫苗批號建檔"
LOTS_WAITING = "缺廠商 {count}"
LOT_STATUS = {"active": "使用中", "depleted": "用完", "recalled": "回收"}
LOT_COLUMNS = {
    "vaccine_code": "疫苗代碼",
    "lot_number": "疫苗批號",
    "maker_lot_number": "廠商批號",
    "lot_type": "批號型別",
    "manufacturer": "廠商",
    "expiry_date": "效期",
    "doses_per_vial": "每瓶劑數",
    "status": "狀態",
}
LOT_SEARCH = "查詢批號：疫苗批號、廠商批號、疫苗代碼、廠商，Enter 開啟第一筆"
LOT_ADD = "新增 (F3)"
LOT_NEW = "新增批號"
LOT_EDIT = "修改批號"
LOT_SAVE = "確定 (F9)"
LOT_LEAVE = "離開 (Esc)"
LOTS_COUNT = "共 {count} 個批號，缺廠商 {missing} 個"
LOTS_FOUND = "找到 {count} 個批號"
LOTS_MORE = "（只列前 {limit} 個，請再多打幾個字）"
LOTS_NONE = (
    "還沒有批號。中央與地方自購的批號，「下載(CDC)庫存」後會自動建檔，廠商再自行鍵入；自費的批號請按「新增」建檔。"
)
LOTS_NOT_FOUND = "查無此批號。請核對後按「新增」建檔。"
LOT_ASK_MANUFACTURER = "⚠ 請填廠商"
LOT_EXPIRED_MARK = "{day} 已過期"
LOT_FIELD_LABEL = {
    "lot_number": "疫苗批號 (區分大小寫)",
    "expiry_date": "效期 (例 1160331)",
    "status": "狀態",
}
LOT_MAKERS = "用過的廠商"
LOT_SAVED = "已存檔：批號 {lot_number}"
LOT_UNCHANGED = "沒有變更"
LOT_ASK_RECALL = "這個批號改為「回收」後，接種時不再提供。已接種的紀錄不會更動，名單列在本頁下方。"
LOT_OPEN_OTHER = "開啟已建檔的批號"
LOT_OTHER_VERSION = "{lot_number}，廠商 {manufacturer}，效期 {expiry_date}，{status}"
LOT_DOSES = "用這個批號的接種紀錄 {count} 筆"
LOT_DOSES_MANY = "用這個批號的接種紀錄 {count} 筆（含作廢），只列 {limit} 筆"
LOT_DOSES_HERE_ONLY = "這台裝置只存放指定場次，其他人的接種紀錄請在主機或存放全部患者的裝置上查看。"
