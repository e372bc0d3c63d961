"""What the hub keeps beside its store and a clinic cannot do without: part of every backup.

    access.json   staff and devices (sync/access): a line with a digest, then JSON with "hub_id" and "revision"
    tls/ca.pem    the clinic's CA (sync/clinic_ca.py), which its tablets trust; the hub's own certificate it makes anew
"""

import json
from pathlib import Path
from typing import Any

ACCESS_FILE = "access.json"
CA_FILE = "tls/ca.pem"
_NAMES = (ACCESS_FILE, CA_FILE)


def is_beside(name: str) -> bool:
    return name in _NAMES


def names_beside(folder: Path) -> list[str]:
    """Those that are there."""
    return [name for name in _NAMES if (folder / name).is_file()]


def is_replaced(name: str, present: bytes, kept: bytes) -> bool:
    """Whether the one of a backup takes the place of the one that is there.

    The CA of the backup does, being the one that tablets trust. Staff and devices do unless those that are there go on
    from the ones of the backup: an older state would give a device back what was taken from it.
    """
    if name != ACCESS_FILE:
        return present != kept
    ours, theirs = _standing(present), _standing(kept)
    return ours is None or theirs is None or ours[0] != theirs[0] or ours[1] < theirs[1]


def _standing(data: bytes) -> tuple[Any, int] | None:
    """Whose state it is and which; None where it cannot be read."""
    try:
        known = json.loads(data.partition(b"\n")[2])
        return known["hub_id"], int(known["revision"])
    except (ValueError, KeyError, TypeError):
        return None
