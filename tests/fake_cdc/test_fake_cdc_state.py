"""What survives: SIGKILL, a torn last line; and who is let in with keys and a certificate."""

from __future__ import annotations

import ast
import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate

from tests.fake_cdc.bundles import ORG, bundle, deletion, one_record
from tests.fake_cdc.running import KEY, ROOT, Client, RunningCdc, basic


async def test_what_was_answered_survives_sigkill(tmp_path: Path) -> None:
    first = RunningCdc(tmp_path, "--verify-after", "0")
    try:
        async with Client(first.url) as cdc:
            lot = {"vaccine_code": "MMR", "lot_number": "NEW1-CDC", "lot_type": "1"}
            await cdc.control("POST", "lots", lot)
            await cdc.upload(one_record("b-1", "k1", lot="NEW1-CDC"))
            await cdc.upload(one_record("b-2", "k2", lot="NONE-CDC"))
            await cdc.upload(bundle("b-3", deletion("k1")))
            same = one_record("b-4", "k4")
            await cdc.upload(same)
            await cdc.upload(same)
            before = [await cdc.records(), await cdc.control("GET", "batches"), await cdc.control("GET", "lots")]
    finally:
        first.kill()

    second = RunningCdc(tmp_path, "--verify-after", "0")
    try:
        async with Client(second.url) as cdc:
            after = [await cdc.records(), await cdc.control("GET", "batches"), await cdc.control("GET", "lots")]
            assert (await cdc.upload(same)).status == 200
            assert (await cdc.records())["k4"]["stored_versions"] == 1
    finally:
        second.kill()

    assert after == before
    assert {key: record["stored_versions"] for key, record in before[0].items()} == {"k1": 2, "k2": 0, "k4": 1}


async def test_a_torn_last_line_is_cut_off_and_the_rest_kept(tmp_path: Path) -> None:
    cdc = RunningCdc(tmp_path, "--verify-after", "0")
    try:
        async with Client(cdc.url) as client:
            await client.upload(one_record("b-1", "k1"))
            await client.upload(one_record("b-2", "k2"))
    finally:
        cdc.kill()
    file = tmp_path / "holdings.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])

    again = RunningCdc(tmp_path, "--verify-after", "0")
    try:
        async with Client(again.url) as client:
            assert set(await client.records()) == {"k1"}
            await client.upload(one_record("b-3", "k3"))
    finally:
        again.kill()

    assert file.read_bytes().startswith(whole[: whole.index(b"\n") + 1] + b'{"event": "accepted"')


def test_damaged_state_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "holdings.jsonl").write_bytes(b"rubbish\n")

    run = subprocess.run(
        [sys.executable, "-m", "e2e.fake_cdc", "--port", "0", "--state", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert run.stderr.startswith("fake CDC cannot start: ")


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("practice")
    make_certificate(folder)
    return folder


def make_certificate(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "e2e.fake_cdc", "make-certificate", str(folder)], cwd=ROOT, check=True)


def private_key(folder: Path) -> rsa.RSAPrivateKey:
    password = (folder / "practice.p12.password").read_bytes()
    key, certificate, _ = pkcs12.load_key_and_certificates((folder / "practice.p12").read_bytes(), password)
    assert certificate == load_pem_x509_certificate((folder / "practice.pem").read_bytes())
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.fixture(scope="module")
def guarded(practice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCdc]:
    certificate = str(practice / "practice.pem")
    cdc = RunningCdc(
        tmp_path_factory.mktemp("guarded"),
        *("--verify-after", "0", "--certificate", certificate, "--org", ORG, "--key-id", KEY),
    )
    yield cdc
    cdc.kill()


BODY = b'{"resourceType": "Bundle"}'


async def test_a_signature_over_the_exact_bytes_is_let_through(guarded: RunningCdc, practice: Path) -> None:
    signature = base64.b64encode(private_key(practice).sign(BODY, padding.PKCS1v15(), hashes.SHA256())).decode()
    async with Client(guarded.url) as cdc:
        assert (await cdc.upload(BODY, AUTH=signature)).status == 400  # past the gate: only the Bundle is wrong
        assert (await cdc.upload(BODY + b" ", AUTH=signature)).status == 401
        assert (await cdc.upload(BODY, AUTH="%%%")).status == 401
        assert (await cdc.upload(BODY)).status == 401
        assert (await cdc.confirm("b-1")).status == 404  # no body, no signature


@pytest.mark.parametrize(
    "authorization", [basic(ORG, "old"), basic("592202A296", KEY), "Basic %%", "Bearer x", "", basic(ORG, "")]
)
async def test_a_wrong_key_is_401(guarded: RunningCdc, authorization: str) -> None:
    async with Client(guarded.url) as cdc:
        cdc.headers["Authorization"] = authorization
        answer = await cdc.confirm("b-1")

    assert answer.status == 401
    assert answer.issue[0] == "error"


def test_a_practice_certificate_is_made_only_once_and_kept_private(practice: Path) -> None:
    before = {file.name: file.read_bytes() for file in practice.iterdir()}

    make_certificate(practice)

    assert {file.name: file.read_bytes() for file in practice.iterdir()} == before
    assert set(before) == {"practice.p12", "practice.p12.password", "practice.pem"}
    if sys.platform != "win32":
        assert {file.stat().st_mode & 0o777 for file in practice.iterdir()} == {0o600}


def test_an_incomplete_practice_set_is_made_anew(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    (tmp_path / "practice.p12.password").unlink()

    make_certificate(tmp_path)

    private_key(tmp_path)


def test_it_imports_nothing_of_the_project() -> None:
    modules = list((ROOT / "e2e" / "fake_cdc").glob("*.py"))
    imported = set()
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(str(node.module).split(".")[0])

    assert imported - sys.stdlib_module_names == {"aiohttp", "cryptography"}
