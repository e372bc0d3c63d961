"""A sealed folder: what is known of each file apart from it, and how a folder that lies in clear is sealed."""

import pytest

from tests.ui.runtime.conftest import RunInNode

USE = """
import assert from "node:assert/strict";
import { openSealed } from "./runtime/sealed_folder.js";
import { KEY, MemoryFolder, bytes, joined, readAll, text } from "./memory_folder.mjs";
const NAME = "journal.000001", RUN = "run.000002", none = () => {};
const warnings = [];
console.warn = (line) => warnings.push(line);
const open = (raw, key = KEY) => openSealed(raw, "desk", key, none);
const OTHER_KEY = new Uint8Array(32).fill(8);
async function content(folder) {
  const files = {};
  for (const name of (await folder.names()).sort()) {
    const file = await folder.open(name);
    files[name] = readAll(file);
    file.close();
  }
  return files;
}
async function write(folder, name, data) {
  const file = await folder.open(name);
  await file.write(data, true);
  file.close();
}
"""


@pytest.mark.parametrize("later", ["false", "true"], ids=["OPFS", "IndexedDB"])
def test_a_folder_gives_back_its_files_and_names(later: str, run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + f"const raw = new MemoryFolder({{}}, {{ later: {later} }});"
        + """
let folder = await open(raw);
assert.deepEqual(await folder.names(), []);
folder.close();
assert.equal(raw.files.size, 0); // where nothing was kept, nothing says that something was
folder = await open(raw);
await write(folder, NAME, bytes(20_000));
await write(folder, RUN, bytes(300));
const file = await folder.open(NAME);
await file.truncate(11_111);
await file.write(text("next"), true);
file.close();
await folder.remove(RUN);
folder.close();
folder = await open(raw);
assert.deepEqual(await content(folder), { [NAME]: joined(bytes(11_111), text("next")) });
assert.deepEqual([...folder.damage, ...warnings], []);
"""
    )


def test_a_folder_in_clear_where_a_sealed_one_was_is_refused_and_left_as_it_is(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const planted = { [NAME]: bytes(700) }, raw = new MemoryFolder(planted);
await assert.rejects(openSealed(raw, "desk", KEY, none, true), { name: "SealError" });
assert.deepEqual(Object.fromEntries(raw.files), planted);
const own = new MemoryFolder({}); // evicted by the browser, or never used
const folder = await openSealed(own, "desk", KEY, none, true);
await write(folder, NAME, bytes(90));
folder.close();
assert.deepEqual(await content(await openSealed(own, "desk", KEY, none, true)), { [NAME]: bytes(90) });
"""
    )


@pytest.mark.parametrize("later", ["false", "true"], ids=["OPFS", "IndexedDB"])
def test_sealing_a_clear_folder_leaves_the_old_or_the_new_one_whole_wherever_it_is_killed(
    later: str, run_in_node: RunInNode
) -> None:
    run_in_node(
        USE
        + """
const expected = { [NAME]: bytes(700_000), "journal.000002": bytes(90), [RUN]: bytes(30_000, 5) };
const clear = { ...expected, "run.000009": new Uint8Array(0) };
let killed = 0, wasClear = 0, wasSealed = 0;
for (let steps = 0; ; steps++) {
"""
        f"  const raw = new MemoryFolder(clear, {{ steps, later: {later} }});"
        + """
  let isWhole = true;
  try { (await open(raw)).close(); } catch (error) { assert.equal(error.message, "power cut"); isWhole = false; }
  // Whatever stands there now: the clear files are all there, or the sealed ones count.
  const left = raw.copy();
  const isThere = (name) => Buffer.from(clear[name]).equals(left.files.get(name) ?? text("gone"));
  const isClear = Object.keys(clear).every(isThere);
  if (isClear && !isWhole) wasClear += 1; else wasSealed += 1;
  if (!isClear) await assert.rejects(open(raw.copy(), OTHER_KEY), { name: "SealError" });
  const folder = await open(left);
  const files = await content(folder);
  delete files["run.000009"];
  assert.deepEqual(files, expected);
  folder.close();
  assert.deepEqual([...left.files.keys()].filter((name) => !name.endsWith(".sealed")), ["journal.999999"]);
  assert.deepEqual([...left.taken], []);
  assert.deepEqual(folder.damage, []);
  if (isWhole) break;
  killed += 1;
}
assert.ok(killed > 10 && wasClear > 5 && wasSealed > 4, `${killed} ${wasClear} ${wasSealed}`);
"""
    )


def test_a_program_that_knows_no_seals_finds_a_store_of_a_newer_format(run_in_node: RunInNode) -> None:
    written = run_in_node(
        USE
        + """
const raw = new MemoryFolder();
await write(await open(raw), NAME, bytes(10));
const names = [...raw.files.keys()].filter((name) => !name.endsWith(".sealed"));
process.stdout.write(JSON.stringify([names, [...raw.files.get(names[0])]]));
"""
    )
    assert written == f'[["journal.999999"],{list(b"VACDESK" + bytes([255]))}]'.replace(" ", "")


def test_how_far_sealing_is_comes_as_bytes_of_all_bytes(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const seen = [], raw = new MemoryFolder({ [NAME]: bytes(1_200_000), [RUN]: bytes(100) });
await openSealed(raw, "desk", KEY, (...progress) => seen.push(progress));
assert.deepEqual(seen, [[524288, 1200100], [1048576, 1200100], [1200000, 1200100], [1200100, 1200100]]);
"""
    )


