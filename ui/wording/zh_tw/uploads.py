"""zh-TW: where a record stands at CDC, upload and verification."""

from store.protocol import CdcLinkState
from store.refusals import RefusalReason
from store.uploads import UploadState

UPLOAD_STATE = {
    UploadState.NOT_NEEDED: "未曾上傳",
    UploadState.NOT_SENT: "待上傳",
    UploadState.SENT: "已送出(等候回應)",
    UploadState.ACCEPTED: "已收件(尚未檢核)",
    UploadState.VERIFIED: "檢核通過",
    UploadState.REFUSED: "檢核失敗",
    UploadState.EXPORTED: "已匯出檔案",
    UploadState.LOCKED: "疾管署已鎖定",
    UploadState.OVERDUE: "逾時未檢核",
}
WAITS_FOR_ID = "缺身分證，不能上傳"
CDC_REMEDY = {
    CdcLinkState.UNREACHABLE: "連不上疾管署，請確認 VPN 已連線；恢復後會自動上傳，資料都在本機，不會遺失。",
    CdcLinkState.REFUSED_KEY: (
        "疾管署不接受本院的 API 識別碼，上傳已停止，不會自動再試，以免被鎖定。請洽資訊人員更換識別碼檔，"
        "換好後會自動繼續；識別碼沒有問題時請按「上傳」再試一次。資料都在本機，不會遺失。"
    ),
    CdcLinkState.FAILING: "VPN 已通，但疾管署系統沒有正常回應，稍後會自動再試；資料都在本機，不會遺失。",
    CdcLinkState.NOT_CONFIGURED: "主機尚未設定疾管署連線，資料先存在本機；設定後會自動上傳。",
}
CDC_LINE_BROKEN = "主機的疾管署連線無法使用（憑證或設定），請洽資訊人員；資料都在本機，不會遺失。"
CDC_AGAIN_AT = "下次自動再試 {at}。"
CDC_DETAIL = "（疾管署回應 {detail}）"
NOT_NHI = "資料是送往「疾管署(CDC)」，不是健保署。"
ACCEPTED_IS_NOT_VERIFIED = "疾管署收件後約 10-20 分鐘才有檢核結果；出現「檢核通過」才算完成。"

# BA102_3_UPLOAD
SEARCH_BY = "資料搜尋"
SEARCH_UNSENT = "未上傳資料搜尋"
SEARCH_RANGE = "區間範圍搜尋"
GIVEN_FROM, GIVEN_TO = "接種日期起 (例 1150501)", "接種日期迄 (例 1150531)"
RANGE_REVERSED = "起日晚於迄日，請修改。"
RANGE_TOO_LONG = "區間最長 3 個月，請縮短。"
LOAD = "確定"
UPLOAD_BY = "上傳方式 1.VPN"
LAST_SENT = "最後傳送日 {at}"
UPLOAD_BUTTON = "上傳 (F9)"
UPLOAD_COUNT = "待上傳 {waiting} 筆"
SENT_COUNT = "、已送出等候回應 {sent} 筆"
RANGE_COUNT = "區間內 {count} 筆，其中"
LIST_CUT = "（只列前 {count} 筆）"
NONE_WAITS = "沒有待上傳的資料。到「BA102_3」登錄的接種會出現在這裡，修正後的資料也會自動回到這裡。"
NONE_IN_RANGE = "這段期間沒有接種紀錄。請改選日期，再按「確定」。"
REFUSED_WAIT = "檢核失敗 {count} 筆，修正後才會回到待上傳。"
FAILED_COUNT = "{state} {count} 筆"
NOT_BY_ITSELF = "{failed}，不會自動再上傳，處理方式請看檢核失敗。"
SEE_REFUSED = "看檢核失敗"
UPLOAD_NOTHING = "列表中沒有待上傳的資料。已送出的資料不會重複上傳。"
UPLOAD_HELD_BACK = "有 {count} 筆不能上傳（缺身分證，或兩站修改不同），請點開該筆修正。"
UPLOAD_RUNNING = "預防接種資料上傳中，請稍候..."
UPLOAD_PROGRESS = "共 {total} 筆：等候送出 {waiting}、已送出 {sent}、疾管署已收件 {accepted}、退回 {refused}"
UPLOAD_GOES_ON = "。可以離開這個畫面，上傳會繼續。"
RESULT_ACCEPTED = "疾管署已收件（尚未檢核）"
RESULT_ANSWERED = "疾管署已回應"
RESULT_WORDS = "API回傳訊息={message}。"
RESULT_NO_WORDS = "疾管署已有這批資料（向疾管署查詢得知，沒有附訊息）。"
RESULT_COUNTS = "送出 {total} 筆：收件 {accepted} 筆、退回 {refused} 筆。"
RESULT_JUDGED = "其中已有檢核結果：通過 {verified} 筆。"
RESULT_LATER = "還沒有檢核，不算完成：{at} 起系統會自動下載檢核結果。"
RESULT_SEE = "看檢核結果"

