"""What the clinic's settings offer in a form: its own vaccines first, its staff to tap."""

from datetime import date
from functools import partial

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from store.clinic_settings import clinic_of, staff_members, vaccines_in_use
from store.codes import vaccines
from store.vaccine_choice import choose_vaccines
from ui import wording
from ui.state import AppState


def offered_vaccines(state: AppState, day: date | None, named: str, *, by_lots: bool = False) -> dict[str, str]:
    """What each vaccine to choose from is called, by code; the clinic's own are marked and come first.

    `day` is the dose's, None where there is none and nothing is left out; `named` is the code that is chosen already;
    with `by_lots` those of which the clinic has lots come next.
    """
    tables = state.database.tables
    favourites = vaccines_in_use(tables)
    found = choose_vaccines(
        vaccines(),
        favourites,
        influenza=clinic_of(tables).influenza or day is None or day < state.today(),
        named=named,
        has_lots=lambda code: by_lots and bool(tables.lots.count_by("vaccine_code", code, at_most=1)),
    )
    names = {vaccine.code: wording.vaccine_name(vaccine) for vaccine in found}
    return {code: wording.FAVOURITE.format(name=name) if code in favourites else name for code, name in names.items()}


def vaccine_options(state: AppState, day: date | None, named: str) -> dict[str, str]:
    """The same for a list to choose from, each with its code; `named` is among them though no table has it."""
    options = {code: f"{code}　{name}" for code, name in offered_vaccines(state, day, named).items()}
    return options if not named or named in options else {**options, named: named}


def offer_staff(state: AppState, field: ValueElement[str]) -> None:
    """A list of who vaccinates behind a button in the field; whoever is not on it can be typed."""
    staff = [member for member in staff_members(state.database.tables) if member.active]
    if not staff:
        return
    with field.add_slot("append"):
        button = ui.button(icon="person").props("flat dense tabindex=-1").mark("staff-list")
        button.props(f'aria-label="{wording.STAFF_CHOOSE}"')
        with button, ui.menu():
            for member in staff:
                label = f"{member.staff_id}　{member.name}".strip()
                choice = ui.menu_item(label, partial(field.set_value, member.staff_id)).mark(f"staff {member.staff_id}")
                choice.classes("items-center desk-tick")
