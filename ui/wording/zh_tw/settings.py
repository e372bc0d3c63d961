"""zh-TW: the clinic's settings, and its code tables."""

from store.code_table_file import CodeTableName, TableFault

SETTINGS = "設定"
SETTINGS_MENU = "診所、使用中疫苗、當日批號、人員、代碼表"
SETTINGS_INTRO = "這裡的設定所有站別共用：存檔後同步到每一台裝置，離線時也能改。"
SETTINGS_TAB = {
    "clinic": "診所",
    "vaccines": "使用中疫苗",
    "lots": "當日批號",
    "staff": "人員",
    "tables": "代碼表",
}
SETTINGS_SAVED = "設定已存檔"
SETTINGS_UNSAVED = "有尚未存檔的變更（{tabs}）"
SETTINGS_ALL_SAVED = "沒有未存檔的變更"
SETTINGS_LEAVE_QUESTION = "有尚未存檔的變更（{tabs}），要先存檔嗎？"
SETTINGS_SAVE_AND_LEAVE = "存檔後離開"
SETTINGS_DISCARD = "不存檔，離開"
SETTINGS_STAY = "繼續編輯"
SETTINGS_CONFLICT = "有設定在兩站改得不同，目前先用較晚的一版。"
SETTINGS_SEE_CONFLICTS = "到待處理衝突選擇"
SETTINGS_CHANGED_ELSEWHERE = "另一站剛改了這一頁的設定。若存檔，兩邊都會保留，再到「待處理衝突」選擇。"
SETTINGS_TOO_LONG = "{field}最多 {limit} 個字"

CLINIC_NAME = "診所名稱"
INSTITUTION_HINT = "10 碼，會先填入產檢的採檢單位"
HUB_CODE_DIFFERS = (
    "主機設定檔的醫事機構代碼是 {hub}，與這裡不同。送疾管署一律用主機設定檔的代碼；請核對，要改連線用的代碼請改設定檔。"
)
HUB_CODE_SAME = "與主機設定檔（疾管署連線用）的代碼相同。"
INFLUENZA = "流感疫苗在這裡登錄"
INFLUENZA_HINT = "關閉後，當日不列出流感疫苗，也不帶入流感身分別；補登以前日期時仍可選。"

VACCINES_INTRO = "勾選診所常打的疫苗，選疫苗時會排在最前面（★）；其他疫苗仍在後面，隨時可選。都不勾就依原來的順序。"
VACCINES_FILTER = "找疫苗（代碼或名稱）"
VACCINES_TICKED = "已勾選 {count} 種"
VACCINES_FILTERED_OUT = "沒有符合「{text}」的疫苗。"
VACCINE_NOT_IN_TABLE = "（代碼表沒有）"
FAVOURITE = "{name} ★"

LOTS_OF_DAY_INTRO = "今天（{day}）所有站別優先帶入的批號；只在今天有效。各台裝置剛用過的批號仍排在最前面。"
LOT_BY_EXPIRY = "不指定（先用快到期的）"
LOT_NOT_OFFERED = "{lot_number}（已不可用）"
LOTS_OF_DAY_NONE = "還沒有可用的疫苗批號。請先建檔，或下載(CDC)庫存。"
LOTS_OF_DAY_NONE_IN_USE = "使用中疫苗都還沒有可用的批號。請先建檔，或下載(CDC)庫存。"

STAFF_INTRO = "接種與登錄的人員，登錄接種時可以點選；離職的人關掉「在職」，舊紀錄不受影響。"
STAFF_NONE = "還沒有人員。請在下面輸入代號與姓名後「加入」。"
STAFF_ID = "人員代號"
STAFF_NAME = "人員姓名"
STAFF_NAME_OF = "{staff_id} 的姓名"
STAFF_ACTIVE_OF = "{staff_id} 在職"
STAFF_ADD = "加入"
STAFF_EXISTS = "已經有代號「{staff_id}」。"
STAFF_ID_MISSING = "請輸入人員代號。"
STAFF_CHOOSE = "選接種人員"

