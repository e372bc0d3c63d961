"""The clinic's own certificate authority (CA), and the hub's certificate that it signs.

    tls/ca.pem      the CA: its key and its certificate, which devices are told to trust; made once
    tls/server.pem  the hub's: made anew before it ends, and whenever the hub has other names or addresses

Invariants:
- the CA is made once: where its file is lost, torn or open to others the hub says so and makes no other one, because
  every device would have to be told to trust that one too;
- both files are their owner's alone, whole or not there; no key is logged, shown or leaves the folder;
- what the CA signs counts on the clinic's network only (name constraints), so that a stolen one cannot pass for a bank.

Source: Apple, "Requirements for trusted certificates in iOS 13" (support.apple.com/103769): names in the subject's
alternative names, extended key usage serverAuth, SHA-2, at most 825 days also under a CA that the user added; the 398
days of support.apple.com/102028 and of Chromium (net/docs/certificate_lifetimes.md) count for CAs that come with the
system only. 397 satisfies all. iOS lists a CA for full trust only if it has a common name (FiloSottile/mkcert, 47).

Decision 2026-11-28: name constraints, critical as RFC 5280 has them. Windows and OpenSSL know them of old, Apple since
about 2015 (cabforum/servercert issue 267), Chromium enforces those of added CAs since 112 and always since 126; where a
verifier passes over those of a root, which RFC 5280 allows, nothing breaks. No extended key usage on the CA: no vendor
says that a root with one is accepted. P-256: every device of the last ten years reads it.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from store.storage import open_private, sync_folder
from sync.sentences import LanClosed
from sync.tls import Credentials, address_of, belong_together, names_in, read_certificates, read_key

Network = IPv4Network | IPv6Network

CA_DAYS = 20 * 365
SERVER_DAYS = 397
RENEW_BEFORE = timedelta(days=120)
# No clock of a clinic is right before this day. CAs begin on it: one made by a clock ahead of time is valid too.
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
# A device whose clock is behind must accept a certificate made a minute ago.
_BACKDATED = timedelta(days=1)
LAN_DOMAINS = ("local", "lan", "home.arpa", "internal")
LAN_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")


class ClinicCa:
    """The CA of one clinic, opened."""

    def __init__(self, folder: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.certificate = certificate
        self._folder, self._key = folder, key
        self._constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value

    @classmethod
    def open(
        cls, folder: Path, *, title: str, domains: Iterable[str], networks: Iterable[Network], now: datetime
    ) -> "ClinicCa":
        """Open the CA of a folder, or make it, for these and the usual domains and networks of a clinic.

        Raises: LanClosed.
        """
        path = folder / "ca.pem"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists() and not (folder / "server.pem").exists():
                _make_ca(path, title, [*LAN_DOMAINS, *domains], [*map(ip_network, LAN_NETWORKS), *networks], now)
            data, mode = path.read_bytes(), path.stat().st_mode
        except FileNotFoundError as error:
            raise LanClosed("ca_missing", path=path, folder=folder) from error
        except OSError as error:
            raise LanClosed("storage_failed", path=error.filename or path) from error
        # Windows keeps who may read a file elsewhere; its mode bits tell nothing.
        if os.name == "posix" and mode & 0o077:
            raise LanClosed("file_not_private", path=path)
        try:
            key, [certificate] = read_key(data), read_certificates(data)
            if not isinstance(key, ec.EllipticCurvePrivateKey) or not belong_together(certificate, key):
                raise ValueError("another key")
            ca = cls(folder, key, certificate)
        except (ValueError, x509.ExtensionNotFound) as error:
            raise LanClosed("ca_unreadable", path=path, folder=folder) from error
        if now > certificate.not_valid_after_utc:
            raise LanClosed("ca_expired", path=path, folder=folder, until=f"{certificate.not_valid_after_utc:%Y-%m-%d}")
        return ca

    def permits(self, name: str) -> bool:
        """Whether devices would accept this host name or address in a certificate of this CA."""
        permitted, address = self._constraints.permitted_subtrees or [], address_of(name)
        if address is not None:
            return any(isinstance(tree.value, Network) and address in tree.value for tree in permitted)
        trees = [tree.value for tree in permitted if isinstance(tree, x509.DNSName)]
        return any(name == tree or name.endswith(f".{tree}") for tree in trees)

    def credentials(self, names: frozenset[str], now: datetime) -> Credentials:
        """The hub's certificate for exactly these names, made anew where the one on disk would not do.

        Raises: LanClosed.
        """
        path = self._folder / "server.pem"
        certificate = self._read_server(path)
        if certificate is None or not self._will_do(certificate, names, now):
            if now < EARLIEST:
                raise LanClosed("clock_wrong", now=f"{now:%Y-%m-%d}")
            certificate = self._make_server(path, names, now)
        return Credentials(path, path, certificate, self.certificate)

    def _read_server(self, path: Path) -> x509.Certificate | None:
        try:
            data, mode = path.read_bytes(), path.stat().st_mode
            [certificate], key = read_certificates(data), read_key(data)
        except (OSError, ValueError):
            return None
        is_private = os.name != "posix" or not mode & 0o077
        return certificate if is_private and belong_together(certificate, key) else None

    def _will_do(self, certificate: x509.Certificate, names: frozenset[str], now: datetime) -> bool:
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        is_time = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE
        return is_time and names_in(certificate) == names

    def _make_server(self, path: Path, names: frozenset[str], now: datetime) -> x509.Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [_general_name(name) for name in sorted(names)]
        issuer_key = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_subject("Vaccination desk"))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(min(now - _BACKDATED + timedelta(days=SERVER_DAYS), self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        _write_private(path, key, certificate)
        return certificate


def _make_ca(path: Path, title: str, domains: Iterable[str], networks: Iterable[Network], now: datetime) -> None:
    if now < EARLIEST:
        raise LanClosed("clock_wrong", now=f"{now:%Y-%m-%d}")
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(title)
    permitted = [*map(x509.DNSName, dict.fromkeys(domains)), *map(x509.IPAddress, dict.fromkeys(networks))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(EARLIEST)
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_private(path, key, certificate)


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    address = address_of(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _write_private(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    """One file for both, since two could be torn apart. Raises: LanClosed."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    beside = path.with_suffix(".part")
    try:
        beside.unlink(missing_ok=True)
        with open_private(beside) as out:
            out.write(key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM))
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, path)
        sync_folder(path.parent)
    except OSError as error:
        raise LanClosed("storage_failed", path=path) from error
