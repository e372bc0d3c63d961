"""The patient roster a clinic's HIS exports, read row by row.

Invariants:
- no row is lost: each is a patient, the repetition of an earlier row, or a bad row with its cells and its reason;
- no row raises, whatever its bytes; only a file that is no roster at all does, before its first row;
- of two different rows with one chart number the first counts and the second is a bad row: nothing is overwritten;
- what can be tidied without guessing is tidied and noted.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import ValidationError

from store.codes import field_by_roster_title
from store.errors import AppError
from store.formulas import without_mark
from store.half_width import to_half_width
from store.ids import classify_id, normalise_id
from store.patients import PatientDraft, Sex, check_patient
from store.problems import Problem, ProblemCode, Severity, problems_from_validation
from store.roc_date import parse_roc_date
from store.texts import check_texts

_NEEDED = ("chart_number", "name", "national_id", "birth_date")
# People's names and addresses may mean a full-width sign as it stands.
_AS_IT_STANDS = frozenset({"name", "address"})
_IDS = frozenset({"national_id", "parent_national_id"})
_MAX_LINES_OF_A_ROW = 20
# What no HIS exports; beyond it a file was made to keep this program busy.
_MAX_COLUMNS = 200
_MAX_ROW = 100_000  # characters
_LINE_ENDS = re.compile(r"[\t\r\n\v\f]")


class RosterFault(StrEnum):
    """Why a file is no roster."""

    EMPTY = "empty"
    SPREADSHEET = "spreadsheet"  # an Excel file under whatever name: it must be saved as CSV
    NOT_TEXT = "not_text"
    TOO_MANY_COLUMNS = "too_many_columns"
    MISSING_COLUMNS = "missing_columns"
    REPEATED_COLUMNS = "repeated_columns"


class RosterError(AppError):
    """The file cannot be read as a roster; `columns` names the fields missing from its header or found twice."""

    code = "roster_unusable"

    def __init__(self, fault: RosterFault, columns: tuple[str, ...] = ()) -> None:
        super().__init__(": ".join([fault.value, *columns]))
        self.fault, self.columns = fault, columns


@dataclass(frozen=True, slots=True)
class RosterText:
    """A decoded roster and the layout its header gives.

    Shape: `titles` are the header's cells; `position_by_field` the columns this program knows; `body_at` the offset of
    the first line after the header, `body_line` its number, counted from 1.
    """

    text: str
    encoding: str
    delimiter: str
    titles: tuple[str, ...]
    position_by_field: Mapping[str, int]
    body_at: int
    body_line: int

    @property
    def line_count(self) -> int:
        """Lines of the file, for progress: `row.line_number / roster.line_count`."""
        return self.text.count("\n") + 1


class RosterRow(NamedTuple):
    """One row of the file.

    Shape: `cells` maps column titles to the cells as they came, those beyond the header under "#13", "#14"; `patient`
    is None in a bad row and in a repetition; `raw` is the row's text.
    """

    line_number: int
    cells: dict[str, str]
    patient: PatientDraft | None
    problems: list[Problem]
    raw: str

    @property
    def is_bad(self) -> bool:
        """Nobody came of this row: it must be listed for the nurse."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)


def decode_roster(data: bytes) -> RosterText:
    """Decode a roster file and find its columns, whatever their order.

    Shape: UTF-8 with or without mark, UTF-16 with mark (Excel's "Unicode text"), else Big5 as Windows has it (cp950);
    bytes that are no character there become U+FFFD, which `check_patient` reports at their row.
    Raises: RosterError.
    """
    if not data.strip(b" \t\r\n\x1a\xef\xbb\xbf"):
        raise RosterError(RosterFault.EMPTY)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise RosterError(RosterFault.SPREADSHEET)
    encoding = _find_encoding(data)
    # 0x1A ends a text file of the DOS age, from which some exports still come.
    text = data.decode(encoding, errors="replace").rstrip("\x1a")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    start, line_number = 0, 1
    while not (header := _line_at(text, start)).strip() and start < len(text):
        start, line_number = start + len(header), line_number + 1
    delimiter = max(",\t;", key=header.count)
    titles = tuple(cell.strip() for cell in _split(header.rstrip("\r\n"), delimiter))
    if len(titles) > _MAX_COLUMNS:
        raise RosterError(RosterFault.TOO_MANY_COLUMNS)
    positions = _find_columns(titles, is_text="\0" not in text[:1000])
    # Old databases pad cells with it; no screen and no interface takes it.
    text = text.replace("\0", "\ufffd")
    return RosterText(text, encoding, delimiter, titles, positions, start + len(header), line_number + 1)


