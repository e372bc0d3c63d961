"""Who is at the desk, and this device's session with the hub: a network that signs in by itself when the hub asks.

Invariants:
- nothing but the requests of store/access_protocol.py goes out to get a session; what was refused is asked once more;
- several requests that are refused at once get one session between them;
- away from the hub nothing changes: whoever unlocked works on, and the session comes with the network.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

from pydantic import ValidationError

from store.access_protocol import ChallengeAnswer, DeviceState, Purpose, SessionAnswer, SessionRequest
from store.errors import AppError
from ui.network import JSON, Answer, Network, NetworkFailed, refusal_code

SESSION_NEEDED, DEVICE_REVOKED = "session_needed", "device_revoked"
# The person's token counts no more: a new password, a sign-in elsewhere on this device, an account that is off.
_SIGN_IN_AGAIN = ("sign_in_needed", "account_off")
_LOOK_AGAIN_SECONDS = 5.0  # the hub is in the same building
Told = TypeVar("Told", ChallengeAnswer, SessionAnswer)


@dataclass
class PersonAtDesk:
    """Whoever unlocked. Shape: `staff_token` as the hub gave it; `refused`: wrong PINs just before."""

    device_id: str
    staff_id: str
    roles: Collection[str]
    staff_token: str = field(repr=False)
    refused: int = 0

    @classmethod
    def from_shell(cls, facts: Mapping[str, Any]) -> Self:
        """Shape of `facts`: the fields by their names (runtime/shell.js)."""
        return cls(**facts)


class DeviceVault(Protocol):
    """The lock and the vault around the pages (ui/browser.py), or a test's."""

    def build_id(self) -> str: ...

    async def sign(self, purpose: str, challenge: str, staff_id: str) -> str: ...

    def keep_staff(self, staff_json: str) -> None: ...

    async def sign_in_again(self) -> None: ...

    async def wipe(self) -> None: ...

    async def lock(self) -> None: ...

    async def change_pin(self) -> None: ...

    async def begin_accounts(self) -> None: ...

    async def ask_to_enrol(self) -> None: ...

    async def idle_seconds(self) -> int: ...

    async def keep_idle_seconds(self, seconds: int) -> None: ...


class SessionRefused(AppError):
    """The hub lets this device or its person in no more, or not now; `answer` is what it said."""

    code = "session_refused"

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer[0]}")
        self.answer = answer


class RoleMayNot(AppError):
    """The person at the desk has no role for this; recorded all the same, it would stop the device's sync."""

    code = "role_may_not"


class SignedNetwork:
    """A network to a hub with accounts, for the person at the desk."""

    def __init__(
        self,
        network: Network,
        person: PersonAtDesk,
        vault: DeviceVault,
        describe: Callable[[], DeviceState],
        on_revoked: Callable[[], None],
    ) -> None:
        self.plain, self._person, self._vault = network, person, vault
        self._describe, self._on_revoked = describe, on_revoked
        self._turn = asyncio.Lock()
        self._sessions = 0  # how many there were
        self._streams: set[asyncio.Task[None]] = set()

    async def fetch(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """As the network does. A refusal that remains is the hub's own answer. Raises: NetworkFailed."""
        sessions = self._sessions
        answer = await self.plain.fetch(method, path, body, headers)
        if refusal_code(answer) == SESSION_NEEDED:
            try:
                await self._begin(sessions)
            except SessionRefused as refused:
                answer = refused.answer
            else:
                answer = await self.plain.fetch(method, path, body, headers)
        await self._hear(refusal_code(answer))
        return answer

    def is_online(self) -> bool:
        return self.plain.is_online()

    def event_stream(
        self, path: str, on_message: Callable[[str], None], on_open: Callable[[bool], None]
    ) -> Callable[[], None]:
        """As the network's: but a stream cannot tell why it was refused, so a session is made sure of before."""
        task = asyncio.get_running_loop().create_task(self._keep_stream(path, on_message, on_open))
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

        def stop() -> None:
            task.cancel()

        return stop

    async def signed(self, purpose: Purpose, staff_id: str) -> tuple[str, str]:
        """A challenge of the hub and this device's signature on it. Raises: NetworkFailed, SessionRefused."""
        path = f"/api/access/challenge?device_id={self._person.device_id}"
        answer = await self.plain.fetch("GET", path, None, {})
        challenge = _read(ChallengeAnswer, answer).challenge
        return challenge, await self._vault.sign(purpose, challenge, staff_id)

    async def _begin(self, sessions: int) -> None:
        """Get a session, unless there is one since. Raises: NetworkFailed, SessionRefused."""
        async with self._turn:
            if self._sessions != sessions:
                return
            person = self._person
            challenge, signature = await self.signed(Purpose.SESSION, person.staff_id)
            request = SessionRequest(
                device_id=person.device_id,
                challenge=challenge,
                signature=signature,
                staff_id=person.staff_id,
                staff_token=person.staff_token,
                state=self._describe(),
            )
            body = request.model_dump_json().encode()
            told = _read(SessionAnswer, await self.plain.fetch("POST", "/api/access/session", body, JSON))
            self._sessions += 1
            person.roles = tuple(told.roles)
            self._vault.keep_staff(f"[{','.join(one.model_dump_json() for one in told.staff)}]")

    async def _hear(self, code: str) -> None:
        if code == DEVICE_REVOKED:
            self._on_revoked()
        elif code in _SIGN_IN_AGAIN:
            await self._vault.sign_in_again()

    async def _keep_stream(
        self, path: str, on_message: Callable[[str], None], on_open: Callable[[bool], None]
    ) -> None:
        while True:
            with contextlib.suppress(NetworkFailed):
                state = self._describe().model_dump_json().encode()
                status, _, _ = await self.fetch("POST", "/api/access/device-state", state, JSON)
                if status == 200:
                    await self._follow(path, on_message, on_open)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _follow(self, path: str, on_message: Callable[[str], None], on_open: Callable[[bool], None]) -> None:
        """Keep one stream open until it breaks."""
        broke = asyncio.Event()

        def hear(is_open: bool) -> None:
            on_open(is_open)
            if not is_open:
                broke.set()

        close = self.plain.event_stream(path, on_message, hear)
        try:
            await broke.wait()
        finally:
            close()


def _read(shape: type[Told], answer: Answer) -> Told:
    """Raises: SessionRefused."""
    try:
        if answer[0] == 200:
            return shape.model_validate_json(answer[2])
    except ValidationError as error:
        raise SessionRefused(answer) from error
    raise SessionRefused(answer)
