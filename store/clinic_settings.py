"""What a clinic sets for all of its stations: itself, the vaccines it gives, the lots of the day, its staff.

Invariants:
- each topic is one record, whose id follows from it: set at two stations apart, both stay until a person chooses;
- what is set anew each day is a record of that day, so that no record grows with the years;
- a topic that nobody set is as if there were no such setting;
- nothing here refuses a record: settings say what is offered first.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from store.changes import ChangeDraft, ChangeKind
from store.patients import RecordId
from store.record_table import RecordTable
from store.roc_date import RocDay
from store.tables import Tables

_Code = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Setting(BaseModel):
    """One topic's whole content. Invariant: `record_id` is the topic's, so that a topic never has two records."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: ClassVar[ChangeKind]
    topic: ClassVar[str]
    record_id: RecordId

    @property
    def key(self) -> str:
        """What tells this record from others of its topic."""
        return ""

    @classmethod
    def id_of(cls, key: str = "") -> str:
        """The same on every device."""
        return hashlib.sha256(f"setting\0{cls.topic}\0{key}".encode()).hexdigest()[:32]

    @model_validator(mode="after")
    def _is_of_its_topic(self) -> Self:
        if self.record_id != self.id_of(self.key):
            raise ValueError("of another topic")
        return self


class Clinic(Setting):
    """The clinic itself.

    Shape: `institution_code` 醫事機構代碼, as typed; `influenza` is false where influenza vaccinations are not recorded
    here.

    # ASSUMED: what influenza on and off is to mean. The operations manual of 110 only says that influenza is not in the
    # interface yet; it has been since, so a clinic may record it here or go on elsewhere.
    """

    kind = ChangeKind.SET_CLINIC
    topic = "clinic"

    institution_code: str = Field(default="", max_length=40)
    clinic_name: str = Field(default="", max_length=100)
    influenza: bool = True


class VaccinesInUse(Setting):
    """使用中疫苗: the codes that the clinic gives, none for no choice."""

    kind = ChangeKind.SET_VACCINES_IN_USE
    topic = "vaccines_in_use"

    vaccine_codes: tuple[_Code, ...] = Field(default=(), max_length=1000)


class LotOfTheDay(Setting):
    """Which lot of a vaccine every station takes first for doses of `day`. An empty `lot_number` is none."""

    kind = ChangeKind.SET_LOT_OF_THE_DAY
    topic = "lot_of_the_day"

    vaccine_code: _Code
    day: RocDay
    lot_number: str = Field(default="", max_length=200)

    @property
    def key(self) -> str:
        return lot_key(self.vaccine_code, self.day)


class StaffMember(Setting):
    """Somebody who vaccinates or records. One who has left stays, not `active`, since doses name the `staff_id`."""

    kind = ChangeKind.REGISTER_STAFF_MEMBER
    topic = "staff"

    staff_id: _Code
    name: str = Field(default="", max_length=100)
    active: bool = True

    @property
    def key(self) -> str:
        return self.staff_id


def lot_key(vaccine_code: str, day: date) -> str:
    """The key of a vaccine's lot of a day."""
    return f"{day.isoformat()} {vaccine_code}"


AnySetting = TypeVar("AnySetting", bound=Setting)


def make_setting(model: type[AnySetting], key: str = "", **fields: Any) -> AnySetting:
    """Raises: pydantic.ValidationError."""
    return model(record_id=model.id_of(key), **fields)


def draft_setting(setting: Setting, before: Mapping[str, Any] | None) -> ChangeDraft:
    """What sets it. `before` is the document that the screen showed, if there was one."""
    bases = (before["revision"], *before["other_heads"]) if before is not None else ()
    payload = setting.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    return ChangeDraft(setting.kind, setting.record_id, payload, bases)


def read_setting(model: type[AnySetting], document: Mapping[str, Any]) -> AnySetting:
    return model.model_validate({name: document[name] for name in model.model_fields if name in document})


def find_setting(tables: Tables, model: type[AnySetting], key: str = "") -> AnySetting | None:
    """None where nobody has set it."""
    table: RecordTable = tables.staff if model is StaffMember else tables.settings
    document = table.find(model.id_of(key))
    return read_setting(model, document) if document is not None else None


def clinic_of(tables: Tables) -> Clinic:
    return find_setting(tables, Clinic) or make_setting(Clinic)


def vaccines_in_use(tables: Tables) -> tuple[str, ...]:
    found = find_setting(tables, VaccinesInUse)
    return found.vaccine_codes if found is not None else ()


def lot_of_the_day(tables: Tables, vaccine_code: str, day: date) -> str:
    """The lot set for this very day, empty for none."""
    found = find_setting(tables, LotOfTheDay, lot_key(vaccine_code, day))
    return found.lot_number if found is not None else ""


def staff_members(tables: Tables) -> list[StaffMember]:
    """All, those who are active first, each group by id. Costs by the size of the staff."""
    found = [read_setting(StaffMember, document) for document in tables.staff.documents()]
    return sorted(found, key=lambda member: (not member.active, member.staff_id))
