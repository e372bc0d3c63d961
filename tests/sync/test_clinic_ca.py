"""The clinic's CA is made once, and the hub's certificate whenever it has to be."""

import asyncio
import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sync.clinic_ca import EARLIEST, RENEW_BEFORE, ClinicCa
from sync.sentences import LanClosed
from sync.tls import Credentials, make_context, use
from tests.sync.certificates import NOW

NAMES = frozenset({"desk.local", "192.168.1.5"})
posix = pytest.mark.skipif(os.name != "posix", reason="Windows keeps who may read a file elsewhere")


def open_ca(folder: Path, now: datetime = NOW) -> ClinicCa:
    return ClinicCa.open(
        folder / "tls", title="疫苗接種工作站 desk", domains=["desk"], networks=[ip_network("192.0.2.0/24")], now=now
    )


def serve(folder: Path, names: frozenset[str] = NAMES, now: datetime = NOW) -> Credentials:
    return open_ca(folder, now).credentials(names, now)


def refusal(folder: Path, now: datetime = NOW) -> str:
    with pytest.raises(LanClosed) as caught:
        serve(folder, now=now)
    assert len(caught.value.sentences().splitlines()) == 2
    return caught.value.code


# ---- what the certificates say


def test_the_ca_may_sign_for_the_clinics_network_and_for_nothing_else(tmp_path: Path) -> None:
    certificate = open_ca(tmp_path).certificate
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    limits = certificate.extensions.get_extension_for_class(x509.NameConstraints)

    assert (basic.critical, basic.value) == (True, x509.BasicConstraints(ca=True, path_length=0))
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature
    assert limits.critical
    # A kind of which nothing is said would be free.
    kinds = {type(tree) for tree in limits.value.permitted_subtrees or []}
    versions = {t.value.version for t in limits.value.permitted_subtrees or [] if isinstance(t, x509.IPAddress)}
    assert (kinds, versions) == ({x509.DNSName, x509.IPAddress}, {4, 6})
    assert certificate.not_valid_before_utc <= NOW
    assert certificate.not_valid_after_utc > NOW + timedelta(days=19 * 365)


def test_the_hubs_certificate_has_what_apple_asks_for(tmp_path: Path) -> None:
    certificate = serve(tmp_path).certificate
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value

    assert names.get_values_for_type(x509.DNSName) == ["desk.local"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("192.168.1.5")]
    assert list(uses) == [x509.ExtendedKeyUsageOID.SERVER_AUTH]
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=397)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha256"
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize(
    ("name", "is_permitted"),
    [
        *[("desk", True), ("desk.local", True), ("clinic.lan", True), ("10.1.2.3", True), ("192.0.2.7", True)],
        *[("fd00::2", True), ("local", True), ("bank.example", False), ("notlocal", False), ("8.8.8.8", False)],
        *[("2001:db8::1", False), ("desk.example", False)],
    ],
)
def test_the_ca_knows_what_devices_would_accept_of_it(tmp_path: Path, name: str, is_permitted: bool) -> None:
    assert open_ca(tmp_path).permits(name) is is_permitted


async def handshake(credentials: Credentials, name: str) -> None:
    """A TLS connection of a strict client that trusts this CA and nothing else, asking for `name`."""
    assert credentials.ca is not None
    server_side = make_context()
    use(server_side, credentials)
    client_side = ssl.create_default_context(cadata=credentials.ca.public_bytes(Encoding.PEM).decode())
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=server_side)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side, server_hostname=name)
        writer.close()


