"""CDC's stock of this clinic, what staff say was used of it, and what remains.

Invariants:
- what CDC said of a row is kept as it came, codes nobody knows included;
- what was used belongs to one row and one period, which ends when CDC accepts it: what was typed for a period that has
  ended is never sent as if it came after;
- a balance below zero and an odd number of vials are warned of, never refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from store.changes import ChangeDraft, ChangeKind, Id
from store.lots import Lot, LotText, LotType, parse_lot_number, record_id_of_lot
from store.roc_date import RocDay
from store.uploads import CdcMessage

if TYPE_CHECKING:
    from store.tables import Tables

MAX_VIALS = 99_999
LISTED = "listed"
Vials = Annotated[int, Field(ge=0, le=MAX_VIALS)]
Document = Mapping[str, Any]


class StockRow(BaseModel):
    """One row of CDC's stock.

    Shape: texts as CDC spelled them; `vials` is CDC's balance. Source: CDC contract, section 4.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    identifier: LotText
    vaccine_code: LotText
    lot_number: LotText
    lot_type: str = ""
    vials: int
    expiry_date: RocDay | None = None
    doses_per_vial: PositiveInt | None = None

    @property
    def record_id(self) -> str:
        return _id_of("stock", self.identifier)


class StockReceived(BaseModel):
    """The whole table, as CDC gave it. `unreadable`: how many entries made no row; they stay in the raw exchange."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rows: list[StockRow]
    unreadable: int = 0


class Consumption(BaseModel):
    """What staff say was used of a row since CDC last accepted it.

    Shape: `period` is the batch that CDC accepted last, empty before the first; `vials` None is nothing typed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    record_id: Id
    row_id: Id
    period: str = ""
    vials: Vials | None = None


class ConsumptionRow(BaseModel):
    """One row of an upload. `doses_total`: how many doses of the lot stood when it was sent, counted from the first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    consumption_id: str
    revision: str
    row_id: str
    vials: int
    doses: NonNegativeInt
    doses_total: NonNegativeInt


class ConsumptionSent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    rows: list[ConsumptionRow]


class ConsumptionResult(CdcMessage):
    consumption_id: str
    accepted: bool


class ConsumptionAnswered(BaseModel):
    """CDC's word on rows of a batch; a row without one is still open."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    results: list[ConsumptionResult]


class ConsumptionState(StrEnum):
    """The way of one row's consumption to CDC. Unlike a vaccination's, CDC's answer is its last word."""

    NOTHING = "nothing"
    NOT_SENT = "not_sent"
    SENT = "sent"  # fate unknown
    ACCEPTED = "accepted"
    LATE = "late"  # CDC accepted it, and another number was typed before that was known
    REFUSED = "refused"


# What somebody has still to do something about.
WAITING = (ConsumptionState.NOT_SENT, ConsumptionState.REFUSED, ConsumptionState.SENT, ConsumptionState.LATE)


class StockWarning(StrEnum):
    BALANCE_BELOW_ZERO = "balance_below_zero"
    TOO_MANY_VIALS = "too_many_vials"
    TOO_FEW_VIALS = "too_few_vials"


@dataclass(frozen=True)
class StockLine:
    """One line of the table of BA109_3_DOWNLOAD.

    Shape: `stock` is CDC's balance less what CDC has accepted since the download; `doses` is None where this device
    cannot count them; `last` is the consumption CDC accepted last.
    Units: `stock`, `vials`, `balance` in vials.
    """

    row: Document
    consumption: Document | None
    last: Document | None
    stock: int
    doses: int | None
    vials: int | None
    doses_per_vial: int | None

    @property
    def balance(self) -> int:
        """Source: operations manual, 庫存量(CDC) - 消耗量(瓶) = 結存量(瓶)."""
        return self.stock - (self.vials or 0)

    @property
    def state(self) -> ConsumptionState:
        if self.last is not None and self.last["state"] == ConsumptionState.LATE:
            return ConsumptionState.LATE
        own = ConsumptionState(self.consumption["state"]) if self.consumption else ConsumptionState.NOTHING
        return ConsumptionState.ACCEPTED if own is ConsumptionState.NOTHING and self.last is not None else own

    @property
    def warnings(self) -> list[StockWarning]:
        return check_vials(self.stock, self.doses, self.vials, self.doses_per_vial)


def check_vials(stock: int, doses: int | None, vials: int | None, doses_per_vial: int | None) -> list[StockWarning]:
    """Report what is odd about the vials typed. Source: domain reference, section 7: a warning, not a formula.

    One vial begun and not used up is usual; a whole vial more is odd. Of unknown size, a vial gives one dose at least.
    """
    if vials is None:
        return []
    found = [StockWarning.BALANCE_BELOW_ZERO] if vials > stock else []
    if doses is not None:
        if vials * (doses_per_vial or 1) - doses >= (doses_per_vial or 1):
            found.append(StockWarning.TOO_MANY_VIALS)
        if doses > vials * doses_per_vial if doses_per_vial else doses > 0 == vials:
            found.append(StockWarning.TOO_FEW_VIALS)
    return found


def consumption_state(consumption: Document) -> ConsumptionState:
    """`consumption` is a document of the consumptions table."""
    upload, vials = consumption["upload"], consumption.get("vials")
    if upload is not None:
        sent = ConsumptionState(upload["state"])
        if sent is ConsumptionState.ACCEPTED:
            return sent if vials == upload["vials"] else ConsumptionState.LATE
        # While its fate is open a newer number waits; a refusal is of one revision only.
        if sent is ConsumptionState.SENT or upload["revision"] == consumption["revision"]:
            return sent
    return ConsumptionState.NOT_SENT if vials else ConsumptionState.NOTHING


