"""libsodium in the browser, against vectors that others published."""

from tests.ui.runtime.conftest import RunInNode

HEX = """
import assert from "node:assert/strict";
import { loadSodium } from "./runtime/sodium.js";
const sodium = await loadSodium();
const hex = (text) => Uint8Array.from(Buffer.from(text.replaceAll(/\\s/g, ""), "hex"));
const text = (value) => new TextEncoder().encode(value);
"""


def test_xchacha20_poly1305_gives_what_its_draft_prints(run_in_node: RunInNode) -> None:
    """Source: draft-irtf-cfrg-xchacha-03, A.3.1."""
    run_in_node(
        HEX
        + """
const key = hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
const nonce = hex("404142434445464748494a4b4c4d4e4f5051525354555657");
const context = hex("50515253c0c1c2c3c4c5c6c7");
const plain = text("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
  "sunscreen would be it.");
const sealed = hex(`bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39
ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f6
15c68b13b52ec0875924c1c7987947deafd8780acf49`);
assert.deepEqual(sodium.seal(key, nonce, plain, context), sealed);
assert.deepEqual(sodium.open(key, nonce, sealed, context), plain);
for (let at = 0; at < sealed.length; at++) {
  const other = sealed.slice();
  other[at] ^= 1;
  assert.equal(sodium.open(key, nonce, other, context), null);
}
assert.equal(sodium.open(key, nonce, sealed, context.subarray(1)), null);
assert.equal(sodium.open(key, nonce, sealed.subarray(0, 15), context), null);
"""
    )


def test_argon2id_gives_what_node_gives(run_in_node: RunInNode) -> None:
    run_in_node(
        HEX
        + """
import crypto from "node:crypto";
const salt = hex("000102030405060708090a0b0c0d0e0f");
const about = { message: text("204816"), nonce: salt, parallelism: 1, tagLength: 32, memory: 8192, passes: 3 };
const expected = crypto.argon2Sync("argon2id", about);
const key = sodium.argon2id(text("204816"), salt, { operations: 3, memory: 8192 * 1024 });
assert.deepEqual(key, new Uint8Array(expected));
assert.notDeepEqual(sodium.argon2id(text("204817"), salt, { operations: 3, memory: 8192 * 1024 }), key);
"""
    )


def test_keys_for_different_purposes_differ(run_in_node: RunInNode) -> None:
    run_in_node(
        HEX
        + """
const key = hex("00".repeat(32));
assert.notDeepEqual(sodium.derive(key, text("one")), sodium.derive(key, text("two")));
assert.notDeepEqual(sodium.derive(hex("01".repeat(32)), text("one")), sodium.derive(key, text("one")));
assert.equal(sodium.derive(key, text("one")).length, 32);
"""
    )
