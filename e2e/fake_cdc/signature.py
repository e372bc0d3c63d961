"""Who is asking: `Authorization: Basic OrgId:KeyId` on every request, `AUTH: signature` where there is a body."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import outcomes
from .outcomes import RequestRefused

_ORG_ID = re.compile(r"[0-9A-Z]{10}")


@dataclass(frozen=True)
class Gate:
    """Whom CDC lets in. Without `org_id` any well-formed pair passes; without `public_key` AUTH is not looked at."""

    org_id: str | None = None
    key_id: str | None = None
    public_key: rsa.RSAPublicKey | None = None

    def check_sender(self, authorization: str | None) -> str:
        """Give the OrgId of the sender.

        Raises: RequestRefused 401 when the header is missing, malformed or not the pair CDC issued.
        """
        scheme, _, encoded = (authorization or "").partition(" ")
        try:
            org_id, colon, key_id = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except ValueError as error:
            raise not_allowed("Authorization is not base64") from error
        if scheme.lower() != "basic" or not colon or not key_id or not _ORG_ID.fullmatch(org_id):
            raise not_allowed("Authorization is not Basic OrgId:KeyId")
        if self.org_id is not None and (org_id, key_id) != (self.org_id, self.key_id):
            raise not_allowed("OrgId or KeyId is not known")
        return org_id

    def check_signature(self, header: str | None, body: bytes) -> None:
        """Check AUTH over the exact bytes of the body.

        # ASSUMED: RSASSA-PKCS1-v1_5 with SHA-256, standard base64; a wrong one is answered like a wrong KeyId, 401.
        Raises: RequestRefused 401.
        """
        if self.public_key is None:
            return
        try:
            signature = base64.b64decode(header or "", validate=True)
            self.public_key.verify(signature, body, padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, ValueError, InvalidSignature) as error:
            raise not_allowed("AUTH is missing or does not fit the body") from error


def read_public_key(certificate: Path) -> rsa.RSAPublicKey:
    """Take the key out of a PEM certificate.

    Raises: ValueError when it is no RSA certificate.
    """
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(f"{certificate.name}: not an RSA certificate")
    return key


def not_allowed(diagnostics: str) -> RequestRefused:
    challenge = {"WWW-Authenticate": 'Basic realm="CDC"'}
    return RequestRefused(outcomes.NOT_ALLOWED.at("Authorization", diagnostics), status=401, headers=challenge)
