"""What a manager asks the hub of the audit, which is kept there alone."""

from urllib.parse import urlencode

from store.audit_protocol import AuditPage, AuditQuery
from ui import wording
from ui.audit_teller import PATH
from ui.hub_question import ask_hub
from ui.state import AppState


async def ask_for_audit(state: AppState, query: AuditQuery) -> AuditPage | str:
    """The hub's page, or the sentence that says why there is none."""
    if state.is_practice:
        return wording.AUDIT_PRACTICE
    if query.before is None:  # what was done here a moment ago is looked for as well
        await state.tell_audit()
    asked = urlencode(query.model_dump(mode="json", exclude_defaults=True))
    refused = {"not_found": wording.AUDIT_OLD_HUB, "role_may_not": wording.AUDIT_MAY_NOT}
    return await ask_hub(
        state, f"{PATH}?{asked}", AuditPage, no_hub=wording.AUDIT_NO_HUB, old_hub=wording.AUDIT_OLD_HUB, refused=refused
    )
