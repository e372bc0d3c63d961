"""設定: the lots that all stations take first today, and the people who vaccinate and record."""

from collections.abc import Hashable
from datetime import date

from nicegui import ui

from store.clinic_settings import (
    LotOfTheDay,
    Setting,
    StaffMember,
    lot_key,
    make_setting,
    staff_members,
    vaccines_in_use,
)
from store.codes import vaccine_by_code, vaccines
from store.half_width import to_half_width
from store.lot_choice import choose_lots
from store.lots import Lot
from store.roc_date import format_roc_date
from ui import wording
from ui.forms import record_fields
from ui.settings_section import Section, too_long

_LONGEST_ID, _LONGEST_NAME = 60, 100


class LotsSection(Section):
    """當日批號: one choice for each vaccine in use; for all that have lots where none is ticked."""

    tab = "lots"

    def _look(self) -> Hashable:
        options = {code: tuple(lot.lot_number for lot in lots) for code, lots in self._offered().items()}
        today = self._state.today()
        revisions = tuple(self._revision(LotOfTheDay.id_of(lot_key(code, today))) for code in options)
        return today, tuple(options.items()), revisions

    def _draw(self) -> None:
        self._day = today = self._state.today()  # what is chosen is for the day that the screen names
        self._choices: dict[str, ui.select] = {}
        ui.label(wording.LOTS_OF_DAY_INTRO.format(day=format_roc_date(today))).classes("desk-note")
        offered = self._offered()
        with ui.element("div").classes("desk-fields desk-wide enter-moves"):
            for code, lots in offered.items():
                chosen = self._show(_lot_of_day(code, today)).lot_number
                options = {"": wording.LOT_BY_EXPIRY, **{lot.lot_number: _lot_label(lot) for lot in lots}}
                if chosen:
                    options.setdefault(chosen, wording.LOT_NOT_OFFERED.format(lot_number=chosen))
                vaccine = vaccine_by_code(code)
                choice = ui.select(options, label=code, value=chosen, on_change=self._on_change)
                # A label has one line, and names are longer.
                choice.props["hint"] = wording.vaccine_name(vaccine) if vaccine is not None else ""
                self._choices[code] = choice.props("outlined").classes("w-full").mark(f"lot of {code}")
        if not offered:
            none = wording.LOTS_OF_DAY_NONE_IN_USE if vaccines_in_use(self._tables) else wording.LOTS_OF_DAY_NONE
            ui.label(none).classes("desk-person").mark("no-lots")
            with ui.row():
                for path, name in (("/BA109", wording.LOTS), ("/BA109_3_DOWNLOAD", wording.STOCK)):
                    go = ui.button(name, on_click=lambda path=path: ui.navigate.to(path))
                    go.props("outline no-caps").mark(f"go {path}")

    def _offered(self) -> dict[str, list[Lot]]:
        """The lots to choose from today, by the codes of the vaccines that have any."""
        table, today = self._tables.lots, self._state.today()
        codes = vaccines_in_use(self._tables) or tuple(v.code for v in vaccines() if v.in_use)
        found = {}
        for code in codes:
            if table.count_by("vaccine_code", code, at_most=1):
                lots = [Lot.model_validate(record_fields(d, Lot)) for d in table.find_by("vaccine_code", code)]
                if offered := choose_lots(lots, code, today):
                    found[code] = offered
        return found

    def _settings(self) -> list[Setting]:
        return [_lot_of_day(code, self._day, str(choice.value or "")) for code, choice in self._choices.items()]


def _lot_of_day(code: str, day: date, lot_number: str = "") -> LotOfTheDay:
    return make_setting(LotOfTheDay, lot_key(code, day), vaccine_code=code, day=day, lot_number=lot_number)


def _lot_label(lot: Lot) -> str:
    expiry = wording.LOT_EXPIRES.format(day=format_roc_date(lot.expires_on)) if lot.expires_on else ""
    return f"{lot.lot_number}{expiry}"


