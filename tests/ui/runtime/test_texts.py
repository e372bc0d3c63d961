"""The shell's sentences: what one language says the other says too."""

from tests.ui.runtime.conftest import RunInNode


def test_both_languages_say_the_same_things(run_in_node: RunInNode) -> None:
    run_in_node("""
import assert from "node:assert/strict";
globalThis.document = { documentElement: {} };
const texts = await import("./runtime/texts.js");
const kind = (value) => (typeof value === "function" ? `function of ${value.length}` : typeof value);
const shape = (value) => typeof value !== "object" ? kind(value) :
  Object.fromEntries(Object.keys(value).sort().map((name) => [name, shape(value[name])]));
const shapes = ["zh-TW", "en-US"].map((language) => { texts.speak(language); return shape(texts.TEXTS); });
assert.deepEqual(shapes[0], shapes[1]);
assert.ok(Object.keys(shapes[0].lock.refused).length > 10);
""")
