"""A code table as a CSV file: read with all of its faults at once, and written so that it reads back.

Invariants:
- a file is taken whole or not at all, and only with the built-in table's columns, a source and a date;
- what is kept is text that `codes.rows_of` reads back cell by cell.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from store import codes
from store.codes import LiveKind
from store.formulas import is_like_a_formula
from store.roc_date import format_roc_date, parse_roc_date
from store.special_identities import identity_schemes

MAX_TABLE_BYTES = 256 * 1024  # the largest built-in one has 7
_MAX_CELL = 300
_COMMENT = re.compile(r'"?#')
_DATE = re.compile(r"date:\s*(.*)", re.IGNORECASE)
_ROUTES = frozenset({"IM", "SC", "ID", "PO", "IN"})
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class CodeTableName(StrEnum):
    """The tables that can be loaded: the built-in file's name."""

    VACCINES = codes.VACCINES
    IDENTITIES = codes.IDENTITIES


class TableFault(StrEnum):
    """What is wrong with a file, or with a cell of it."""

    TOO_LARGE = "too_large"
    EMPTY = "empty"
    SPREADSHEET = "spreadsheet"
    NOT_TEXT = "not_text"
    NOT_CSV = "not_csv"
    NO_SOURCE = "no_source"
    NO_DATE = "no_date"
    DATE_UNREADABLE = "date_unreadable"
    DATE_NOT_NEWER = "date_not_newer"  # text: the built-in table's date, ISO form
    DATE_IN_FUTURE = "date_in_future"
    COLUMN_MISSING = "column_missing"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_REPEATED = "column_repeated"
    CELL_COUNT = "cell_count"
    NO_ROWS = "no_rows"
    REQUIRED = "required"
    TOO_LONG = "too_long"
    SIGN_NOT_ALLOWED = "sign_not_allowed"  # one that cannot be seen, or that a spreadsheet takes for a formula
    BLANK_IN_CODE = "blank_in_code"
    CODE_REPEATED = "code_repeated"
    NOT_ONE_OF = "not_one_of"  # expected: the values, parted by blanks
    NOT_A_NUMBER = "not_a_number"


@dataclass(frozen=True, slots=True)
class FoundFault:
    """One fault. Shape: `line` counts from 1, 0 where the whole file is meant; `text` is as it stands in the file."""

    fault: TableFault
    line: int = 0
    column: str = ""
    text: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A table that was read. Shape: `sources` as written after "source:"; `text` is what is kept of it."""

    name: CodeTableName
    sources: tuple[str, ...]
    dated: date
    rows: tuple[Mapping[str, str], ...]
    text: str


# ---- reading a file


def read_code_table(name: CodeTableName, data: bytes, today: date) -> tuple[CodeTable | None, list[FoundFault]]:
    """Read what staff chose; None with everything that is wrong with it."""
    if len(data) > MAX_TABLE_BYTES:
        return None, [FoundFault(TableFault.TOO_LARGE)]
    if not data.strip():
        return None, [FoundFault(TableFault.EMPTY)]
    if data.startswith(_SPREADSHEETS):
        return None, [FoundFault(TableFault.SPREADSHEET)]
    text = _decode(data)
    if text is None:
        return None, [FoundFault(TableFault.NOT_TEXT)]
    table, dated, found = read_text(name, text)
    faults, built_in = list(found), built_in_table(name).dated
    if dated is not None and dated > today:
        faults.append(FoundFault(TableFault.DATE_IN_FUTURE, text=dated.isoformat()))
    elif dated is not None and dated <= built_in:
        faults.append(FoundFault(TableFault.DATE_NOT_NEWER, text=built_in.isoformat()))
    return (None if faults else table), faults


def _decode(data: bytes) -> str | None:
    """UTF-8, UTF-16 with mark, or Big5 as a spreadsheet saves it; None for anything else."""
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp950"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


@lru_cache(maxsize=8)
def read_text(name: CodeTableName, text: str) -> tuple[CodeTable | None, date | None, tuple[FoundFault, ...]]:
    """The table, its date, and what is wrong; without the table where anything is."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    comments = [_comment_of(line) for line in lines if _COMMENT.match(line)]
    sources, dated, faults = _read_origin(comments)
    cells, broken = _cells_of(lines)
    if broken is not None:
        return None, dated, (*faults, broken)
    if len(cells) < 2:
        faults.append(FoundFault(TableFault.NO_ROWS))
    columns, rows = columns_of(name), list[Mapping[str, str]]()
    if cells:
        faults += _check_titles(columns, cells[0])
        # With other columns it cannot be told which cell is whose.
        if set(cells[0].texts) == set(columns):
            read = [_read_row(name, columns, cells[0].texts, line) for line in cells[1:]]
            rows = [row for row, _ in read]
            faults += [fault for _, found in read for fault in found]
            faults += _check_repeated(rows, cells[1:])
    if faults or dated is None:
        return None, dated, tuple(faults)
    return CodeTable(name, tuple(sources), dated, tuple(rows), _write(comments, dated, columns, rows)), dated, ()