# BA102_3_DOWNLOAD
MENU_REFUSED = "　檢核失敗 {count}"
SEARCH_RECENT = "最近上傳資料搜尋"
DOWNLOAD_BUTTON = "下載 (F9)"
DOWNLOAD_RUNNING = "已向疾管署查詢檢核結果，請稍候..."
DOWNLOAD_PROGRESS = "{done} / {total} 筆已有結果；疾管署還在處理的，完成後會自動顯示。"
DOWNLOAD_NOT_DUE = "還沒到檢核時間，{at} 會自動下載檢核結果。"
DOWNLOAD_NOTHING = "沒有等候檢核的資料。"
DOWNLOAD_DONE = "下載完成"
DOWNLOAD_COUNTS = "檢核通過 {verified} 筆，檢核失敗 {refused} 筆。"
DOWNLOAD_MEND = "檢核失敗的資料請點開修正，存檔後會自動回到待上傳，再次上傳及檢核。"
BATCH_DUE = "{sent} 送出 {count} 筆，{due} 自動下載檢核結果，還有 {left}"
BATCH_NOW = "{sent} 送出 {count} 筆，檢核時間已到，系統查詢中"
BATCH_SENT = "{sent} 送出 {count} 筆，等候疾管署回應（系統會先查詢，不會重複上傳）"
BATCH_OVERDUE = "{sent} 送出 {count} 筆，超過 24 小時沒有檢核結果，系統每小時再查詢（批次 {batch}）"
BATCHES_MORE = "另有 {count} 批等候檢核"
NO_BATCH_WAITS = "沒有等候檢核的批次"
TIME_LEFT = "{minutes} 分 {seconds} 秒"
VERIFICATION_COUNT = "檢核失敗 {refused}　待檢核 {waiting}　檢核通過 {verified}"
OVERDUE_COUNT = "　逾時未檢核 {overdue}"
LOCKED_COUNT = "　疾管署已鎖定 {locked}"
LIST_JUDGED = {
    "": "全部狀態",
    "refused": "檢核失敗",
    "overdue": "逾時未檢核",
    "locked": "疾管署已鎖定",
    "waiting": "待檢核",
    "verified": "檢核通過",
}
NONE_UPLOADED = "還沒有上傳過的資料。上傳後約 10-20 分鐘，檢核結果會出現在這裡。"
NONE_OF_STATE = "列表中沒有這個狀態的資料。請改選「全部狀態」。"
SEND_AGAIN = "未修改，再上傳一次（檢核失敗 {count} 筆）"
ASK_SEND_AGAIN = (
    "這 {count} 筆沒有修改過。疾管署若已補上批號或個案資料，可以原樣再上傳一次；否則可能再被退回。要再上傳嗎？"
)
SEND_LOCKED_AGAIN = "疾管署已開放，再上傳一次（{count} 筆）"
ASK_SEND_LOCKED_AGAIN = (
    "這 {count} 筆疾管署先前不允許修改。疾管署若已同意開放，可以再上傳一次；否則會再被退回。要再上傳嗎？"
)
MEND_PERSON = "請修正患者資料後按確定；證號有變更時，這筆接種會自動重新上傳，否則請再按一次接種紀錄的確定。"
SENT_AGAIN = "{count} 筆已回到待上傳。"

