"""A certificate that the clinic brings itself, as PEM files: used as it is, never written."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sync.sentences import LanClosed
from sync.tls import Credentials, belong_together, is_named, read_certificates, read_key

REMIND_BEFORE = timedelta(days=30)


def read_own(certificate_file: Path, key_file: Path) -> Credentials:
    """Read both files. Raises: LanClosed when they are no certificate and its key."""
    try:
        [certificate, *_] = read_certificates(certificate_file.read_bytes())
    except (OSError, ValueError) as error:
        raise LanClosed("own_certificate_unreadable", path=certificate_file) from error
    try:
        key = read_key(key_file.read_bytes())
    except (OSError, ValueError) as error:
        raise LanClosed("own_key_unreadable", path=key_file) from error
    if not belong_together(certificate, key):
        raise LanClosed("own_key_mismatch", path=key_file, certificate=certificate_file)
    return Credentials(certificate_file, key_file, certificate, None)


def check_own(own: Credentials, hosts: Iterable[str], now: datetime) -> None:
    """Raises: LanClosed when no browser would accept it now for any of these names of the hub."""
    facts = {
        "path": own.certificate_file,
        "since": f"{own.certificate.not_valid_before_utc:%Y-%m-%d}",
        "until": f"{own.certificate.not_valid_after_utc:%Y-%m-%d}",
    }
    if now > own.certificate.not_valid_after_utc:
        raise LanClosed("own_certificate_expired", **facts)
    if now < own.certificate.not_valid_before_utc:
        raise LanClosed("own_certificate_not_yet_valid", **facts)
    if not any(is_named(host, own.names) for host in hosts):
        raise LanClosed("own_certificate_for_others", names=", ".join(sorted(own.names)) or "-", **facts)


def ends_soon(own: Credentials, now: datetime) -> bool:
    return now > own.certificate.not_valid_after_utc - REMIND_BEFORE
