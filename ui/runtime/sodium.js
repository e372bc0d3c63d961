// libsodium: what the device's seals are made of, one instance per thread. Its core, not its wrappers, which copy each
// frame twice; its memory never shrinks, so argon2id of much memory is better run in a thread that ends afterwards.
import loadCore from "../libsodium/libsodium-sumo.mjs";

export const KEY_BYTES = 32;
export const NONCE_BYTES = 24;
export const TAG_BYTES = 16;
export const SALT_BYTES = 16;
const ARGON2ID13 = 2;

let loading;
export function loadSodium() {
  return (loading ??= loadCore({ getRandomValue: () => crypto.getRandomValues(new Uint32Array(1))[0] }).then((core) => {
    if (core._sodium_init() < 0) throw new Error("libsodium did not start");
    return new Sodium(core);
  }));
}

export const randomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

class Sodium {
  constructor(core) { this.core = core; }

  // Copies the inputs into libsodium's memory behind room for the result, and wipes all of it afterwards: keys and PINs
  // would stay there.
  call(length, inputs, work) {
    const { core } = this;
    const total = inputs.reduce((sum, { length }) => sum + length, length);
    const room = core._malloc(Math.max(1, total));
    try {
      let at = room + length;
      const places = inputs.map((bytes) => { core.HEAPU8.set(bytes, at); at += bytes.length; return at - bytes.length; });
      return work(room, ...places) === 0 ? core.HEAPU8.slice(room, room + length) : null;
    } finally {
      core.HEAPU8.fill(0, room, room + total);
      core._free(room);
    }
  }

  // The key that a PIN or password gives. `memory` in bytes, `operations` as libsodium counts them (passes).
  argon2id(password, salt, { operations, memory }) {
    const key = this.call(KEY_BYTES, [password, salt], (out, from, with_) =>
      this.core._crypto_pwhash(out, KEY_BYTES, 0, from, password.length, 0, with_, operations, 0, memory, ARGON2ID13));
    if (!key) throw new Error("not enough memory for argon2id");
    return key;
  }

  // A key for one purpose out of another key (keyed BLAKE2b).
  derive(key, purpose) {
    return this.call(KEY_BYTES, [purpose, key], (out, from, with_) =>
      this.core._crypto_generichash(out, KEY_BYTES, from, purpose.length, 0, with_, key.length));
  }

  // XChaCha20-Poly1305. A nonce is used once with a key: random ones of 24 bytes never meet again.
  seal(key, nonce, plain, context) {
    return this.call(plain.length + TAG_BYTES, [plain, context, nonce, key], (out, from, bound, once, with_) =>
      this.core._crypto_aead_xchacha20poly1305_ietf_encrypt(out, 0, from, plain.length, 0, bound, context.length, 0, 0, once, with_));
  }

  // What was sealed, or null where key, nonce, context or a bit of it is another.
  open(key, nonce, sealed, context) {
    if (sealed.length < TAG_BYTES) return null;
    return this.call(sealed.length - TAG_BYTES, [sealed, context, nonce, key], (out, from, bound, once, with_) =>
      this.core._crypto_aead_xchacha20poly1305_ietf_decrypt(out, 0, 0, from, sealed.length, 0, bound, context.length, 0, once, with_));
  }
}