def _find_encoding(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        # One damaged byte must not turn a UTF-8 file into Big5 rubbish: its header tells.
        header = data.lstrip()[:1000].splitlines()[0]
        is_utf8 = any(title.encode() in header for title in field_by_roster_title())
        return "utf-8" if is_utf8 else "cp950"
    return "utf-8"


def _find_columns(titles: tuple[str, ...], *, is_text: bool) -> dict[str, int]:
    fields = [field_by_roster_title().get(title) for title in titles]
    positions = {field: position for position, field in enumerate(fields) if field is not None}
    if missing := tuple(field for field in _NEEDED if field not in positions):
        raise RosterError(RosterFault.MISSING_COLUMNS, missing) if is_text else RosterError(RosterFault.NOT_TEXT)
    if repeated := tuple(field for field in positions if fields.count(field) > 1):
        raise RosterError(RosterFault.REPEATED_COLUMNS, repeated)
    return positions


def read_rows(roster: RosterText, today: date) -> Iterator[RosterRow]:
    """Read the rows one by one, lazily, so that a screen can breathe between them."""
    first_row: dict[str, tuple[int, int, int]] = {}
    reader = _RowReader(roster, today)
    at, line_number = roster.body_at, roster.body_line
    while at < len(roster.text):
        raw = _row_at(roster.text, at)
        start, line, at = at, line_number, at + len(raw)
        line_number += raw.count("\n")
        if not raw.strip():
            continue
        row = reader.read(raw.rstrip("\r\n"), line)
        if row.patient is not None:
            earlier = first_row.setdefault(row.patient.chart_number, (line, start, at))
            if earlier[0] != line:
                is_same = roster.text[earlier[1] : earlier[2]].strip() == raw.strip()
                code = ProblemCode.REPEATED_ROW if is_same else ProblemCode.DUPLICATE_CHART_NUMBER
                problem = Problem("chart_number", code, {"first_line": str(earlier[0])})
                row = row._replace(patient=None, problems=[*row.problems, problem])
        yield row


def _line_at(text: str, at: int) -> str:
    end = text.find("\n", at) + 1
    return text[at:end] if end else text[at:]


def _row_at(text: str, at: int) -> str:
    """The line at an offset, with those after it that belong to a cell in quotes.

    A quote that is never closed would swallow the rest of the file: then the line is taken alone.
    """
    line = row = _line_at(text, at)
    for _ in range(_MAX_LINES_OF_A_ROW):
        if not row.count('"') & 1:
            return row
        row += _line_at(text, at + len(row))
    return line


def _split(row: str, delimiter: str) -> list[str]:
    cells = None
    if len(row) <= _MAX_ROW and '"' in row and not row.count('"') & 1:
        with suppress(csv.Error):  # a bare CR
            cells = next(csv.reader([row], delimiter=delimiter))
    if cells is None:
        # All that is too much stays together in the last cell.
        return row.split(delimiter, _MAX_COLUMNS)
    # ="057164" is how some HIS keep Excel from dropping zeros.
    return [cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell for cell in cells]


class _RowReader:
    """Reads rows of one layout; what does not change from row to row is worked out once."""

    def __init__(self, roster: RosterText, today: date) -> None:
        # Two columns of one title, or of none, must not hide each other's cells.
        self._titles = [
            title if title and roster.titles.index(title) + 1 == place else f"{title}#{place}"
            for place, title in enumerate(roster.titles, start=1)
        ]
        self._delimiter = roster.delimiter
        self._columns = [
            (field, position, _PARSERS.get(field))
            for field, position in roster.position_by_field.items()
            if field in PatientDraft.model_fields
        ]
        self._today = today

    def read(self, raw: str, line_number: int) -> RosterRow:
        cells, titles = _split(raw, self._delimiter), self._titles
        # Blank cells beyond the header are a spreadsheet's doing.
        if len(cells) < len(titles) or any(cell.strip() for cell in cells[len(titles) :]):
            surplus_titles = [f"#{place}" for place in range(len(titles) + 1, len(cells) + 1)]
            by_title = dict.fromkeys(titles, "") | dict(zip(titles + surplus_titles, cells, strict=False))
            facts = {"expected": str(len(titles)), "found": str(len(cells))}
            return RosterRow(line_number, by_title, None, [Problem("", ProblemCode.WRONG_CELL_COUNT, facts)], raw)
        by_title = dict(zip(titles, cells, strict=False))
        values, problems = _read_cells(
            ((field, cells[position], parse) for field, position, parse in self._columns), _text_in_file
        )
        try:
            patient = PatientDraft.model_validate(values)
        except ValidationError as error:
            return RosterRow(line_number, by_title, None, problems_from_validation(error), raw)
        if unfit := check_texts(patient):
            return RosterRow(line_number, by_title, None, unfit, raw)
        problems += check_patient(patient, self._today)
        return RosterRow(line_number, by_title, patient, problems, raw)


def read_typed_person(typed: Mapping[str, str], today: date) -> tuple[PatientDraft | None, list[Problem]]:
    """Read a person typed into a form, by the rules of a roster's cells.

    Shape: `typed` by field of `PatientDraft`; None where chart number or name is missing.
    """
    values, _ = _read_cells((field, text, _PARSERS.get(field)) for field, text in typed.items())
    try:
        person = PatientDraft.model_validate(values)
    except ValidationError as error:
        return None, problems_from_validation(error)
    return person, check_texts(person) + check_patient(person, today)


def _text_in_file(cell: str) -> str:
    """A cell in one line, without the mark that `bad_rows_csv` puts before what a spreadsheet takes for a formula."""
    text = without_mark(cell).strip()
    if text.isprintable():
        return text
    return " ".join(part.strip() for part in _LINE_ENDS.split(text) if part.strip())


def _read_cells(
    cells: Iterable[tuple[str, str, Callable[[str], Any] | None]], text_in: Callable[[str], str] = str.strip
) -> tuple[dict[str, Any], list[Problem]]:
    """Shape: a cell is its field, its text, and what reads it where it is more than text."""
    values: dict[str, Any] = {}
    as_written: dict[str, str] = {}
    problems: list[Problem] = []
    for field, cell, parse in cells:
        text = text_in(cell)
        if not text:
            continue
        tidy = text if field in _AS_IT_STANDS else normalise_id(text) if field in _IDS else to_half_width(text)
        if parse is None:
            values[field] = tidy
        else:
            try:
                values[field] = parse(tidy)
            except ValueError:
                as_written[field] = text
                continue
        if tidy != cell:
            problems.append(Problem(field, ProblemCode.CLEANED, {"text": cell}))
    if "national_id" in values:
        values["id_type"] = classify_id(values["national_id"])
    if as_written:
        values["as_written"] = as_written
    return values, problems


def _parse_number(text: str) -> int:
    """Shape: "0" to "100", the range the CDC's clients allow for 同胎次序. Raises: ValueError."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else -1
    if not 0 <= number <= 100:
        raise ValueError("not a count")
    return number


_PARSERS: dict[str, Callable[[str], Any]] = {
    "sex": Sex,
    "birth_date": parse_roc_date,
    "birth_order": _parse_number,
    "parity": _parse_number,
    "plurality": _parse_number,
}
