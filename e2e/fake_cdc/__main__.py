"""`python -m e2e.fake_cdc`: read the arguments, start, say where."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import time
from pathlib import Path

from aiohttp import web

from .app import make_app
from .cdc import Cdc
from .practice_certificate import make_practice_certificate
from .signature import Gate, read_public_key


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["make-certificate"]:
        _make_certificate(arguments[1:])
        return
    parser = argparse.ArgumentParser("python -m e2e.fake_cdc", description="A fake CDC for tests and for trying out.")
    parser.add_argument("--port", type=int, default=9100, help="0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="folder for what CDC holds")
    parser.add_argument("--verify-after", type=float, default=600.0, help="seconds from acceptance to verification")
    parser.add_argument("--certificate", type=Path, help="PEM; when given, AUTH signatures are checked")
    parser.add_argument("--org", help="the only institution code let in")
    parser.add_argument("--key-id", help="its KeyId")
    parser.add_argument("--print-port", action="store_true", help="print the bare port number as a second line")
    options = parser.parse_args(arguments)
    if (options.org is None) != (options.key_id is None):
        parser.error("--org and --key-id belong together")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s fake CDC %(message)s", stream=sys.stderr)
    try:
        key = None if options.certificate is None else read_public_key(options.certificate)
        gate = Gate(options.org, options.key_id, key)
        cdc = Cdc(options.state, gate, options.verify_after, time.time)
    except (OSError, ValueError) as error:
        sys.exit(f"fake CDC cannot start: {error}")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(cdc, options.port, options.print_port))


async def _serve(cdc: Cdc, port: int, print_port: bool) -> None:
    # Cancelling a handler whose client went away is what makes "hold the answer" end with the client.
    runner = web.AppRunner(make_app(cdc), handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError as error:
        await runner.cleanup()
        sys.exit(f"fake CDC cannot start: port {port} is taken, choose another with --port ({error.strerror})")
    bound = runner.addresses[0][1]
    print(f"fake CDC listening on http://127.0.0.1:{bound}", flush=True)
    if print_port:
        print(bound, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        cdc.holdings.close()


def _make_certificate(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser("python -m e2e.fake_cdc make-certificate")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    made = make_practice_certificate(folder)
    print(f"practice certificate {'written to' if made else 'already in'} {folder}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
