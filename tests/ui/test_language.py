"""Every page in both languages: what stands on it is said in that language, and no identifier of ours is among it."""

import enum
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

import store
from store.changes import ChangeDraft, ChangeKind
from store.code_table_file import CodeTableName, built_in_table
from store.codes import read_table, table_origin, vaccine_by_code
from store.stock import StockRow
from tests.factories import (
    EXAM_ID,
    LOT_ID,
    PATIENT_ID,
    VACCINATION_ID,
    make_exam,
    make_lot,
    make_patient,
    make_vaccination,
)
from tests.ui.test_wording import CHINESE
from ui import boot, wording
from ui.language import choose_language
from ui.state import AppState
from ui.wording import Language

REFUSED, WARNED, OTHER_PERSON = "7" * 32, "8" * 32, "9" * 32
PAGES = (
    *boot.PATHS,
    f"/BA102_3?patient={PATIENT_ID}",
    f"/BA102_3?record={VACCINATION_ID}",
    f"/BA102_3?record={REFUSED}&field=lot_number",
    f"/BA102_3?record={WARNED}",
    f"/BA103_3?patient={PATIENT_ID}",
    f"/BA103_3?record={EXAM_ID}",
    f"/BA109?lot={LOT_ID}",
    f"/conflicts?patient={PATIENT_ID}",
)
IDENTIFIER = re.compile(r"\b[a-z]+_[a-z_]+\b|\bNone\b|\b[A-Z][A-Za-z]+\.[A-Z_]{3,}\b")
# What elements show of themselves, by the name of the property.
SHOWN = ("label", "placeholder", "title", "aria-label", "no-data-label", "hint", "error-message", "innerHTML", "value")


def change(kind: ChangeKind, record: Any, *bases: str, **changes: Any) -> ChangeDraft:
    payload = record.model_copy(update=changes).model_dump(mode="json", exclude={"record_id"})
    return ChangeDraft(kind, record.record_id, payload, bases)


@pytest.fixture
async def busy(state: AppState) -> AppState:
    """A conflict, a refused record, warnings, an exam, stock, a recalled lot: of everything something."""
    english = {"name": "Test Person", "address": "1 Test Road"}
    today = state.today()
    tables = state.database.tables
    before = tables.patients.at(PATIENT_ID)["revision"]
    await state.commit([change(ChangeKind.CORRECT_PATIENT, make_patient(**english), before)])
    other = make_patient(record_id=OTHER_PERSON, chart_number="057165", **english)
    await state.commit([change(ChangeKind.REGISTER_PATIENT, other)])

    await state.commit([change(ChangeKind.RECORD_VACCINATION, make_vaccination(vaccination_date=today))])
    base = tables.vaccinations.at(VACCINATION_ID)["revision"]
    for lot in ("ONE-CDC", "TWO-CDC"):
        corrected = make_vaccination(vaccination_date=today, lot_number=lot)
        await state.commit([change(ChangeKind.CORRECT_VACCINATION, corrected, base)])

    refused = make_vaccination(record_id=REFUSED, dose_number="2", vaccination_date=today)
    await state.commit([change(ChangeKind.RECORD_VACCINATION, refused)])
    row = {"record_id": REFUSED, "revision": tables.vaccinations.at(REFUSED)["revision"], "method": "POST"}
    told = {"record_id": REFUSED, "verified": False, "code": "E00091", "text": "no such lot"}
    await state.commit([ChangeDraft(ChangeKind.UPLOAD_SENT, "b1", {"rows": [row]})])
    await state.commit([ChangeDraft(ChangeKind.VERIFICATION_RECEIVED, "b1", {"results": [told]})])

    warned = make_vaccination(
        record_id=WARNED, vaccine_code="Var", dose_number="2", lot_number="UNHEARD", warning_reason="checked"
    )
    await state.commit([change(ChangeKind.RECORD_VACCINATION, warned)])
    await state.commit([change(ChangeKind.RECORD_EXAM, make_exam())])
    recalled = make_lot(record_id="4" * 32, lot_number="OLD-1-CDC", status="recalled", manufacturer="")
    await state.commit([change(ChangeKind.REGISTER_LOT, recalled)])
    stock = StockRow(identifier="S-1", vaccine_code="MMR", lot_number="AMJRE075AA-CDC", lot_type="1", vials=33)
    await state.commit([ChangeDraft(ChangeKind.STOCK_RECEIVED, "d1", {"rows": [stock.model_dump(mode="json")]})])
    return state


@pytest.fixture(params=list(Language))
def language(request: pytest.FixtureRequest, user: User) -> Iterator[Language]:
    choose_language(request.param)
    yield request.param
    wording.speak(Language.ZH_TW)


