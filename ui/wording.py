"""Every sentence the screens say in zh-TW, and code -> sentence for each state, problem and error.

English joins here as a second column; no other module of ui/ holds screen text except the runtime's shell, which must
speak before Python runs.
"""

from datetime import date

from store.duplicates import Likeness
from store.history import RowMark
from store.prenatal import ExamMethod, ExamState, ExamType, Finding
from store.problems import Problem, ProblemCode
from store.protocol import CdcLinkState, HistoryOutcome
from store.roc_date import RocDateFault, format_roc_date
from store.roster import RosterFault
from store.stock import ConsumptionState, StockWarning
from store.uploads import UploadState
from ui.sync_client import HubLink

PRODUCT = "疫苗接種工作站"

UPLOAD_STATE = {
    UploadState.NOT_NEEDED: "未曾上傳",
    UploadState.NOT_SENT: "待上傳",
    UploadState.SENT: "已送出(等候回應)",
    UploadState.ACCEPTED: "已收件(尚未檢核)",
    UploadState.VERIFIED: "檢核通過",
    UploadState.REFUSED: "檢核失敗",
}

VOIDED = "已作廢"
CONFLICTING = "兩站修改不同，請開啟確認"
CONFLICT = "另一站同時改成：{other}。請確認以下內容後按確定，以此為準。"
RECORDED_TWICE = "同劑重複登錄，請確認"
RECORDED_TWICE_FORM = "同一劑另有一筆：{other}。兩筆都保留，請到「待處理衝突」確認。"
WAITS_FOR_ID = "缺身分證，不能上傳"

DEVICE = "本機資料"
DEVICE_MENU = "這台裝置存放的患者、儲存空間"
EVERYONE = "全部患者"
CHOSEN_SESSIONS = "指定場次"
SCOPE_TITLE = "這台裝置存放的患者"
SCOPE_INTRO = "空間不足或只負責某些場次時，可以只存放指定場次的患者；其他人仍在主機，連線時查得到。"
SCOPE_IS_EVERYONE = "目前存放：全部患者（{people} 人）"
SCOPE_IS_CHOSEN = "目前存放：{sessions} 場次，共 {people} 人"
SCOPE_LACKS = "，另有 {people} 人連上主機後會自動補齊"
SCOPE_BAR = "只存 {sessions} 場次 {people} 人"
SCOPE_DAYS = "整天的場次（之後新增的也會自動加入）"
SCOPE_DAY = "{day}（{sessions} 場 {people} 人）"
SCOPE_APPLY = "套用 (F9)"
NO_SESSIONS = "還沒有場次。請在「名冊匯入」填寫場次名稱與日期。"
CHOOSE_A_SESSION = "請先勾選場次或日期。"
CONFIRM_NARROW = (
    "只存放勾選的場次（約 {people} 人）？其他 {others} 人的資料會從這台裝置移除，主機仍保留全部資料。"
    "尚未同步的資料（{unsent} 筆）一律保留。"
)
CONFIRM_EVERYONE = "從主機取得全部患者，存放在這台裝置？尚未同步的資料不受影響。"
SCOPE_FETCHING = "正在從主機取得資料 {percent}%，請不要關閉這個畫面或離開院內網路。"
SCOPE_DONE = "已完成。"
SCOPE_UNREACHABLE = "連不上主機，這台裝置的資料沒有變動。請在「主機 正常」時再試。"
STORAGE_TITLE = "儲存空間"
STORAGE_UNKNOWN = "瀏覽器沒有提供儲存空間的資訊。"
STORAGE_USED = "已使用 {used}，瀏覽器允許 {allowed}（{percent}%）"
STORAGE_SHORT_BAR = "儲存空間剩 {left}"
STORAGE_SHORT = (
    "儲存空間快用完了，用完後無法存檔。請先連上主機同步，再改為只存放指定場次，或清出這台裝置的空間。"
)
STORAGE_KEPT = "瀏覽器已答應不會自行清除這些資料。"
STORAGE_NOT_KEPT = "瀏覽器尚未答應保留：裝置空間不足時，可能自行清除這些資料。請保持連線同步。"
STORAGE_KEPT_UNKNOWN = "正在詢問瀏覽器是否保留資料…"
STORAGE_KEPT_BY_ANSWER = {True: STORAGE_KEPT, False: STORAGE_NOT_KEPT, None: STORAGE_KEPT_UNKNOWN}
ASK_TO_KEEP = "請瀏覽器保留資料"
KEPT_NOW = "瀏覽器已答應保留。"
STILL_NOT_KEPT = "瀏覽器沒有答應。把本站安裝成應用程式或加入書籤後，再試一次。"
SEARCH_HUB_FOUND = "主機上的其他患者（不在本機場次，點選即取得）"
SEARCH_HUB_NONE = "主機上沒有其他符合的患者。"
SEARCH_HUB_ASKING = "正在查詢主機…"
SEARCH_HERE_ONLY = "連不上主機，只查得到本機場次的患者。"
SEARCH_NOBODY = "查無此人。請換個方式查詢（病歷號、姓名、身分證、電話、生日），或先匯入名冊。"
SEARCH_NOBODY_HERE = "本機的場次裡沒有這個人。"
FETCHING_PERSON = "正在從主機取得這位患者的資料…"
PERSON_NOT_FETCHED = "無法從主機取得這位患者，請確認「主機 正常」後再試。"
ROSTER_SESSION = "這份名冊是某個場次的名單時，請填場次名稱（不是場次就空著）"
ROSTER_SESSION_NAME = "場次名稱，例如 復興國小流感"
ROSTER_SESSION_DATE = "場次日期，例如 1141125"
ROSTER_SESSION_DONE = "場次「{name}」{day}：名單共 {count} 人。"
ROSTER_SCOPED = (
    "這台裝置只存放指定場次，名冊會成為一個場次（沒有填名稱就叫「名冊匯入」）。"
    "離線匯入時，名冊上的人若主機已有而內容不同，會列入「待處理衝突」。"
)
ROSTER_SESSION_DEFAULT = "名冊匯入"

