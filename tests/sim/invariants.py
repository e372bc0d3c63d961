"""What must hold, asked from outside: of a store just opened, of a hub at work, of a world gone quiet.

Nothing here reuses how the product decides: what the records should look like is worked out anew from the hub's log.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from store.changes import HUB_MADE_KINDS, Change, ChangeKind
from store.device_database import DeviceDatabase
from store.hub_database import HubDatabase
from store.patients import can_identify
from sync.upload_queue import open_rows
from tests.sim import storage
from tests.sim.cdc import Cdc
from tests.sim.ledger import Ledger, is_shared, label_of, records_of
from tests.sim.storage import holds, hub_log

TABLES = (
    "patients", "lots", "vaccinations", "exams", "exported_doses", "export_files", "batches", "pairs", "decisions",
    "unreadable",
)  # fmt: skip
_OPEN = ("sent", "accepted")


def check_opened_device(ledger: Ledger, name: str, database: DeviceDatabase) -> None:
    """Each change this device called recorded is in it for ever, unless its store was evicted or put back."""
    _check_recovery(ledger, name, database)
    for change_id, promise in ledger.promises.items():
        kept = promise.device != name or change_id in ledger.gone_from_device or holds(database, change_id)
        ledger.check(kept, f"{name} lost the recorded change {promise.label} ({change_id[-6:]})")
    check_notes(ledger, name, database)


def check_notes(ledger: Ledger, name: str, database: DeviceDatabase) -> None:
    """The device's own notes say what was written last; of a writing that failed, either."""
    for note, may_be in ledger.notes.get(name, {}).items():
        found = storage.note(database, note)
        ledger.check(found in may_be, f"{name}: the note {note} says {found!r}, should be one of {sorted(may_be)}")


def check_opened_hub(ledger: Ledger, database: HubDatabase) -> None:
    """Each number the hub ever told stands, and none is missing."""
    _check_recovery(ledger, "hub", database)
    log = hub_log(database)
    ledger.check([one.hub_seq for one in log] == list(range(1, database.head + 1)), "hub: the sequence has a gap")
    seq_by_change = {one.change.change_id: one.hub_seq for one in log}
    ledger.check(len(seq_by_change) == len(log), "hub: a change has two numbers")
    for change_id, seq in ledger.seq_by_change.items():
        found = seq_by_change.get(change_id)
        ledger.check(found == seq, f"hub: change {change_id[-6:]} was told as number {seq}, now it is {found}")


def _check_recovery(ledger: Ledger, name: str, database: DeviceDatabase | HubDatabase) -> None:
    if database.recovery.dropped:
        ledger.count("torn ends")
    ledger.check(not database.recovery.damaged, f"{name}: a crash looks like damage in the middle of the journal")


def check_working_hub(ledger: Ledger, database: HubDatabase, cdc: Cdc) -> None:
    """No record stands in two open batches, and verified is only what CDC said was."""
    tables = database.tables
    open_batches = [batch for batch in tables.batches.documents() if batch["state"] in _OPEN]
    rows = [record_id for batch in open_batches for record_id in open_rows(batch, tables.vaccinations.find)]
    ledger.check(len(rows) == len(set(rows)), "hub: a record stands in two open batches")
    for document in tables.vaccinations.documents():
        upload = document["upload"]
        if document["conflict"]:
            ledger.count("records seen disputed")
        if upload and upload["state"] == "verified":
            told = (upload["upload_batch_id"], document["record_id"]) in cdc.told_good
            ledger.check(told, f"hub: {document['record_id'][:6]} counts as verified, and CDC never said so")


def why_not_quiet(database: HubDatabase) -> str:
    """What the hub still has to do with CDC; empty when nothing."""
    vaccinations, patients = database.tables.vaccinations, database.tables.patients
    for state in _OPEN:
        if vaccinations.count_by("upload_state", state) or database.tables.batches.count_by("state", state):
            return f"{state} without CDC's verdict"
    for document in vaccinations.find_by("upload_state", "not_sent"):
        person = patients.find(document["person_id"])
        if not document["conflict"] and (document["voided"] or (person and can_identify(person))):
            return f"{document['record_id'][:6]} never left"
    return ""


def check_quiet_world(
    ledger: Ledger, hub: HubDatabase, devices: Sequence[tuple[str, DeviceDatabase]], cdc: Cdc
) -> None:
    """All that must be true once nothing is on its way any more."""
    check_opened_hub(ledger, hub)
    check_working_hub(ledger, hub, cdc)
    changes = [one.change for one in hub_log(hub)]
    _check_nothing_lost_or_invented(ledger, changes)
    expected = expected_records(changes)
    ledger.count("doses", len(expected))
    excused = _touched_by_what_the_hub_lost(ledger, changes)
    for name, database in (("hub", hub), *devices):
        _check_records(ledger, name, database.tables, expected, set() if database is hub else excused)
    for name, database in devices:
        check_notes(ledger, name, database)
        own = database.device_id
        ledger.check(database.digests.total(own) == hub.digests.total(own), f"{name}: digests differ from the hub's")
        for table in TABLES:
            _check_alike(ledger, name, table, getattr(hub.tables, table), getattr(database.tables, table), excused)
    _check_cdc(ledger, hub, cdc)


def _touched_by_what_the_hub_lost(ledger: Ledger, changes: Iterable[Change]) -> set[str]:
    """Records of which a hub that was put back lost a change that nobody gave back to it.

    Not promised: its own changes (batches, CDC's answers) are on no device as changes, and neither are those of a
    device that was evicted as well. Devices that had read them go on showing what they said.
    """
    known = {change.change_id for change in changes}
    return records_of(change for change_id, change in ledger.was_at_hub.items() if change_id not in known)


