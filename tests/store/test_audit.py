"""The chain of audit entries: whatever is done to it is seen, and what is in it is no patient's."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.audit import (
    AuditAction,
    AuditEntry,
    AuditHead,
    Fault,
    checked_about,
    faults,
    hash_of,
    head_of,
    make_entry,
)

AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DEVICE, RECORD = "d" * 32, "a" * 32


def chain(count: int = 12) -> list[AuditEntry]:
    head, entries = AuditHead(), list[AuditEntry]()
    for number in range(count):
        about: dict[str, str | int] = {"record_id": f"{number:032x}", "count": number}
        at = AT + timedelta(seconds=number)
        entry = make_entry(head, at=at, who="王護理師", what=AuditAction.VIEWED, about=about, device_id=DEVICE)
        head = head_of(entry)
        entries.append(entry)
    return entries


def first_fault(entries: list[AuditEntry]) -> tuple[int, Fault] | None:
    return next(((entry.seq, fault) for entry, fault in faults(entries, AuditHead())), None)


def test_a_whole_chain_has_no_fault() -> None:
    assert first_fault(chain()) is None


OTHER_VALUES: dict[str, Any] = {
    "at": AT - timedelta(seconds=1),
    "who": "staff",
    "what": "exported",
    "about": {"record_id": RECORD},
    "device_id": "",
    "kept_at": AT,
    "hash": "0" * 64,
}


@pytest.mark.parametrize("field", OTHER_VALUES)
@pytest.mark.parametrize("place", range(12))
def test_an_altered_entry_is_named_at_every_place(place: int, field: str) -> None:
    entries = chain()
    entries[place] = entries[place].model_copy(update={field: OTHER_VALUES[field]})

    assert first_fault(entries) == (place + 1, Fault.ALTERED)


@pytest.mark.parametrize("place", range(11))
def test_an_altered_entry_with_a_new_hash_is_seen_at_the_next(place: int) -> None:
    entries = chain()
    forged = entries[place].model_copy(update={"who": "staff"})
    entries[place] = forged.model_copy(update={"hash": hash_of(forged)})

    assert first_fault(entries) == (place + 2, Fault.OTHER)


@pytest.mark.parametrize("place", range(11))
def test_a_dropped_entry_is_seen_at_the_next(place: int) -> None:
    entries = chain()
    del entries[place]

    assert first_fault(entries) == (place + 2, Fault.LACKING)


@pytest.mark.parametrize("place", range(12))
def test_a_repeated_entry_is_named(place: int) -> None:
    entries = chain()
    entries.insert(place, entries[place])

    assert first_fault(entries) == (place + 1, Fault.REPEATED)


@pytest.mark.parametrize("place", range(11))
def test_two_entries_that_changed_places_are_seen(place: int) -> None:
    entries = chain()
    entries[place], entries[place + 1] = entries[place + 1], entries[place]

    assert first_fault(entries) == (place + 2, Fault.LACKING)


def test_any_shuffled_chain_is_seen() -> None:
    entries, chance = chain(), random.Random(7)
    for _ in range(50):
        shuffled = entries[:]
        chance.shuffle(shuffled)
        assert (first_fault(shuffled) is None) == (shuffled == entries)


def test_an_entry_is_the_same_after_its_way_over_the_line() -> None:
    entry = chain()[-1]

    assert AuditEntry.model_validate_json(entry.model_dump_json()) == entry
    assert hash_of(AuditEntry.model_validate_json(entry.model_dump_json(exclude_none=True))) == entry.hash


@pytest.mark.parametrize(
    "about",
    [
        {"record_id": "A123456789"},
        {"phone": "0912345678"},
        {"address": "0912345678"},
        {"birth_date": 19850101 * 10},
        {"name": "王小明"},
        {"typed": "Wang 1985"},
        {"chart_number": "057164"},
        {"count": -1},
        {"count": True},
        {"王": "viewed"},
        {"staff_id": "王護理師\n"},
    ],
    ids=lambda about: next(iter(about)),
)
def test_what_a_person_is_known_by_finds_no_place_in_an_entry(about: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no code|neither id"):
        checked_about(about)


def test_ids_codes_counts_and_who_staff_are_do() -> None:
    about: dict[str, str | int] = {"record_id": RECORD, "kind": "patients", "count": 3, "staff_id": "王護理師"}
    about |= {"address": "192.168.1.20", "upload_batch_id": "1133060019-20261123-0001"}

    assert checked_about(about) == about
