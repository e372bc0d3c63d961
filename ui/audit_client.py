"""What a manager asks the hub of the audit, which is kept there alone."""

from urllib.parse import urlencode

from pydantic import ValidationError

from store.audit_protocol import AuditPage, AuditQuery
from store.protocol import ErrorAnswer
from ui import wording
from ui.audit_teller import PATH
from ui.network import NetworkFailed
from ui.state import AppState


async def ask_for_audit(state: AppState, query: AuditQuery) -> AuditPage | str:
    """The hub's page, or the sentence that says why there is none."""
    if state.is_practice:
        return wording.AUDIT_PRACTICE
    if query.before is None:  # what was done here a moment ago is looked for as well
        await state.tell_audit()
    asked = urlencode(query.model_dump(mode="json", exclude_defaults=True))
    try:
        status, _, content = await state.network.fetch("GET", f"{PATH}?{asked}", None, {})
    except NetworkFailed:
        return wording.AUDIT_NO_HUB
    try:
        if status == 200:
            return AuditPage.model_validate_json(content)
        code = ErrorAnswer.model_validate_json(content).error.code
    except ValidationError:
        return wording.AUDIT_OLD_HUB
    return {"not_found": wording.AUDIT_OLD_HUB, "role_may_not": wording.AUDIT_MAY_NOT}.get(
        code, wording.APP_ERROR.get(code, wording.APP_ERROR["app_error"])
    )
