"""Made-up people, lots and doses to practise with: on a device in practice mode, and on the hub of the demo.

Invariants:
- nobody in it is real, and every name says so;
- the same day gives the same records under the same ids, so that bringing them in again is noticed;
- ages and days of expiry are counted from today: there is always somebody due, and a lot to give.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from store.changes import ChangeDraft, ChangeKind
from store.codes import read_table
from store.ids import classify_id
from store.lots import Lot, LotType, parse_lot_number, record_id_of_lot
from store.patients import Patient, Sex
from store.prenatal import ExamMethod, ExamResult, ExamType, Finding
from store.roc_date import format_roc_date
from store.roster_plan import record_id_of_chart
from store.stock import StockRow
from store.vaccinations import Vaccination

INSTITUTION_CODE = "1133060019"
_SHORTEST_EXPIRY = timedelta(days=180)
_PREGNANT, _NOT_IMMUNE = "990014", "990015"


@dataclass(frozen=True)
class PracticeLot:
    """A lot, and how many vials of it CDC lists. One without a manufacturer comes with CDC's stock only."""

    lot: Lot
    vials: int

    @property
    def stock_row(self) -> StockRow:
        """As CDC tells it, which is without the manufacturer."""
        lot = self.lot
        return StockRow(
            identifier=f"practice-{lot.lot_number}",
            vaccine_code=lot.vaccine_code,
            lot_number=lot.lot_number,
            lot_type=lot.lot_type,
            vials=self.vials,
            expiry_date=lot.expiry_date,
            doses_per_vial=lot.doses_per_vial,
        )


def practice_people(today: date) -> list[Patient]:
    """From newborn twins to a great-grandmother, with a chart entered twice and somebody without an ID."""
    rows = read_table("practice_people.csv")
    id_by_chart = {row["chart_number"]: row["national_id"] for row in rows}
    return [
        Patient(
            record_id=record_id_of_chart(row["chart_number"]),
            chart_number=row["chart_number"],
            name=row["name"],
            sex=Sex(row["sex"]),
            national_id=row["national_id"] or None,
            id_type=classify_id(row["national_id"]),
            birth_date=today - timedelta(days=int(row["age_days"])),
            phone=row["phone"],
            birth_order=int(row["birth_order"]) if row["birth_order"] else None,
            plurality=int(row["plurality"]) if row["plurality"] else None,
            parent_national_id=id_by_chart.get(row["parent_chart_number"]),
        )
        for row in rows
    ]


def practice_lots(today: date) -> list[PracticeLot]:
    found = []
    for row in read_table("practice_lots.csv"):
        expiry_date = _expiry(row["expires"], today)
        number = _lot_number(row["lot_number"], expiry_date)
        lot = Lot(
            record_id=record_id_of_lot(row["vaccine_code"], number),
            lot_number=number,
            vaccine_code=row["vaccine_code"],
            lot_type=LotType(row["lot_type"]),
            manufacturer=row["manufacturer"],
            expiry_date=expiry_date,
            doses_per_vial=int(row["doses_per_vial"]),
        )
        found.append(PracticeLot(lot, int(row["vials"])))
    return found


def practice_doses(today: date) -> list[Vaccination]:
    """What the children have had by their age, and some doses of today; one is of a lot that CDC does not know."""
    lots = {row["lot_number"]: row for row in read_table("practice_lots.csv")}
    found = []
    for row in read_table("practice_doses.csv"):
        written, lot = row["lot_number"], lots.get(row["lot_number"])
        number = _lot_number(written, _expiry(lot["expires"], today)) if lot else written
        found.append(
            Vaccination(
                record_id=_id_of("dose", row["chart_number"], row["vaccine_code"], row["dose_number"]),
                patient_id=record_id_of_chart(row["chart_number"]),
                vaccination_date=today - timedelta(days=int(row["days_ago"])),
                vaccine_code=row["vaccine_code"],
                dose_number=row["dose_number"],
                lot_number=number,
                lot_type=parse_lot_number(number).lot_type,
                manufacturer=lot["manufacturer"] if lot else "",
                special_identity=row["special_identity"] or None,
            )
        )
    return found


def practice_exams(today: date) -> list[ExamResult]:
    """One report of each form: hepatitis B of a pregnant woman, rubella of a woman who is not immune."""
    return [
        ExamResult(
            record_id=_id_of("exam", _PREGNANT),
            patient_id=record_id_of_chart(_PREGNANT),
            exam_type=ExamType.HEPATITIS_B,
            exam_date=today - timedelta(days=2),
            collection_date=today - timedelta(days=4),
            collection_institution=INSTITUTION_CODE,
            due_date=today + timedelta(days=120),
            method=ExamMethod.EIA,
            hbsag=Finding.POSITIVE,
            hbeag=Finding.NEGATIVE,
        ),
        ExamResult(
            record_id=_id_of("exam", _NOT_IMMUNE),
            patient_id=record_id_of_chart(_NOT_IMMUNE),
            exam_type=ExamType.RUBELLA,
            exam_date=today - timedelta(days=2),
            collection_date=today - timedelta(days=3),
            collection_institution=INSTITUTION_CODE,
            is_prenatal=False,
            igg=Finding.NEGATIVE,
        ),
    ]


def draft_people(today: date) -> Iterator[ChangeDraft]:
    for person in practice_people(today):
        yield _draft(ChangeKind.REGISTER_PATIENT, person)


def draft_lots(today: date) -> Iterator[ChangeDraft]:
    """Those whose manufacturer is known; the others come with CDC's stock."""
    for each in practice_lots(today):
        if each.lot.manufacturer:
            yield _draft(ChangeKind.REGISTER_LOT, each.lot)


def draft_records(today: date) -> Iterator[ChangeDraft]:
    """Doses and exam reports, none of them sent yet."""
    for dose in practice_doses(today):
        yield _draft(ChangeKind.RECORD_VACCINATION, dose)
    for exam in practice_exams(today):
        yield _draft(ChangeKind.RECORD_EXAM, exam)


def _draft(kind: ChangeKind, record: Patient | Lot | Vaccination | ExamResult) -> ChangeDraft:
    payload = record.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    return ChangeDraft(kind, record.record_id, payload)


def _expiry(month_and_day: str, today: date) -> date:
    """The first such day that leaves enough time. Shape: "06-30"."""
    earliest = today + _SHORTEST_EXPIRY
    this_year = date.fromisoformat(f"{earliest.year}-{month_and_day}")
    return this_year if this_year >= earliest else this_year.replace(year=earliest.year + 1)


def _lot_number(written: str, expiry_date: date) -> str:
    return written.format(expiry=format_roc_date(expiry_date).replace("/", ""))


def _id_of(*parts: str) -> str:
    return hashlib.sha256("\0".join(("practice", *parts)).encode()).hexdigest()[:32]