PRACTICE = "練習模式，不會送到疾管署"
FIRST_SYNC = "首次同步 {percent}%"
CATCHING_UP = "補齊資料 {percent}%"

HUB_LINK = {
    HubLink.UNKNOWN: "連線中",
    HubLink.CONNECTED: "正常",
    HubLink.UNREACHABLE: "離線",
    HubLink.REFUSING: "主機拒絕",
}

CDC_LINK = {
    CdcLinkState.UNKNOWN: "尚未連線",
    CdcLinkState.CONNECTED: "正常",
    CdcLinkState.UNREACHABLE: "連不上",
    CdcLinkState.REFUSED_KEY: "識別碼遭拒",
    CdcLinkState.FAILING: "異常",
    CdcLinkState.NOT_CONFIGURED: "未設定",
}

CDC_REMEDY = {
    CdcLinkState.UNREACHABLE: "請確認 VPN 已連線；恢復後會自動上傳，資料都在本機。",
    CdcLinkState.REFUSED_KEY: "疾管署不接受本院的 API 識別碼，請洽資訊人員；資料都在本機，不會遺失。",
    CdcLinkState.FAILING: "疾管署系統異常，稍後會自動再試。",
    CdcLinkState.NOT_CONFIGURED: "主機尚未設定疾管署連線，資料先存在本機。",
}

NOT_NHI = "資料是送往「疾管署(CDC)」，不是健保署。"
ACCEPTED_IS_NOT_VERIFIED = "疾管署收件後約 10-20 分鐘才有檢核結果；出現「檢核通過」才算完成。"

LOT_TYPE = {"1": "1 中央", "2": "2 自費", "3": "3 地方自購"}
SEX_MISSING = "沒有填寫"
SEX = {"1": "男", "2": "女"}

APP_ERROR = {
    "app_error": "作業沒有完成，請再試一次。",
    "storage_failed": "無法寫入本機儲存空間，這筆資料尚未存檔，請再試一次。",
    "storage_full": "儲存空間已滿，這筆資料尚未存檔。請清出空間後再按一次確定。",
    "journal_unreadable": "本機資料檔無法讀取，檔案原封不動。請匯出資料並洽資訊人員。",
    "journal_too_new": "本機資料由較新版本的程式寫入，請更新程式後再開啟。",
    "record_not_found": "找不到這筆資料。",
    "snapshot_damaged": "從主機取得的整批資料不完整，會重新取得；本機資料沒有變動。",
    "record_damaged": "這筆資料在本機磁碟上已損壞，請連上主機補齊。",
    "protocol_mismatch": "這台裝置與主機的程式版本不同，請重新整理以更新程式。",
    "roster_unusable": "這個檔案不是病患名冊。",
    "hub_behind_device": "主機的資料比這台裝置舊（可能還原過備份），已停止同步以免遺漏。請通知資訊人員；資料都在本機。",
    "host_not_allowed": "主機不接受這個網址，請改用主機列出的網址開啟。",
    "scope_refused": "主機的程式版本較舊，還不能只存放指定場次；這台裝置的資料沒有變動。",
    "storage_busy": "資料檔正被其他視窗使用，請關閉其他視窗後再試一次。",
    "storage_unavailable": "無法開啟此裝置上的資料檔，程式不會以空白資料啟動。",
    "storage_conflict": "此裝置上有兩份資料檔，請先匯出資料並聯絡支援人員。",
    "network_failed": "連不上主機，資料已存在這台裝置，恢復後會自動同步。",
}


