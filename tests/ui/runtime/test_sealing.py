"""A sealed file: what it gives back, and what is noticed when its bytes on the device are changed."""

import pytest

from tests.ui.runtime.conftest import RunInNode

USE = """
import assert from "node:assert/strict";
import { Sealer } from "./runtime/sealing.js";
import { KEY, MemoryFolder, Told, bytes, joined, openFile, readAll, sealer, sodium, text } from "./memory_folder.mjs";
const BLOCK = 4096, NAME = "journal.000001";
const folder = new MemoryFolder();
const told = new Told();
async function written(sizes, into = folder) {
  const file = await openFile(into);
  for (const size of sizes) file.write(bytes(size, file.length), true);
  file.close();
  return bytes(sizes.reduce((sum, size) => sum + size, 0));
}
// The chunks of a file of one block, by what their heads say.
function chunksOf(data) {
  const view = new DataView(data.buffer), chunks = [];
  for (let at = 68, end; at < data.length; at = end) chunks.push([at, (end = at + 52 + view.getUint16(at, true))]);
  return chunks;
}
"""


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([1, 700, 0, 699], id="small appends"),
        pytest.param([700] * 60, id="over several blocks"),
        pytest.param([30_000, 5, 100_000, 3976, 4044, 4043, 4032, 1], id="large ones"),
        pytest.param([3964 - n for n in range(0, 80, 3)], id="rests of every size"),
    ],
)
def test_what_was_appended_is_read_back_at_every_place(sizes: list[int], run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + f"const expected = await written({sizes});"
        + """
const file = await openFile(folder, { told });
assert.equal(file.length, expected.length);
assert.deepEqual(readAll(file), expected);
for (let n = 0; n < 500; n++) {
  const at = (n * 7919) % expected.length, into = new Uint8Array((n * 31) % 900);
  assert.equal(file.read(into, at), Math.min(into.length, expected.length - at));
  assert.deepEqual(into.subarray(0, expected.length - at), expected.subarray(at, at + into.length), at);
}
assert.deepEqual(told.damage, []);
"""
    )


def test_nothing_of_the_content_stands_in_the_sealed_bytes(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const secret = text("測試患者 A123456789");
const file = await openFile(folder);
for (let n = 0; n < 50; n++) file.write(secret, true);
const sealed = Buffer.from(folder.files.get(NAME));
for (let at = 0; at + 4 <= secret.length; at++) assert.equal(sealed.indexOf(secret.subarray(at, at + 4)), -1);
assert.notEqual(Buffer.from(secret).indexOf(secret.subarray(0, 4)), -1);
"""
    )


def test_a_bit_changed_at_any_byte_is_noticed_and_costs_its_own_chunk_only(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const expected = await written([40, 50, 60, 70]), whole = folder.files.get(NAME), chunks = chunksOf(whole);
assert.equal(chunks.length, 4);
const plain = [0, 40, 90, 150, 220];
for (let at = 0; at < whole.length; at++) {
  const other = folder.copy(), told = new Told();
  other.files.get(NAME)[at] ^= 1 << at % 8;
  if (at < 68) { // the header: known by its mark, else the file is refused
    await assert.rejects(openFile(other), { name: "SealError" });
    other.taken.clear();
    const mark = { id: Buffer.from(whole.subarray(12, 28)).toString("hex"), size: 220 };
    if (at < 12 && at >= 8) continue; // of a newer version
    const file = await openFile(other, { mark, told });
    assert.deepEqual(readAll(file), expected);
    assert.equal(told.damage.length, 1);
    continue;
  }
  const hit = chunks.findIndex(([, end]) => at < end);
  const file = await openFile(other, { told, mark: { id: "", size: 220 } });
  if (hit === 3) { // as after a crash, but for the mark
    assert.equal(file.length, 150);
    assert.equal(file.markedSize, 220);
    assert.deepEqual(readAll(file), expected.subarray(0, 150));
  } else {
    const seen = expected.slice().fill(0, plain[hit], plain[hit + 1]);
    assert.deepEqual(readAll(file), seen, at);
    assert.deepEqual(told.damage, [[NAME, plain[hit], plain[hit + 1] - plain[hit]]]);
  }
}
"""
    )


