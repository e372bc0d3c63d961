"""zh-TW: the roster import."""

from store.roster import RosterFault

ROSTER_SESSION = "這份名冊是某個場次的名單時，請填場次名稱（不是場次就空著）"
ROSTER_SESSION_NAME = "場次名稱，例如 復興國小流感"
ROSTER_SESSION_DATE = "場次日期，例如 1141125"
ROSTER_SESSION_DONE = "場次「{name}」{day}：名單共 {count} 人。"
ROSTER_SCOPED = (
    "這台裝置只存放指定場次，名冊會成為一個場次（沒有填名稱就叫「名冊匯入」）。"
    "離線匯入時，名冊上的人若主機已有而內容不同，會列入「待處理衝突」。"
)
ROSTER_SESSION_DEFAULT = "名冊匯入"
ROSTER = "名冊匯入"
ROSTER_MENU = "由 HIS 匯出的病患名冊"
ROSTER_FAULT = {
    RosterFault.EMPTY: "這是空的檔案。",
    RosterFault.SPREADSHEET: "這是 Excel 檔。請在 Excel 另存成 CSV 再匯入。",
    RosterFault.NOT_TEXT: "這不是文字檔，請選擇 HIS 匯出的 CSV。",
    RosterFault.TOO_MANY_COLUMNS: "第一列的欄位太多，這不是病患名冊。",
    RosterFault.MISSING_COLUMNS: "檔案缺少欄位：{columns}。請確認第一列是欄位名稱。",
    RosterFault.REPEATED_COLUMNS: "檔案有重複的欄位：{columns}。",
}
ROSTER_INTRO = "選擇 HIS 匯出的病患名冊（CSV，Big5 或 UTF-8）。先預覽，按確定才匯入；重複匯入不會重複建檔。"
ROSTER_CHOOSE = "選擇檔案"
ROSTER_CHOOSE_FIRST = "請先選擇名冊檔案。"
ROSTER_REJECTED = "檔案太大或不是 CSV。"
ROSTER_SUMMARY = "編碼 {encoding}，共 {rows} 列，前幾列在下面。"
ROSTER_IMPORT = "確定匯入 (F9)"
ROSTER_PROGRESS = "{percent}　新增 {new} 人、更新 {changed} 人、相同 {unchanged} 列、不能匯入 {bad} 列"
ROSTER_DONE = "匯入完成。"
ROSTER_BAD_ROWS = "不能匯入的 {count} 列（原檔內容都在下載檔中，改好後可再匯入）："
ROSTER_BAD_ROWS_FILE = "不能匯入的列-{day}.csv"
ROSTER_BAD_ROWS_DOWNLOAD = "下載不能匯入的列"
ROSTER_WARNED_ROWS = "已匯入、但請核對的 {count} 列："
ROSTER_COLUMNS = {"line": "行號", "chart_number": "病歷號碼", "name": "姓名", "problems": "說明"}