def _check_nothing_lost_or_invented(ledger: Ledger, changes: Iterable[Change]) -> None:
    changes = [change for change in changes if change.kind not in HUB_MADE_KINDS]
    known = {change.change_id for change in changes}
    for change_id, promise in ledger.promises.items():
        kept = change_id in known or change_id in ledger.lost_with_device
        ledger.check(kept, f"the change {promise.label} of {promise.device} never reached the hub")
    labels = Counter(label_of(change.payload) for change in changes)
    for label, times in labels.items():
        ledger.check(label in ledger.tried, f"hub: nobody made {label}")
        if not is_shared(label):
            ledger.check(label not in ledger.refused, f"{label} was refused, and is there all the same")
            ledger.check(times == 1, f"hub: {label} is there {times} times")


# ---- records and stock, worked out anew


def expected_records(changes: Iterable[Change]) -> dict[str, dict[str, Any]]:
    """Vaccinations by record id: the revision shown, whether it stands, its lot, whether two stations disagree."""
    revisions: dict[str, dict[str, Change]] = defaultdict(dict)
    for change in changes:
        if change.kind.endswith("_vaccination"):
            revisions[change.record_id][change.change_id] = change
    return {record_id: _expected(own) for record_id, own in revisions.items()}


def _expected(own: dict[str, Change]) -> dict[str, Any]:
    heads = sorted(set(own) - {base for change in own.values() for base in change.base_revisions})
    shown = own[heads[-1]]
    content: Change | None = shown
    while content is not None and content.kind == ChangeKind.VOID_VACCINATION:
        # The base may be gone with an older copy of the hub: then the newest version that says something.
        said = sorted(one for one, change in own.items() if change.kind != ChangeKind.VOID_VACCINATION)
        content = own.get(content.base_revisions[0]) or (own[said[-1]] if said else None)
    voided = shown.kind == ChangeKind.VOID_VACCINATION
    lot = content.payload["lot_number"] if content is not None else None
    return {"revision": heads[-1], "voided": voided, "lot_number": lot, "disputed": len(heads) > 1}


def _check_records(
    ledger: Ledger, name: str, tables: Any, expected: dict[str, dict[str, Any]], excused: set[str]
) -> None:
    found_ids = set(tables.vaccinations.ids())
    ledger.check(len(tables.vaccinations) == len(found_ids), f"{name}: miscounts its doses")
    ledger.check(found_ids - excused == expected.keys() - excused, f"{name}: {len(found_ids)} doses of {len(expected)}")
    ledger.check(not len(tables.unreadable), f"{name}: a change could not be applied")
    for record_id, wanted in expected.items():
        if record_id in excused:
            continue
        document = tables.vaccinations.find(record_id)
        found = document and {field: document.get(field) for field in ("revision", "voided", "lot_number")}
        if document is not None and found is not None:
            found["disputed"] = bool(document["conflict"])  # every edit has its own label, so two heads always differ
        ledger.check(found == wanted, f"{name}: {record_id[:6]} shows {found}, should be {wanted}")


def _check_alike(ledger: Ledger, name: str, table: str, at_hub: Any, at_device: Any, excused: set[str]) -> None:
    # A closed pair may be kept or not: that depends on the order in which its store learnt of its two records.
    hub_docs = {one.doc_id: dict(one) for one in at_hub.documents() if one.get("open", True)}
    own_docs = {one.doc_id: dict(one) for one in at_device.documents() if one.get("open", True)}
    for record_id in sorted(hub_docs.keys() | own_docs.keys()):
        one, other = hub_docs.get(record_id), own_docs.get(record_id)
        if one == other:
            continue
        about = [each.get("patient_id") for each in (one, other) if each]
        crowded = table == "pairs" and excused  # one person more or less can make a crowd, of which no pairs are shown
        if crowded or not excused.isdisjoint((record_id, *about)):
            ledger.count("devices know what a restored hub lost")
            continue
        if one is None or other is None:
            ledger.check(False, f"{name}: {table} {record_id[:6]} is only at the {'device' if one is None else 'hub'}")
            return
        fields = {field: (one.get(field), other.get(field)) for field in one if one.get(field) != other.get(field)}
        ledger.check(False, f"{name}: {table} {record_id[:6]} differs from the hub's: {fields}")


def _check_cdc(ledger: Ledger, hub: HubDatabase, cdc: Cdc) -> None:
    """CDC holds of each record what the clinic says it verified, and of a void nothing."""
    lost = {ledger.promises[change_id].change.record_id for change_id in ledger.lost_with_device}
    for document in hub.tables.vaccinations.documents():
        state, held = document["upload_state"], cdc.held(document["record_id"])
        wanted = "" if document["voided"] else document["manufacturer"]
        if state in ("verified", "not_needed"):
            agrees = (held.label if held else "") == wanted
            if not agrees and document["record_id"] in ledger.untold and state == "not_needed":
                # Known gap: recorded, told to CDC and voided after the backup was made. Nothing says that CDC has it.
                ledger.count("voided doses left at CDC by a restored hub")
                continue
            if not agrees and document["record_id"] in ledger.untold & lost:
                ledger.count("revisions at CDC lost with a hub and a device")
                continue
            ledger.check(agrees, f"CDC holds {held}, the clinic {wanted!r} as {state}")
    known = {document["record_id"] for document in hub.tables.vaccinations.documents()}
    for key in cdc.versions:
        if key.replace("-", "") in ledger.untold - known:
            ledger.count("doses at CDC lost with a hub and a device")
            continue
        ledger.check(key.replace("-", "") in known, f"CDC holds {key}, which no clinic recorded")
