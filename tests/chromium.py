"""Find the Chromium that the end-to-end tests drive, and have the system install it where it is missing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from sync.bootstrap.environment import Environment, install_system_packages
from sync.bootstrap.refusal import SetupRefused

VARIABLE = "CHROMIUM"
COMMANDS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge")
MAC_PROGRAMS = ("Google Chrome", "Chromium", "Microsoft Edge")
WINDOWS_PROGRAMS = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
# Without the fonts every Chinese character is the same box, and no picture of a failure can be read.
DEBIAN_PACKAGES = ["chromium", "fonts-noto-cjk"]
ENGINE_PROGRAMS = {"Firefox ESR": ("firefox-esr", "firefox"), "WebKitGTK": ("WebKitWebDriver",)}


def find_chromium() -> Path | None:
    """The browser named by $CHROMIUM, else the first installed one of Chromium's family."""
    named = os.environ.get(VARIABLE)
    candidates = [named] if named else [shutil.which(command) for command in COMMANDS]
    if sys.platform == "darwin":
        candidates += [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in MAC_PROGRAMS]
    if os.name == "nt":
        folders = [os.environ.get(name) for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
        candidates += [f"{folder}/{program}" for folder in folders if folder for program in WINDOWS_PROGRAMS]
    return next((Path(found) for found in candidates if found and Path(found).exists()), None)


def ensure_chromium(environment: Environment) -> Path:
    """Find Chromium, installing it where that needs no questions.

    Raises: SetupRefused with the command to run by hand.
    """
    found = find_chromium()
    if found is None and install_system_packages(DEBIAN_PACKAGES, environment):
        found = find_chromium()
    if found is None:
        apt = f"sudo apt-get install -y {' '.join(DEBIAN_PACKAGES)}"
        by_hand = shutil.which("apt-get") is not None
        raise SetupRefused(
            "no_chromium",
            remedy=f"執行「{apt}」" if by_hand else f"安裝 Chrome 或 Chromium，或以環境變數 {VARIABLE} 指定其路徑",
            remedy_en=f"Run `{apt}`" if by_hand else f"Install Chrome or Chromium, or name its path in ${VARIABLE}",
        )
    return found


def ensure_certutil(environment: Environment) -> None:
    """Have what tells a browser on Linux to trust a CA, where that needs no questions; see e2e/trust.py."""
    if sys.platform == "linux" and shutil.which("certutil") is None:
        install_system_packages(["libnss3-tools"], environment)


def missing_engines() -> list[str]:
    """The other browser engines that this machine lacks."""
    return [name for name, programs in ENGINE_PROGRAMS.items() if not any(map(shutil.which, programs))]
