"""Every sentence the screens say in zh-TW, and code -> sentence for each state, problem and error.

English joins here as a second column; no other module of ui/ holds screen text except the runtime's shell, which must
speak before Python runs.
"""

from datetime import date

from store.duplicates import Likeness
from store.history import RowMark
from store.problems import Problem, ProblemCode
from store.protocol import CdcLinkState, HistoryOutcome
from store.roc_date import RocDateFault, format_roc_date
from store.roster import RosterFault
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
EDITED_TABLE = {"vaccinations": "接種紀錄", "patients": "患者資料", "lots": "疫苗批號", "sessions": "場次"}
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
    "id_type": "證號種類",
    "expiry_date": "效期",
    "doses_per_vial": "每瓶劑數",
    "as_written": "原檔文字",
    "institution_code": "醫事機構代碼",
    "session_name": "場次名稱",
    "session_date": "場次日期",
    "location": "地點",
    "patient_ids": "名單",
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
    ProblemCode.LOT_CASE_DIFFERS: "與已建檔的「{lot_number}」大小寫不同",
    ProblemCode.LOT_OF_OTHER_VACCINE: "這個批號是 {vaccine_code} 的",
    ProblemCode.LOT_EXPIRED: "接種當日批號已過效期 {expiry_date}",
    ProblemCode.LOT_TYPE_DIFFERS: "批號型別應為「{lot_type}」",
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
    for name in ("vaccination_date", "expiry_date"):
        if name in facts:
            facts[name] = format_roc_date(date.fromisoformat(facts[name]))
    if "lot_type" in facts:
        facts["lot_type"] = LOT_TYPE.get(facts["lot_type"], facts["lot_type"])
    return PROBLEM[found.code].format_map(facts)


ROSTER_FAULT = {
    RosterFault.EMPTY: "這是空的檔案。",
    RosterFault.SPREADSHEET: "這是 Excel 檔。請在 Excel 另存成 CSV 再匯入。",
    RosterFault.NOT_TEXT: "這不是文字檔，請選擇 HIS 匯出的 CSV。",
    RosterFault.MISSING_COLUMNS: "檔案缺少欄位：{columns}。請確認第一列是欄位名稱。",
    RosterFault.REPEATED_COLUMNS: "檔案有重複的欄位：{columns}。",
}