# What failed for good, or has no verdict after a day
LOCKED_OLDER_AT_CDC = (
    "本機保留修改後的內容，疾管署仍是修改前的內容，系統不會自動再上傳。"
    "疾管署同意開放後，到「BA102_3_DOWNLOAD」選「疾管署已鎖定」再上傳一次。"
)
LOCKED_NOT_DELETED = (
    "本機已作廢，疾管署仍有這筆接種，系統不會自動再上傳。"
    "疾管署同意開放後，到「BA102_3_DOWNLOAD」選「疾管署已鎖定」再上傳一次。"
)
LOCKED_UNKNOWN_TO_CDC = (
    "這筆只在本機，疾管署沒有，系統不會自動再上傳。"
    "疾管署同意開放後，到「BA102_3_DOWNLOAD」選「疾管署已鎖定」再上傳一次。"
)
OVERDUE_REMEDY = (
    "已送出超過 24 小時，疾管署還沒有檢核結果，不算完成。請不要重新登錄，系統每小時會再查詢，有結果就會更新。"
    "隔天仍沒有結果，請把批次 {batch} 告訴疾管署查明。"
)

# What CDC's words mean, and what to do. Source of the reasons: store/data/cdc_refusals.csv.
REFUSAL = {
    RefusalReason.LOT_UNKNOWN: (
        "疾管署沒有這個疫苗、型別的這個批號。請核對瓶身與批號（區分大小寫）、疫苗代碼及批號型別後修正；"
        "批號正確而疾管署尚未建檔時，請洽疾管署，建檔後再上傳一次。"
    ),
    RefusalReason.ID_UNKNOWN: "疾管署查不到這個證號。請核對證件後修正患者資料；證號正確時請洽疾管署。",
    RefusalReason.ID_WRONG: "證號不正確。請核對證件後修正患者資料。",
    RefusalReason.ID_MISSING: "沒有證號。請補上患者的身分證；新生兒請填父母身分證及同胎次序。",
    RefusalReason.BIRTH_DATE: "出生日期沒有填寫或不正確。請核對證件後修正患者資料。",
    RefusalReason.MISSING: "有必填的欄位沒有填寫。請點開補齊後存檔。",
    RefusalReason.VALUE: "有欄位的內容疾管署不接受。請點開核對標示的欄位；沒有標示時請核對日期、疫苗、劑別、批號。",
    RefusalReason.INSTITUTION: "疾管署不接受本院的醫事機構代碼。這不是這筆資料的問題，請洽資訊人員核對主機設定。",
    RefusalReason.NOT_AT_CDC: "疾管署找不到要修改或刪除的這筆資料。請點開核對；內容正確時請洽疾管署。",
    RefusalReason.NOT_ALLOWED: "疾管署沒有給本院這項權限。請洽疾管署及資訊人員。",
    RefusalReason.MONTH_CLOSED: "這個月份在疾管署已經結算，不能再由系統修改。請洽疾管署更正。",
    RefusalReason.NOT_CHANGEABLE: "疾管署不允許修改或刪除這筆資料。請洽疾管署。",
    RefusalReason.WHOLE_BATCH: "疾管署把這一批退回。請點開核對這筆；內容正確時請稍後再上傳一次。",
    RefusalReason.PROGRAM: "疾管署看不懂系統送出的格式。這不是這筆資料的問題，請把疾管署訊息告訴資訊人員。",
    RefusalReason.COLLECTOR: (
        "疾管署不接受機構代碼。請核對採檢單位的 10 碼醫事機構代碼；"
        "採檢單位正確時，請洽資訊人員核對本院代碼。"
    ),
    RefusalReason.DRAWING_DAY: (
        "抽血日不合理：不可在未來，也不可早於出生、晚於檢驗日期或預產期。請核對報告後修正日期。"
    ),
    RefusalReason.EXAM_METHOD: "疾管署只收 RIA 或 EIA 的檢驗結果。請核對報告的檢驗方法與結果後修正。",
    RefusalReason.EXAM_RESULT: "疾管署不接受這樣的檢驗結果。請核對報告，必要時複檢後再修正。",
    RefusalReason.OTHER: "這是系統不認得的訊息。請依疾管署的文字點開核對後修正；不清楚時請洽疾管署。",
}
