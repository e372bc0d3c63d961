"""The code tables that a clinic loaded: kept as settings, compared, and put in force.

Invariants:
- a loaded table is in force only while its date is newer than the built-in one's, which a newer program may bring;
- one that this program cannot read, as a newer program may have kept it, leaves the built-in one in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from store import codes
from store.changes import ChangeKind
from store.clinic_settings import Setting
from store.code_table_file import MAX_TABLE_BYTES, CodeTable, CodeTableName, built_in_table, read_text
from store.tables import Tables


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What loading a table would change. Shape: rows; of a changed one as it was, and as it would be."""

    new: tuple[Mapping[str, str], ...]
    changed: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...]
    missing: tuple[Mapping[str, str], ...]


class CodeTableSetting(Setting):
    """Which table the clinic loaded; an empty `table_text` puts the built-in one back."""

    kind = ChangeKind.SET_CODE_TABLE
    topic = "code_table"

    table_name: CodeTableName
    table_text: str = Field(default="", max_length=MAX_TABLE_BYTES)

    @property
    def key(self) -> str:
        return self.table_name.value

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        if self.table_text and read_text(self.table_name, self.table_text)[0] is None:
            raise ValueError("not a table")
        return self


def loaded_table(tables: Tables, name: CodeTableName) -> CodeTable | None:
    """The table the clinic loaded, in force or not; None for none, or for one that this program cannot read."""
    document = tables.settings.find(CodeTableSetting.id_of(name))
    text = document.get("table_text", "") if document is not None else ""
    return read_text(name, text)[0] if text else None


def table_in_force(tables: Tables, name: CodeTableName) -> CodeTable:
    loaded, built_in = loaded_table(tables, name), built_in_table(name)
    return loaded if loaded is not None and loaded.dated > built_in.dated else built_in


def follow_code_tables(tables: Tables) -> None:
    """Let the running program ask this store's tables: at its start, and whenever its settings may have changed."""
    for name in CodeTableName:
        table = table_in_force(tables, name)
        codes.put_in_force(name, None if table is built_in_table(name) else table.text)


def compare_tables(old: CodeTable, new: CodeTable) -> TableDifference:
    before, after = ({row["code"]: row for row in table.rows} for table in (old, new))
    return TableDifference(
        new=tuple(row for code, row in after.items() if code not in before),
        changed=tuple((before[code], row) for code, row in after.items() if code in before and before[code] != row),
        missing=tuple(row for code, row in before.items() if code not in after),
    )
