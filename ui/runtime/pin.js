// What opens with a PIN. As a worker it does one such thing and ends: argon2id holds its thread up for half a second,
// and the memory it takes would never be given back.
import { NONCE_BYTES, loadSodium, randomBytes } from "./sodium.js";

const bytes = (text) => new TextEncoder().encode(text);

// Seal `secret` under a PIN. `context` says what the box is for: it opens for nothing else.
// Shape of the box: the nonce, then XChaCha20-Poly1305's sealed text. `salt`, `operations`, `memory`: see sodium.js.
export async function sealUnderPin({ pin, salt, parameters, secret, context }) {
  const sodium = await loadSodium();
  const key = sodium.argon2id(bytes(pin), salt, parameters);
  const nonce = randomBytes(NONCE_BYTES);
  const sealed = sodium.seal(key, nonce, secret, bytes(context));
  key.fill(0);
  const box = new Uint8Array(nonce.length + sealed.length);
  box.set(nonce);
  box.set(sealed, nonce.length);
  return box;
}

// The secret, or null where the PIN is another one (or anything else is).
export async function openWithPin({ pin, salt, parameters, box, context }) {
  const sodium = await loadSodium();
  const key = sodium.argon2id(bytes(pin), salt, parameters);
  const secret = sodium.open(key, box.subarray(0, NONCE_BYTES), box.subarray(NONCE_BYTES), bytes(context));
  key.fill(0);
  return secret;
}

// The same two, each in a thread of its own, for the page. `build` names the bundle.
export function pinThread(build) {
  const run = (what, given) => new Promise((resolve, reject) => {
    const thread = new Worker(`/bundle/${build}/runtime/pin.js`, { type: "module" });
    thread.onmessage = ({ data: { error, answer } }) => { thread.terminate(); error ? reject(new Error(error)) : resolve(answer); };
    thread.onerror = (event) => { thread.terminate(); reject(new Error(event.message ?? "pin.js did not load")); };
    thread.postMessage({ what, given });
  });
  return { sealUnderPin: (given) => run("seal", given), openWithPin: (given) => run("open", given) };
}

if (globalThis.WorkerGlobalScope && self instanceof WorkerGlobalScope) {
  self.onmessage = async ({ data: { what, given } }) => {
    try { postMessage({ answer: await (what === "seal" ? sealUnderPin : openWithPin)(given) }); }
    catch (error) { postMessage({ error: String(error.message ?? error) }); }
  };
}
