"""The file by which doses reach NIIS without the interface: its media-import CSV of 24 columns. Pure.

Invariants:
- the same doses give the same bytes; a cell is written as it is kept, or its row is left out, or the change is told;
- what Big5 cannot hold stands as 「？」 in a name, an address, a telephone number or a maker, since none of them says
  whose dose it is or what it was; in any other cell it would say something else, so the row is left out;
- of what a spreadsheet would run as a formula (formulas.py) the sign is treated alike;
- a row that lacks what NIIS requires is left out: whoever loads the file would have it refused there.

Source: column titles, order, Big5, CRLF and the rules of each column as in a public Google Apps Script of
臺南市佳里區衛生所 (v4.7, files of it were taken by NIIS in 2026-08), where nothing else is said.

ASSUMED: vaccine codes and dose labels are those of the interface; NIIS reads Big5 as Windows does (code page 950);
the columns that no record fills (曾接種流感疫苗, 期別, 時段, 醫師, 處置費註記, those of a 接種站) stay empty, as
none of them is required.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from store.codes import vaccine_by_code
from store.formulas import is_formula_but_no_number, sign_of
from store.lots import LotType
from store.patients import Patient, Sex
from store.roc_date import format_compact
from store.special_identities import schemes_of
from store.vaccinations import Vaccination

ENCODING = "cp950"
TITLES = (
    "幼兒身分證號", "嬰幼兒姓名", "嬰幼兒性別", "(必填)幼兒出生日期", "同胎次序", "通訊地址", "電話", "父或母身分證號",
    "(必填)接種機構", "(必填)接種日期", "(必填)疫苗種類", "(必填)疫苗劑別", "(必填)疫苗批號", "疫苗廠商",
    "(必填)疫苗型別", "曾接種流感疫苗", "身分別", "接種站識別碼", "期別", "時段", "醫師", "接種位址", "接種站名稱",
    "處置費註記(非必填)",
)  # fmt: skip
# Field of the record, in the order of the titles; "" is a column that stays empty.
FIELDS = (
    "national_id", "name", "sex", "birth_date", "birth_order", "address", "phone", "parent_national_id",
    "institution_code", "vaccination_date", "vaccine_code", "dose_number", "lot_number", "manufacturer", "lot_type",
    "", "special_identity", "", "", "", "", "", "", "",
)  # fmt: skip
MAX_ROWS = 500  # of one file
INSTITUTION_CODE_LENGTH = 10
# ASSUMED: v4.7 of that script writes a birth date without its leading zero (0480327 -> 480327); an earlier version of
# it asks for at least seven digits. The later one's files were taken.
BIRTH_DATE_KEEPS_ZERO = False

_SUBSTITUTE = "？"
_MAY_BE_SUBSTITUTED = frozenset({"name", "address", "phone", "manufacturer"})
_REQUIRED = ("birth_date", "vaccination_date", "vaccine_code", "dose_number", "lot_number", "lot_type")
_SEX = {Sex.MALE: "M", Sex.FEMALE: "F", None: ""}
# "1" is public. ASSUMED: so are lots bought by a local government, and self-paid ones are "0": an older offline client
# writes 0 for one of three types and 1 for the others. Rows of these two types carry a note.
_LOT_TYPE = {LotType.CENTRAL: "1", LotType.LOCALLY_PURCHASED: "1", LotType.SELF_PAID: "0"}


class NoteKind(StrEnum):
    """What is to be said of a row. The first four leave it out."""

    NO_IDENTITY = "no_identity"  # neither an own ID nor a parent's
    MISSING = "missing"  # a required column would be empty
    NOT_IN_BIG5 = "not_in_big5"  # characters Big5 cannot hold, in a cell that must be exact
    FORMULA = "formula"  # a spreadsheet would run a cell that must be exact
    SUBSTITUTED = "substituted"  # characters Big5 cannot hold, written as 「？」
    LIKE_A_FORMULA = "like_a_formula"  # a spreadsheet would run it: the sign is written as 「？」
    LOT_TYPE_UNSURE = "lot_type_unsure"  # the code written for this type is an assumption


LEAVE_OUT = frozenset({NoteKind.NO_IDENTITY, NoteKind.MISSING, NoteKind.NOT_IN_BIG5, NoteKind.FORMULA})


class Note(BaseModel):
    """One remark on one row. Shape: `characters` are those at fault, each once; empty where none are."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record_id: str
    field: str
    kind: NoteKind
    characters: str = ""


@dataclass(frozen=True)
class OutageFile:
    """Shape: `text` has the header and a row for each of `record_ids`, all of it encodable; `notes` in row order."""

    record_ids: tuple[str, ...]
    text: str
    notes: tuple[Note, ...]

    @property
    def left_out(self) -> frozenset[str]:
        """Record ids of the doses that are not in the text."""
        return frozenset(note.record_id for note in self.notes if note.kind in LEAVE_OUT)


