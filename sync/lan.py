"""The clinic's network: tablets reach the app over TLS and, without it, one page that shows how to come to trust it.

Invariants:
- only addresses of this computer within `lan.listen` are listened on, and no other way leads to the app from outside;
- what is wrong here is said on the clinic PC and tried again by itself; the PC's own browser works all the time;
- a changed address, a certificate near its end or a new file of the clinic's own one is seen within a minute.

A tablet keeps its data under the address that it opened, so there is one address to open: the first of `allowed_hosts`,
else the address under which the tablet reached the page.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from datetime import datetime

import ifaddr
from aiohttp import web

from sync.bootstrap.refusal import say
from sync.clinic_ca import ClinicCa, Network
from sync.doors import Doors, GuardedSite, Limits
from sync.hub import Hub
from sync.own_certificate import check_own, ends_soon, read_own
from sync.sentences import LanClosed
from sync.settings import LanSettings
from sync.tls import Credentials, address_of, is_named, make_context, use
from sync.trust_page import TrustFacts, make_trust_app

LOOK_SECONDS = 60.0
_WIDEST_PREFIX = 8  # whoever listens in the whole internet still gets no CA for it
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def addresses_in(networks: Iterable[Network]) -> list[str]:
    """This computer's addresses in these networks, as they are now."""
    found = []
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            address = ipaddress.ip_address(each.ip if isinstance(each.ip, str) else each.ip[0].partition("%")[0])
            # A link-local address of IPv6 means nothing without the name of an interface, which no address bar takes.
            is_usable = not (address.version == 6 and address.is_link_local)
            if is_usable and any(address in network for network in networks):
                found.append(str(address))
    return list(dict.fromkeys(found))


def host_names(computer: str, allowed_hosts: Iterable[str]) -> list[str]:
    """The names of the hub on the network, those of the settings first; what no certificate can name is left out."""
    label = computer.lower().partition(".")[0]
    names = [*allowed_hosts, computer, label, f"{label}.local"]
    return list(dict.fromkeys(name.lower() for name in names if _HOST.fullmatch(name.lower())))


class Lan:
    """Listens on the network for one hub. The caller owns the app's runner."""

    def __init__(
        self,
        lan: LanSettings,
        hub: Hub,
        app: web.AppRunner,
        now: Callable[[], datetime],
        limits: Limits | None = None,
    ) -> None:
        self._lan, self._hub, self._app, self._now = lan, hub, app, now
        self._page = web.AppRunner(make_trust_app(self._facts), shutdown_timeout=1)
        self._doors = Doors(limits)
        self._watching: asyncio.Task[None] | None = None
        self._context = make_context()
        self._credentials: Credentials | None = None
        self._sites: dict[tuple[str, int], GuardedSite] = {}
        self._told: set[str] = set()
        self._found: list[str] = []

    async def open(self) -> None:
        await self._page.setup()
        self._watching = asyncio.create_task(self._doors.watch())
        await self.look()

    async def close(self) -> None:
        """End the page; the app's runner ends what it serves."""
        if self._watching is not None:
            self._watching.cancel()
        await self._page.cleanup()

    async def run(self) -> None:
        """Open, then look again and again until cancelled."""
        try:
            await self.open()
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                await self.look()
        finally:
            await self.close()

    async def look(self) -> None:
        """Bring what is listened on, and the certificate, to what they have to be now; say what stands in the way."""
        self._found = []
        addresses = await asyncio.to_thread(addresses_in, self._lan.listen)
        try:
            # What was right a minute ago stays in use while its successor is not.
            await asyncio.to_thread(self._renew, addresses)
        except LanClosed as error:
            self._note(error)
        await self._listen(addresses if self._credentials is not None else [])
        self._tell()

    def _renew(self, addresses: list[str]) -> None:
        """Raises: LanClosed."""
        if not addresses:
            raise LanClosed("lan_no_address", networks=", ".join(map(str, self._lan.listen)))
        hosts = [*host_names(socket.gethostname(), self._hub.settings.allowed_hosts), *addresses]
        credentials = self._own(hosts) if self._lan.certificate_file else self._made(hosts)
        # Read again even where nothing changed: staff may have put another file under the same name.
        try:
            use(self._context, credentials)
        except OSError as error:  # ssl's errors are some
            raise LanClosed("own_certificate_unreadable", path=credentials.certificate_file) from error
        self._credentials = credentials
        self._hub.lan_names = hosts

    def _own(self, hosts: list[str]) -> Credentials:
        assert self._lan.certificate_file is not None
        assert self._lan.key_file is not None
        own, now = read_own(self._lan.certificate_file, self._lan.key_file), self._now()
        check_own(own, hosts, now)
        if ends_soon(own, now):
            until = f"{own.certificate.not_valid_after_utc:%Y-%m-%d}"
            self._note(LanClosed("own_certificate_ends_soon", path=own.certificate_file, until=until))
        return own

    def _made(self, hosts: list[str]) -> Credentials:
        folder = self._hub.settings.data_dir / "tls"
        ca = ClinicCa.open(
            folder,
            title=f"疫苗接種工作站 {socket.gethostname()}",
            domains=[host for host in hosts if address_of(host) is None],
            networks=[network for network in self._lan.listen if network.prefixlen >= _WIDEST_PREFIX],
            now=self._now(),
        )
        permitted = frozenset(filter(ca.permits, hosts))
        if refused := [host for host in hosts if host not in permitted]:
            closed = LanClosed("ca_does_not_permit", names=", ".join(refused), folder=folder)
            if not permitted:
                raise closed
            self._note(closed)
        return ca.credentials(permitted, self._now())

    async def _listen(self, addresses: list[str]) -> None:
        wanted = {(address, port) for address in addresses for port in (self._lan.port, self._lan.trust_port)}
        for place in self._sites.keys() - wanted:
            await self._sites.pop(place).stop()
        for address, port in sorted(wanted - self._sites.keys()):
            is_app = port == self._lan.port
            runner, context = (self._app, self._context) if is_app else (self._page, None)
            site = GuardedSite(runner, self._doors, address, port, context=context)
            try:
                await site.start()
            except OSError:
                await site.stop()  # its runner would keep one more of them each minute
                self._note(LanClosed("lan_port_taken", address=address, port=port))
            else:
                self._sites[address, port] = site
                if not is_app:
                    self._found.append(f"平板請開啟 · Tablets open  {_url('http', address, port)}")

    def _facts(self, address: str) -> TrustFacts:
        """What the page says to a device that reached it at this address of the hub."""
        assert self._credentials is not None
        configured = (host.lower() for host in self._hub.settings.allowed_hosts)
        hosts = [*configured, address, *self._hub.lan_names]
        host = next(host for host in hosts if is_named(host, self._credentials.names))
        return TrustFacts(
            app_url=_url("https", host, self._lan.port),
            page_url=_url("http", address, self._lan.trust_port),
            ca=self._credentials.ca,
        )

    def _note(self, closed: LanClosed) -> None:
        self._found.append(closed.sentences())

    def _tell(self) -> None:
        """Say what was not said the last time."""
        for words in self._found:
            if words not in self._told:
                say(words)
        self._told = set(self._found)


def _url(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"