def test_chunks_dropped_repeated_or_in_another_order_are_noticed(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const expected = await written([40, 40, 40, 40]), whole = folder.files.get(NAME), chunks = chunksOf(whole);
const [a, b, c, d] = chunks.map(([begin, end]) => whole.subarray(begin, end)), header = whole.subarray(0, 68);
for (const [what, parts] of Object.entries({
  "dropped first": [b, c, d], "dropped": [a, c, d], repeated: [a, b, b, c, d], exchanged: [a, c, b, d],
  "repeated last": [a, b, c, d, d], "in place of another": [a, b, b, d],
})) {
  const other = new MemoryFolder({ [NAME]: Buffer.concat([header, ...parts]) });
  const file = await openFile(other, { told, mark: { id: "", size: 160 } });
  const seen = readAll(file);
  for (let n = 0; n < file.length; n += 40) {
    const piece = seen.subarray(n, n + 40);
    assert.ok(piece.every((byte) => byte === 0) || Buffer.compare(piece, expected.subarray(n, n + 40)) === 0, what);
  }
  const isWhole = Buffer.compare(seen, expected) === 0;
  assert.equal(isWhole, what === "repeated last", what); // which is what a torn end is
  assert.ok(isWhole || file.markedSize > file.length || told.damage.length, what);
}
"""
    )


def test_no_chunk_opens_in_another_file_folder_or_life_of_its_file(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
await written([40, 40, 40]);
const before = folder.files.get(NAME).slice(), [a, b] = chunksOf(before);
const file = await openFile(folder);
file.truncate(0);
file.write(bytes(40), true);
file.write(bytes(40, 40), true);
const after = folder.files.get(NAME);
after.set(before.subarray(...b), b[0]); // what stood there before the file was emptied
file.close();
const again = await openFile(folder);
assert.equal(again.length, 40);
again.close();

const RUN = "run.000001", own = () => new MemoryFolder({ [NAME]: before });
await assert.rejects(openFile(new MemoryFolder({ [RUN]: before }), { name: RUN }), { name: "SealError" });
const practice = new Sealer(sodium, KEY, "desk-practice"), other = new Sealer(sodium, new Uint8Array(32), "desk");
for (const key of [practice, other]) await assert.rejects(openFile(own(), { key }), { name: "SealError" });
assert.equal((await openFile(own())).length, 120);
"""
    )


def test_a_file_cut_at_any_byte_opens_with_the_chunks_before_and_goes_on_from_there(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const sizes = [40, 3850, 50, 60, 4000, 10], expected = await written(sizes), whole = folder.files.get(NAME);
for (let cut = 0; cut <= whole.length; cut += cut < 200 || cut % BLOCK < 120 || cut % BLOCK > BLOCK - 120 ? 1 : 97) {
  const other = new MemoryFolder({ [NAME]: whole.subarray(0, cut) });
  const file = await openFile(other, { told });
  const { length } = file;
  assert.deepEqual(readAll(file), expected.subarray(0, length));
  assert.ok(cut < whole.length ? length < expected.length : length === expected.length);
  file.write(text("next"), true);
  file.close();
  const again = await openFile(other, { told });
  assert.deepEqual(readAll(again), joined(expected.subarray(0, length), text("next")), cut);
}
assert.deepEqual(told.damage, []);
"""
    )


def test_cutting_anywhere_is_whole_also_when_the_power_goes_meanwhile(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const expected = await written([40, 60, 4000, 200, 9000]);
for (let size = 0; size <= expected.length; size += size % 100 < 3 ? 1 : 37) {
  for (const steps of [0, 1, 2, 3, Infinity]) {
    const other = folder.copy({ steps });
    const file = await openFile(other, { told });
    let isDone = true;
    if (steps === Infinity) {
      const only = folder.copy();
      (await openFile(only)).truncate(size);
      assert.deepEqual(readAll(await openFile(only.copy(), { told })), expected.subarray(0, size));
    }
    try { file.truncate(size); file.write(text("next"), true); } catch { isDone = false; }
    const again = await openFile(other.copy(), { told });
    const seen = readAll(again);
    if (isDone) assert.deepEqual(seen, joined(expected.subarray(0, size), text("next")), size);
    else assert.deepEqual(seen.subarray(0, size), expected.subarray(0, size), `${size} ${steps}`);
    if (steps === Infinity) assert.ok(isDone);
  }
}
assert.deepEqual(told.damage, []);
"""
    )