CONFLICTS = "待處理衝突"
CONFLICTS_MENU = "兩站不同、重複登錄、可能同一人"
CONFLICTS_INTRO = "不同站別同時登錄或修改時，系統兩邊都保留，由人員在這裡決定。決定會記下是誰、何時做的。"
NO_CONFLICTS = "目前沒有待處理的衝突。"
MORE_CONFLICTS = "另有 {count} 筆，處理完以上再列出。"
EDITED_APART = "兩站修改不同"
EDITED_TABLE = {
    "vaccinations": "接種紀錄",
    "exams": "產檢檢驗紀錄",
    "patients": "患者資料",
    "lots": "疫苗批號",
    "sessions": "場次",
    "consumptions": "疫苗耗用",
}
SAME_DOSE = "同一劑登錄了兩筆"
LIKELY_SAME_PERSON = "可能是同一人"
DECIDED_LATELY = "近 30 天的決定（可取消）"
LIKENESS = {
    Likeness.NATIONAL_ID: "身分證相同",
    Likeness.NAME_BIRTH: "姓名與生日相同",
    Likeness.PHONE_BIRTH: "電話與生日相同",
}
DECIDED_APART = "兩站對這兩人的決定不同，未決定前不合併"
MERGED_ELSEWHERE = "其中一人已併入其他病歷"
CHOOSE_VERSION = "採用這一版"
KEEP_THIS_DOSE = "保留這筆，作廢另一筆"
BOTH_DOSES_REAL = "兩筆都是真的"
MERGE_INTO_THIS = "同一人，併入這份病歷"
NOT_SAME_PERSON = "不是同一人"
OPEN_RECORD = "開啟"
LEAVE = "離開"
CONFIRM = "確定"
CANCEL = "取消"
WITHDRAW = "取消這個決定"
CONFIRM_CHOICE = "以這一版為準？其他版本仍保留在紀錄中。"
CONFIRM_KEEP = "保留這筆，另一筆作廢？作廢的資料會保留並註明原因，疾管署端會一併刪除。"
VOID_REASON_DUPLICATE = "與另一筆重複登錄"
CONFIRM_BOTH_REAL = "兩筆都是實際接種？確定後不再提醒。"
CONFIRM_MERGE = (
    "將病歷 {gone} 併入病歷 {survivor}？{gone} 的接種紀錄（{doses} 筆）改列在 {survivor} 名下，"
    "並以 {survivor} 的身分上傳疾管署。之後可以取消合併。"
)
CONFIRM_NOT_SAME = "確定是兩個不同的人？確定後不再提醒。"
CONFIRM_WITHDRAW = "取消這個決定？這兩筆會回到原來的狀態。"
SETTLED = "已記錄決定"
THIS_DEVICE = "本機"
MERGED_CHARTS = "已併入本病歷：{charts}"
MERGES_OF = "已合併的病歷（可取消）"
SEE_MERGES = "檢視合併"
MERGED_CHART = "（已併入其他病歷）"
PEOPLE_ON_LIST = "{count} 人"
ONLY_ON_THIS_LIST = "，只在這一版：{names}"
CONFLICT_FACT = {
    "patient": "患者",
    "what": "內容",
    "void": "作廢",
    "doses": "接種紀錄",
    "state": "上傳狀態",
    "made_by": "登錄者",
    "made_at": "登錄時間",
    "device": "站別（裝置）",
}
DECISION = {
    "merge_patients": "合併病歷",
    "confirm_distinct_patients": "不是同一人",
    "confirm_distinct_doses": "兩筆都是真的",
    "withdraw_decision": "取消決定",
}

