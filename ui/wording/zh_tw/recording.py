"""zh-TW: vaccination records (BA102_3)."""

VOIDED = "已作廢"
CONFLICTING = "兩站修改不同，請開啟確認"
CONFLICT = "另一站同時改成：{other}。請確認以下內容後按確定，以此為準。"
RECORDED_TWICE = "同劑重複登錄，請確認"
RECORDED_TWICE_FORM = "同一劑另有一筆：{other}。兩筆都保留，請到「待處理衝突」確認。"
# BA102_3
VOID_QUESTION = "作廢這筆接種紀錄？資料會保留並註明原因，疾管署端會一併刪除。"
ANOTHER_VACCINE = "同一人・另一疫苗"
NEXT_PERSON = "同疫苗・下一位"
SAVED_LATELY = "已存檔：{dose}"
OPEN_SAVED = "開啟這筆"
NEXT_GETS = "下一位沿用：{values}"
HALF_FILLED = "已還原尚未存檔的內容，請核對後按確定。"
SAVED_BECAUSE = "有提醒仍存檔，原因：{reason}"
ENTERED_LATER = "補登過去紀錄"
WARNING_REASONS = ("已核對無誤", "醫師評估後接種", ENTERED_LATER)
BODY_SITES = ["左上臂", "右上臂", "左大腿", "右大腿", "口服"]
VACCINE_WINDOW = "疫苗代碼查詢"
IDENTITY_WINDOW = "特殊身分查詢"
IDENTITY_SCHEME = "身分別類別"
DOSE_LABEL = "第 {dose} 劑"
TWO_LEVEL_SEARCH = "輸入代碼或名稱，Enter 選第一筆"
TWO_LEVEL_CHOSEN = "已選：{left}　{right}"
CODE_NAME = "名稱"
CHOOSE = "選擇"
DAY_FILTER = "清單日期"
DAY_TODAY = "今天"
EVERY_VACCINE = "全部疫苗"
LIST_VACCINE = "清單疫苗"
LIST_STATE = "清單狀態"
EVERY_STATE = "全部狀態"
DAY_COUNT = "{day} 接種 {count} 筆"
TODAY_COUNT = "今日接種 {count} 筆"
DAY_UNREADABLE = "看不懂這個日期，請打民國年月日，例如 1150520；空白是今天。"
VOID_REASON = "作廢原因（必填）"
VOID_CONFIRM = "確定作廢"
ASK_AGAIN = "請再確認："
REASON = "原因（會記在這筆紀錄）"
SAVE_ANYWAY = "仍要存檔"
GO_BACK = "返回修改"
DATE_HINT = "{field} (例 1150520)"
LOT_NUMBER_HINT = "疫苗批號 (區分大小寫)"
PARENT_ID = "父母 {id}"
PERSON_LINE = "病歷號碼 {chart}　身分證 {id}"
PAST_DOSES = "本院接種紀錄：{doses}"
CDC_SAID = "{state}。疾管署訊息：{message}"
CORRECT_TO_RESEND = "請修正後按確定，系統會自動重新上傳及檢核。"
VOIDED_BECAUSE = "已作廢：{reason}"
CHOICES_LATER = "選了疫苗，劑別與批號會列在這裡，點選即可。"
DOSE_CHOICES = "劑別"
LOT_CHOICES = "批號"
LOT_CHOICES_NONE = "這個疫苗還沒有可用的批號，請直接輸入。"
LOT_EXPIRES = " 效期 {day}"
DOSE_SAVED = "已存檔：{name} {vaccine} 第 {dose} 劑"
VOID_REVISION = "作廢（{reason}）"
DOSE_REVISION = "{day} {vaccine}-{dose} 批號 {lot}"
STATE_TOO = "{mark}，{state}"
VACCINATION_COLUMNS = {
    "number": "筆數",
    "vaccination_date": "接種日期",
    "chart_number": "病歷號",
    "name": "姓名",
    "sex": "性別",
    "birth_date": "生日",
    "national_id": "身分證",
    "birth_order": "同胎次序",
    "parity": "胎次",
    "plurality": "胎別",
    "parent_national_id": "父母身分證",
    "vaccine_code": "疫苗編號",
    "dose_number": "劑別",
    "lot_number": "疫苗批號",
    "lot_type": "批號型別",
    "routine": "常規",
    "state": "狀態",
    "message": "疾管署訊息",
    "judged_at": "檢核時間",
}
