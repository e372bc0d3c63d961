"""zh-TW: what two stations did apart, and decisions."""

from store.duplicates import Likeness

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
    "settings": "設定",
    "staff": "人員",
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
MERGES_OF = "已合併的病歷（可取消）"
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
DECISION_MADE = "{decision}：{what}（{by}）"
DOSES_MORE = "…共 {count} 筆"