MENU = "主選單"
RECORDING = "預防接種建檔及修改"
UPLOADING = "預防接種 API 上傳作業"
VERIFYING = "預防接種 API 下載作業"
ROSTER = "名冊匯入"
ROSTER_MENU = "由 HIS 匯出的病患名冊"
HELP = "說明：這個畫面的按鍵"
HELP_BUTTON = "說明 (F1)"
HELP_BAR = "上方狀態列"
KEY_NAME = {"Escape": "Esc"}
KEY_HELP = {
    "F1": "開啟這個說明",
    "Enter": "到下一個欄位；在最後一個欄位後到「確定」",
    "F2": "查詢患者／下一位",
    "F3": "新增",
    "F7": "(CDC)接種疫苗查詢",
    "F8": "同一人・另一疫苗",
    "F9": "確定：存檔，或執行這個畫面的上傳、下載",
    "Escape": "離開，回上一層",
}
BAR_HELP = {
    "主機": "這台裝置與院內主機的連線；離線時照常登錄，恢復後自動同步。",
    "未同步": "還只在這台裝置、尚未送到主機的筆數。",
    "疾管署": "主機與疾管署的連線，及待上傳、待檢核、檢核失敗的筆數；檢核通過才算完成。",
}

# BA102_3
VOID_QUESTION = "作廢這筆接種紀錄？資料會保留並註明原因，疾管署端會一併刪除。"
EDIT_PATIENT = "修改患者資料"
NEW_PATIENT = "新增患者"
ANOTHER_VACCINE = "同一人・另一疫苗"
NEXT_PERSON = "同疫苗・下一位"
SAVED_LATELY = "已存檔：{dose}"
OPEN_SAVED = "開啟這筆"
NEXT_GETS = "下一位沿用：{values}"
HALF_FILLED = "已還原尚未存檔的內容，請核對後按確定。"
SAVED_BECAUSE = "有提醒仍存檔，原因：{reason}"
WARNING_REASONS = ("已核對無誤", "醫師評估後接種", "補登過去紀錄")
BODY_SITES = ["左上臂", "右上臂", "左大腿", "右大腿", "口服"]
VACCINE_WINDOW = "疫苗代碼查詢"
IDENTITY_WINDOW = "特殊身分查詢"
IDENTITY_SCHEME = "身分別類別"
DOSE_LABEL = "第 {dose} 劑"
TWO_LEVEL_SEARCH = "輸入代碼或名稱，Enter 選第一筆"
TWO_LEVEL_CHOSEN = "已選：{left}　{right}"
CODE_NAME = "名稱"
CHOOSE = "選擇"
PATIENT_SAVED = "已存檔：{name}"
CHART_TAKEN = "病歷號碼 {chart} 已是這位患者："
CHART_TAKEN_SHORT = "病歷號碼 {chart} 已有患者使用，請開啟該患者或改用其他病歷號碼。"
PERHAPS_KNOWN = "可能已經有這位患者，請先確認："
OPEN_PATIENT = "開啟這位"
CONFIRM_NEW_PATIENT = "有相似的患者，仍要新增？"
ID_BY_FORM = "依號碼判斷"
PASSPORT = "護照"
NEWBORN_HINT = "新生兒沒有身分證時，請填父母身分證與同胎次序（單胞胎填 1）。"
DAY_FILTER = "清單日期"
DAY_TODAY = "今天"
EVERY_VACCINE = "全部疫苗"
LIST_VACCINE = "清單疫苗"
LIST_STATE = "清單狀態"
EVERY_STATE = "全部狀態"
DAY_COUNT = "{day} 接種 {count} 筆"
TODAY_COUNT = "今日接種 {count} 筆"
DAY_UNREADABLE = "看不懂這個日期，請打民國年月日，例如 1150520；空白是今天。"

