"""The journal's frame and its recovery."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import JournalTooNew, JournalUnreadable, StorageFailed
from store.journal import FRAME_OVERHEAD_BYTES, HEADER, MARKER, Dropped, Journal, encode_frame
from store.storage import MemoryFile, MemoryFolder

PAYLOADS = [b"one", b"", "第三".encode(), bytes([MARKER]) * 40, b"x" * 300]


NAME = "journal"


async def replay(data: bytes) -> tuple[list[bytes], Journal, MemoryFolder]:
    folder = MemoryFolder({NAME: data})
    journal = Journal(await folder.open(NAME))
    payloads = list(journal.frames())
    await journal.open_for_appending()
    return payloads, journal, folder


def whole_file() -> tuple[bytes, list[int]]:
    data, ends = HEADER, []
    for payload in PAYLOADS:
        data += encode_frame(payload)
        ends.append(len(data))
    return data, ends


async def test_a_file_cut_at_any_byte_opens_with_every_whole_frame_and_says_what_it_dropped() -> None:
    data, ends = whole_file()

    for cut in range(len(data) + 1):
        payloads, journal, storage = await replay(data[:cut])
        whole = sum(end <= cut for end in ends)
        last_end = max([len(HEADER), *(end for end in ends if end <= cut)]) if cut >= len(HEADER) else 0
        assert payloads == PAYLOADS[:whole], cut
        assert journal.recovery.frames == whole
        expected = [Dropped(last_end, cut - last_end, at_end=True)] if cut > last_end else []
        assert journal.recovery.dropped == expected, cut
        await journal.append(b"next")
        assert (await replay(bytes(storage.files[NAME])))[0] == [*PAYLOADS[:whole], b"next"]


async def test_damage_in_the_middle_costs_the_damaged_frame_only_and_erases_nothing() -> None:
    data, ends = whole_file()
    starts = [len(HEADER), *ends[:-1]]

    for position in range(len(HEADER), ends[-2]):
        damaged = bytearray(data)
        damaged[position] ^= 0x40
        payloads, journal, storage = await replay(bytes(damaged))
        hit = sum(end <= position for end in ends)
        assert payloads == PAYLOADS[:hit] + PAYLOADS[hit + 1 :], position
        assert journal.recovery.damaged
        assert journal.recovery.dropped == [Dropped(starts[hit], ends[hit] - starts[hit], at_end=False)]
        assert bytes(storage.files[NAME]) == bytes(damaged)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=8), st.binary(min_size=1, max_size=400))
async def test_rubbish_after_whole_frames_never_costs_a_frame(payloads: list[bytes], rubbish: bytes) -> None:
    data = HEADER + b"".join(map(encode_frame, payloads))

    found, _, _ = await replay(data + rubbish)

    assert found[: len(payloads)] == payloads


async def test_frames_longer_than_the_read_window_are_read() -> None:
    big = bytes(range(256)) * 10_000

    found, journal, _ = await replay(HEADER + encode_frame(b"a") + encode_frame(big) + encode_frame(b"b"))

    assert found == [b"a", big, b"b"]
    assert journal.recovery.dropped == []


async def test_a_file_of_zeros_after_a_crash_is_dropped() -> None:
    found, journal, _ = await replay(HEADER + encode_frame(b"kept") + bytes(4096))

    assert found == [b"kept"]
    assert journal.recovery.dropped == [Dropped(len(HEADER) + FRAME_OVERHEAD_BYTES + 4, 4096, at_end=True)]


@pytest.mark.parametrize(
    ("data", "error"),
    [(HEADER[:-1] + b"\x02" + b"rest", JournalTooNew), (b"{}" * 8, JournalUnreadable), (bytes(64), JournalUnreadable)],
    ids=["newer", "another file", "zeros"],
)
async def test_a_file_that_is_not_ours_is_refused_and_untouched(data: bytes, error: type[Exception]) -> None:
    storage = MemoryFolder({NAME: data})

    with pytest.raises(error):
        list(Journal(await storage.open(NAME)).frames())

    assert bytes(storage.files[NAME]) == data


class MarkedFile(MemoryFile):
    """A file that is known to have reached so far."""

    marked = 0

    def marked_size(self) -> int:
        return self.marked


@pytest.mark.parametrize("cut", [0, 3, len(HEADER), len(HEADER) + 20, len(HEADER) + 47, -5])
async def test_an_end_missing_before_where_the_file_is_known_to_have_reached_is_damage(cut: int) -> None:
    data = HEADER + encode_frame(b"one") + encode_frame(b"two" * 20)
    folder = MemoryFolder({NAME: data[:cut]})
    file = MarkedFile(folder, NAME)
    file.marked = len(data)
    journal = Journal(file)

    whole = list(journal.frames())
    await journal.open_for_appending()
    await journal.append(b"next")

    assert journal.recovery.damaged
    assert journal.recovery.dropped[-1].offset + journal.recovery.dropped[-1].length == len(data)
    assert list(Journal(await folder.open(NAME)).frames()) == [*whole, b"next"]


async def test_a_torn_frame_after_where_the_file_is_known_to_have_reached_is_no_damage() -> None:
    data = HEADER + encode_frame(b"one")
    file = MarkedFile(MemoryFolder({NAME: data + encode_frame(b"two")[:-1]}), NAME)
    file.marked = len(data)
    journal = Journal(file)

    assert list(journal.frames()) == [b"one"]
    assert not journal.recovery.damaged


class HalfWriting(MemoryFolder):
    """Takes half of the bytes, then fails, as a full disk does."""

    failing = False

    async def append(self, name: str, data: bytes) -> None:
        if self.failing:
            self.files[name] += data[: len(data) // 2]
            raise StorageFailed("half written")
        await super().append(name, data)


async def test_a_failed_append_leaves_nothing_behind_and_the_next_one_works() -> None:
    storage = HalfWriting()
    journal = Journal(await storage.open(NAME))
    assert list(journal.frames()) == []
    await journal.open_for_appending()
    await journal.append(b"one")

    storage.failing = True
    with pytest.raises(StorageFailed):
        await journal.append(b"two")
    storage.failing = False
    await journal.append(b"three")

    assert (await replay(bytes(storage.files[NAME])))[0] == [b"one", b"three"]
