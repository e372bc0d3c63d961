"""`python3 -m sync staff`: set a manager's password anew on the clinic PC itself, where nobody knows it any more.

Whoever may read and write the data folder may do this; the hub is closed meanwhile, since it would not see it.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path

from store.access_protocol import AccessProblem, alike, password_problem
from store.errors import AppError
from store.roles import Role
from sync.access.kept_file import KeptFile
from sync.access.known import Account, Known, off_accounts, with_grant
from sync.access.passwords import Passwords
from sync.app import data_folder, refusing
from sync.bootstrap.refusal import say
from sync.sentences import PASSWORD_PROBLEMS, HubRefused, ToolRefused
from sync.settings import load_settings


def run(settings_path: Path | None) -> int:
    """Ask for a manager and a new password, until both will do; return the exit code."""
    return refusing(lambda: _run(load_settings(settings_path, os.environ).data_dir))


def _run(folder: Path) -> int:
    if not folder.is_dir():
        raise ToolRefused("no_store", folder=folder)
    try:
        with data_folder(folder):
            asyncio.run(_set_password(folder))
    except HubRefused as error:
        raise ToolRefused(error.code, **error.facts) from error
    except AppError as error:
        raise ToolRefused(error.code, path=folder) from error
    return 0


async def _set_password(folder: Path) -> None:
    file = KeptFile(folder)
    managers = [a for a in file.known.accounts.values() if Role.MANAGER in a.grants[-1].roles]
    if not managers:
        raise ToolRefused("no_accounts", folder=folder)
    now = datetime.now(UTC)
    off = off_accounts(file.known, file.known.used_at, now)
    say("主管 · Managers")
    for account in managers:
        say(f"      {account.staff_id}{'  已停用 · off' if account.staff_id in off else ''}")
    chosen = _choose(managers)
    password_hash = await Passwords().hash(_new_password(chosen.staff_id))

    def edit(known: Known) -> Known:
        account = with_grant(chosen, chosen.grants[-1].roles, True, now, is_off=chosen.staff_id in off)
        changed = known.with_account(account.model_copy(update={"password_hash": password_hash}))
        return changed.signed_out(account.staff_id)

    await file.change(edit)
    say(f"{chosen.staff_id} 的密碼已設定 · The password of {chosen.staff_id} is set")


def _choose(managers: list[Account]) -> Account:
    if len(managers) == 1:
        return managers[0]
    while True:
        typed = _read("設定誰的密碼 · Whose password", input).strip()
        for account in managers:
            if alike(account.staff_id, typed):
                return account
        say(f"沒有這位主管 · There is no such manager: {typed}")


def _new_password(staff_id: str) -> str:
    while True:
        password = _read(f"{staff_id} 的新密碼 · New password", getpass)
        if problem := password_problem(password, staff_id):
            chinese, english = PASSWORD_PROBLEMS[AccessProblem(problem)]
            say(f"{chinese} · {english}")
        elif _read("再輸入一次 · Once more", getpass) != password:
            say("兩次不一樣 · They differ")
        else:
            return password


def _read(question: str, ask: Callable[[str], str]) -> str:
    """One answer. Raises: ToolRefused where nobody answers."""
    try:
        if sys.stdin.isatty():
            return ask(f"{question}: ")
        say(f"{question}:")
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")
    except EOFError as error:
        raise ToolRefused("nobody_answers") from error
