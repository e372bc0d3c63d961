"""A certificate that the clinic brings: what is wrong with it, in one sentence."""

from datetime import timedelta
from pathlib import Path

import pytest

from sync.own_certificate import check_own, ends_soon, read_own
from sync.sentences import LanClosed
from sync.tls import is_named
from tests.sync.certificates import NOW, write_pair

HOSTS = ["desk.clinic.tw", "pc", "192.168.1.5"]


def refusal(certificate_file: Path, key_file: Path, days: int = 0) -> str:
    with pytest.raises(LanClosed) as caught:
        check_own(read_own(certificate_file, key_file), HOSTS, NOW + timedelta(days=days))
    assert len(caught.value.sentences().splitlines()) == 2
    return caught.value.code


@pytest.mark.parametrize("name", ["desk.clinic.tw", "*.clinic.tw", "192.168.1.5"])
def test_a_certificate_for_any_name_of_the_hub_will_do(tmp_path: Path, name: str) -> None:
    own = read_own(*write_pair(tmp_path, "other.example", name))
    check_own(own, HOSTS, NOW)
    assert own.ca is None


def test_what_browsers_would_refuse_is_told_apart(tmp_path: Path) -> None:
    pair = write_pair(tmp_path, *HOSTS, days=90)
    assert refusal(*pair, days=91) == "own_certificate_expired"
    assert refusal(*pair, days=-1) == "own_certificate_not_yet_valid"
    assert refusal(*write_pair(tmp_path, "www.clinic.tw", "192.168.1.6")) == "own_certificate_for_others"
    assert refusal(*write_pair(tmp_path)) == "own_certificate_for_others"


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    certificate_file, _ = write_pair(tmp_path / "a", *HOSTS)
    _, key_file = write_pair(tmp_path, *HOSTS)
    assert refusal(certificate_file, key_file) == "own_key_mismatch"


def test_what_is_no_certificate_or_no_key_is_told(tmp_path: Path) -> None:
    certificate_file, key_file = write_pair(tmp_path, *HOSTS)
    assert refusal(key_file, key_file) == "own_certificate_unreadable"
    assert refusal(certificate_file, certificate_file) == "own_key_unreadable"
    assert refusal(tmp_path / "none", key_file) == "own_certificate_unreadable"
    assert refusal(*write_pair(tmp_path, *HOSTS, password=b"secret")) == "own_key_unreadable"


def test_staff_are_reminded_a_month_before(tmp_path: Path) -> None:
    own = read_own(*write_pair(tmp_path, *HOSTS, days=90))
    assert not ends_soon(own, NOW + timedelta(days=59))
    assert ends_soon(own, NOW + timedelta(days=61))


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("desk.clinic.tw", {"desk.clinic.tw"}, True),
        ("desk.clinic.tw", {"*.clinic.tw"}, True),
        ("a.desk.clinic.tw", {"*.clinic.tw"}, False),
        ("clinic.tw", {"*.clinic.tw"}, False),
        ("desk", {"*.", "*"}, False),
        ("192.168.1.5", {"*.168.1.5"}, False),
    ],
)
def test_a_wildcard_stands_for_one_label_and_never_in_an_address(name: str, names: set[str], expected: bool) -> None:
    assert is_named(name, frozenset(names)) is expected
