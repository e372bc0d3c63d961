"""Which certificates can sign, and what is said of the others."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID

from sync.signing import CertificateUnusable, Signer

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PASSWORD = "密碼 1".encode()


def write(folder: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Path:
    """A certificate valid for the ten days around NOW."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "practice")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=5))
        .not_valid_after(NOW + timedelta(days=5))
        .sign(key, hashes.SHA256())
    )
    path = folder / "x.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, BestAvailableEncryption(PASSWORD))
    )
    return path


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def reason(path: Path, password: bytes = PASSWORD, now: datetime = NOW) -> str:
    with pytest.raises(CertificateUnusable) as caught:
        Signer(path, password, now)
    return caught.value.reason


def test_a_valid_certificate_signs_and_says_until_when(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    signer = Signer(write(tmp_path, rsa_key), PASSWORD, NOW)
    assert signer.sign(b"x") != signer.sign(b"y")
    assert signer.expires_at == NOW + timedelta(days=5)


def test_what_cannot_sign_says_why(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    good = write(tmp_path, rsa_key)
    assert reason(good, b"wrong") == "unreadable"
    assert reason(good, now=NOW + timedelta(days=6)) == "expired"
    assert reason(good, now=NOW - timedelta(days=6)) == "not_yet_valid"
    assert reason(tmp_path / "none.p12") == "missing"
    (tmp_path / "text.p12").write_bytes(b"no certificate")
    assert reason(tmp_path / "text.p12") == "unreadable"
    assert reason(write(tmp_path, ec.generate_private_key(ec.SECP256R1()))) == "no_rsa_key"
