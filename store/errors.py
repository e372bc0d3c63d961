"""The errors of failed operations.

    AppError
      StorageFailed            the device or disk did not take the bytes; nothing was acknowledged
        StorageFull            no space left
      JournalUnreadable        the file is not a journal of ours; it is left untouched
        JournalTooNew          written by a newer version of the program; it is left untouched
      RecordDamaged            the bytes of one record on this disk are not those that were written
      RecordNotFound           a change names a record this store does not hold
      ProtocolMismatch         the other side speaks another protocol version
      HubBehindDevice          the hub knows less than it once told this device
      SnapshotDamaged          what the hub gave as its tables is not what it promised; nothing was replaced
      RosterError              a file that is no roster (roster.py)

What the user can mend is not here: that is a `Problem` (problems.py). What CDC refuses is data too (uploads.py).
"""

from typing import ClassVar


class AppError(Exception):
    """The program could not do what was asked; `code` never changes once shipped."""

    code: ClassVar[str] = "app_error"
    retryable: ClassVar[bool] = False


class StorageFailed(AppError):
    """The bytes did not reach the disk; whoever waited for them was told nothing."""

    code = "storage_failed"
    retryable = True


class StorageFull(StorageFailed):
    """No space is left for the journal."""

    code = "storage_full"


class JournalUnreadable(AppError):
    """The file does not begin as a journal does; it was not touched."""

    code = "journal_unreadable"


class JournalTooNew(JournalUnreadable):
    """A newer version of the program wrote this journal; it was not touched."""

    code = "journal_too_new"


class RecordDamaged(AppError):
    """The disk gave other bytes for a record than were written; the hub or the backup has it whole."""

    code = "record_damaged"

    def __init__(self, record_id: str) -> None:
        super().__init__(f"damaged record {record_id}")
        self.record_id = record_id


class RecordNotFound(AppError):
    """The record is not in this store."""

    code = "record_not_found"

    def __init__(self, record_id: str) -> None:
        super().__init__(f"no record {record_id}")
        self.record_id = record_id


class ProtocolMismatch(AppError):
    """Device and hub speak different protocol versions; nothing was exchanged."""

    code = "protocol_mismatch"

    def __init__(self, *, ours: int, theirs: int) -> None:
        super().__init__(f"we speak protocol {ours}, the other side {theirs}")
        self.ours, self.theirs = ours, theirs


class HubBehindDevice(AppError):
    """The hub's journal ends before what it once told this device: it was emptied or put back from an older copy.

    Exchanging now would leave this device without what the hub will number next, so nothing is exchanged.
    """

    code = "hub_behind_device"


class SnapshotDamaged(AppError):
    """The bytes fetched are not the snapshot that the hub offered; this device's own tables stand."""

    code = "snapshot_damaged"
