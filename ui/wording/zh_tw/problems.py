"""zh-TW: fields, and what can be wrong in them."""

from store.problems import ProblemCode
from store.roc_date import RocDateFault

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
    ProblemCode.TEXT_TOO_LONG: "太長了：有 {length} 個字，最多 {highest} 個字",
    ProblemCode.TEXT_UNSEEN: "含有看不見的字元，請清空後重打",
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
NTH_DOSE = "第 {number} 劑"
DOSE_NAMED = "劑別 {number}"
