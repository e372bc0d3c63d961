"""The AUTH header: sign what is sent with the institution's certificate.

Source: CDC contract, section 1.
"""

import base64
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from store.errors import AppError


class CertificateUnusable(AppError):
    """The PKCS#12 file cannot sign.

    Shape: `reason` is one of missing, unreadable (also a wrong password), no_rsa_key, not_yet_valid, expired.
    """

    code: ClassVar[str] = "certificate_unusable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Signer:
    """Holds the institution's private key in memory."""

    def __init__(self, p12_path: Path, password: bytes, now: datetime) -> None:
        """Raises: CertificateUnusable."""
        try:
            data = p12_path.read_bytes()
        except OSError as error:
            raise CertificateUnusable("missing") from error
        try:
            key, certificate, _ = pkcs12.load_key_and_certificates(data, password)
        except ValueError as error:
            raise CertificateUnusable("unreadable") from error
        if not isinstance(key, rsa.RSAPrivateKey) or certificate is None:
            raise CertificateUnusable("no_rsa_key")
        if now < certificate.not_valid_before_utc:
            raise CertificateUnusable("not_yet_valid")
        if now > certificate.not_valid_after_utc:
            raise CertificateUnusable("expired")
        self._key = key
        self.expires_at = certificate.not_valid_after_utc

    def sign(self, body: bytes) -> str:
        """The value of AUTH for exactly these bytes."""
        # ASSUMED: RSASSA-PKCS1-v1_5 with SHA-256 over the body (contract section 1; only the header is published).
        return base64.b64encode(self._key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")
