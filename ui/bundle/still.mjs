// A world in which no time passes and chance repeats itself, so that the same inputs give the same memory, byte for byte.
// Nothing of it outlives the build: the browser's Python reads its own clock, and takes fresh chance (ui/runtime/entry.py).
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

// Python keeps the name of its program and looks for itself there: as in the browser, there is none.
process.argv.length = 1;

const START = Date.UTC(2020, 0, 1);
const MachineDate = Date;
globalThis.Date = class extends MachineDate {
  constructor(...parts) { super(...(parts.length ? parts : [START])); }
  static now() { return START; }
};
performance.now = () => 0;

let state = 1;
function fill(view) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  return view;
}
Object.defineProperty(globalThis.crypto, "getRandomValues", { value: fill });
Math.random = () => 0.5;
crypto.randomFillSync = fill;
syncBuiltinESMExports();

// Nothing is told when the engine collects garbage: a Python object that JavaScript let go of is released then, and when
// that is depends on the machine.
globalThis.FinalizationRegistry = class { register() {} unregister() { return false; } };

// Timers come in the order of their due times, each in a turn of its own, without waiting: which of two was first would
// else depend on how busy the machine is.
const timers = [];
let numbered = 0;
globalThis.setTimeout = (callback, delay = 0, ...rest) => {
  const timer = { due: Math.max(1, delay), number: ++numbered, run: () => callback(...rest) };
  const after = timers.findIndex(({ due }) => due > timer.due);
  timers.splice(after < 0 ? timers.length : after, 0, timer);
  setImmediate(() => timers.shift()?.run());
  return timer.number;
};
globalThis.clearTimeout = (number) => {
  const at = timers.findIndex((timer) => timer.number === number);
  if (at >= 0) timers.splice(at, 1);
};
