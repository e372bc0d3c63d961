"""Settings: every problem at once, no secret in a message, one table that is true."""

import os
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID

from sync.sentences import RULES, SENTENCES
from sync.settings import (
    ROOT,
    CdcSettings,
    LanSettings,
    SettingProblem,
    Settings,
    SettingsInvalid,
    load_settings,
    settings_table,
)
from tests.sync.certificates import write_pair

KEY_ID = "KEY-0001-SECRET"
PASSWORD = "practice-password"


def write_certificate(folder: Path, *, valid_days: int = 30) -> None:
    """The three secret files of a CDC section."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "practice")])
    until = datetime.now(UTC) + timedelta(days=valid_days)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(until - timedelta(days=365))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    p12 = pkcs12.serialize_key_and_certificates(
        b"k", key, certificate, None, BestAvailableEncryption(PASSWORD.encode())
    )
    for file_name, data in (("key-id", KEY_ID.encode()), ("desk.p12", p12), ("password", f"{PASSWORD}\n".encode())):
        (folder / file_name).write_bytes(data)
        (folder / file_name).chmod(0o600)


def write_settings(folder: Path, text: str) -> Path:
    path = folder / "clinic.toml"
    path.write_text(text, encoding="utf-8")
    return path


def cdc_section(folder: Path) -> str:
    return (
        'institution_code = "1133060019"\n[cdc]\nbase_url = "http://127.0.0.1:9100/fhir"\n'
        f"key_id_file = '{folder / 'key-id'}'\ncertificate_p12 = '{folder / 'desk.p12'}'\n"
        f"certificate_password_file = '{folder / 'password'}'\n"
    )


def problems_of(path: Path | None, environment: dict[str, str] | None = None) -> list[SettingProblem]:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(path, environment or {})
    # Every problem must be tellable, whatever this test goes on to look at.
    assert all(len(problem.sentences().splitlines()) == 2 for problem in caught.value.problems)
    return caught.value.problems


def codes_of(path: Path | None, environment: dict[str, str] | None = None) -> set[tuple[str, str]]:
    return {(problem.key, problem.code) for problem in problems_of(path, environment)}


def test_a_clinic_without_any_settings_runs_without_cdc(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, ""), {})

    assert settings.cdc is None
    assert (settings.listen_host, settings.listen_port) == ("127.0.0.1", 8765)
    assert settings.data_dir == ROOT / ".data"


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    settings = load_settings(
        write_settings(tmp_path, f"practice = true\n{cdc_section(tmp_path)}gather_seconds = 1"), {}
    )

    assert settings.practice
    assert settings.cdc is not None
    assert settings.cdc.read_key_id() == KEY_ID
    assert settings.cdc.read_certificate_password() == PASSWORD.encode()
    assert (settings.cdc.gather_seconds, settings.cdc.verify_after_seconds) == (1, 600)


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    environment = {
        "DESK_LISTEN_PORT": "9000",
        "DESK_ALLOWED_HOSTS": "desk.clinic.lan, pc-1",
        "DESK_CDC_VERIFY_AFTER_SECONDS": "2.5",
        "DESK_PRACTICE": "true",
        "PATH": "not ours",
    }
    settings = load_settings(write_settings(tmp_path, "listen_port = 1\n" + cdc_section(tmp_path)), environment)

    assert settings.listen_port == 9000
    assert settings.allowed_hosts == ("desk.clinic.lan", "pc-1")
    assert settings.practice
    assert settings.cdc is not None
    assert settings.cdc.verify_after_seconds == 2.5


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = 'listen_port = "x"\nlisten_hots = "a"\ninstitution_code = 1133060019\n[cdc]\nbase_url = "ftp://cdc"\n'
    text += f"key_id_file = '{tmp_path / 'nowhere'}'\ngather_seconds = -1\nretry = 3\n"

    assert codes_of(write_settings(tmp_path, text), {"DESK_TYPO": "1"}) == {
        ("listen_port", "invalid"),
        ("listen_hots", "unknown"),
        ("institution_code", "invalid"),
        ("cdc.base_url", "invalid"),
        ("cdc.key_id_file", "file_missing"),
        ("cdc.certificate_p12", "missing"),
        ("cdc.certificate_password_file", "missing"),
        ("cdc.gather_seconds", "invalid"),
        ("cdc.retry", "unknown"),
        ("DESK_TYPO", "unknown"),
    }


def test_cdc_without_an_institution_code_is_a_problem(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    text = cdc_section(tmp_path).split("\n", 1)[1]
    assert codes_of(write_settings(tmp_path, text)) == {("institution_code", "missing")}


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps who may read a file elsewhere")
@pytest.mark.parametrize("name", ["key-id", "desk.p12", "password"])
def test_a_secret_that_others_can_read_is_a_problem(tmp_path: Path, name: str) -> None:
    write_certificate(tmp_path)
    (tmp_path / name).chmod(0o640)
    [problem] = problems_of(write_settings(tmp_path, cdc_section(tmp_path)))
    assert problem.code == "file_not_private"


def test_an_empty_secret_is_a_problem(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    (tmp_path / "key-id").write_text(" \n")
    assert codes_of(write_settings(tmp_path, cdc_section(tmp_path))) == {("cdc.key_id_file", "file_empty")}


def test_a_password_that_does_not_open_the_certificate_is_a_problem_and_stays_unsaid(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    (tmp_path / "password").write_text("wrong-secret")
    [problem] = problems_of(write_settings(tmp_path, cdc_section(tmp_path)))

    assert (problem.key, problem.code) == ("cdc.certificate_p12", "certificate_does_not_open")
    assert "wrong-secret" not in problem.sentences()


def test_an_expired_certificate_does_not_keep_the_clinic_from_starting(tmp_path: Path) -> None:
    write_certificate(tmp_path, valid_days=-1)
    assert load_settings(write_settings(tmp_path, cdc_section(tmp_path)), {}).cdc is not None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "desk.clinic.lan", ""])
def test_an_address_others_can_reach_is_refused_where_nothing_is_encrypted(tmp_path: Path, host: str) -> None:
    assert codes_of(write_settings(tmp_path, f'listen_host = "{host}"')) == {("listen_host", "not_this_computer")}


@pytest.mark.parametrize("data", [b"listen_port = ", b"\xb4\xfa\xb8\xd5 = 1"], ids=["broken TOML", "Big5"])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "clinic.toml"
    path.write_bytes(data)
    assert codes_of(path) == {("clinic.toml", "settings_unreadable")}


def test_a_file_named_but_missing_is_told(tmp_path: Path) -> None:
    assert codes_of(tmp_path / "nowhere.toml") == {("nowhere.toml", "settings_unreadable")}


def test_settings_cannot_be_changed_while_running() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().practice = True  # type: ignore[misc]


def every_setting() -> set[str]:
    sections = {"lan": LanSettings, "cdc": CdcSettings}
    return {*Settings.model_fields, *(f"{at}.{name}" for at, one in sections.items() for name in one.model_fields)}


def test_every_setting_has_a_rule_and_every_sentence_two_languages() -> None:
    assert set(RULES) == every_setting()
    for chinese, english in SENTENCES.values():
        assert english.isascii()
        assert not chinese.isascii()


def test_the_table_names_every_setting_once() -> None:
    rows = settings_table().splitlines()[2:]
    keys = [row.split("`")[1] for row in rows]
    assert sorted(keys) == sorted(every_setting() - {"cdc", "lan"})
    assert all(len(row.replace("\\|", "").split("|")) == 6 for row in rows)


def test_the_readme_shows_the_table_of_settings() -> None:
    assert settings_table() in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="drive letters differ")
def test_the_table_shows_no_path_of_this_machine() -> None:
    assert str(ROOT) not in settings_table()


def test_receipts_are_kept_no_less_than_seven_years(tmp_path: Path) -> None:
    assert load_settings(write_settings(tmp_path, "receipts_years = 7\n"), {}).receipts_years == 7
    assert codes_of(write_settings(tmp_path, "receipts_years = 6\n")) == {("receipts_years", "invalid")}


# ---- the clinic's network


def test_no_network_is_served_unless_the_settings_say_so(tmp_path: Path) -> None:
    assert load_settings(write_settings(tmp_path, "practice = true\n"), {}).lan is None


def test_networks_and_single_addresses_are_read_from_the_file_and_the_environment(tmp_path: Path) -> None:
    path = write_settings(tmp_path, 'practice = true\n[lan]\nlisten = ["192.168.1.0/24", "fd00::2"]\n')
    lan = load_settings(path, {"DESK_LAN_PORT": "443"}).lan
    assert lan is not None
    assert lan.listen == (ip_network("192.168.1.0/24"), ip_network("fd00::2"))
    assert (lan.port, lan.trust_port) == (443, 8767)

    environment = {"DESK_PRACTICE": "true", "DESK_LAN_LISTEN": "10.0.0.5, 192.168.0.0/16"}
    lan = load_settings(write_settings(tmp_path, ""), environment).lan
    assert lan is not None
    assert lan.listen == (ip_network("10.0.0.5"), ip_network("192.168.0.0/16"))


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        ("", {("lan.listen", "missing")}),
        ("listen = []", {("lan.listen", "invalid")}),
        ('listen = ["192.168.1.5/24"]', {("lan.listen", "invalid")}),
        ('listen = ["desk.local"]', {("lan.listen", "invalid")}),
        ('listen = ["10.0.0.5"]\nport = 0', {("lan.port", "invalid")}),
        ('listen = ["10.0.0.5"]\nport = 8767', {("lan.trust_port", "invalid")}),
        ('listen = ["10.0.0.5"]\ntls = true', {("lan.tls", "unknown")}),
    ],
)
def test_what_is_wrong_with_the_network_is_told(tmp_path: Path, lines: str, problems: set[tuple[str, str]]) -> None:
    assert codes_of(write_settings(tmp_path, f"practice = true\n[lan]\n{lines}\n")) == problems


def test_an_own_certificate_is_checked_with_its_key(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, "desk.clinic.tw")
    (tmp_path / "other").mkdir()
    _, other_key = write_pair(tmp_path / "other", "desk.clinic.tw")

    def codes(certificate: Path | None, key: Path | None) -> set[tuple[str, str]]:
        lines = ["practice = true", "[lan]", 'listen = ["10.0.0.5"]']
        lines += [f"certificate_file = '{certificate}'"] if certificate else []
        lines += [f"key_file = '{key}'"] if key else []
        return codes_of(write_settings(tmp_path, "\n".join(lines)))

    assert codes(certificate, None) == {("lan.certificate_file", "own_certificate_incomplete")}
    assert codes(None, key) == {("lan.certificate_file", "own_certificate_incomplete")}
    assert codes(certificate, other_key) == {("lan.certificate_file", "own_key_mismatch")}
    assert codes(key, key) == {("lan.certificate_file", "own_certificate_unreadable")}
    assert codes(certificate, tmp_path / "none") == {("lan.key_file", "file_missing")}
    if os.name == "posix":
        key.chmod(0o644)
        assert codes(certificate, key) == {("lan.key_file", "file_not_private")}


def test_an_expired_own_certificate_does_not_keep_the_clinic_from_starting(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, "desk.clinic.tw", since=datetime.now(UTC) - timedelta(days=9), days=3)
    lines = f"certificate_file = '{certificate}'\nkey_file = '{key}'\n"
    text = f'practice = true\n[lan]\nlisten = ["10.0.0.5"]\n{lines}'
    assert load_settings(write_settings(tmp_path, text), {}).lan is not None
