"""The device's vault under Node, with the real cipher and a clock that the test turns."""

from tests.ui.runtime.conftest import RunInNode

BEGIN = """
import assert from "node:assert/strict";
import { openWithPin, sealUnderPin } from "./runtime/pin.js";
import { LAST_TRY, PARAMETERS, Vault, fromBase64, pinFault, toBase64 } from "./runtime/vault.js";

const FULL = { ...PARAMETERS };
Object.assign(PARAMETERS, { operations: 1, memory: 8192 }); // what is tried here is not how long it takes
const shelf = new Map();
const asShelf = {
  get: async (key) => shelf.get(key),
  put: async (key, value) => void shelf.set(key, value),
  remove: async (key) => void shelf.delete(key),
  entries: async (prefix) => [...shelf].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value),
};
let now = 1_800_000_000_000;
const counted = { tries: 0 };
const box = { sealUnderPin, openWithPin: (given) => { counted.tries++; return openWithPin(given); } };
const reload = (itsBox = box) => new Vault(asShelf, itsBox, (work) => work(), () => now);
const vault = reload();
const { device, publicKey, dataKey } = await vault.makeDevice();
await vault.keepDevice(device);
const staffToken = crypto.getRandomValues(new Uint8Array(32));
await vault.setPin("nurse-1", ["recorder"], "204816", { dataKey, staffToken });
const wrong = (code, facts = {}, pin = "999999") =>
  assert.rejects(reload().unlock("nurse-1", pin), { code, ...facts });
"""


def test_the_pin_gives_what_was_sealed_and_another_pin_gives_nothing(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
await wrong("pin_wrong", { triesLeft: 9, waitMs: 0 });
const opened = await reload().unlock("nurse-1", "204816");
assert.deepEqual(opened, { staffId: "nurse-1", roles: ["recorder"], refused: 1, dataKey, staffToken });
assert.deepEqual((await reload().people())[0].triesLeft, LAST_TRY);
await assert.rejects(reload().unlock("nurse-2", "204816"), { code: "nobody" });
"""
    )


def test_waits_grow_and_outlast_a_reload(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
const waits = [0, 0, 30, 60, 120, 300, 900, 900, 900];
for (const [at, seconds] of waits.entries()) {
  await wrong("pin_wrong", { triesLeft: 9 - at, waitMs: seconds * 1000 });
  if (!seconds) continue;
  const { tries } = counted;
  await wrong("pin_waits", { waitMs: seconds * 1000 });
  now += seconds * 1000 - 1;
  await wrong("pin_waits", { waitMs: 1 }, "204816");
  assert.equal(counted.tries, tries, "nothing may be tried while waiting");
  assert.equal((await reload().people())[0].waitMs, 1);
  now += 1;
}
await wrong("pin_spent");
await wrong("nobody", {}, "204816");
assert.deepEqual(await reload().people(), []);
"""
    )


def test_a_clock_that_is_set_back_lets_the_wait_begin_anew(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
for (let at = 0; at < 3; at++) await wrong("pin_wrong");
now += 29_000;
await wrong("pin_waits", { waitMs: 1000 });
now -= 3_600_000;
await wrong("pin_waits", { waitMs: 30_000 }, "204816");
now += 29_999;
await wrong("pin_waits", { waitMs: 1 }, "204816");
now += 1;
assert.deepEqual((await reload().unlock("nurse-1", "204816")).dataKey, dataKey);
"""
    )


def test_a_try_that_is_cut_off_counts(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
const cutOff = reload({ openWithPin: () => Promise.reject(new Error("the plug was pulled")) });
await assert.rejects(cutOff.unlock("nurse-1", "204816"), /plug/);
assert.equal((await reload().people())[0].triesLeft, 9);
"""
    )


