"""zh-TW: staff accounts and enrolled devices, for managers."""

from store.access_protocol import AccessProblem
from store.roles import Role

MANAGING = "人員與裝置"
MANAGING_MENU = "帳號與角色、登記或停用平板"
MANAGING_BEGIN = "尚未建立管理者帳號"
FIRST_START = (
    "第一次使用：先建立管理者帳號，之後每個人用自己的 PIN 碼，平板也才能登記；再匯入病患名冊，並在設定裡填好診所。"
)
MANAGING_NOT_YOU = "人員與裝置由管理者設定。"
MANAGING_NOT_HERE = "練習模式沒有人員與裝置，請先離開練習。"
MANAGING_NO_HUB = "連不上主機。人員與裝置存放在主機，請連上後再試。"
MANAGING_STAFF = "人員帳號"
MANAGING_STAFF_HINT = "每個人用自己的帳號登入裝置。離職的人請停用，紀錄不受影響；90 天沒使用的帳號會自動停用。"
MANAGING_DEVICES = "登記的裝置"
MANAGING_DEVICES_HINT = "遺失的裝置請立即停用：它下次連線時會先送出資料，再清除自己。"
ACCOUNT_COLUMNS = {
    "staff_id": "人員代號", "roles": "角色", "standing": "狀態", "last_used_at": "上次使用", "devices": "登入過的裝置",
}  # fmt: skip
ACCOUNT_NEW = "新增人員"
ACCOUNT_ID = "人員代號（登入用，之後不能更改）"
ACCOUNT_PASSWORD = "密碼（至少 10 個字元）"
ACCOUNT_RESET = "重設密碼（不改請留空）"
ACCOUNT_ACTIVE = "帳號啟用"
ACCOUNT_ON = "啟用"
ACCOUNT_OFF = "已停用"
ACCOUNT_UNUSED = "90 天未使用，已停用"
ACCOUNT_NEVER = "從未登入"
ROLE_NAME = {
    Role.RECORDER: "登錄", Role.VACCINATOR: "接種", Role.STOCK_KEEPER: "庫存", Role.MANAGER: "管理",
}  # fmt: skip
ROLE = {
    Role.RECORDER: "登錄：患者、接種、產檢、名冊、中斷作業",
    Role.VACCINATOR: "接種：患者、接種、產檢",
    Role.STOCK_KEEPER: "庫存：批號、用量、與疾管署的庫存",
    Role.MANAGER: "管理：以上全部，以及設定、人員與裝置",
}
DEVICE_COLUMNS = {
    "name": "名稱", "standing": "狀態", "staff": "人員", "enrolled": "登記", "last_sync_at": "最後同步",
    "unsent": "未送出", "kept": "瀏覽器保留", "build": "版本",
}  # fmt: skip
DEVICE_NEW = "登記新裝置"
DEVICE_NAME = "裝置名稱"
DEVICE_NAME_MISSING = "請輸入裝置名稱。"
DEVICE_THIS = "{name}（這台）"
DEVICE_IN_USE = "使用中"
DEVICE_OFF = "{day} 由 {who} 停用，等待它連線"
DEVICE_WIPED = "{day} 已停用並清除"
DEVICE_KEPT = "保留"
DEVICE_NOT_KEPT = "不保證"
DEVICE_KEPT_BY_ANSWER = {True: DEVICE_KEPT, False: DEVICE_NOT_KEPT, None: ""}
DEVICE_TURN_OFF = "停用這台裝置"
DEVICE_TURN_OFF_QUESTION = (
    "停用「{name}」？它下次連線時會先把未送出的資料交給主機，再清除自己，之後要重新登記才能使用。"
)
CODE_TITLE = "在新裝置上輸入這個代碼"
CODE_SCAN = "或用新裝置的相機掃描（平板要先完成連線設定，見診所平板連線頁）："
CODE_NO_LAN = "主機尚未開放院內網路，只能登記診所電腦。請先在設定檔開放 [lan]。"
CODE_LEFT = "還有 {time}"
CODE_OVER = "代碼已過期，請關閉後重新產生。"
ACCESS_PROBLEM = {
    AccessProblem.STAFF_ID_FORM: "1 到 20 個字：中文、英文、數字、句點、減號、底線。",
    AccessProblem.STAFF_ID_RESERVED: "這個代號由程式使用，請換一個。",
    AccessProblem.STAFF_ID_TAKEN: "已經有這個代號，或看起來一樣的代號。",
    AccessProblem.STAFF_UNKNOWN: "沒有這個人。",
    AccessProblem.PASSWORD_SHORT: "密碼至少要 10 個字元。",
    AccessProblem.PASSWORD_PLAIN: "這個密碼太容易猜到，請換一個。",
    AccessProblem.PASSWORD_WRONG: "目前的密碼不對。",
    AccessProblem.ROLE_MISSING: "請至少選一個角色。",
    AccessProblem.LAST_MANAGER: "至少要有一位啟用中的管理者。",
    AccessProblem.TOO_MANY: "人員數量已達上限。",
}
