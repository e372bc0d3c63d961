"""設定: the clinic itself, and the vaccines it gives."""

from collections.abc import Hashable

from nicegui import ui

from store.clinic_settings import Clinic, Setting, VaccinesInUse, make_setting
from store.codes import vaccine_by_code, vaccines
from store.half_width import to_half_width
from store.ids import check_institution_code
from ui import wording
from ui.dialogs import problem_line
from ui.settings_section import Section, too_long

_LONGEST_CODE, _LONGEST_NAME = 40, 100


class ClinicSection(Section):
    """Institution code, name, whether influenza is recorded. The code is never refused: its check digit is a guess."""

    tab = "clinic"

    def refresh(self) -> None:
        super().refresh()
        self._tell()

    def faults(self) -> list[str]:
        code, name = self._code_typed(), self._name_typed()
        faults = too_long(wording.FIELD["institution_code"], code, _LONGEST_CODE)
        return faults + too_long(wording.CLINIC_NAME, name, _LONGEST_NAME)

    def _look(self) -> Hashable:
        return self._revision(Clinic.id_of())

    def _draw(self) -> None:
        clinic: Clinic = self._show(make_setting(Clinic))
        with ui.element("div").classes("desk-fields desk-wide enter-moves"):
            self._code = ui.input(wording.FIELD["institution_code"], value=clinic.institution_code)
            self._code.props(f'maxlength={_LONGEST_CODE} hint="{wording.INSTITUTION_HINT}"').mark("institution-code")
            self._name = ui.input(wording.CLINIC_NAME, value=clinic.clinic_name)
            self._name.props(f"maxlength={_LONGEST_NAME} bottom-slots").mark("clinic-name")
        for field in (self._code, self._name):
            field.props("outlined autocomplete=off").classes("w-full").on_value_change(self._changed)
        # Two lines high from the start, so that what is below stays where it is.
        self._told = ui.column().classes("desk-outcome w-full gap-1").mark("institution-told")
        self._influenza = ui.switch(wording.INFLUENZA, value=clinic.influenza, on_change=self._changed)
        self._influenza.classes("desk-tick").mark("influenza")
        ui.label(wording.INFLUENZA_HINT).classes("desk-note")
        self._tell()

    def _settings(self) -> list[Setting]:
        fields = {"institution_code": self._code_typed(), "clinic_name": self._name_typed()}
        return [make_setting(Clinic, influenza=bool(self._influenza.value), **fields)]

    def _code_typed(self) -> str:
        return "".join(to_half_width(self._code.value or "").split()).upper()

    def _name_typed(self) -> str:
        return (self._name.value or "").strip()

    def _changed(self) -> None:
        self._tell()
        self._on_change()

    def _tell(self) -> None:
        """What is odd about the code, and whether the hub's own is another."""
        code, hub = self._code_typed(), self._state.sync.status.institution_code
        self._told.clear()
        with self._told:
            for problem in check_institution_code(code) if code else ():
                ui.label(f"⚠ {problem_line(problem)}").classes("desk-warned")
            if code and hub:
                told = wording.HUB_CODE_SAME if code == hub else wording.HUB_CODE_DIFFERS.format(hub=hub)
                ui.label(told).classes("desk-note" if code == hub else "desk-warned").mark("hub-code")


class VaccinesSection(Section):
    """使用中疫苗: what is ticked comes first where a vaccine is chosen."""

    tab = "vaccines"

    def _look(self) -> Hashable:
        return self._revision(VaccinesInUse.id_of()), vaccines()

    def _draw(self) -> None:
        chosen: VaccinesInUse = self._show(make_setting(VaccinesInUse))
        ui.label(wording.VACCINES_INTRO).classes("desk-note")
        with ui.row().classes("items-center w-full"):
            self._filter = ui.input(wording.VACCINES_FILTER, on_change=self._narrow).mark("vaccines-filter")
            self._filter.props("outlined dense clearable autocomplete=off").classes("desk-filter")
            self._count = ui.label("").classes("text-lg").mark("vaccines-ticked")
        self._nothing = ui.label("").classes("desk-note").mark("vaccines-filtered-out")
        known = [v.code for v in vaccines() if v.in_use or v.code in chosen.vaccine_codes]
        unknown = [code for code in chosen.vaccine_codes if vaccine_by_code(code) is None]
        # What is ticked stands on top when the screen opens, and stays where it is while it is being ticked.
        codes = sorted([*known, *unknown], key=lambda code: code not in chosen.vaccine_codes)
        self._ticks: dict[str, ui.checkbox] = {}
        with ui.element("div").classes("desk-ticks"):
            for code in codes:
                tick = ui.checkbox(_vaccine_label(code), value=code in chosen.vaccine_codes, on_change=self._changed)
                self._ticks[code] = tick.classes("desk-tick").mark(f"tick {code}")
        self._narrow()
        self._tell()

    def _settings(self) -> list[Setting]:
        shown, _ = self._shown[VaccinesInUse.id_of()]
        assert isinstance(shown, VaccinesInUse)
        ticked = tuple(code for code, tick in self._ticks.items() if tick.value)
        # Another order is no other choice.
        return [shown if set(ticked) == set(shown.vaccine_codes) else make_setting(VaccinesInUse, vaccine_codes=ticked)]

    def _changed(self) -> None:
        self._tell()
        self._on_change()

    def _tell(self) -> None:
        self._count.set_text(wording.VACCINES_TICKED.format(count=sum(bool(t.value) for t in self._ticks.values())))

    def _narrow(self) -> None:
        typed = str(self._filter.value or "").strip()
        fits = {code: typed.casefold() in tick.text.casefold() for code, tick in self._ticks.items()}
        for code, tick in self._ticks.items():
            tick.set_visibility(fits[code])
        self._nothing.set_text("" if any(fits.values()) else wording.VACCINES_FILTERED_OUT.format(text=typed))


def _vaccine_label(code: str) -> str:
    vaccine = vaccine_by_code(code)
    return f"{code}　{wording.vaccine_name(vaccine)}" if vaccine is not None else code + wording.VACCINE_NOT_IN_TABLE
