"""One clinic's settings: one TOML file, then the environment over it, checked whole before anything starts.

Invariants:
- every problem is found at once, each with its key, what is wrong and the remedy; no problem shows a secret;
- a name that is no setting is a problem, since a slip must not quietly leave a default in force;
- relative paths count from the project's folder, wherever the program was started.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sync.sentences import RULES, SENTENCES, LanClosed

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_SETTINGS_FILE = ROOT / ".data" / "clinic.toml"
ENV_PREFIX = "DESK_"
_OWN_CODES = (
    *("file_missing", "file_empty", "file_not_private", "certificate_does_not_open", "not_this_computer"),
    *("own_certificate_incomplete", "own_certificate_unreadable", "own_key_unreadable", "own_key_mismatch"),
)
# What a whole section may have wrong, by the setting that staff should look at.
_KEY_OF_SECTION = {"cdc": "cdc.certificate_p12", "lan": "lan.certificate_file"}


@dataclass(frozen=True)
class SettingProblem:
    """One thing wrong with the settings. `code` is one of sentences.SENTENCES."""

    key: str
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def sentences(self) -> str:
        """Shape: two lines, Chinese and English."""
        chinese, english = SENTENCES[self.code]
        return f"設定 {self.key}：{chinese.format(**self.facts)}\nSetting {self.key}: {english.format(**self.facts)}"


class SettingsInvalid(Exception):
    """The hub cannot start with these settings."""

    def __init__(self, problems: list[SettingProblem]) -> None:
        super().__init__(", ".join(f"{problem.key}: {problem.code}" for problem in problems))
        self.problems = problems

    def sentences(self) -> str:
        return "\n".join(problem.sentences() for problem in self.problems)


def _refuse(code: str, **facts: object) -> NoReturn:
    raise PydanticCustomError(code, "{code}", {"code": code, **facts})


def _from_root(path: Path) -> Path:
    return ROOT / path


def _present_file(path: Path) -> Path:
    path = _from_root(path)
    try:
        is_empty = not path.read_bytes().strip()
    except OSError:
        _refuse("file_missing", path=str(path))
    if is_empty:
        _refuse("file_empty", path=str(path))
    return path


def _secret_file(path: Path) -> Path:
    path = _present_file(path)
    # Windows keeps who may read a file elsewhere; its mode bits tell nothing.
    if os.name == "posix" and path.stat().st_mode & 0o077:
        _refuse("file_not_private", path=str(path))
    return path


def _this_computer(host: str) -> str:
    # It is not encrypted: whoever is on the way of a packet would read the clinic's patients.
    try:
        is_local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        _refuse("not_this_computer")
    return host


def _not_the_apps_port(port: int, others: ValidationInfo) -> int:
    if port == others.data.get("port"):
        raise ValueError("one port for two servers")
    return port


def _split_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


_Folder = Annotated[Path, AfterValidator(_from_root)]
_PresentFile = Annotated[Path, AfterValidator(_present_file)]
_SecretFile = Annotated[Path, AfterValidator(_secret_file)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


class CdcSettings(_Section):
    """How to reach CDC. Without this section the hub keeps everything and uploads nothing."""

    base_url: str = Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$", description="address of the CDC interface")
    key_id_file: _SecretFile = Field(description="file with the KeyId that CDC issued; mode 0600")
    certificate_p12: _SecretFile = Field(description="the institution's certificate with key, PKCS#12; mode 0600")
    certificate_password_file: _SecretFile = Field(description="file with the certificate's password; mode 0600")
    verify_after_seconds: float = Field(
        600, ge=0, le=3600, description="how long after acceptance to ask for verification, at most 3600"
    )
    gather_seconds: float = Field(20, ge=0, description="how long changes gather before an upload leaves")
    batches_per_minute: int = Field(
        30, ge=1, le=600, description="how many batches leave for CDC in any one minute, at most"
    )
    timeout_seconds: float = Field(30, gt=0, description="how long to wait for an answer of CDC")
    retry_base_seconds: float = Field(
        5, gt=0, le=3600, description="first pause after a failure, at most 3600; it doubles, with jitter"
    )
    retry_cap_seconds: float = Field(600, gt=0, le=3600, description="longest pause after failures, at most 3600")

    @model_validator(mode="after")
    def _certificate_opens(self) -> "CdcSettings":
        # Imported here: a hub without CDC must not wait for it at start.
        from sync.signing import CertificateUnusable, Signer

        try:
            Signer(self.certificate_p12, self.read_certificate_password(), datetime.now(UTC))
        except CertificateUnusable as error:
            # One that expired is no wrong setting: the clinic must still open and record.
            if error.reason not in ("expired", "not_yet_valid"):
                _refuse("certificate_does_not_open")
        return self

    def read_key_id(self) -> str:
        """The KeyId as its file has it now, so that a rotated key needs no restart. Raises: OSError."""
        return self.key_id_file.read_text(encoding="utf-8-sig", errors="replace").strip()

    def read_certificate_password(self) -> bytes:
        """Raises: OSError."""
        return self.certificate_password_file.read_bytes().rstrip(b"\r\n")


class LanSettings(_Section):
    """How tablets on the clinic's network reach the hub, over TLS. Without this section none can."""

    listen: Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_split_list)] = Field(
        min_length=1,
        description="networks in which tablets are served, at each address that this computer has there; a single"
        " address is one too",
    )
    port: int = Field(8766, ge=1, le=65535, description="port of the app, encrypted")
    trust_port: Annotated[int, AfterValidator(_not_the_apps_port)] = Field(
        8767, ge=1, le=65535, description="port of the plain page that shows how a tablet comes to trust this hub"
    )
    certificate_file: _PresentFile | None = Field(
        None, description="the clinic's own certificate with its chain, PEM; without it the hub makes one"
    )
    key_file: _SecretFile | None = Field(None, description="that certificate's key, PEM, no password; mode 0600")

    @model_validator(mode="after")
    def _certificate_and_key(self) -> "LanSettings":
        # Imported here: a hub without a network must not wait for it at start.
        from sync.own_certificate import read_own

        if (self.certificate_file is None) != (self.key_file is None):
            _refuse("own_certificate_incomplete")
        if self.certificate_file is not None and self.key_file is not None:
            try:
                # Whether it has expired is not asked: the clinic must still open and record.
                read_own(self.certificate_file, self.key_file)
            except LanClosed as error:
                _refuse(error.code, **{name: str(fact) for name, fact in error.facts.items()})
        return self


