"""zh-TW: where a record stands at CDC, upload and verification."""

from store.protocol import CdcLinkState
from store.uploads import UploadState

UPLOAD_STATE = {
    UploadState.NOT_NEEDED: "未曾上傳",
    UploadState.NOT_SENT: "待上傳",
    UploadState.SENT: "已送出(等候回應)",
    UploadState.ACCEPTED: "已收件(尚未檢核)",
    UploadState.VERIFIED: "檢核通過",
    UploadState.REFUSED: "檢核失敗",
}
WAITS_FOR_ID = "缺身分證，不能上傳"
CDC_REMEDY = {
    CdcLinkState.UNREACHABLE: "請確認 VPN 已連線；恢復後會自動上傳，資料都在本機。",
    CdcLinkState.REFUSED_KEY: "疾管署不接受本院的 API 識別碼，請洽資訊人員；資料都在本機，不會遺失。",
    CdcLinkState.FAILING: "疾管署系統異常，稍後會自動再試。",
    CdcLinkState.NOT_CONFIGURED: "主機尚未設定疾管署連線，資料先存在本機。",
}
NOT_NHI = "資料是送往「疾管署(CDC)」，不是健保署。"
ACCEPTED_IS_NOT_VERIFIED = "疾管署收件後約 10-20 分鐘才有檢核結果；出現「檢核通過」才算完成。"
UPLOAD_BUTTON = "上傳 (F9)"
DOWNLOAD_BUTTON = "下載 (F9)"
UPLOAD_HEAD = "最後傳送日 {at}　資料搜尋 未上傳資料　上傳方式 1.VPN"
UPLOAD_COUNT = "未完成上傳 {count} 筆"
VERIFICATION_COUNT = "共 {count} 筆"
UPLOAD_RUNNING = "預防接種資料上傳中，請稍候..."
UPLOAD_NOTHING = "沒有待上傳的資料。"
DOWNLOAD_RUNNING = "已向疾管署查詢檢核結果，請稍候..."
NEXT_CHECK = "下次自動檢核 {at}"
NO_BATCH_WAITS = "沒有等候檢核的批次"