def test_no_nonce_is_used_twice_over_cutting_and_writing_again(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
const nonces = new Set();
let taken = 0;
const take = (data, at) => { taken += 1; nonces.add(Buffer.from(data.subarray(at, at + 24)).toString("hex")); };
const file = await openFile(folder), { raw } = file, write = raw.write.bind(raw);
raw.write = (data, durable) => { // every byte that ever reaches the disk
  let at = 0;
  if (Buffer.from(data.subarray(0, 8)).toString() === "DESKSEAL") { take(data, 28); at = 68; }
  for (; at < data.length; at += 52 + data[at] + 256 * data[at + 1]) take(data, at + 12);
  assert.equal(at, data.length);
  return write(data, durable);
};
for (let n = 0; n < 300; n++) {
  file.write(bytes(n % 7 === 0 ? 20_000 : 300, file.length), true);
  if (n % 3 === 0) file.truncate(Math.max(0, file.length - 150));
  if (n % 50 === 0) file.truncate(0);
}
assert.ok(taken > 500);
assert.equal(nonces.size, taken);
"""
    )


def test_opening_and_one_record_read_a_few_blocks_however_many_chunks_there_are(run_in_node: RunInNode) -> None:
    run_in_node(
        USE
        + """
// 50,000 appends of a frame's size, in the memory of one array.
const chunks = [];
const raw = { length: 0, reads: 0, write(data) { chunks.push(data.slice()); raw.length += data.length; }, close() {},
              read(into, at) { raw.reads += 1; into.set(whole.subarray(at, at + into.length)); return into.length; } };
let whole = new Uint8Array(0);
const { SealedFile } = await import("./runtime/sealing.js");
const file = new SealedFile(sealer, raw, NAME, undefined, told);
for (let n = 0; n < 50_000; n++) file.write(bytes(600 + (n % 5) * 40, n), true);
whole = new Uint8Array(Buffer.concat(chunks));
raw.reads = 0;
const again = new SealedFile(sealer, raw, NAME, undefined, told);
assert.equal(again.length, file.length);
assert.ok(raw.reads <= 3, raw.reads);
raw.reads = 0;
for (let n = 0; n < 100; n++) again.read(new Uint8Array(300), (n * 1_234_577) % again.length);
assert.ok(raw.reads < 500, raw.reads);

const place = 20_000_000, middle = again.block(again.blockOf(place)).chunks[0].at;
whole.fill(1, middle, middle + 5 * 4096);
const other = new SealedFile(sealer, raw, NAME, undefined, told);
raw.reads = 0;
const into = new Uint8Array(100_000);
other.read(into, place - 50_000);
assert.ok(raw.reads < 80, raw.reads);
const [[, lost, length]] = told.damage;
assert.ok(Math.abs(lost - place) < 4096 && length > 16_000 && length < 24_000, `${lost} ${length}`);
assert.ok(into.subarray(lost - place + 50_000, lost - place + 50_000 + length).every((byte) => byte === 0));
const before = new Uint8Array(40_000);
again.read(before, place - 50_000);
assert.deepEqual(into.subarray(0, 40_000), before);
"""
    )