def _comment_of(line: str) -> str:
    """A comment's words; a spreadsheet puts it into quotes and commas after it."""
    words = next(csv.reader([line]), [""])[0] if line.startswith('"') else line.rstrip(", \t")
    return "".join(sign for sign in words.lstrip("#").strip() if sign.isprintable())[:2000]


def _read_origin(comments: Iterable[str]) -> tuple[list[str], date | None, list[FoundFault]]:
    sources = [words for comment in comments if (words := _after(comment, "source:"))]
    faults = [] if sources else [FoundFault(TableFault.NO_SOURCE)]
    written = [match[1].strip() for comment in comments if (match := _DATE.match(comment))]
    if not written or not written[-1]:
        return sources, None, [*faults, FoundFault(TableFault.NO_DATE)]
    try:
        return sources, _parse_date(written[-1]), faults
    except ValueError:
        return sources, None, [*faults, FoundFault(TableFault.DATE_UNREADABLE, text=written[-1])]


def _after(comment: str, word: str) -> str:
    return comment[len(word) :].strip() if comment.casefold().startswith(word) else ""


def _parse_date(text: str) -> date:
    """Shape: "2026-11-25" as the built-in tables have it, or an ROC date. Raises: ValueError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return parse_roc_date(text)
    format_roc_date(day)  # a day that no screen could show is none
    return day


class _Line(NamedTuple):
    """The cells of one line; its number counts from 1."""

    number: int
    texts: list[str]


def _cells_of(lines: Iterable[str]) -> tuple[list[_Line], FoundFault | None]:
    """The lines that have any cells, the titles first; or what keeps the file from being read."""
    reader = csv.reader(("\n" if _COMMENT.match(line) else f"{line}\n" for line in lines), strict=True)
    found: list[_Line] = []
    try:
        for texts in reader:
            # Empty columns beyond the titles are a spreadsheet's doing.
            while len(texts) > (len(found[0].texts) if found else 0) and not texts[-1].strip():
                texts.pop()
            if any(text.strip() for text in texts):
                found.append(_Line(reader.line_num, [text.strip(" ") for text in texts]))
    except csv.Error:
        return [], FoundFault(TableFault.NOT_CSV, reader.line_num)
    return found, None


def _check_titles(columns: tuple[str, ...], titles: _Line) -> list[FoundFault]:
    number, texts = titles
    faults = [FoundFault(TableFault.COLUMN_MISSING, number, each) for each in columns if each not in texts]
    faults += [FoundFault(TableFault.COLUMN_UNKNOWN, number, text=each) for each in texts if each not in columns]
    repeated = [each for each in columns if texts.count(each) > 1]
    return faults + [FoundFault(TableFault.COLUMN_REPEATED, number, each) for each in repeated]


def _read_row(
    name: CodeTableName, columns: tuple[str, ...], titles: list[str], line: _Line
) -> tuple[Mapping[str, str], list[FoundFault]]:
    if len(line.texts) != len(titles):
        counts = {"text": str(len(line.texts)), "expected": str(len(titles))}
        return dict.fromkeys(columns, ""), [FoundFault(TableFault.CELL_COUNT, line.number, **counts)]
    by_title = dict(zip(titles, line.texts, strict=True))
    row = {column: by_title[column] for column in columns}
    return row, _check_row(name, row, line.number)


# ---- checking the cells


def _check_row(name: CodeTableName, row: Mapping[str, str], line: int) -> list[FoundFault]:
    faults = []
    for column, text in row.items():
        if len(text) > _MAX_CELL:
            faults.append(FoundFault(TableFault.TOO_LONG, line, column, text[:20]))
        elif is_like_a_formula(text) or not all(sign.isprintable() or sign == "\u3000" for sign in text):
            faults.append(FoundFault(TableFault.SIGN_NOT_ALLOWED, line, column, text))
    for column in ("code", "name"):
        if not row[column]:
            faults.append(FoundFault(TableFault.REQUIRED, line, column))
    if any(sign.isspace() for sign in row["code"]):
        faults.append(FoundFault(TableFault.BLANK_IN_CODE, line, "code", row["code"]))
    checked = _CHECKS[name](row)
    return faults + [FoundFault(fault, line, column, row[column], expected) for column, fault, expected in checked]


_Checked = list[tuple[str, TableFault, str]]  # column, fault, what was expected


def _check_vaccine(row: Mapping[str, str]) -> _Checked:
    checked: _Checked = [] if row["dose_labels"] else [("dose_labels", TableFault.REQUIRED, "")]
    allowed = {"in_use": ("yes", "no"), "routine": ("yes", "no"), "live": tuple(LiveKind)}
    for column, values in allowed.items():
        if row[column] not in values:
            checked.append((column, TableFault.NOT_ONE_OF, " ".join(values)))
    if not _ROUTES.issuperset(row["routes"].split()):
        checked.append(("routes", TableFault.NOT_ONE_OF, " ".join(sorted(_ROUTES))))
    return checked


def _check_identity(row: Mapping[str, str]) -> _Checked:
    checked: _Checked = []
    schemes = [scheme.scheme for scheme in identity_schemes()]
    if row["scheme"] not in schemes:
        checked.append(("scheme", TableFault.NOT_ONE_OF, " ".join(schemes)))
    if row["age_counted"] not in ("", "full", "years_apart"):
        checked.append(("age_counted", TableFault.NOT_ONE_OF, "full years_apart"))
    for column in ("from_days", "from_years", "to_years"):
        text = row[column]
        if text and not (text.isascii() and text.isdigit() and len(text) <= 5):
            checked.append((column, TableFault.NOT_A_NUMBER, ""))
    return checked


_CHECKS: Mapping[CodeTableName, Callable[[Mapping[str, str]], _Checked]] = {
    CodeTableName.VACCINES: _check_vaccine,
    CodeTableName.IDENTITIES: _check_identity,
}


def _check_repeated(rows: Iterable[Mapping[str, str]], lines: Iterable[_Line]) -> list[FoundFault]:
    seen: set[str] = set()
    faults = []
    for row, line in zip(rows, lines, strict=True):
        if row["code"] and row["code"] in seen:
            faults.append(FoundFault(TableFault.CODE_REPEATED, line.number, "code", row["code"]))
        seen.add(row["code"])
    return faults


def _write(comments: Iterable[str], dated: date, columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> str:
    out = io.StringIO()
    for comment in comments:
        if comment and not _DATE.match(comment):
            out.write(f"# {comment}\n")
    out.write(f"# date: {dated.isoformat()}\n")
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


# ---- the tables that come with the program


@lru_cache(maxsize=len(CodeTableName))
def built_in_table(name: CodeTableName) -> CodeTable:
    table = read_text(name, codes.built_in_text(name))[0]
    assert table is not None, "the tests read every built-in table"
    return table


def columns_of(name: CodeTableName) -> tuple[str, ...]:
    first = next(line for line in codes.built_in_text(name).splitlines() if not line.startswith("#"))
    return tuple(first.split(","))