CHECK_AGE_BASIS = {"stated": "", "derived": "（由前面各劑的最短間隔推算）"}
CHECK_NO_GRACE = "，不得提早"
CHECK_GRACE = "，提早 {grace_days} 天內仍有效"
CHECK_SPACING_RULE = {
    "live_live": "活性減毒疫苗應同一天接種（不同部位）或間隔至少 {needed_days} 天，否則後接種的一劑無效",
    "opv_rota": "口服小兒麻痺疫苗與輪狀病毒疫苗應間隔至少 {needed_days} 天",
    "globulin_live": "免疫球蛋白之後應間隔至少 {needed_days} 天",
    "live_globulin": "接種後 {needed_days} 天內使用免疫球蛋白，這劑疫苗須擇期重新接種",
}
CHECK_SPACING = "應間隔至少 {needed_days} 天"

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
LOT_ASK_AGAIN = "請再確認："
LOT_ASK_RECALL = "這個批號改為「回收」後，接種時不再提供。已接種的紀錄不會更動，名單列在本頁下方。"
LOT_SAVE_ANYWAY = "仍要存檔"
LOT_GO_BACK = "返回修改"
LOT_OPEN_OTHER = "開啟已建檔的批號"
LOT_OTHER_VERSION = "{lot_number}，廠商 {manufacturer}，效期 {expiry_date}，{status}"
LOT_DOSES = "用這個批號的接種紀錄 {count} 筆"
LOT_DOSES_MANY = "用這個批號的接種紀錄 {count} 筆（含作廢），只列 {limit} 筆"
LOT_DOSES_HERE_ONLY = "這台裝置只存放指定場次，其他人的接種紀錄請在主機或存放全部患者的裝置上查看。"
CLOSE = "關閉"

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
    "registry_busy": "疾管署系統忙碌，請稍後再按一次。（{detail}）",
    "registry_key_refused": "疾管署不接受本院的 API 識別碼，請洽資訊人員。（{detail}）",
    "registry_answer_unreadable": "看不懂疾管署的回應，原文已保留在主機，請稍後再試。（{detail}）",
    "cdc_not_configured": "主機尚未設定疾管署連線，請洽資訊人員。",
    "cdc_link_failed": "主機的疾管署連線無法使用，請洽資訊人員。（{detail}）",
}
STOCK_NEW_MAKERS = "新批號的廠商請到「疫苗批號建檔」補上。"


HISTORY_TITLE = "預防接種(CDC)查詢(BA102_3FF)"
HISTORY_BUTTON = "CDC 接種查詢 (F7)"
HISTORY_ASK = "查詢 (F9)"
HISTORY_LEAVE = "離開 (Esc)"
HISTORY_PERSON = "病歷號 {chart}　姓名 {name}　{id_name} {id}　生日 {birth}"
HISTORY_NOTHING = "未填"
HISTORY_AS_OF = "截至 {at}"
HISTORY_NEVER = "尚無查詢結果"
HISTORY_BEGIN = "還沒有這位患者的疾管署接種紀錄。按「查詢」取得，之後離線也看得到。"
HISTORY_ASKING = "正在向疾管署查詢，請稍候..."
HISTORY_DONE = "查詢完成。"
HISTORY_NO_HUB = "連不上主機，現在不能向疾管署查詢；先前查到的結果仍可查看。"
HISTORY_NONE = "查無接種紀錄（以 {identity} 查詢）"
HISTORY_NONE_THEN = "當時查無接種紀錄。"
HISTORY_OTHER_IDENTITY = "這是以更改前的證號或生日查到的結果，與患者現在的資料不同，請重新查詢。"
HISTORY_BY_PARENT = "以父母身分證及生日查詢：同胎的兄弟姊妹可能列在一起，請核對。"
HISTORY_HAS_MORE = "疾管署還有其他紀錄沒有列出，以上不是全部。"
HISTORY_ONLY_OURS = "本院有，CDC 沒有（{count} 筆）"
HISTORY_COLUMNS = {
    "number": "筆數",
    "vaccination_date": "接種日期",
    "vaccine_code": "接種疫苗",
    "vaccine_name": "接種疫苗名稱",
    "institution_code": "接種機構",
    "institution_name": "接種機構名稱",
    "dose_number": "劑別",
    "lot_number": "批號",
    "marks": "註記",
}
HISTORY_MARK = {
    RowMark.OURS: "（本院）",
    RowMark.NOT_A_ROW: "⚠ 看不懂，照疾管署原文顯示",
    RowMark.DATE_UNREADABLE: "⚠ 日期看不懂，照原文顯示",
    RowMark.DATE_IN_FUTURE: "⚠ 日期在未來",
    RowMark.DATE_BEFORE_BIRTH: "⚠ 早於出生日期",
    RowMark.VACCINE_UNKNOWN: "⚠ 代碼表沒有這個疫苗",
    RowMark.LOT_MISSING: "沒有批號",
    RowMark.NOT_COMPLETED: "⚠ 疾管署註記 {status}",
}
HISTORY_OUTCOME = {
    HistoryOutcome.RECEIVED: "已取得，正在存到這台裝置...",
    HistoryOutcome.REFUSED: "疾管署拒絕這次查詢：{words}。這不代表沒有接種過，請核對證號與生日。",
    HistoryOutcome.NOT_IDENTIFIED: "不能查詢：{words}。請先更正患者資料。",
    HistoryOutcome.UNKNOWN_PERSON: "主機還沒有這位患者的資料，同步後請再按一次查詢。",
    HistoryOutcome.UNREACHABLE: "主機連不上疾管署，請確認 VPN 已連線後再查詢；先前查到的結果仍可查看。",
    HistoryOutcome.BUSY: "疾管署忙碌中，請稍後再查詢。",
    HistoryOutcome.KEY_REFUSED: "疾管署不接受本院的 API 識別碼，請洽資訊人員（{words}）。",
    HistoryOutcome.UNREADABLE: "疾管署的回應不完整或看不懂，沒有採用，請稍後再查詢（{words}）。",
    HistoryOutcome.STILL_ASKING: "疾管署還沒有回應；有結果時會自動出現在這裡，也可以稍後再按一次查詢。",
}
HISTORY_ERROR = {
    "cdc_not_configured": "主機尚未設定疾管署連線，不能查詢。",
    "cdc_link_failed": "主機的疾管署連線無法使用（憑證或設定），請洽資訊人員。",
    "not_found": "主機的程式版本較舊，還不能查詢。",
    "storage_failed": "主機無法存檔，查到的結果沒有保存，請洽資訊人員。",
    "storage_full": "主機的儲存空間已滿，查到的結果沒有保存，請洽資訊人員。",
}


