"""zh-TW: prenatal and measles exams (E.BAMENU4)."""

from store.prenatal import ExamMethod, ExamState, ExamType, Finding
from store.refusals import RefusalReason

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
EXAM_STATE = {
    ExamState.NOT_SENT: "待上傳",
    ExamState.NOT_NEEDED: "不需上傳",
    ExamState.SENT: "已送出(等候回應)",
    ExamState.STORED: "疾管署已收下",
    ExamState.REFUSED: "疾管署退回",
}
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
EXAM_CDC_CODE = "{sentence}（疾管署代碼 {cdc_code}）"
EXAM_PERSON_HINT = "患者資料請在名冊更新，再到「BA103_3_UPLOAD」按上傳。"
EXAM_HINT_DATE = "{field} (例 1150520)"
EXAM_UPLOAD_BUTTON = "上傳 (F9)"
EXAM_UPLOADING = "檢驗結果上傳中，請稍候..."
EXAM_UPLOAD_ANSWER = {
    "uploaded": "疾管署已收下 {stored} 筆，退回 {refused} 筆。API回傳訊息={detail}",
    "nothing_to_upload": "沒有可以上傳的檢驗結果。缺身分證的患者請先補上證號。",
    "busy": "另一站正在上傳檢驗結果，完成後會自動顯示。",
    "unreachable": "連不上主機，檢驗結果都保存在這台裝置，請在「主機 正常」時再按一次上傳。",
    "no_answer": "主機還在等疾管署回應，完成後會自動顯示在下面。",
    "registry_unreachable": "主機連不上疾管署，請確認 VPN 已連線後再按一次。（{detail}）",
    "registry_down": "疾管署沒有回應（VPN 已通），請稍後再按一次。（{detail}）",
    "registry_busy": "疾管署系統忙碌，請稍後再按一次。（{detail}）",
    "registry_key_refused": "疾管署不接受本院的 API 識別碼，請洽資訊人員。（{detail}）",
    "registry_answer_unreadable": "看不懂疾管署的回應，原文已保留在主機，請再按一次上傳；不會重複登錄。（{detail}）",
    "cdc_not_configured": "主機尚未設定疾管署連線，請洽資訊人員。",
    "cdc_link_failed": "主機的疾管署連線無法使用，請洽資訊人員。（{detail}）",
    "not_found": "主機的程式版本較舊，還不能上傳檢驗結果。",
}
EXAM_UPLOADED_SO_FAR = "疾管署已收下 {stored} 筆，退回 {refused} 筆。"
EXAM_FROM, EXAM_TO = "檢驗日期起 (例 1150501)", "檢驗日期迄 (例 1150531)"
EXAM_LOAD = "確定"
EXAM_LISTED = "產檢列表 {count} 筆"
EXAM_LIST_CUT = "（只列前 {count} 筆）"
EXAM_NONE_WAITS = "沒有待上傳的檢驗結果。到「BA103_3」新增的資料會出現在這裡。"
EXAM_NONE_IN_RANGE = "這段期間沒有檢驗結果。"
EXAM_READY = "無異常"
EXAM_MORE_PROBLEMS = "　等 {count} 項"
EXAM_COLUMNS = {
    "number": "筆數",
    "state": "狀態",
    "problems": "上傳前檢查",
    "message": "疾管署訊息",
    "exam_date": "檢驗日期",
    "chart_number": "病歷號",
    "name": "姓名",
    "birth_date": "生日",
    "national_id": "身分證",
    "exam_type": "檢驗種類",
    "result": "檢驗結果",
    "institution": "採檢單位",
    "due_date": "預產期",
}
# Where an exam report needs other words than a dose.
EXAM_REFUSAL = {
    RefusalReason.VALUE: (
        "有內容疾管署不接受。請核對日期、採檢單位、檢驗方法與結果後修正；"
        "都正確時請把疾管署訊息告訴資訊人員。"
    ),
    RefusalReason.ID_MISSING: "沒有證號。請補上患者的身分證、居留證或護照號碼。",
}
EXAM_FIELD_AT_FAULT = "（欄位：{field}）"
CORRECT_TO_RESEND_EXAM = "請修正後存檔，再到「BA103_3_UPLOAD」按上傳。"