CODE_TABLE = {CodeTableName.VACCINES: "疫苗代碼表", CodeTableName.IDENTITIES: "身分別代碼表"}
CODE_TABLE_INTRO = (
    "拿到新的代碼時：先下載目前的代碼表，用試算表修改並把日期（# date:）改成新的日期，另存 CSV 後匯入。"
    "代碼表沒有的代碼，紀錄上照樣顯示與保留。"
)
CODE_TABLE_BUILT_IN = "使用中：程式內建，{day}，{count} 個代碼"
CODE_TABLE_LOADED = "使用中：診所匯入，{day}，{count} 個代碼"
CODE_TABLE_OVERTAKEN = "診所匯入的代碼表（{day}）比內建的舊，沒有使用。"
CODE_TABLE_SOURCES = "來源（{count}）"
CODE_TABLE_DOWNLOAD = "下載目前的{table}"
CODE_TABLE_FILE = "{table}_{day}.csv"
CODE_TABLE_LOAD = "匯入新的{table}（CSV）"
CODE_TABLE_REJECTED = "檔案不是 CSV，或超過 {kilobytes} KB。"
CODE_TABLE_BACK = "改回內建的{table}"
CODE_TABLE_BACK_QUESTION = "改回程式內建的{table}（{day}）？所有站別都會改回；匯入過的內容仍留在紀錄中，也可以再匯入。"
CODE_TABLE_IS_BACK = "已改回內建的{table}"
CODE_TABLE_REFUSED = "「{file}」沒有匯入，請修正以下 {count} 項後再選一次檔案。"
CODE_TABLE_FAULTS_MORE = "另有 {count} 項，先修正以上各項。"
CODE_TABLE_PREVIEW = "「{file}」日期 {day}，共 {count} 個代碼"
CODE_TABLE_DIFFERENCE = "與目前使用的相比：新增 {new}、變更 {changed}、不再列出 {missing}"
CODE_TABLE_SAME = "代碼與目前使用的完全相同，只有來源或日期不同。"
CODE_TABLE_NEW = "新增"
CODE_TABLE_CHANGED = "變更"
CODE_TABLE_MISSING = "不再列出"
CODE_TABLE_COLUMNS = {"what": "差異", "code": "代碼", "name": "名稱", "detail": "內容"}
CODE_TABLE_CELL = "{column}：{text}"
CODE_TABLE_CELL_CHANGED = "{column}：{before} → {after}"
CODE_TABLE_EMPTY_CELL = "（空白）"
CODE_TABLE_USE = "採用這份代碼表"
CODE_TABLE_DROP = "不採用"
CODE_TABLE_USED = "已採用新的{table}"
TABLE_COLUMN = {
    "code": "代碼",
    "name": "名稱",
    "english_name": "英文名稱",
    "dose_labels": "劑別",
    "in_use": "使用中",
    "routine": "常規",
    "live": "活性",
    "routes": "途徑",
    "scheme": "類別",
    "age_counted": "年齡算法",
    "from_days": "滿幾天起",
    "from_years": "滿幾歲起",
    "to_years": "到幾歲",
    "note": "說明",
}
TABLE_COLUMN_NAMED = "{name}（{column}）"
TABLE_FAULT_PLACE = "第 {line} 行"
TABLE_FAULT = {
    TableFault.TOO_LARGE: "檔案太大，不是代碼表",
    TableFault.EMPTY: "檔案是空的",
    TableFault.SPREADSHEET: "這是 Excel 檔，請另存成 CSV 再匯入",
    TableFault.NOT_TEXT: "文字編碼無法辨識，請另存成 CSV UTF-8",
    TableFault.NOT_CSV: "引號沒有成對，無法讀下去",
    TableFault.NO_SOURCE: "開頭沒有來源，請加一行「# source: 來源」",
    TableFault.NO_DATE: "開頭沒有日期，請加一行「# date: 日期」",
    TableFault.DATE_UNREADABLE: "看不懂日期「{text}」，例如 116/1/2",
    TableFault.DATE_NOT_NEWER: "日期要比內建代碼表的 {text} 新，才會使用",
    TableFault.DATE_IN_FUTURE: "日期 {text} 在未來",
    TableFault.COLUMN_MISSING: "缺少這個欄位",
    TableFault.COLUMN_UNKNOWN: "不認得的欄位「{text}」",
    TableFault.COLUMN_REPEATED: "這個欄位出現兩次",
    TableFault.CELL_COUNT: "這一列有 {text} 格，應有 {expected} 格",
    TableFault.NO_ROWS: "沒有任何代碼",
    TableFault.REQUIRED: "必須填寫",
    TableFault.TOO_LONG: "太長（「{text}…」）",
    TableFault.SIGN_NOT_ALLOWED: "「{text}」含有看不見的字元，或以 = + - @ 開頭",
    TableFault.BLANK_IN_CODE: "代碼「{text}」不能有空白",
    TableFault.CODE_REPEATED: "代碼「{text}」出現兩次",
    TableFault.NOT_ONE_OF: "「{text}」應為其中之一：{expected}",
    TableFault.NOT_A_NUMBER: "「{text}」不是整數",
}
SETTING_TOPIC = {
    "set_clinic": "診所",
    "set_vaccines_in_use": "使用中疫苗",
    "set_lot_of_the_day": "當日批號",
    "set_code_table": "代碼表",
}
SETTING_FIELD = {
    "clinic_name": "診所名稱",
    "influenza": "流感疫苗在這裡登錄",
    "vaccine_codes": "使用中疫苗",
    "day": "日期",
    "table_name": "代碼表",
    "table_text": "內容",
    "staff_id": "人員代號",
    "active": "在職",
}
SETTING_YES_NO = {True: "是", False: "否"}
TABLE_TEXT_SUMMARY = "{day}，{count} 個代碼"
TABLE_TEXT_BUILT_IN = "內建"
