"""`python3 -m sync`: make the environment, build the browser bundle, run the hub. Needs nothing but Python.

`backup FILE`, `restore FILE` and `check` are for the hub's data (keeping.py), `staff` for a forgotten password
(staff_command.py); they need no bundle.

Invariant: imports only the standard library until it runs inside `.venv`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sync.bootstrap import checks
from sync.bootstrap.refusal import SetupRefused, say
from sync.bootstrap.start import build_bundle, enter, guarded

DEFAULT_PORT = 8765
KEEPING = ("backup", "restore", "check", "staff")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line. `port` is None where the settings shall decide."""
    parser = argparse.ArgumentParser(
        prog="python3 -m sync",
        description="預防接種工作站：準備環境、組建、啟動 · set up, build and run the clinic's hub",
    )
    parser.add_argument("command", nargs="?", choices=["serve", "demo", "build", *KEEPING], default="serve")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="備份檔 · file for backup and restore")
    parser.add_argument("--port", type=int, metavar="N", help=f"連接埠 · port to listen on (default {DEFAULT_PORT})")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="設定檔 · settings file (TOML)")
    parser.add_argument("--no-browser", action="store_true", help="不開啟瀏覽器 · do not open a browser")
    options = parser.parse_args(arguments)
    if options.port is not None and not 0 <= options.port <= 65535:
        parser.error("--port: 0-65535")
    if (options.file is not None) != (options.command in ("backup", "restore")):
        parser.error("FILE: backup FILE, restore FILE")
    return options


def main() -> int:
    """Refuse what can be refused early, then go through environment, bundle and program."""
    options = parse_arguments(sys.argv[1:])
    if options.settings is not None and not options.settings.is_file():
        raise SetupRefused("no_settings", path=options.settings)
    if options.command in KEEPING:
        enter("sync", sys.argv[1:], "run", total_steps=3)
        return _keep(options)
    if options.port and options.command != "build":
        checks.check_port(options.port)
    steps = enter("sync", sys.argv[1:], "run", total_steps=4)
    build_bundle(steps)
    if options.command == "build":
        return 0
    try:
        return _run(options)
    except OSError as error:
        refusal = checks.port_refusal(error, DEFAULT_PORT if options.port is None else options.port)
        # A file that may not be read is also a refusal by the system, but has a name.
        if refusal is None or error.filename is not None:
            raise
        raise refusal from error
    except KeyboardInterrupt:
        say("已停止 · Stopped")
        return 0


def _run(options: argparse.Namespace) -> int:
    # Only now: these need the packages of .venv.
    if options.command == "demo":
        from sync.demo import run as run_demo

        return run_demo(port=options.port, open_browser=not options.no_browser)
    from sync.app import run

    return run(options.settings, port=options.port, open_browser=not options.no_browser)


def _keep(options: argparse.Namespace) -> int:
    if options.command == "staff":
        from sync.staff_command import run as run_staff

        return run_staff(options.settings)
    from sync.keeping import run

    return run(options.command, options.settings, options.file)


if __name__ == "__main__":
    sys.exit(guarded(main))
