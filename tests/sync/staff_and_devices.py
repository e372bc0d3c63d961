"""Staff and devices of a real hub, as tests need them: make an account, enrol a device with its own keys, sign in.

    async with running_hub(tmp_path) as hub, Devices() as devices:
        pc = devices.keep(await first_manager(hub.url))
        await pc.set_staff("May", [Role.RECORDER])
        tablet = devices.keep(await pc.enrol_another("May"))
        await tablet.post("/api/search", SearchRequest(typed="x"))

Every DeskDevice has an aiohttp session, and with it a cookie, of its own.
"""

import base64
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from ssl import SSLContext
from typing import Any, Self

from aiohttp import ClientResponse, ClientSession, CookieJar
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel

from store.access_protocol import (
    ChallengeAnswer,
    CodeAnswer,
    DeviceState,
    Done,
    EnrolRequest,
    FirstManager,
    HandOverRequest,
    Purpose,
    SessionRequest,
    SetStaff,
    SignInAnswer,
    SignInRequest,
    signed_text,
)
from store.protocol import SyncRequest
from store.roles import Role

PASSWORD = "correct horse battery"
MANAGER = "Wang"
JSON = {"Content-Type": "application/json"}


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class DeskDevice:
    """A browser's part of access: its keys, who has signed in on it, its cookie.

    Shape: `url` is the hub's origin without a slash, as browsers say it.
    """

    def __init__(self, url: str, *, device_id: str = "", name: str = "平板", ssl: SSLContext | bool = True) -> None:
        self.url, self.name, self.ssl = url.rstrip("/"), name, ssl
        self.device_id = device_id or os.urandom(16).hex()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.data_key = unpadded(os.urandom(32))
        self.token_by_staff: dict[str, str] = {}
        # Addresses have cookies too in browsers.
        self.session = ClientSession(cookie_jar=CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.session.close()

    async def post(self, path: str, message: BaseModel | bytes = b"{}", **headers: str) -> ClientResponse:
        body = message if isinstance(message, bytes) else message.model_dump_json().encode()
        given = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.session.post(self.url + path, data=body, headers=given, ssl=self.ssl)

    async def get(self, path: str, **headers: str) -> ClientResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.session.get(self.url + path, headers=given, ssl=self.ssl)

    # ---- becoming known

    def enrol_request(self, code: str) -> EnrolRequest:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return EnrolRequest(
            code=code, device_id=self.device_id, name=self.name, public_key=unpadded(point), data_key=self.data_key
        )

    async def enrol(self, code: str) -> None:
        answer = await self.post("/api/access/enrol", self.enrol_request(code))
        assert answer.status == 200, await answer.text()

    async def challenge(self) -> str:
        answer = await self.get(f"/api/access/challenge?device_id={self.device_id}")
        assert answer.status == 200, await answer.text()
        return ChallengeAnswer.model_validate_json(await answer.read()).challenge

    def sign(self, purpose: Purpose, challenge: str, staff_id: str, origin: str = "") -> str:
        text = signed_text(purpose, challenge, self.device_id, staff_id, origin or self.url)
        r, s = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return unpadded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    # ---- signing in

    async def sign_in_request(self, staff_id: str, password: str = PASSWORD) -> SignInRequest:
        challenge = await self.challenge()
        return SignInRequest(
            device_id=self.device_id,
            challenge=challenge,
            signature=self.sign(Purpose.SIGN_IN, challenge, staff_id),
            staff_id=staff_id,
            password=password,
        )

    async def sign_in(self, staff_id: str, password: str = PASSWORD) -> SignInAnswer:
        """With the password, as before a PIN is chosen; the token is kept."""
        answer = await self.post("/api/access/sign-in", await self.sign_in_request(staff_id, password))
        assert answer.status == 200, await answer.text()
        signed_in = SignInAnswer.model_validate_json(await answer.read())
        self.token_by_staff[staff_id] = signed_in.staff_token
        return signed_in

    async def session_request(self, staff_id: str, state: DeviceState | None = None) -> SessionRequest:
        challenge = await self.challenge()
        return SessionRequest(
            device_id=self.device_id,
            challenge=challenge,
            signature=self.sign(Purpose.SESSION, challenge, staff_id),
            staff_id=staff_id,
            staff_token=self.token_by_staff[staff_id],
            state=state,
        )

    async def open_session(self, staff_id: str, state: DeviceState | None = None) -> None:
        """As after a PIN: the cookie is in this device's jar."""
        answer = await self.post("/api/access/session", await self.session_request(staff_id, state))
        assert answer.status == 200, await answer.text()

    async def enter(self, staff_id: str, password: str = PASSWORD) -> None:
        """Sign in and open the session."""
        await self.sign_in(staff_id, password)
        await self.open_session(staff_id)

    async def hand_over_request(self, request: SyncRequest, **facts: Any) -> HandOverRequest:
        challenge = await self.challenge()
        return HandOverRequest(
            device_id=self.device_id,
            challenge=challenge,
            signature=self.sign(Purpose.HAND_OVER, challenge, ""),
            request=request,
            **facts,
        )

    # ---- what a manager does

    async def set_staff(
        self,
        staff_id: str,
        roles: Sequence[Role],
        *,
        is_new: bool = True,
        password: str | None = PASSWORD,
        **facts: Any,
    ) -> Done:
        message = SetStaff(staff_id=staff_id, roles=list(roles), is_new=is_new, password=password, **facts)
        answer = await self.post("/api/access/staff", message)
        assert answer.status == 200, await answer.text()
        return Done.model_validate_json(await answer.read())

    async def code(self) -> str:
        answer = await self.post("/api/access/code")
        assert answer.status == 200, await answer.text()
        return CodeAnswer.model_validate_json(await answer.read()).code

    async def enrol_another(self, staff_id: str, *, url: str = "", **facts: Any) -> "DeskDevice":
        """Another device with a session of `staff_id`, whose account exists."""
        device = DeskDevice(url or self.url, **facts)
        await device.enrol(await self.code())
        await device.enter(staff_id)
        return device


async def first_manager(url: str, *, staff_id: str = MANAGER, ssl: SSLContext | bool = True) -> DeskDevice:
    """The clinic PC's own browser after the guided first start: the first account, enrolled, with a session."""
    device = DeskDevice(url, name="診所電腦", ssl=ssl)
    answer = await device.post("/api/access/first", FirstManager(staff_id=staff_id, password=PASSWORD))
    assert answer.status == 200, await answer.text()
    made = CodeAnswer.model_validate_json(await answer.read())
    assert not made.problems, made.problems
    await device.enrol(made.code)
    await device.enter(staff_id)
    return device


class Devices(AsyncExitStack):
    """Closes the devices of a test: `manager = devices.keep(await first_manager(url))`."""

    def keep(self, device: DeskDevice) -> DeskDevice:
        self.push_async_callback(device.close)
        return device