def make_file(
    doses: Sequence[tuple[Vaccination, Patient]],
    institution_code: str,
    *,
    birth_date_keeps_zero: bool = BIRTH_DATE_KEEPS_ZERO,
) -> OutageFile:
    """The file of these doses, each with whose it is, in their order. Raises: ValueError above `MAX_ROWS`."""
    if len(doses) > MAX_ROWS:
        raise ValueError(f"{len(doses)} rows, at most {MAX_ROWS}")
    rows, record_ids, notes = [], [], []
    for vaccination, patient in doses:
        cells, told = _row(vaccination, patient, institution_code, birth_date_keeps_zero)
        notes += told
        if not any(note.kind in LEAVE_OUT for note in told):
            rows.append(cells)
            record_ids.append(vaccination.record_id)
    return OutageFile(tuple(record_ids), _write([TITLES, *rows]), tuple(notes))


def file_bytes(text: str) -> bytes:
    """The very bytes of a file's text. Raises: UnicodeEncodeError for a text that `make_file` did not make."""
    return text.encode(ENCODING)


def characters_not_in_big5(text: str) -> str:
    """The characters of a text that a file cannot hold, each once: unknown to Big5, or breaking the line."""
    return "".join(dict.fromkeys(character for character in text if not _holds(character)))


def _holds(character: str) -> bool:
    if not character.isprintable():
        return False
    try:
        character.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _row(
    vaccination: Vaccination, patient: Patient, institution_code: str, birth_date_keeps_zero: bool
) -> tuple[list[str], list[Note]]:
    cells = {
        "national_id": patient.national_id or "",
        "name": patient.name,
        "sex": _SEX[patient.sex],
        "birth_date": _birth_date(patient.birth_date, birth_date_keeps_zero),
        "birth_order": str(patient.birth_order or 1),
        "address": patient.address,
        "phone": patient.phone,
        "parent_national_id": patient.parent_national_id or "",
        "institution_code": institution_code,
        "vaccination_date": format_compact(vaccination.vaccination_date),
        "vaccine_code": vaccination.vaccine_code,
        "dose_number": vaccination.dose_number,
        "lot_number": vaccination.lot_number,
        "manufacturer": vaccination.manufacturer,
        "lot_type": _LOT_TYPE[vaccination.lot_type],
        "special_identity": _special_identity(vaccination),
        "": "",
    }
    notes = [
        Note(record_id=vaccination.record_id, field=field, kind=kind, characters=characters)
        for field, kind, characters in _notes(vaccination, cells)
    ]
    for field in _MAY_BE_SUBSTITUTED:
        if is_formula_but_no_number(cells[field]):
            cells[field] = cells[field].replace(sign_of(cells[field]), _SUBSTITUTE, 1)
        for character in characters_not_in_big5(cells[field]):
            cells[field] = cells[field].replace(character, _SUBSTITUTE)
    return [cells[field] for field in FIELDS], notes


def _notes(vaccination: Vaccination, cells: dict[str, str]) -> Iterable[tuple[str, NoteKind, str]]:
    if not cells["national_id"] and not cells["parent_national_id"]:
        yield "national_id", NoteKind.NO_IDENTITY, ""
    required = [*_REQUIRED, *(["special_identity"] if _asks_identity(vaccination) else [])]
    for field in required:
        if not cells[field].strip():
            yield field, NoteKind.MISSING, ""
    for field, cell in cells.items():
        if lost := characters_not_in_big5(cell):
            yield field, NoteKind.SUBSTITUTED if field in _MAY_BE_SUBSTITUTED else NoteKind.NOT_IN_BIG5, lost
        if is_formula_but_no_number(cell):
            kind = NoteKind.LIKE_A_FORMULA if field in _MAY_BE_SUBSTITUTED else NoteKind.FORMULA
            yield field, kind, sign_of(cell)
    if vaccination.lot_type is not LotType.CENTRAL:
        yield "lot_type", NoteKind.LOT_TYPE_UNSURE, ""


def _birth_date(day: date | None, keeps_zero: bool) -> str:
    if day is None:
        return ""
    written = format_compact(day)
    return written if keeps_zero else written.removeprefix("0")


def _asks_identity(vaccination: Vaccination) -> bool:
    # ASSUMED: as with uploads, a self-paid dose has none: the codes name groups for whom public doses are meant.
    return bool(schemes_of(vaccination.vaccine_code)) and vaccination.lot_type is not LotType.SELF_PAID


def _special_identity(vaccination: Vaccination) -> str:
    vaccine = vaccine_by_code(vaccination.vaccine_code)
    is_pneumococcal = vaccine is not None and "肺炎鏈球菌" in vaccine.name
    return "" if is_pneumococcal else vaccination.special_identity or ""


def _write(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()
