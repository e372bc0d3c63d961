"""zh-TW: finding, registering and mending a person."""

SEARCH_HUB_FOUND = "主機上的其他患者（不在本機場次，點選即取得）"
SEARCH_HUB_NONE = "主機上沒有其他符合的患者。"
SEARCH_HUB_ASKING = "正在查詢主機…"
SEARCH_HERE_ONLY = "連不上主機，只查得到本機場次的患者。"
SEARCH_NOBODY = "查無此人。請換個方式查詢（病歷號、姓名、身分證、電話、生日），或先匯入名冊。"
SEARCH_NOBODY_HERE = "本機的場次裡沒有這個人。"
FETCHING_PERSON = "正在從主機取得這位患者的資料…"
PERSON_NOT_FETCHED = "無法從主機取得這位患者，請確認「主機 正常」後再試。"
SEX_MISSING = "沒有填寫"
SEX = {"1": "男", "2": "女"}
MERGED_CHARTS = "已併入本病歷：{charts}"
SEE_MERGES = "檢視合併"
MERGED_CHART = "（已併入其他病歷）"
EDIT_PATIENT = "修改患者資料"
NEW_PATIENT = "新增患者"
PATIENT_SAVED = "已存檔：{name}"
CHART_TAKEN = "病歷號碼 {chart} 已是這位患者："
CHART_TAKEN_SHORT = "病歷號碼 {chart} 已有患者使用，請開啟該患者或改用其他病歷號碼。"
PERHAPS_KNOWN = "可能已經有這位患者，請先確認："
OPEN_PATIENT = "開啟這位"
CONFIRM_NEW_PATIENT = "有相似的患者，仍要新增？"
ID_BY_FORM = "依號碼判斷"
PASSPORT = "護照"
NEWBORN_HINT = "新生兒沒有身分證時，請填父母身分證與同胎次序（單胞胎填 1）。"
PATIENT_COLUMNS = {
    "chart_number": "病歷號碼",
    "name": "姓名",
    "national_id": "身份證號碼",
    "phone": "電話",
    "birth_date": "出生日期",
    "four_corner_code": "四角號碼",
    "address": "地址",
}
SEARCH_LABEL = "查詢患者：病歷號碼、姓名、身分證、電話、生日（例 74/11/08），Enter 選第一筆"
SEARCH_FOUND = "找到 {count} 人"
SEARCH_MORE = "（只列前 {limit} 筆，請再多打幾個字）"
BIRTH_DATE_HINT = "出生日期 (例 1100527)"