def test_any_changed_bit_of_an_entry_is_noticed_and_costs_no_try(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
const entry = shelf.get("person:nurse-1");
for (const field of ["sealed", "iv"]) {
  for (let at = 0; at < entry[field].length; at++) {
    const other = entry[field].slice();
    other[at] ^= 1;
    shelf.set("person:nurse-1", { ...entry, [field]: other });
    await wrong("vault_damaged", {}, "204816");
  }
}
assert.equal(shelf.get("person:nurse-1").wrong, 0);
shelf.set("person:nurse-1", { ...entry, salt: new Uint8Array(16) });
await wrong("pin_wrong", {}, "204816");
"""
    )


def test_an_entry_opens_for_no_other_person_and_on_no_other_device(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
const entry = shelf.get("person:nurse-1");
shelf.set("person:nurse-2", { ...entry, staffId: "nurse-2" });
await assert.rejects(reload().unlock("nurse-2", "204816"), { code: "vault_damaged" });
const other = await reload().makeDevice();
other.device.deviceId = device.deviceId;
await vault.keepDevice(other.device);
await wrong("vault_damaged", {}, "204816");
"""
    )


def test_a_changed_pin_opens_and_the_old_one_does_not(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
await assert.rejects(reload().changePin("nurse-1", "999999", "314159"), { code: "pin_wrong", triesLeft: 9 });
await assert.rejects(reload().changePin("nurse-1", "204816", "123456"), { code: "pin_unfit" });
await reload().changePin("nurse-1", "204816", "314159");
await wrong("pin_wrong", {}, "204816");
const opened = await reload().unlock("nurse-1", "314159");
assert.deepEqual(opened, { staffId: "nurse-1", roles: ["recorder"], refused: 1, dataKey, staffToken });
"""
    )


def test_whoever_the_hub_says_is_off_unlocks_no_more(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
await vault.setPin("nurse-2", ["recorder"], "204817", { dataKey, staffToken });
const manager = { roles: ["manager"], active: true };
const off = { staff_id: "nurse-1", roles: [], active: false };
await vault.keepStaff([off, { staff_id: "nurse-2", ...manager }, { staff_id: "nurse-3", ...manager }]);
assert.deepEqual((await reload().people()).map(({ staffId, roles }) => [staffId, roles]), [["nurse-2", ["manager"]]]);
await wrong("nobody", {}, "204816");
"""
    )


def test_parameters_are_kept_with_the_entry_and_raised_at_the_next_unlocking(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
const before = shelf.get("person:nurse-1");
PARAMETERS.operations = 2;
assert.deepEqual((await reload().unlock("nurse-1", "204816")).dataKey, dataKey);
const after = shelf.get("person:nurse-1");
assert.deepEqual([before.parameters.operations, after.parameters.operations], [1, 2]);
assert.notDeepEqual(after.salt, before.salt);
assert.deepEqual((await reload().unlock("nurse-1", "204816")).staffToken, staffToken);
assert.ok(FULL.operations >= 3 && FULL.memory >= 64 * 1024 * 1024, "RFC 9106, the second recommended choice");
"""
    )


def test_what_lies_in_the_vault_shows_neither_key_nor_pin(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const seen = JSON.stringify([...shelf], (_, value) => (value instanceof Uint8Array ? hex(value) : value));
for (const secret of [dataKey, staffToken, Buffer.from("204816")]) assert.ok(!seen.includes(hex(secret)));
assert.ok(!seen.includes("204816") && seen.includes("nurse-1"));
for (const key of [device.wrappingKey, device.keys.privateKey]) assert.equal(key.extractable, false);
"""
    )


def test_the_signature_is_the_one_the_hub_expects(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
const signature = fromBase64(await vault.sign("desk-session", "challenge", "nurse-1", "https://desk:8443"));
const key = await crypto.subtle.importKey("raw", publicKey, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
const signed = new TextEncoder().encode(`desk-session\\nchallenge\\n${device.deviceId}\\nnurse-1\\nhttps://desk:8443`);
assert.equal(signature.length, 64);
assert.ok(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, signed));
assert.deepEqual(fromBase64(toBase64(new Uint8Array([251, 255, 254, 0]))), new Uint8Array([251, 255, 254, 0]));
"""
    )


def test_pins_that_anybody_would_try_first_are_refused(run_in_node: RunInNode) -> None:
    run_in_node(
        BEGIN
        + """
const byFault = { length: ["12345", "1234567890123"], digits: ["12345a", "１２３４５６"],
  simple: ["111111", "123456", "654321", "890123", "121212", "123123"], "": ["204816", "112233", "024680135791"] };
for (const [fault, pins] of Object.entries(byFault)) for (const pin of pins) assert.equal(pinFault(pin), fault, pin);
"""
    )