def bytes_text(count: int) -> str:
    """Shape: "512 MB", "12.3 GB"."""
    megabytes = count / 1024**2
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def upload_state(code: str) -> str:
    return UPLOAD_STATE[UploadState(code)]


def cdc_words(message: dict[str, str] | None) -> str:
    """CDC's code and text as they came."""
    return " ".join(part for part in (message["code"], message["text"]) if part) if message else ""


def masked_id(national_id: str | None) -> str:
    return national_id[:4] + "*" * (len(national_id) - 4) if national_id else ""


def masked_phone(phone: str | None) -> str:
    return phone[:2] + "*" * max(0, len(phone) - 2) if phone else ""


def masked_address(address: str | None) -> str:
    return address[:6] + "***" if address and len(address) > 6 else address or ""


FIELD = {
    "chart_number": "病歷號碼",
    "name": "姓名",
    "sex": "性別",
    "national_id": "身分證",
    "parent_national_id": "父母身分證",
    "birth_date": "出生日期",
    "phone": "電話",
    "address": "地址",
    "four_corner_code": "四角號碼",
    "birth_order": "同胎次序",
    "parity": "胎次",
    "plurality": "胎別",
    "patient_id": "患者",
    "vaccination_date": "接種日期",
    "vaccine_code": "疫苗編號",
    "dose_number": "劑別",
    "lot_number": "疫苗批號",
    "lot_type": "批號型別",
    "manufacturer": "廠商",
    "special_identity": "特殊身分",
    "body_site": "接種部位",
    "route": "途徑",
    "vaccinator_id": "接種人員",
    "note": "備註",
    "void_reason": "作廢原因",
    "warning_reason": "仍要存檔的原因",
    "id_type": "證號種類",
    "expiry_date": "效期",
    "doses_per_vial": "每瓶劑數",
    "status": "狀態",
    "as_written": "原檔文字",
    "institution_code": "醫事機構代碼",
    "session_name": "場次名稱",
    "session_date": "場次日期",
    "location": "地點",
    "patient_ids": "名單",
    "exam_type": "檢驗種類",
    "exam_date": "檢驗日期",
    "collection_date": "採檢日期",
    "collection_institution": "採檢單位代碼",
    "due_date": "預產期",
    "is_prenatal": "是否為產檢",
    "method": "檢驗方法",
    "hbsag": "HBsAg",
    "hbeag": "HBeAg",
    "viral_load": "B型肝炎病毒含量",
    "viral_load_date": "病毒量採檢日期",
    "antiviral": "是否使用抗病毒藥物治療",
    "antiviral_since": "抗病毒藥物治療起日",
    "igg": "IgG",
    "igm": "IgM",

    "vials": "消耗量(瓶)",
}

DATE_FAULT = {
    RocDateFault.EMPTY: "沒有填寫",
    RocDateFault.NOT_A_DATE: "看不懂這個日期，請打民國年月日，例如 1150520 或 115/5/20",
    RocDateFault.WESTERN_YEAR: "這是西元年，請打民國年，例如 1150520",
    RocDateFault.YEAR_ZERO: "民國沒有 0 年",
    RocDateFault.NO_SUCH_DAY: "沒有這一天",
}

