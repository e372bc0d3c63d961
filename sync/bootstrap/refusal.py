"""What stops a set-up, as one sentence with its remedy in Chinese and in English.

The sentences live here and not in `ui/wording.py`: they are said before there is a user interface, and `sync` may
not import `ui`.
"""

from __future__ import annotations

import errno
import sys

EXIT_REFUSED = 2
EXIT_INTERRUPTED = 130

SENTENCES: dict[str, tuple[str, str]] = {
    "python_too_old": (
        "這台電腦的 Python 是 {found}，需要 {needed} 以上。請安裝新版 Python，再用它執行同一個指令。",
        "This is Python {found}, but {needed} or later is needed. Install a newer Python and run the same command"
        " with it.",
    ),
    "no_venv": (
        "這個 Python 無法建立虛擬環境（缺少 venv 或 ensurepip）。請先執行「{remedy}」，再執行一次。",
        "This Python cannot make a virtual environment (venv or ensurepip is missing). Run `{remedy}`, then try again.",
    ),
    "environment_failed": (
        "無法建立執行環境 {folder}。請關閉其他正在執行本程式的視窗、刪除該資料夾，再執行一次（詳情：{log}）。",
        "The environment {folder} could not be made. Close other running copies of this program, delete that folder"
        " and try again (details: {log}).",
    ),
    "no_network": (
        "連不上套件來源，第一次安裝需要網路。請檢查網路連線後再執行一次（詳情：{log}）。",
        "The package source cannot be reached; the first set-up needs the network. Check the connection and try again"
        " (details: {log}).",
    ),
    "no_space": (
        "磁碟空間不足：{folder} 需要 {needed_mb} MB，只剩 {free_mb} MB。請清出空間後再執行一次。",
        "Not enough disk space: {folder} needs {needed_mb} MB and has {free_mb} MB. Free some space and try again.",
    ),
    "disk_full": (
        "安裝途中磁碟空間用完了。請清出空間後再執行一次。",
        "The disk became full during set-up. Free some space and try again.",
    ),
    "not_writable": (
        "無法寫入資料夾 {folder}。請把程式放在可以寫入的位置，或修正該資料夾的權限後再執行一次。",
        "The folder {folder} cannot be written. Move the program to a folder you may write to, or correct its"
        " permissions, and try again.",
    ),
    "in_use": (
        "套件檔案正在使用中或無法覆寫。請關閉其他正在執行本程式的視窗後再執行一次（詳情：{log}）。",
        "Package files are in use or cannot be replaced. Close other running copies of this program and try again"
        " (details: {log}).",
    ),
    "hash_mismatch": (
        "下載的套件與鎖定的檢查碼不符，已停止安裝。請換一個網路後再執行一次；若仍如此，請通知維護人員（詳情：{log}）。",
        "A downloaded package does not match its locked checksum, so nothing more was installed. Try another network;"
        " if it happens again, tell the maintainers (details: {log}).",
    ),
    "no_package": (
        "這台電腦（{machine}）沒有可用的套件版本。請改用 64 位元的 Python 3.11 至 3.14 再執行一次（詳情：{log}）。",
        "A package has no release for this machine ({machine}). Use a 64-bit Python 3.11 to 3.14 and try again"
        " (details: {log}).",
    ),
    "install_failed": (
        "套件安裝失敗。請再執行一次；若仍失敗，請把 {log} 交給維護人員。",
        "Installing the packages failed. Try again; if it fails again, give {log} to the maintainers.",
    ),
    "bundle_failed": (
        "瀏覽器程式組建失敗（代碼 {exit_code}），原因如上。排除後再執行一次，已完成的部分不會重做。",
        "Building the browser bundle failed (code {exit_code}), for the reason above. Remedy it and try again; what is"
        " done is not done again.",
    ),
    "port_taken": (
        "連接埠 {port} 已被使用，可能本程式已在執行：請開啟 http://127.0.0.1:{port}/ ，或加上 --port 改用其他連接埠。",
        "Port {port} is in use, perhaps by this very program: open http://127.0.0.1:{port}/ or choose another with"
        " --port.",
    ),
    "port_forbidden": (
        "沒有權限使用連接埠 {port}。請加上 --port 改用 1024 以上的連接埠。",
        "Port {port} may not be used by this user. Choose one above 1024 with --port.",
    ),
    "no_settings": (
        "找不到設定檔 {path}。請檢查 --settings 的路徑。",
        "There is no settings file {path}. Check the path given with --settings.",
    ),
    "no_chromium": (
        "找不到 Chromium，端對端測試需要它。請{remedy}，再執行一次。",
        "Chromium was not found and the end-to-end tests need it. {remedy_en}, then try again.",
    ),
}


class SetupRefused(Exception):
    """The set-up cannot go on until somebody remedies `code`; see SENTENCES.

    Not an AppError of the store: this is raised before pydantic, and so the store, can be imported.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def sentences(self) -> str:
        """Say what is wrong and what to do, one line in Chinese, one in English."""
        chinese, english = SENTENCES[self.code]
        return f"無法繼續：{chinese.format(**self.facts)}\nCannot go on: {english.format(**self.facts)}"


def refusal_of(error: OSError) -> SetupRefused | None:
    """Read an operating system's error as something the user can remedy, or None when it is a bug of ours."""
    if error.errno == errno.ENOSPC:
        return SetupRefused("disk_full")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and error.filename is not None:
        return SetupRefused("not_writable", folder=error.filename)
    return None


def say(line: str) -> None:
    """Print one line of progress at once, also where the console cannot show Chinese."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    print(line.encode(encoding, "replace").decode(encoding), flush=True)


def report(refusal: SetupRefused) -> int:
    """Print a refusal where errors belong and return the exit code of one."""
    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    print(refusal.sentences().encode(encoding, "replace").decode(encoding), file=sys.stderr, flush=True)
    return EXIT_REFUSED
