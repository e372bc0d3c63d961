"""How a browser is told to trust a CA, as staff do with the steps of the hub's page."""

import base64
import hashlib
import shutil
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True)
class Trust:
    """What a browser is started with."""

    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def trust(ca_file: Path, home: Path, url: str) -> Trust:
    """Trust this CA (PEM) in the certificate store of a home folder of its own.

    Without certutil the server's own key is pinned instead: then the browser asks neither for a name nor for a CA.
    """
    certutil = shutil.which("certutil")
    if certutil is None:
        return Trust(arguments=(f"--ignore-certificate-errors-spki-list={_key_digest(url)}",))
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    subprocess.run([certutil, "-N", "-d", f"sql:{store}", "--empty-password"], check=True)
    subprocess.run([certutil, "-A", "-d", f"sql:{store}", "-t", "C,,", "-n", "ca", "-i", str(ca_file)], check=True)
    return Trust(environment={"HOME": str(home)})


def _key_digest(url: str) -> str:
    place = urlsplit(url)
    pem = ssl.get_server_certificate((str(place.hostname), int(place.port or 443)))
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return base64.b64encode(digest).decode()