def texts_on(user: User) -> set[str]:
    """Everything that the page shows, or tells to who cannot see it."""
    assert user.client is not None
    found: set[str] = {user.client.title or ""}
    for element in user.client.elements.values():
        if not all(each.visible for each in (element, *element.ancestors())):
            continue
        found |= {str(element.props[name]) for name in SHOWN if name in element.props}
        found.add(str(getattr(element, "text", "") or ""))
        if isinstance(element, ui.table):
            columns = element.columns
            found |= {str(column["label"]) for column in columns}
            found |= {str(row.get(column["field"], "")) for row in element.rows for column in columns}
        elif isinstance(element, ui.select | ui.toggle | ui.radio):
            assert isinstance(element.options, dict | list)
            found |= set(map(str, element.options.values() if isinstance(element.options, dict) else element.options))
    return found - {""}


def words_of_cdc() -> list[str]:
    """What stands in the code tables in CDC's own words, the longest first; vaccines have English names."""
    folder = Path(store.__file__).parent / "data"
    names = [path.name for path in folder.glob("*.csv") if path.name != "vaccines.csv"]
    cells = {cell for name in names for row in read_table(name) for cell in row.values()}
    cells |= {label for row in read_table("vaccines.csv") for label in row["dose_labels"].split()}
    cells |= {table_origin(name) for name in names}
    return sorted((cell for cell in cells if CHINESE.search(cell)), key=len, reverse=True)


def codes_of_ours() -> set[str]:
    """The values of our enums, which no Chinese sentence holds as words of its own."""
    folder = Path(store.__file__).parent
    modules = [importlib.import_module(f"store.{path.stem}") for path in folder.glob("*.py") if path.stem != "__main__"]
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, enum.EnumMeta)}
    return {str(member.value) for kind in kinds for member in kind if re.fullmatch("[a-z_]{4,}", str(member.value))}


async def test_no_page_shows_an_identifier_or_another_language(user: User, busy: AppState, language: Language) -> None:
    official, codes = words_of_cdc(), codes_of_ours()
    allowed = {wording.OTHER_LANGUAGE, wording.SWITCH_LANGUAGE}
    # What a code table's file says of itself, for whoever edits it, names its columns.
    allowed |= {source for name in CodeTableName for source in built_in_table(name).sources}
    assert len(official) > 50
    assert len(codes) > 50
    for path in PAGES:
        await user.open(path)
        texts = texts_on(user) - allowed
        assert len(texts) > 5, path
        assert [text for text in texts if IDENTIFIER.search(text)] == [], path
        if language is Language.EN:
            for text in texts:
                rest = text
                for words in official:
                    rest = rest.replace(words, "")
                assert not CHINESE.search(rest), (path, text)
        else:
            shown = {word for text in texts for word in re.findall(r"[A-Za-z_]+", text)}
            assert shown & codes == set(), path


async def test_the_page_tells_its_language_to_browser_and_quasar(user: User, language: Language) -> None:
    page = (await user.http_client.get("/")).text

    assert f'<html lang="{language.value}"' in page
    assert f"/static/lang/{language.value}.umd.prod.js" in page


async def test_one_tap_loads_the_page_again_in_the_other_language(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    await user.should_see("確定 (F9)")
    next(iter(user.find(marker="vaccine_code").elements)).set_value("MMR")
    next(iter(user.find(marker="note").elements)).set_value("left arm sore")
    try:
        user.find(marker="language").click()

        await user.should_see("Save (F9)")
        assert next(iter(user.find(marker="note").elements)).value == "left arm sore"
        mmr = vaccine_by_code("MMR")
        assert mmr is not None
        select = next(iter(user.find(marker="vaccine_code").elements))
        assert select.options["MMR"] == f"MMR　{mmr.english_name}"
        user.find(marker="language").click()
        await user.should_see("確定 (F9)")
    finally:
        wording.speak(Language.ZH_TW)


@pytest.mark.parametrize(
    ("path", "opened_by", "field"),
    [("/BA102_3", "new-patient", "phone"), ("/BA109", "add-lot", "manufacturer")],
)
async def test_a_half_filled_form_is_there_in_the_other_language(
    user: User, state: AppState, path: str, opened_by: str, field: str
) -> None:
    await user.open(path)
    user.find(marker=opened_by).click()
    await user.should_see(marker=field)
    next(iter(user.find(marker=field).elements)).set_value("0912345678")
    try:
        user.find(marker="language").click()
        await user.should_see(marker=field)
        await user.open(path)
        await user.should_see("Address" if field == "phone" else "New lot")
        assert next(iter(user.find(marker=field).elements)).value == "0912345678"
    finally:
        wording.speak(Language.ZH_TW)
