"""What CDC says: codes, their texts, and the OperationOutcome around them.

Source: the interface contract, sections 1-3; code texts of NIIS-IG CodeSystem twniis-operationoutcome-values 0.0.1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

CODE_SYSTEM = "https://twniis.cdc.gov.tw/twniis/CodeSystem/twniis-operationoutcome-values"


@dataclass(frozen=True)
class Refusal:
    """One reason not to take something; `expression` names the element at fault, `diagnostics` never quotes a value."""

    code: str
    text: str
    expression: str | None = None
    diagnostics: str | None = None

    def at(self, expression: str, diagnostics: str | None = None) -> Refusal:
        return Refusal(self.code, self.text, expression, diagnostics)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


NOT_JSON = Refusal("E00001", "非正確之JSON格式")
MISSING = Refusal("E00003", "缺少交易參數(必填欄位不足)")
WRONG_VALUE = Refusal("E00004", "輸入之交易參數異常")
UNKNOWN_ID = Refusal("E00005", "查無此證號(指身分證號、居留證號及護照號碼)")
WRONG_TYPE = Refusal("E00006", "資料型別錯誤")
WRONG_NATIONAL_ID = Refusal("E00018", "身分證號錯誤(未轉入NIIS系統)")
WRONG_BIRTH_DATE = Refusal("E00019", "出生日期異常(未轉入NIIS系統)")
WRONG_INSTITUTION_FORMAT = Refusal("E00022", "接種機構格式錯誤(未轉入NIIS系統)")
NO_ID = Refusal("E00023", "身分證號未填寫(未轉入NIIS系統)")
NO_BIRTH_DATE = Refusal("E00024", "出生日期未填寫(未轉入NIIS系統)")
NO_INSTITUTION = Refusal("E00025", "醫事機構代碼未填寫(未轉入NIIS系統)")
UNKNOWN_KEY = Refusal("E00032", "DataKey不存在系統中")
NOTHING_TO_DELETE = Refusal("E00033", "對應不到該筆資料")
NATIONAL_ID_FORMAT = Refusal("E00041", "身分證號格式錯誤")
RESIDENT_ID_FORMAT = Refusal("E00042", "居留證號格式錯誤")
OTHER_INSTITUTION = Refusal("E00043", "院所不存在")
DRAWN_IN_FUTURE = Refusal("E00046", "抽血日不得為未來日期")
ODD_DRAWING_DAY = Refusal("E00047", "抽血日期異常")
NEITHER_RIA_NOR_EIA = Refusal("E00048", "無RIA及EIA檢驗結果")
S_NEGATIVE_E_POSITIVE = Refusal("E00049", "s(-)e(+)")
S_UNCERTAIN = Refusal("E00050", "s(+/-)")
E_UNCERTAIN = Refusal("E00051", "e(+/-)")
ODD_RESULT = Refusal("E00052", "檢驗結果異常")
COUNTS_DIFFER = Refusal("E00053", "個案筆數與總筆數不符")
DRAWN_AFTER_DUE_DATE = Refusal("E00054", "抽血日大於預產日")
# ASSUMED: 交易檢查碼 is the signature of the body.
WRONG_CHECKSUM = Refusal("E00002", "非正確之交易檢查碼")
MONTH_CLOSED = Refusal("E00002", "單位此月份已結算")
BATCH_REFUSED = Refusal("E00013", "新增失敗,整批退回")
# ASSUMED: the texts of a wrong KeyId and of a wrong signature; this is the published text nearest to both.
NOT_ALLOWED = Refusal("E00001", "未具檢視或新增/異動的權限")
# ASSUMED: these codes. The manual prints 批號不存在 without one; for the others not even a text is public.
NO_SUCH_LOT = Refusal("E00091", "批號不存在")
KEY_EXISTS = Refusal("E00092", "資料鍵值已存在")
IDENTIFIER_REUSED = Refusal("E00093", "批次識別碼重複且內容不同")
UNKNOWN_BATCH = Refusal("E00094", "查無此批次")
UNKNOWN_PATH = Refusal("E00095", "路徑不存在")
BUSY = Refusal("E00096", "系統忙碌中,請稍後再試")

ACCEPTED = ("I00000", "作業完成")
DONE = {"POST": ("I00001", "新增成功"), "PUT": ("I00002", "修改成功"), "DELETE": ("I00003", "刪除成功")}
STATUS = {"POST": "201 Created", "PUT": "200 OK", "DELETE": "204 No Content"}
STATUS_REFUSED = "400 Bad Request"


class RequestRefused(Exception):
    """The whole request is answered with one OperationOutcome and an HTTP status; nothing was stored."""

    def __init__(self, refusal: Refusal, *, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {refusal.code} {refusal.diagnostics or ''}")
        self.refusal, self.status, self.headers = refusal, status, headers or {}


def success_outcome(code: str, text: str) -> dict[str, Any]:
    return _outcome({"severity": "information", "code": "informational", "details": _details(code, text)})


def refusal_outcome(refusal: Refusal) -> dict[str, Any]:
    # ASSUMED: issue.code is always "invalid"; the contract fixes only severity, details and expression.
    issue: dict[str, Any] = {"severity": "error", "code": "invalid", "details": _details(refusal.code, refusal.text)}
    issue["details"]["text"] = refusal.text  # ASSUMED: in both places; the contract says only "a code and a text"
    if refusal.expression is not None:
        issue["expression"] = [refusal.expression]
    if refusal.diagnostics is not None:
        issue["diagnostics"] = refusal.diagnostics
    return _outcome(issue)


def processing_outcome() -> dict[str, Any]:
    # ASSUMED: 處理中 stands in details.text, without a code: the contract gives only the text.
    return _outcome({"severity": "information", "code": "informational", "details": {"text": "處理中"}})


def _details(code: str, text: str) -> dict[str, Any]:
    return {"coding": [{"system": CODE_SYSTEM, "code": code, "display": text}]}


def _outcome(issue: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [issue]}