PROBLEM = {
    ProblemCode.REQUIRED: "必須填寫",
    ProblemCode.MALFORMED: "格式不正確",
    ProblemCode.WRONG_CELL_COUNT: "這一列有 {found} 欄，應有 {expected} 欄",
    ProblemCode.DUPLICATE_CHART_NUMBER: "病歷號碼與檔案第 {first_line} 行重複，但不是同一人",
    ProblemCode.CHART_NUMBER_OF_OTHER_PERSON: "這個病歷號碼在系統中是另一個人",
    ProblemCode.ID_MISSING: "沒有身分證號，也沒有父母身分證號",
    ProblemCode.ID_UNKNOWN_FORM: "不是身分證或居留證的格式",
    ProblemCode.ID_CHECKSUM: "檢查碼不符，請核對證件",
    ProblemCode.SEX_UNKNOWN: "性別不明「{text}」",
    ProblemCode.BIRTH_DATE_MISSING: "沒有出生日期",
    ProblemCode.DATE_UNREADABLE: "「{text}」{fault}",
    ProblemCode.DATE_IN_FUTURE: "日期在未來",
    ProblemCode.NUMBER_UNREADABLE: "「{text}」不是數字",
    ProblemCode.CHARACTERS_LOST: "有字元在匯出時遺失，請核對",
    ProblemCode.DATE_BEFORE_BIRTH: "接種日期早於出生日期",
    ProblemCode.VACCINE_UNKNOWN: "代碼表沒有這個疫苗代碼",
    ProblemCode.DOSE_UNKNOWN: "這個疫苗的劑別是 {dose_labels}",
    ProblemCode.DOSE_ALREADY_RECORDED: "{vaccination_date} 已有同疫苗同劑別的紀錄",
    ProblemCode.LOT_UNKNOWN: "批號未建檔，請核對（區分大小寫）",
    ProblemCode.LOT_CASE_DIFFERS: "與已建檔的「{lot_number}」大小寫不同（或全形半形不同）",
    ProblemCode.LOT_OF_OTHER_VACCINE: "這個批號是 {vaccine_code} 的",
    ProblemCode.LOT_EXPIRED: "接種當日批號已過效期 {expiry_date}",
    ProblemCode.LOT_TYPE_DIFFERS: "批號型別應為「{lot_type}」",
    ProblemCode.AGE_UNDER_MINIMUM: (
        "出生後 {actual_days} 天，這一劑最小接種年齡是 {needed_days} 天{age_basis}，最早 {earliest_date}{grace}。"
        "依據：{source}"
    ),
    ProblemCode.INTERVAL_UNDER_MINIMUM: (
        "距{other_dose_text}（{other_date}）{actual_days} 天，最短間隔 {needed_days} 天，最早 {earliest_date}{grace}。"
        "依據：{source}"
    ),
    ProblemCode.NEXT_DOSE_TOO_SOON: (
        "{other_dose_text}（{other_date}）距這一劑只有 {actual_days} 天，最短間隔 {needed_days} 天，"
        "{other_dose_text}最早應在 {earliest_date}{grace}。依據：{source}"
    ),
    ProblemCode.SPACING_UNDER_MINIMUM: (
        "{other_date} 接種過 {other_vaccine}，只隔 {actual_days} 天；{rule}，最早 {earliest_date}。依據：{source}"
    ),
    ProblemCode.OTHER_VACCINE_TOO_SOON: (
        "之後 {other_date} 已接種 {other_vaccine}，只隔 {actual_days} 天；{rule}，"
        "{other_vaccine} 最早應在 {earliest_date}。依據：{source}"
    ),
    ProblemCode.DOSE_OUT_OF_ORDER: "與{other_dose_text}（{other_date}）的先後順序相反，請核對日期與劑別",
    ProblemCode.SPECIAL_IDENTITY_MISSING: "{scheme}疫苗須填特殊身分。依據：{source}",
    ProblemCode.SPECIAL_IDENTITY_UNKNOWN: "{scheme}的身分代碼表沒有這個代碼，請核對。依據：{source}",
    ProblemCode.SPECIAL_IDENTITY_OF_OTHER_VACCINE: "這是「{scheme}」的身分代碼，不是這個疫苗的。依據：{source}",
    ProblemCode.SPECIAL_IDENTITY_OF_OTHER_AGE: "「{identity}」與年齡不符：接種年減出生年是 {years}。依據：{source}",

    ProblemCode.COUNT_OUT_OF_RANGE: "「{text}」應為 1 到 {highest} 的整數",
    ProblemCode.MANUFACTURER_MISSING: "沒有填廠商，請看包裝補上",
    ProblemCode.EXPIRY_MISSING: "沒有填效期",
    ProblemCode.EXPIRY_DIFFERS_FROM_NUMBER: "與批號內的效期 {expiry_date} 不同",
    ProblemCode.LOT_ALREADY_EXPIRED: "已過效期 {expiry_date}",
    ProblemCode.LOT_ALREADY_REGISTERED: "這個疫苗的這個批號已經建檔",
    ProblemCode.LOT_NUMBER_IN_USE: "已有 {count} 筆接種紀錄用原來的「{lot_number}」，那些紀錄不會跟著改",

    ProblemCode.EXAM_VALUE_MISSING: "沒有填寫",
    ProblemCode.EXAM_RESULT_MISSING: "沒有檢驗結果",
    ProblemCode.EXAM_ALREADY_RECORDED: "{exam_date} 已有同種類的檢驗紀錄",
    ProblemCode.DRAWN_IN_FUTURE: "抽血日是未來的日期",
    ProblemCode.DRAWN_BEFORE_BIRTH: "抽血日早於出生日期",
    ProblemCode.DRAWN_AFTER_TEST: "採檢日期晚於檢驗日期",
    ProblemCode.DRAWN_AFTER_DUE_DATE: "抽血日晚於預產期",
    ProblemCode.NEITHER_RIA_NOR_EIA: "不是 RIA 或 EIA 的檢驗結果",
    ProblemCode.S_NEGATIVE_E_POSITIVE: "HBsAg 陰性而 HBeAg 陽性，請核對報告",
    ProblemCode.RESULT_INDETERMINATE: "結果為 ±，請核對報告或複檢",
    ProblemCode.PRENATAL_OF_A_MAN: "這位患者的性別是男，請確認沒有選錯人",
    ProblemCode.INSTITUTION_CODE_FORM: "應為 10 碼醫事機構代碼",
    ProblemCode.INSTITUTION_CODE_CHECK_DIGIT: "檢查碼可能不符，請核對",
    ProblemCode.CLEANED: "已整理「{text}」",
    ProblemCode.REPEATED_ROW: "與第 {first_line} 行完全相同",
}


