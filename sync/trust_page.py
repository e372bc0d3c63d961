"""The one page of the hub on the network without TLS: how a tablet comes to trust it.

Invariants:
- there is this page and the CA's certificate in two forms, and nothing else; nothing of the clinic's data is in reach;
- nothing that a request says is repeated in an answer.

Who controls the network could put another certificate in the place of ours; so the page shows its fingerprints, to be
compared with those of the same page on the clinic PC, which no network lies before.
"""

import base64
import hashlib
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template

import segno
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from sync.middlewares import add_security_headers, answer_errors
from sync.rate_gate import make_rate_gate

# Types by which Safari on iPads offers a profile and other systems a certificate; no Content-Disposition, since with it
# Safari would only keep a file.
_FORMS = {
    "/desk-ca.crt": (serialization.Encoding.DER, "application/x-x509-ca-cert"),
    "/desk-ca.pem": (serialization.Encoding.PEM, "application/x-pem-file"),
}
_CA_PART = re.compile(r"<!-- with a CA -->.*?<!-- end -->", re.DOTALL)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True)
class TrustFacts:
    """Shape: `ca` is None where there is nothing to install, since the clinic has a certificate of its own."""

    app_url: str
    page_url: str
    ca: x509.Certificate | None


def make_trust_app(facts_at: Callable[[str], TrustFacts]) -> web.Application:
    """`facts_at` tells them for a request that came to this address of the hub."""
    page = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    [style] = _STYLE.findall(page)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"

    def facts_of(request: web.Request) -> TrustFacts:
        assert request.transport is not None
        return facts_at(str(request.transport.get_extra_info("sockname")[0]))

    async def show(request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        text = make_page(page, facts_of(request))
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def give(request: web.Request) -> web.Response:
        ca = facts_of(request).ca
        if ca is None:
            raise web.HTTPNotFound
        encoding, content_type = _FORMS[request.path]
        body, headers = ca.public_bytes(encoding), {"Cache-Control": "no-store"}
        return web.Response(body=body, content_type=content_type, headers=headers)

    app = web.Application(middlewares=[answer_errors, make_rate_gate(plain=True)])
    app.router.add_get("/", show)
    for path in _FORMS:
        app.router.add_get(path, give)
    app.on_response_prepare.append(add_security_headers)
    return app


def make_page(page: str, facts: TrustFacts) -> str:
    values = {"app_url": facts.app_url, "page_url": facts.page_url}
    if facts.ca is None:
        page = _CA_PART.sub("", page)
    else:
        [name] = facts.ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        values["ca_name"] = str(name.value)
        values["sha256"] = _grouped(facts.ca.fingerprint(hashes.SHA256()))
        values["sha1"] = _grouped(facts.ca.fingerprint(hashes.SHA1()))  # the one that Windows shows
    shown = {name: html.escape(value) for name, value in values.items()}
    picture = segno.make(facts.page_url, error="m", micro=False)
    return Template(page).substitute(shown, qr=picture.svg_inline(border=4, omitsize=True))


def _grouped(digest: bytes) -> str:
    """Shape: "AB12 34CD ..."."""
    return digest.hex(" ", 2).upper()