class StaffSection(Section):
    """人員: nobody is removed, since doses name them; who has left is switched off."""

    tab = "staff"

    def faults(self) -> list[str]:
        new_id, new_name = self._typed()
        faults = too_long(wording.STAFF_ID, new_id, _LONGEST_ID) + too_long(wording.STAFF_NAME, new_name, _LONGEST_NAME)
        if new_id and new_id in self._names:
            faults.append(wording.STAFF_EXISTS.format(staff_id=new_id))
        if new_name and not new_id:
            faults.append(wording.STAFF_ID_MISSING)
        for staff_id, name in self._names.items():
            faults += too_long(wording.STAFF_NAME_OF.format(staff_id=staff_id), name.value or "", _LONGEST_NAME)
        return faults

    def _look(self) -> Hashable:
        return tuple((document["record_id"], document["revision"]) for document in self._tables.staff.documents())

    def _draw(self) -> None:
        self._names: dict[str, ui.input] = {}
        self._active: dict[str, ui.switch] = {}
        ui.label(wording.STAFF_INTRO).classes("desk-note")
        members = staff_members(self._tables)
        self._none = ui.label(wording.STAFF_NONE).classes("desk-person").mark("no-staff")
        self._none.set_visibility(not members)
        self._rows = ui.column().classes("w-full gap-1")
        for member in members:
            self._show(member)
            self._draw_member(member)
        with ui.row().classes("items-center desk-staff-new"):
            self._new_id = ui.input(wording.STAFF_ID).props(f"maxlength={_LONGEST_ID}").mark("new-staff-id")
            self._new_name = ui.input(wording.STAFF_NAME).props(f"maxlength={_LONGEST_NAME}").mark("new-staff-name")
            for field in (self._new_id, self._new_name):
                field.props("outlined dense autocomplete=off data-enter=stay").on_value_change(self._on_change)
                field.on("keydown.enter", self._add)
            ui.button(wording.STAFF_ADD, on_click=self._add).props("outline color=primary").mark("add-staff")

    def _draw_member(self, member: StaffMember) -> None:
        staff_id = member.staff_id
        with self._rows, ui.row().classes("items-center desk-staff"):
            ui.label(staff_id).classes("desk-staff-id")
            name = ui.input(wording.STAFF_NAME_OF.format(staff_id=staff_id), value=member.name)
            name.props(f"outlined dense autocomplete=off maxlength={_LONGEST_NAME}").mark(f"name of {staff_id}")
            active = ui.switch(wording.STAFF_ACTIVE_OF.format(staff_id=staff_id), value=member.active)
            active.classes("desk-tick").mark(f"active {staff_id}")
        name.on_value_change(self._on_change)
        active.on_value_change(self._on_change)
        self._names[staff_id], self._active[staff_id] = name, active

    def _typed(self) -> tuple[str, str]:
        return to_half_width(self._new_id.value or "").strip(), (self._new_name.value or "").strip()

    def _add(self) -> None:
        """Put the new row with the others; it is saved with them."""
        new_id, new_name = self._typed()
        faults = self.faults() or ([] if new_id else [wording.STAFF_ID_MISSING])
        if faults:
            ui.notify(wording.sentences(faults), type="negative", position="bottom")
            return
        self._draw_member(make_setting(StaffMember, new_id, staff_id=new_id, name=new_name))
        self._none.set_visibility(False)
        self._new_id.set_value("")
        self._new_name.set_value("")
        self._new_id.run_method("focus")
        self._on_change()

    def _settings(self) -> list[Setting]:
        """With whoever stands in the new row without having been added."""
        settings: list[Setting] = [
            make_setting(
                StaffMember, one, staff_id=one, name=(name.value or "").strip(), active=bool(self._active[one].value)
            )
            for one, name in self._names.items()
        ]
        new_id, new_name = self._typed()
        if new_id:
            settings.append(make_setting(StaffMember, new_id, staff_id=new_id, name=new_name))
        return settings
