"""zh-TW: prenatal and measles exams (E.BAMENU4)."""

from store.prenatal import ExamMethod, ExamState, ExamType, Finding

EXAM_MENU = "孕婦 B 肝產檢或德國麻疹系統"
EXAM_RECORDS = "孕婦 B 肝產檢或德國麻疹建檔及修改"
EXAM_UPLOAD = "孕婦 B 肝產檢或德國麻疹上傳作業"
EXAM_TYPE = {
    ExamType.HEPATITIS_B: "孕婦B肝產檢結果",
    ExamType.RUBELLA: "德國麻疹檢驗結果",
    ExamType.MEASLES: "麻疹檢驗結果",
}
EXAM_METHOD = {ExamMethod.RIA: "RIA", ExamMethod.EIA: "EIA", ExamMethod.OTHER: "Other 其他"}
EXAM_FINDING = {Finding.POSITIVE: "陽性 (+)", Finding.NEGATIVE: "陰性 (-)", Finding.INDETERMINATE: "不確定 (±)"}
EXAM_SIGN = {Finding.POSITIVE: "(+)", Finding.NEGATIVE: "(-)", Finding.INDETERMINATE: "(±)"}
EXAM_YES_NO = {True: "是", False: "否"}
EXAM_STATE = {ExamState.NOT_SENT: "待上傳", ExamState.NOT_NEEDED: "不需上傳"}
EXAM_TOTAL = "共 {count} 筆"
EXAM_WAITING = "待上傳 {count}"
EXAM_TWO_RECORDS = "同天檢驗 B 肝及德國麻疹，需分開建 2 筆資料；存檔後可直接新增同天的另一筆。"
EXAM_CHOOSE_TYPE = "請先選擇檢驗種類，下方會出現該種類的欄位。"
EXAM_HISTORY = "檢驗紀錄 {count} 筆"
EXAM_HISTORY_CUT = "（只列前 {count} 筆）"
EXAM_NO_HISTORY = "還沒有檢驗紀錄。請按「新增」建立第一筆。"
EXAM_NEW = "新增 (F3)"
EXAM_NEW_SAME_DAY = "新增同天（{day}）的{kind}"
EXAM_SAVE = "儲存 (F9)"
EXAM_VOID = "作廢"
EXAM_OTHER_PERSON = "離開"
EXAM_SAVED = "已存檔：{name} {day} {kind}"
EXAM_NOT_CHANGED = "沒有變更"
EXAM_VOIDED = "已作廢：{reason}"
EXAM_ASK_VOID = "作廢這筆檢驗紀錄？資料會保留並註明原因。"
EXAM_CHECK_AGAIN = "請再確認（疾管署可能退回）："
EXAM_SAVE_ANYWAY = "仍要存檔"
EXAM_GO_BACK = "返回修改"
EXAM_CDC_CODE = "{sentence}（疾管署代碼 {cdc_code}）"
EXAM_PERSON_HINT = "患者資料請在名冊更新。"
EXAM_HINT_DATE = "{field} (例 1150520)"
EXAM_UPLOAD_NOT_YET = (
    "檢驗結果還沒有送到疾管署。設定好檢驗結果的上傳連線之後，才能在這裡上傳；"
    "在那之前資料都保存在院內，狀態維持「待上傳」，不會遺失。"
)
EXAM_UPLOAD_BUTTON = "上傳"
EXAM_UPLOAD_BY = "上傳方式 1.VPN"
EXAM_SEARCH_UNSENT = "未上傳資料搜尋"
EXAM_SEARCH_RANGE = "區間範圍搜尋"
EXAM_FROM, EXAM_TO = "檢驗日期起 (例 1150501)", "檢驗日期迄 (例 1150531)"
EXAM_LOAD = "確定 (F9)"
EXAM_LISTED = "產檢列表 {count} 筆"
EXAM_LIST_CUT = "（只列前 {count} 筆）"
EXAM_NONE_WAITS = "沒有待上傳的檢驗結果。到「BA103_3」新增的資料會出現在這裡。"
EXAM_NONE_IN_RANGE = "這段期間沒有檢驗結果。"
EXAM_RANGE_REVERSED = "起日晚於迄日，請修改。"
EXAM_RANGE_TOO_LONG = "區間最長 3 個月，請縮短。"
EXAM_READY = "無異常"
EXAM_MORE_PROBLEMS = "　等 {count} 項"
EXAM_COLUMNS = {
    "number": "筆數",
    "state": "狀態",
    "problems": "上傳前檢查",
    "exam_date": "檢驗日期",
    "chart_number": "病歷號",
    "name": "姓名",
    "birth_date": "生日",
    "national_id": "身分證",
    "exam_type": "檢驗種類",
    "result": "檢驗結果",
    "institution": "採檢單位",
    "due_date": "預產期",
}
