"""TLS as the hub speaks it, whoever issued its certificate.

Decision 2026-11-28: no Strict-Transport-Security. Browsers ignore it for addresses, and for a host name it would hold
for every port, so that the plain page with the steps (trust_page.py) could not be opened any more. Nothing of the app
is served without TLS on the network, so there is nothing that it would protect.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

# Of TLS 1.2; those of 1.3 are all modern. Forward secrecy and authenticated encryption only.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True)
class Credentials:
    """What the hub shows for itself.

    Shape: `certificate` is the hub's own, the first of `certificate_file`; `ca` is the one that devices have to be told
    to trust, None where the clinic brings a certificate of its own.
    """

    certificate_file: Path
    key_file: Path
    certificate: x509.Certificate
    ca: x509.Certificate | None

    @property
    def names(self) -> frozenset[str]:
        return names_in(self.certificate)

    def is_valid(self, now: datetime) -> bool:
        return self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc


def make_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    return context


def use(context: ssl.SSLContext, credentials: Credentials) -> None:
    """Let connections from now on see these credentials. Raises: ssl.SSLError, OSError."""
    # With a password given, OpenSSL never asks for one at the console.
    context.load_cert_chain(credentials.certificate_file, credentials.key_file, password="")


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """Raises: ValueError."""
    return x509.load_pem_x509_certificates(data)


def read_key(data: bytes) -> PrivateKeyTypes:
    """Raises: ValueError, also for a key under a password."""
    try:
        return serialization.load_pem_private_key(data, None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("the key cannot be read") from error


def belong_together(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    return certificate.public_key() == key.public_key()


def names_in(certificate: x509.Certificate) -> frozenset[str]:
    """The host names and addresses a certificate is for; wildcards as they are."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    hosts = (name.lower() for name in names.get_values_for_type(x509.DNSName))
    return frozenset([*hosts, *map(str, names.get_values_for_type(x509.IPAddress))])


def is_named(name: str, names: frozenset[str]) -> bool:
    """Whether a certificate for `names` is one for `name`; a wildcard stands for one label, never for an address."""
    _, dot, parent = name.partition(".")
    return name in names or (bool(dot) and address_of(name) is None and f"*.{parent}" in names)


def address_of(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