def test_an_end_or_a_file_that_is_missing_is_known_by_its_mark(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const raw = new MemoryFolder();
const folder = await open(raw);
const file = await folder.open(NAME);
file.write(bytes(50), true);
const border = raw.files.get(NAME + ".sealed").length;
file.write(bytes(50, 50), true);
await write(folder, RUN, bytes(77));
file.close();
folder.close();

const cut = raw.copy();
cut.files.set(NAME + ".sealed", cut.files.get(NAME + ".sealed").slice(0, border));
cut.files.delete(RUN + ".sealed");
const again = await open(cut);
assert.deepEqual((await again.names()).sort(), [NAME, RUN]);
const [journal, run] = [await again.open(NAME), await again.open(RUN)];
assert.deepEqual([journal.length, journal.markedSize, run.length, run.markedSize], [50, 100, 0, 77]);
const lost = [`${NAME}: 50 bytes from 50 on cannot be unsealed`, `${RUN}: 77 bytes from 0 on cannot be unsealed`];
assert.deepEqual(again.damage, lost);
"""
    )


def test_a_former_file_of_the_same_name_is_refused(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const raw = new MemoryFolder();
const folder = await open(raw);
await write(folder, RUN, bytes(50));
const former = raw.files.get(RUN + ".sealed").slice();
const file = await folder.open(RUN);
file.truncate(0);
file.write(bytes(60), true);
file.close();
folder.close();
raw.files.set(RUN + ".sealed", former);
const again = await open(raw);
await assert.rejects(again.open(RUN), { name: "SealError" });
"""
    )


def test_marks_follow_a_journal_in_use_and_never_run_ahead_of_it(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
globalThis.setTimeout = (call) => { due = call; return 1; };
let due = null;
const raw = new MemoryFolder(), folder = await open(raw), file = await folder.open(NAME);
const marked = async () => (await (await open(raw.copy())).open(NAME)).markedSize;
raw.taken.clear();
file.write(bytes(100), true);
assert.equal(await marked(), 0); // not with the append
due();
assert.equal(await marked(), 100);
due = null;
file.write(bytes(50), false);
due();
assert.equal(await marked(), 100); // not for certain on disk
file.write(bytes(50), true);
due();
assert.equal(await marked(), 200);
raw.steps = 1; // the power goes after the mark, before the cutting
assert.throws(() => file.truncate(120), /power cut/);
raw.steps = Infinity;
assert.equal(await marked(), 120);
assert.equal((await (await open(raw.copy())).open(NAME)).length, 200);
"""
    )


def test_one_damaged_mark_leaves_the_one_before_and_two_cost_no_file(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const raw = new MemoryFolder();
const folder = await open(raw);
await write(folder, NAME, bytes(50));
folder.close();
function damaged(...slots) {
  const other = raw.copy();
  for (const slot of slots) other.slots[slot][100] ^= 1;
  return other;
}
for (const slots of [[], [0], [1], [0, 1]]) {
  await assert.rejects(open(damaged(...slots), OTHER_KEY), { name: "SealError" });
  const other = damaged(...slots), again = await open(other);
  assert.deepEqual(await content(again), { [NAME]: bytes(50) });
  assert.equal(again.damage.length, slots.length === 2 ? 1 : 0);
  again.close();
  assert.deepEqual((await open(other)).damage, []);
}
"""
    )
