"""Apply what the hub says of CDC's stock: a download, an upload of consumption, CDC's answer to it.

Invariants:
- each of them counts once, however often it is applied: a balance must not fall twice;
- a consumption that CDC accepted ends its row's period, lowers the balance until the next download, and starts the
  count of doses anew.
"""

from typing import Any

from store.changes import Change
from store.stock import (
    LISTED,
    ConsumptionAnswered,
    ConsumptionSent,
    ConsumptionState,
    StockReceived,
    consumption_state,
)
from store.tables import Tables
from store.uploads import BatchState

_NEW_ROW: dict[str, Any] = {"period": "", "last_consumption": "", "doses_before": 0}


def apply_stock_received(tables: Tables, change: Change) -> None:
    if tables.stock_downloads.exists(change.record_id):
        return
    received = StockReceived.model_validate(change.payload)
    told = {row.record_id: row for row in received.rows}
    for gone in tables.stock_rows.find_by("listed", LISTED):
        if gone["record_id"] not in told:
            tables.stock_rows.put(gone["record_id"], {**gone, "listed": ""})
    for record_id, row in told.items():
        before = tables.stock_rows.find(record_id) or _NEW_ROW
        document = {**before, **row.model_dump(mode="json"), "record_id": record_id, "listed": LISTED}
        tables.stock_rows.put(record_id, {**document, "vials_accepted": 0})
    download = {
        "record_id": change.record_id,
        "downloaded_at": change.made_at.isoformat(),
        "rows": len(told),
        "unreadable": received.unreadable,
    }
    tables.stock_downloads.put(change.record_id, download)


def apply_consumption_sent(tables: Tables, change: Change) -> None:
    if tables.stock_batches.exists(change.record_id):
        return
    rows = [row.model_dump() for row in ConsumptionSent.model_validate(change.payload).rows]
    sent_at = change.made_at.isoformat()
    batch = {"batch_id": change.record_id, "state": str(BatchState.SENT), "sent_at": sent_at, "rows": rows}
    tables.stock_batches.put(change.record_id, batch)
    for row in rows:
        upload = {**row, "state": str(ConsumptionState.SENT), "batch_id": change.record_id, "sent_at": sent_at}
        _set_upload(tables, row["consumption_id"], {**upload, "message": None})


def apply_consumption_answered(tables: Tables, change: Change) -> None:
    batch = tables.stock_batches.find(change.record_id)
    if batch is None:
        return
    results = {r.consumption_id: r for r in ConsumptionAnswered.model_validate(change.payload).results}
    is_open = False
    for sent in batch["rows"]:
        consumption = tables.consumptions.find(sent["consumption_id"])
        upload = consumption["upload"] if consumption else None
        if not upload or upload["batch_id"] != change.record_id or upload["state"] != ConsumptionState.SENT:
            continue
        result = results.get(sent["consumption_id"])
        if result is None:
            is_open = True
            continue
        state = ConsumptionState.ACCEPTED if result.accepted else ConsumptionState.REFUSED
        message = result.model_dump(include={"severity", "code", "text", "expression"})
        answered_at = change.made_at.isoformat()
        _set_upload(
            tables,
            sent["consumption_id"],
            {**upload, "state": str(state), "message": message, "answered_at": answered_at},
        )
        if result.accepted:
            _end_period(tables, change.record_id, sent)
    if not is_open:
        tables.stock_batches.put(change.record_id, {**batch, "state": str(BatchState.CLOSED)})


def _end_period(tables: Tables, batch_id: str, sent: dict[str, Any]) -> None:
    row = tables.stock_rows.find(sent["row_id"])
    if row is not None:
        ended = {
            "period": batch_id,
            "last_consumption": sent["consumption_id"],
            "doses_before": sent["doses_total"],
            # ASSUMED: the next download shows the balance less this, since the contract lets it fall with the Bundle.
            "vials_accepted": row["vials_accepted"] + sent["vials"],
        }
        tables.stock_rows.put(sent["row_id"], {**row, **ended})


def _set_upload(tables: Tables, consumption_id: str, upload: dict[str, Any]) -> None:
    document = tables.consumptions.find(consumption_id)
    if document is not None:
        document = {**document, "upload": upload}  # type: ignore[assignment]
        tables.consumptions.put(consumption_id, {**document, "state": str(consumption_state(document))})
