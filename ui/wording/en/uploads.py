"""English: where a record stands at CDC, upload and verification."""

from store.protocol import CdcLinkState
from store.uploads import UploadState
from ui.wording.zh_tw.uploads import *

UPLOAD_STATE = {
    UploadState.NOT_NEEDED: "Never uploaded",
    UploadState.NOT_SENT: "To upload",
    UploadState.SENT: "Sent (awaiting reply)",
    UploadState.ACCEPTED: "Received (not verified)",
    UploadState.VERIFIED: "Verified",
    UploadState.REFUSED: "Refused",
}
WAITS_FOR_ID = "No ID, cannot upload"
CDC_REMEDY = {
    CdcLinkState.UNREACHABLE: "Check that the VPN is connected; then it uploads by itself. All data is saved here.",
    CdcLinkState.REFUSED_KEY: "CDC does not accept this clinic's API key. Call IT; all data is saved here.",
    CdcLinkState.FAILING: "CDC's system has a fault; it is tried again by itself.",
    CdcLinkState.NOT_CONFIGURED: "The hub's link to CDC is not set up; the data is kept here for now.",
}
NOT_NHI = "This data goes to Taiwan CDC, not to NHI (National Health Insurance)."
ACCEPTED_IS_NOT_VERIFIED = (
    "CDC verifies about 10-20 minutes after it has received the records; only Verified means done."
)
UPLOAD_BUTTON = "Upload (F9)"
DOWNLOAD_BUTTON = "Download (F9)"
UPLOAD_HEAD = "Last sent {at} · Search: not uploaded · Upload by 1. VPN"
UPLOAD_COUNT = "Upload not finished: {count}"
VERIFICATION_COUNT = "Records: {count}"
UPLOAD_RUNNING = "Uploading vaccinations, please wait..."
UPLOAD_NOTHING = "Nothing waits for upload."
DOWNLOAD_RUNNING = "CDC has been asked for the verification results, please wait..."
NEXT_CHECK = "Next check by itself {at}"
NO_BATCH_WAITS = "No batch waits for verification"