def consumption_id(row_id: str, period: str) -> str:
    """Alike on every device, so that two stations that type for one row and period edit one record."""
    return _id_of("consumption", f"{row_id}/{period}")


def standing_lot_key(vaccination: Document) -> str | None:
    """Lot and vaccine of a dose that stands."""
    if vaccination.get("voided") or not vaccination.get("lot_number"):
        return None
    return _lot_key(vaccination["lot_number"], vaccination["vaccine_code"])


def count_standing_doses(tables: "Tables", row: Document) -> int:
    """All doses of the row's lot that stand, from the first on. None of them is read."""
    return tables.vaccinations.count_by("standing_lot", _lot_key(row["lot_number"], row["vaccine_code"]))


def standing_doses(tables: "Tables", row: Document, limit: int) -> list[Any]:
    return tables.vaccinations.find_by("standing_lot", _lot_key(row["lot_number"], row["vaccine_code"]), limit)


def doses_since_accepted(tables: "Tables", row: Document) -> int:
    """消耗量(劑): doses of the lot recorded since CDC last accepted the row's consumption.

    Bounded by counts, not by time: it is what stands now less what stood when that upload left. A dose that an offline
    device brings late is thus told with the next upload, where a bound by the time of recording would lose it; doses
    voided since lessen it, down to none.
    """
    return max(0, count_standing_doses(tables, row) - int(row["doses_before"]))


def stock_line(tables: "Tables", row: Document, *, counts_doses: bool = True) -> StockLine:
    """`counts_doses` is False on a device that does not hold everyone: its count would be too small."""
    consumption = tables.consumptions.find(consumption_id(row["record_id"], row["period"]))
    return StockLine(
        row=row,
        consumption=consumption,
        last=tables.consumptions.find(row["last_consumption"]) if row["last_consumption"] else None,
        stock=row["vials"] - row["vials_accepted"],
        doses=doses_since_accepted(tables, row) if counts_doses else None,
        vials=consumption.get("vials") if consumption else None,
        doses_per_vial=row["doses_per_vial"] or _doses_per_vial_typed(tables, row),
    )


def stock_rows(tables: "Tables") -> list[Any]:
    """The rows of the latest download, ordered as the operations manual lists them: by vaccine, then lot."""
    rows = tables.stock_rows.find_by("listed", LISTED)
    return sorted(rows, key=lambda row: (row["vaccine_code"].casefold(), row["lot_number"]))


def count_waiting(tables: "Tables") -> int:
    """Rows with something typed that CDC has not accepted."""
    return sum(tables.consumptions.count_by("state", each) for each in WAITING)


def last_download(tables: "Tables") -> Document | None:
    found = tables.stock_downloads.find_by_prefix("downloaded_at", "", 1, last=True)
    return found[0] if found else None


def draft_consumption(tables: "Tables", row: Document, vials: int | None) -> list[ChangeDraft]:
    """Say what was used of a row; empty where that is said already.

    What was typed too late for the period before is settled by it: whoever types now has been shown both numbers.
    """
    before = tables.consumptions.find(consumption_id(row["record_id"], row["period"]))
    drafts = []
    if (before.get("vials") if before else None) != vials or (before and before["other_heads"]):
        drafts.append(_draft(row["record_id"], row["period"], vials, before))
    last = tables.consumptions.find(row["last_consumption"]) if row["last_consumption"] else None
    if last is not None and last["state"] == ConsumptionState.LATE:
        drafts.append(_draft(row["record_id"], last.get("period", ""), last["upload"]["vials"], last))
    return drafts


def draft_new_lots(tables: "Tables", rows: list[StockRow]) -> list[ChangeDraft]:
    """Lots of CDC's stock that nobody has entered yet, with what CDC tells; the manufacturer is left to staff.

    Source: operations manual, chapter 2, 自動建檔.
    """
    drafts: dict[str, ChangeDraft] = {}
    for row in rows:
        record_id = record_id_of_lot(row.vaccine_code, row.lot_number)
        known = tables.lots.find_by("lot_number", row.lot_number)
        # By its id too: a lot made by an earlier download and renamed since by staff is theirs now.
        if any(lot["vaccine_code"] == row.vaccine_code for lot in known) or tables.lots.exists(record_id):
            continue
        known_type = row.lot_type in list(LotType)
        lot = Lot(
            record_id=record_id,
            lot_number=row.lot_number,
            vaccine_code=row.vaccine_code,
            lot_type=LotType(row.lot_type) if known_type else parse_lot_number(row.lot_number).lot_type,
            expiry_date=row.expiry_date,
            doses_per_vial=row.doses_per_vial,
        )
        payload = lot.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
        drafts[record_id] = ChangeDraft(ChangeKind.REGISTER_LOT, record_id, payload)
    return list(drafts.values())



def _draft(row_id: str, period: str, vials: int | None, before: Document | None) -> ChangeDraft:
    payload = {"row_id": row_id, **({"period": period} if period else {}), "vials": vials}
    bases = (before["revision"], *before["other_heads"]) if before else ()
    return ChangeDraft(ChangeKind.RECORD_CONSUMPTION, consumption_id(row_id, period), payload, bases)


def _doses_per_vial_typed(tables: "Tables", row: Document) -> int | None:
    lots = tables.lots.find_by("lot_number", row["lot_number"])
    return next((lot.get("doses_per_vial") for lot in lots if lot["vaccine_code"] == row["vaccine_code"]), None)


def _lot_key(lot_number: str, vaccine_code: str) -> str:
    return f"{lot_number}|{vaccine_code}"


def _id_of(kind: str, name: str) -> str:
    return sha256(f"{kind}/{name}".encode()).hexdigest()[:32]
