"""zh-TW: practice mode on one device."""

PRACTICE_MODE = "練習模式"
PRACTICE_MENU = "用假的患者和疫苗試用，不會送出"
PRACTICE_BAND = "練習模式：資料是假的，不會送到主機或疾管署"
PRACTICE_PAGE_TITLE = "【練習】{title}"
PRACTICE_LINK = "練習中，不連線"
PRACTICE_INTRO = (
    "新同仁可以用假的患者、批號和庫存練習，畫面和正式作業完全相同。練習的資料另外存放，不會送到主機或疾管署，"
    "正式資料不受影響。這台裝置的所有視窗會一起切換。"
)
PRACTICE_START = "開始練習"
PRACTICE_START_QUESTION = "開始練習模式？這台裝置的所有視窗都會切換，請先存檔輸入中的資料。"
PRACTICE_UNSENT = (
    "這台裝置還有 {count} 筆正式資料尚未同步到主機：資料都保留在這台裝置，練習期間不會送出，離開練習後會自動同步。"
)
PRACTICE_IS_ON = (
    "現在是練習模式，患者、批號和庫存都是假的。上傳後約 20 秒會有練習用的檢核結果；"
    "批號沒有建檔的會被退回，可以練習更正。正式資料沒有變動，離開練習後繼續同步。"
)
PRACTICE_LEAVE = "離開練習"
PRACTICE_LEAVE_QUESTION = "離開練習模式，回到正式作業？練習的資料會全部刪除，正式資料不受影響。"
PRACTICE_FAILED = "無法切換練習模式，請關閉其他視窗後再試一次。"
PRACTICE_FILE = "練習-{name}"