def problem(found: Problem) -> str:
    """The sentence of one problem, with its facts in it."""
    facts = dict(found.facts)
    if "fault" in facts:
        facts["fault"] = DATE_FAULT[RocDateFault(facts["fault"])]
    for name in ("vaccination_date", "expiry_date", "other_date", "earliest_date", "exam_date"):
        if name in facts:
            facts[name] = _roc_text(date.fromisoformat(facts[name]))
    if "lot_type" in facts:
        facts["lot_type"] = LOT_TYPE.get(facts["lot_type"], facts["lot_type"])
    if found.code is ProblemCode.SEX_UNKNOWN and not facts["text"]:
        return SEX_MISSING
    if "other_dose" in facts:
        number = facts["other_dose"]
        facts["other_dose_text"] = f"第 {number} 劑" if number.isdecimal() else f"劑別 {number}"
    if "age_basis" in facts:
        facts["age_basis"] = CHECK_AGE_BASIS[facts["age_basis"]]
    if "grace_days" in facts:
        facts["grace"] = CHECK_NO_GRACE if facts["grace_days"] == "0" else CHECK_GRACE.format_map(facts)
    if "rule" in facts:
        facts["rule"] = CHECK_SPACING_RULE.get(facts["rule"], CHECK_SPACING).format_map(facts)
    sentence = PROBLEM[found.code].format_map(facts)
    return EXAM_CDC_CODE.format(sentence=sentence, **facts) if "cdc_code" in facts else sentence


def _roc_text(day: date) -> str:
    """A day counted on from one a record holds may lie beyond the ROC calendar's three digits."""
    try:
        return format_roc_date(day)
    except ValueError:
        return day.isoformat()


ROSTER_FAULT = {
    RosterFault.EMPTY: "這是空的檔案。",
    RosterFault.SPREADSHEET: "這是 Excel 檔。請在 Excel 另存成 CSV 再匯入。",
    RosterFault.NOT_TEXT: "這不是文字檔，請選擇 HIS 匯出的 CSV。",
    RosterFault.MISSING_COLUMNS: "檔案缺少欄位：{columns}。請確認第一列是欄位名稱。",
    RosterFault.REPEATED_COLUMNS: "檔案有重複的欄位：{columns}。",
}
