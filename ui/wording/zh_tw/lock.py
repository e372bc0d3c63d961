"""zh-TW: the lock: whose desk it is, the PIN, the idle time."""

LOCK_NOW = "{staff_id}：鎖定／換人"
LOCK_TITLE = "解鎖與自動鎖定"
LOCK_WHO = "目前使用者：{staff_id}"
LOCK_INTRO = "離開前請按上方的鎖頭。鎖定後資料加密，輸入到一半的內容會保留，解鎖後繼續。"
LOCK_NONE = (
    "這台裝置目前不需要登入，只能在診所電腦上使用。建立管理者帳號後，每個人以自己的 PIN 碼解鎖，"
    "平板可以從院內網路使用，裝置上的資料會加密。請在診所電腦上操作。"
)
LOCK_BEGIN = "建立管理者帳號"
LOCK_CHANGE_PIN = "變更我的 PIN 碼"
LOCK_IDLE_LABEL = "多久沒有操作就鎖定"
LOCK_IDLE = {60: "1 分鐘", 120: "2 分鐘", 180: "3 分鐘", 300: "5 分鐘", 600: "10 分鐘"}
LOCK_SECONDS = "{seconds} 秒"
ENROL_DEVICE = "登記這台裝置"
PASSWORD_CHANGE = "變更我的密碼"
PASSWORD_OLD = "目前的密碼"
PASSWORD_NEW = "新密碼（至少 10 個字元）"
PASSWORD_AGAIN = "再輸入一次新密碼"
PASSWORDS_DIFFER = "兩次輸入的密碼不同，請再輸入一次。"
PASSWORD_CHANGED = "密碼已變更。在其他登入過的裝置上，要用新密碼重新登入一次。"
VIEW_ONLY = "僅供查看　{waiting}"
VIEW_ONLY_PAGE = "「{staff_id}」的角色只能查看這個畫面，不能存檔。要登錄請換人或洽管理者。"
