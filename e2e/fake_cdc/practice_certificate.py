"""Make a practice certificate, so that signing can be tried without an institution's real HCA card."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

_NAME = "practice institution, not valid for CDC"
# Long ago: clocks of clinic PCs differ, and a test may live on a day of its own.
_VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)


def make_practice_certificate(folder: Path) -> bool:
    """Write practice.p12, practice.p12.password and practice.pem unless they are there; say whether it wrote.

    Invariant: practice.p12 comes last, so where it exists the other two fit it; an interrupted run is simply repeated.
    """
    p12, password_file, certificate_file = (
        folder / name for name in ("practice.p12", "practice.p12.password", "practice.pem")
    )
    if p12.exists() and password_file.exists() and certificate_file.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    p12.unlink(missing_ok=True)  # of a set that lacks a piece nothing can be used
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(datetime.now(UTC) + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    password = secrets.token_urlsafe(18).encode()
    _write(password_file, password)
    _write(certificate_file, certificate.public_bytes(Encoding.PEM))
    encrypted = BestAvailableEncryption(password)
    _write(p12, pkcs12.serialize_key_and_certificates(b"practice", key, certificate, None, encrypted))
    return True


def _write(path: Path, data: bytes) -> None:
    """Write beside and replace; readable by the owner only, where the system knows owners."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