async def test_a_device_accepts_it_for_the_clinics_names_and_never_for_a_bank(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca = open_ca(tmp_path, now)
    for name in NAMES:
        await handshake(ca.credentials(NAMES, now), name)

    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        await handshake(ca.credentials(frozenset({"bank.example"}), now), "bank.example")


# ---- when what is made


def test_nothing_is_made_again_that_will_do(tmp_path: Path) -> None:
    first = serve(tmp_path)
    again = serve(tmp_path, now=NOW + timedelta(days=200))
    assert (again.certificate, again.ca) == (first.certificate, first.ca)


def test_a_certificate_near_its_end_is_renewed_under_the_same_ca(tmp_path: Path) -> None:
    first = serve(tmp_path)
    later = first.certificate.not_valid_after_utc - RENEW_BEFORE
    renewed = serve(tmp_path, now=later)

    assert renewed.certificate.not_valid_after_utc > first.certificate.not_valid_after_utc
    assert renewed.certificate.public_key() != first.certificate.public_key()
    assert renewed.ca == first.ca


@pytest.mark.parametrize("names", [NAMES | {"192.168.1.6"}, NAMES - {"desk.local"}], ids=["more", "fewer"])
def test_other_names_get_another_certificate_under_the_same_ca(tmp_path: Path, names: frozenset[str]) -> None:
    first = serve(tmp_path)
    other = serve(tmp_path, names)
    assert (first.names, other.names) == (NAMES, names)
    assert other.ca == first.ca


def test_a_clock_that_was_ahead_leaves_nothing_that_is_not_valid_yet(tmp_path: Path) -> None:
    ahead = serve(tmp_path, now=NOW + timedelta(days=900))
    now = serve(tmp_path)
    assert now.is_valid(NOW)
    assert now.ca is not None
    assert now.ca == ahead.ca
    assert now.ca.not_valid_before_utc < NOW


def test_no_certificate_is_made_by_a_clock_that_cannot_be_right(tmp_path: Path) -> None:
    assert refusal(tmp_path, EARLIEST - timedelta(days=1)) == "clock_wrong"
    assert not (tmp_path / "tls" / "ca.pem").exists()
    serve(tmp_path)
    assert refusal(tmp_path, EARLIEST - timedelta(days=1)) == "clock_wrong"


def test_a_torn_certificate_of_the_hub_is_made_anew(tmp_path: Path) -> None:
    first = serve(tmp_path)
    path = tmp_path / "tls" / "server.pem"
    for data in (b"", path.read_bytes()[:300], b"\xff\xfe"):
        path.write_bytes(data)
        assert serve(tmp_path).ca == first.ca
        assert serve(tmp_path).is_valid(NOW)


def test_a_certificate_of_another_ca_is_made_anew(tmp_path: Path) -> None:
    other = tmp_path / "other"
    stranger = serve(other)
    serve(tmp_path)
    (tmp_path / "tls" / "server.pem").write_bytes(stranger.key_file.read_bytes())
    assert serve(tmp_path).certificate != stranger.certificate


# ---- the CA is never replaced silently


@pytest.mark.parametrize("cut", [0, 1, 100, 300, -30], ids=lambda cut: f"cut at {cut}")
def test_a_torn_ca_is_told_and_left_as_it_is(tmp_path: Path, cut: int) -> None:
    serve(tmp_path)
    path = tmp_path / "tls" / "ca.pem"
    path.write_bytes(torn := path.read_bytes()[:cut])
    assert refusal(tmp_path) == "ca_unreadable"
    assert path.read_bytes() == torn


def test_a_ca_whose_key_is_another_ones_is_told(tmp_path: Path) -> None:
    serve(tmp_path)
    serve(tmp_path / "other")
    path, other = tmp_path / "tls" / "ca.pem", tmp_path / "other" / "tls" / "ca.pem"
    mark = b"-----BEGIN CERTIFICATE-----"
    path.write_bytes(other.read_bytes().split(mark)[0] + mark + path.read_bytes().split(mark)[1])
    assert refusal(tmp_path) == "ca_unreadable"


def test_a_lost_ca_is_told_and_no_other_one_made(tmp_path: Path) -> None:
    serve(tmp_path)
    path = tmp_path / "tls" / "ca.pem"
    path.rename(tmp_path / "kept")
    assert refusal(tmp_path) == "ca_missing"
    assert not path.exists()

    (tmp_path / "kept").rename(path)
    serve(tmp_path)


def test_whoever_deletes_the_folder_gets_another_ca(tmp_path: Path) -> None:
    first = serve(tmp_path)
    for file in (tmp_path / "tls").iterdir():
        file.unlink()
    assert serve(tmp_path).ca != first.ca


def test_an_ended_ca_is_told(tmp_path: Path) -> None:
    serve(tmp_path)
    assert refusal(tmp_path, NOW + timedelta(days=365 * 21)) == "ca_expired"


def test_a_certificate_never_outlives_its_ca(tmp_path: Path) -> None:
    first = serve(tmp_path)
    assert first.ca is not None
    late = serve(tmp_path, now=first.ca.not_valid_after_utc - timedelta(days=10))
    assert late.certificate.not_valid_after_utc == first.ca.not_valid_after_utc


# ---- who may read


@posix
def test_both_files_and_their_folder_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        serve(tmp_path)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "tls").iterdir()}
    assert modes == {"ca.pem": 0o600, "server.pem": 0o600}
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700


@posix
def test_a_ca_that_others_may_read_is_told(tmp_path: Path) -> None:
    serve(tmp_path)
    (tmp_path / "tls" / "ca.pem").chmod(0o640)
    assert refusal(tmp_path) == "file_not_private"


@posix
def test_a_key_of_the_hub_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    first = serve(tmp_path)
    first.key_file.chmod(0o644)
    assert serve(tmp_path).certificate != first.certificate


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("a file in the way")
    assert refusal(tmp_path) == "storage_failed"