class Settings(_Section):
    """Everything one hub is told."""

    listen_host: Annotated[str, AfterValidator(_this_computer)] = Field(
        "127.0.0.1", description="address to listen on for this computer's own browser; not encrypted"
    )
    listen_port: int = Field(8765, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    data_dir: _Folder = Field(Path(".data"), description="folder of the clinic's journal")
    bundle_dir: _Folder = Field(Path(".build/bundle"), description="folder of the built browser program")
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_split_list)] = Field(
        (),
        description="further host names browsers may use for this hub, tablets the first of them; commas between them"
        " in the environment",
    )
    institution_code: str = Field(
        "", pattern=r"^([0-9A-Z]{10})?$", description="the clinic's 10-character code; needed with [cdc]"
    )
    receipts_years: int = Field(
        10, ge=7, le=100, description="how many years every exchange with CDC is kept whole, at least 7"
    )
    practice: bool = Field(False, description="practice mode: every screen says that nothing is real")
    lan: LanSettings | None = Field(None, description="the clinic's network")
    cdc: CdcSettings | None = Field(None, description="link to CDC")


_SECTIONS: dict[str, type[_Section]] = {"lan": LanSettings, "cdc": CdcSettings}


def load_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read and check the settings. `path` None means the default file, which may be missing.

    Raises: SettingsInvalid with every problem.
    """
    raw, problems = _read_file(path)
    problems += _lay_environment_over(raw, environment)
    if raw.get("cdc") is not None and not raw.get("institution_code"):
        problems.append(SettingProblem("institution_code", "missing", {"env": f"{ENV_PREFIX}INSTITUTION_CODE"}))
    settings = None
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        problems += [_problem_of(e["type"], e["loc"], e.get("ctx", {})) for e in error.errors(include_input=False)]
    if settings is None or problems:
        raise SettingsInvalid(problems)
    return settings


def settings_table() -> str:
    """The README's table of every setting, as Markdown."""
    lines = ["| Setting | Environment | Default | Meaning |", "|---|---|---|---|"]
    sections: dict[str, type[_Section]] = {"": Settings, **_SECTIONS}
    for place, section in sections.items():
        for name, info in section.model_fields.items():
            if name in _SECTIONS:
                continue
            default = info.get_default()
            shown = {True: "true", False: "false"}.get(default, f"`{_plain(default)}`" if default else "none")
            cell = "required" if info.is_required() else shown
            key = f"{place}.{name}".lstrip(".")
            lines.append(f"| `{key}` | `{_env_name(key)}` | {cell} | {info.description} |")
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    return value.as_posix() if isinstance(value, Path) else str(value)


def _env_name(key: str) -> str:
    return ENV_PREFIX + key.replace(".", "_").upper()


def _names(section: type[BaseModel]) -> str:
    return ", ".join(section.model_fields)


def _read_file(path: Path | None) -> tuple[dict[str, Any], list[SettingProblem]]:
    file = path or DEFAULT_SETTINGS_FILE
    if path is None and not file.exists():
        return {}, []
    try:
        # Windows' editor puts a mark before UTF-8.
        return tomllib.loads(file.read_text(encoding="utf-8-sig")), []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        # TOML's and the system's words name line and reason; UnicodeDecodeError's would quote the bytes.
        is_text = not isinstance(error, UnicodeDecodeError)
        reason = (getattr(error, "strerror", None) or str(error)) if is_text else "not UTF-8"
        return {}, [SettingProblem(file.name, "settings_unreadable", {"path": file, "reason": reason})]


def _lay_environment_over(raw: dict[str, Any], environment: Mapping[str, str]) -> list[SettingProblem]:
    problems = []
    for variable in sorted(name for name in environment if name.startswith(ENV_PREFIX)):
        name = variable.removeprefix(ENV_PREFIX).lower()
        section: type[BaseModel] = Settings
        place = raw
        head, _, rest = name.partition("_")
        if rest and head in _SECTIONS:
            name, section = rest, _SECTIONS[head]
            place = raw.setdefault(head, {})
        if name not in section.model_fields or name in _SECTIONS:
            problems.append(SettingProblem(variable, "unknown", {"names": _names(section)}))
        elif isinstance(place, dict):
            place[name] = environment[variable]
    return problems


def _problem_of(error_type: str, location: tuple[int | str, ...], context: Mapping[str, Any]) -> SettingProblem:
    # A list's position is no part of the key.
    parts = [part for part in location if isinstance(part, str)]
    key = ".".join(parts)
    if error_type in _OWN_CODES:
        return SettingProblem(_KEY_OF_SECTION.get(key, key), error_type, dict(context))
    if error_type == "missing":
        return SettingProblem(key, "missing", {"env": _env_name(key)})
    if error_type == "extra_forbidden":
        return SettingProblem(key, "unknown", {"names": _names(_SECTIONS.get(parts[0], Settings))})
    rule_zh, rule_en = RULES[key]
    return SettingProblem(key, "invalid", {"rule_zh": rule_zh, "rule_en": rule_en})
