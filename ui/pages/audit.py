"""稽核紀錄: who looked at or did what, for a manager; searched on the hub, which keeps it."""

from nicegui import background_tasks, ui

from store.audit import AuditAction, AuditEntry
from store.audit_protocol import MAX_LISTED, AuditQuery
from store.roc_date import format_compact
from store.roles import HubOperation
from ui import wording
from ui.audit_client import ask_for_audit
from ui.audit_text import audit_csv, record_text, row_of
from ui.dialogs import confirm
from ui.following import follow
from ui.range_search import read_days
from ui.shell import page_frame
from ui.state import AppState
from ui.sync_client import HubLink

_A_PAGE = 50
_MOST_IN_FILE = 20_000
_HASH_SHOWN = 12  # characters: enough that nobody finds another chain with the same
_LONG = ("about", "what")
_WHAT_CELL = """
<q-td :props="props"><span :class="props.row.is_bad ? 'desk-refused' : ''">{{ props.row.what }}</span></q-td>
"""


def build(state: AppState, record: str = "") -> None:
    """Of all; or of the person or the record that another screen names."""
    AuditPageOnScreen(state, record).build()


class AuditPageOnScreen:
    """What to search for, and the entries found, a page at a time."""

    def __init__(self, state: AppState, record: str) -> None:
        self._state, self._record = state, record
        self._entries: list[AuditEntry] = []
        self._device_names: dict[str, str] = {}
        self._asked = AuditQuery()
        self._before: int | None = None
        self._searches = 0  # only the newest goes on
        self._has_asked = self._is_asking = False

    def build(self) -> None:
        keys, helps = {"F9": self.search}, {"F9": wording.AUDIT_SEARCH}
        with page_frame(self._state, wording.AUDIT, on_key=keys, key_help=helps):
            with ui.column().classes("desk-card enter-moves"):
                ui.label(wording.AUDIT_HINT).classes("desk-note")
                with ui.row().classes("items-center") as self._of_record:
                    named = record_text(self._state, self._record)
                    ui.label(wording.AUDIT_OF_RECORD.format(name=named)).classes("text-lg").mark("of-record")
                    ui.button(wording.AUDIT_OF_RECORD_END, on_click=self._all_records).props("outline").mark("all")
                self._of_record.set_visibility(bool(self._record))
                self._build_fields()
                with ui.row():
                    search = ui.button(wording.AUDIT_SEARCH, on_click=self.search).mark("search")
                    search.props("color=primary").classes("enter-last")
                    ui.button(wording.AUDIT_CLEAR, on_click=self._clear).props("outline").mark("clear")
                    self._export = ui.button(wording.AUDIT_EXPORT, on_click=self._save).props("outline").mark("export")
                    ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline").mark("leave")
                self._note = ui.label("").classes("text-lg").mark("audit-note").props('role="status"')
            with ui.column().classes("desk-card") as self._list:
                self._build_table()
            self._list.set_visibility(False)
            follow(self._state.changed, self._follow)
        self._show("")
        self._follow()

    def _build_fields(self) -> None:
        whats = {str(one): told for one, told in [*wording.AUDIT_ACTION.items(), *wording.AUDIT_CHANGE.items()]}
        staff = [one["staff_id"] for one in self._state.database.tables.staff.documents()]
        with ui.element("div").classes("desk-fields desk-fields-more"):
            self._from = ui.input(wording.AUDIT_FROM).mark("audit-from")
            self._to = ui.input(wording.AUDIT_TO).mark("audit-to")
            self._who = ui.input(wording.AUDIT_WHO_FIELD, autocomplete=[*wording.AUDIT_WHO.values(), *staff])
            self._who.mark("audit-who")
            self._what = ui.select({"": wording.AUDIT_ANY, **whats}, label=wording.AUDIT_WHAT_FIELD, value="")
            self._what.props("outlined").classes("w-full").mark("audit-what")
        for field in (self._from, self._to, self._who):
            field.without_auto_validation().props("outlined bottom-slots autocomplete=off").classes("w-full")

    def _build_table(self) -> None:
        columns = [
            {
                "name": name, "label": label, "field": name, "align": "left",
                "classes": "desk-breaks" if name in _LONG else "desk-whole",
            }
            for name, label in wording.AUDIT_COLUMNS.items()
        ]  # fmt: skip
        self._table = ui.table(columns=columns, rows=[], row_key="seq")
        self._table.props(f'dense wrap-cells no-data-label="{wording.NO_DATA}"').mark("audit")
        self._table.add_slot("body-cell-what", _WHAT_CELL)
        self._table.classes("w-full desk-narrow desk-receipts")
        self._older = ui.button(wording.AUDIT_OLDER, on_click=self._go_on).props("outline").mark("older")
        self._head = ui.label("").classes("desk-note").mark("audit-head")

    # ---- asking

    def _follow(self) -> None:
        """What the page opened for is asked as soon as there is a hub; later staff ask."""
        if self._has_asked or self._is_asking:
            return
        if not self._state.may_call(HubOperation.AUDIT):
            self._show(wording.AUDIT_MAY_NOT, bad=True)
        elif self._state.sync.link is HubLink.UNKNOWN and not self._state.is_practice:
            self._show(wording.AUDIT_SEARCHING)
        elif self._state.sync.link not in (HubLink.CONNECTED, HubLink.UNKNOWN):
            self._show(wording.AUDIT_NO_HUB, bad=True)
        else:
            background_tasks.create(self.search(), name="audit")

    async def _all_records(self) -> None:
        self._record = ""
        self._of_record.set_visibility(False)
        await self.search()

    async def _clear(self) -> None:
        for field in (self._from, self._to, self._who, self._what):
            field.set_value("")
        await self._all_records()

    def _query(self) -> AuditQuery | None:
        """What stands in the fields; None where a day cannot be read."""
        if (days := read_days(self._from, self._to)) is None:
            return None
        who = (self._who.value or "").strip()[:20]
        called = {told: code for code, told in wording.AUDIT_WHO.items()}
        return AuditQuery(
            who=called.get(who, who),
            what=self._what.value or "",
            record_id=self._record or None,
            first_day=days[0],
            last_day=days[1],
            limit=_A_PAGE,
        )

    async def search(self) -> None:
        """Ask the hub anew for what stands in the fields."""
        if (query := self._query()) is None:
            return
        self._asked, self._before, self._entries = query, None, []
        await self._go_on()

    async def _go_on(self) -> None:
        """Add the next page."""
        page = await self._fetch(self._before, _A_PAGE)
        if page is not None:
            found, self._before = page
            self._entries += found
            told = wording.AUDIT_FOUND if self._before is None else wording.AUDIT_FOUND_MORE
            self._show(told.format(count=len(self._entries)) if self._entries else wording.AUDIT_NONE)

    async def _fetch(self, before: int | None, most: int) -> tuple[list[AuditEntry], int | None] | None:
        """What was asked for below `before`, looking on behind pages that hold few; and where to go on.

        None where something stopped it.
        """
        self._searches += 1
        number, query, self._is_asking = self._searches, self._asked, True
        is_newest = before is None
        self._show(wording.AUDIT_SEARCHING)
        found: list[AuditEntry] = []
        try:
            while True:
                limit = min(most - len(found), MAX_LISTED)
                asked = query.model_copy(update={"before": before, "limit": limit})
                answer = await ask_for_audit(self._state, asked)
                if number != self._searches or self._table.is_deleted:
                    return None
                if isinstance(answer, str):
                    self._show(answer, bad=True)
                    return None
                self._has_asked = True
                found += answer.entries
                self._device_names |= answer.device_names
                before = answer.before
                if is_newest and answer.hub_head.seq:
                    head = answer.hub_head
                    self._head.set_text(wording.AUDIT_HEAD.format(number=head.seq, mark=head.hash[:_HASH_SHOWN]))
                if before is None or len(found) >= most:
                    return found, before
                self._note.set_text(wording.AUDIT_SEARCHING_BACK.format(number=before))
        finally:
            self._is_asking = number != self._searches

    # ---- what is shown, and saved

    def _show(self, told: str, *, bad: bool = False) -> None:
        self._note.set_text(told)
        self._note.classes(add="desk-refused" if bad else "", remove="" if bad else "desk-refused")
        self._table.rows = [row_of(self._state, entry, self._device_names) for entry in self._entries]
        self._list.set_visibility(bool(self._entries))
        self._older.set_visibility(not bad and self._before is not None)
        self._export.set_visibility(bool(self._entries))

    async def _save(self) -> None:
        """All that was asked for as a file, not only what is listed."""
        if not await confirm(wording.AUDIT_EXPORT_ASK.format(most=f"{_MOST_IN_FILE:,}")):
            return
        page = await self._fetch(None, _MOST_IN_FILE)
        if page is None:
            return
        found, before = page
        name = wording.AUDIT_EXPORT_FILE.format(day=format_compact(self._state.today()))
        self._state.note(AuditAction.EXPORTED, kind="audit", count=len(found))
        ui.download(audit_csv(self._state, found, self._device_names), name)
        told = wording.AUDIT_EXPORT_CUT if before is not None else wording.AUDIT_EXPORT_DONE
        self._show(told.format(count=len(found)))
