// The device's vault: its own keys, and what each person's PIN opens. It lies in IndexedDB, which keeps keys that no
// script can read; what lies there in clear are names, counts and times.
//
// A person's entry is sealed twice: inside under the PIN (Argon2id, XChaCha20-Poly1305), outside by a key of this device
// (AES-GCM, not extractable). So the entry opens on this device alone, and only with the PIN.
//
// - A try is written down before it is made: whoever pulls the plug in between has used it up.
// - Waits outlast a reload; a clock that was set back lets them begin anew.
// - After LAST_TRY wrong ones the entry is gone, and the password opens the way again, at the hub.

export const PIN_MIN = 6, PIN_MAX = 12, LAST_TRY = 10, IDLE_SECONDS = 180;
// Measured at the build's machine: 0.4 s in Chromium; a slow tablet needs two to three times as long. Kept with each
// entry, so raising them here reaches everybody at the next unlocking.
export const PARAMETERS = { operations: 9, memory: 64 * 1024 * 1024 };
const WAIT_SECONDS_AFTER = [0, 0, 0, 30, 60, 120, 300]; // the n-th wrong one; later ones as long as this
const LONGEST_WAIT_SECONDS = 900;
const NAME = "desk-vault", STORE = "vault";
const DEVICE = "device", UNSENT = "unsent", IDLE = "idle", SEALED = "sealed", PERSON = "person:";
const KEY_BYTES = 32, SALT_BYTES = 16, IV_BYTES = 12;

const text = (value) => new TextEncoder().encode(value);
export const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const fromBase64 = (value) => Uint8Array.from(atob(value.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const random = (length) => crypto.getRandomValues(new Uint8Array(length));

// `code`: pin_wrong { triesLeft, waitMs }, pin_waits { waitMs }, pin_spent, vault_damaged, nobody.
export class VaultError extends Error {
  constructor(code, facts = {}) { super(code); Object.assign(this, { code, ...facts }); }
}

// What is wrong with a PIN that is being chosen: "length", "digits", "simple", or "" for nothing.
export function pinFault(pin) {
  if (!/^[0-9]*$/.test(pin)) return "digits";
  if (pin.length < PIN_MIN || pin.length > PIN_MAX) return "length";
  const steps = new Set([...pin].slice(1).map((digit, at) => (digit - pin[at] + 10) % 10));
  const isRepeated = [1, 2, 3].some((length) => pin === pin.slice(0, length).repeat(pin.length).slice(0, pin.length));
  return isRepeated || (steps.size === 1 && (steps.has(1) || steps.has(9))) ? "simple" : "";
}

export class Vault {
  // `shelf`: get, put, remove, entries, as below; `box`: pin.js; `alone`: runs one thing at a time, over all tabs.
  constructor(shelf, box, alone = (work) => navigator.locks.request(NAME, work), now = Date.now) {
    Object.assign(this, { shelf, box, alone, now });
  }

  // --- the device ------------------------------------------------------------------------------------------------

  async device() { return (await this.shelf.get(DEVICE)) ?? null; } // { deviceId, name, keys, wrappingKey }

  // The keys of a device that is about to be enrolled. Nothing is kept before `keepDevice`.
  async makeDevice() {
    const deviceId = crypto.randomUUID().replaceAll("-", "");
    const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    const wrappingKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
    return { device: { deviceId, name: "", keys, wrappingKey }, publicKey, dataKey: random(KEY_BYTES) };
  }

  async keepDevice(device) { await this.shelf.put(DEVICE, device); }

  // Shape: raw r||s in base64url, over "kind\nchallenge\ndevice\nperson\norigin".
  async sign(kind, challenge, staffId, origin) {
    const { deviceId, keys } = await this.device();
    const signed = text([kind, challenge, deviceId, staffId, origin].join("\n"));
    return toBase64(new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, keys.privateKey, signed)));
  }

  // --- its people ------------------------------------------------------------------------------------------------

  // Who may unlock, the last one first. Units: milliseconds.
  people() {
    return this.alone(async () => {
      const people = [];
      for (const entry of await this.shelf.entries(PERSON)) {
        const { staffId, roles, wrong, usedAt } = entry;
        people.push({ staffId, roles, usedAt, triesLeft: LAST_TRY - wrong, waitMs: await this.waitOf(entry) });
      }
      return people.sort((one, other) => other.usedAt - one.usedAt);
    });
  }

  // Let a person in by this PIN from now on. Both secrets are 32 bytes, from the hub.
  async setPin(staffId, roles, pin, { dataKey, staffToken }) {
    if (pinFault(pin)) throw new VaultError("pin_unfit");
    await this.alone(() => this.seal({ staffId, roles, usedAt: this.now() }, pin, { dataKey, staffToken }));
  }

  // Shape: { staffId, roles, refused, dataKey, staffToken }; `refused`: how many wrong ones came before.
  // Raises: VaultError.
  async unlock(staffId, pin) {
    return this.alone(async () => {
      const entry = await this.shelf.get(PERSON + staffId);
      if (!entry) throw new VaultError("nobody");
      const waitMs = await this.waitOf(entry);
      if (waitMs) throw new VaultError("pin_waits", { waitMs });
      const box = await this.unwrap(entry);
      const wrong = entry.wrong + 1;
      const seconds = wrong < WAIT_SECONDS_AFTER.length ? WAIT_SECONDS_AFTER[wrong] : LONGEST_WAIT_SECONDS;
      const tried = { ...entry, wrong, waitMs: seconds * 1000, waitsFrom: this.now() };
      await this.shelf.put(PERSON + staffId, tried);
      const secret = await this.box.openWithPin({ pin, salt: entry.salt, parameters: entry.parameters, box, context: await this.context(staffId) });
      if (!secret) {
        if (wrong < LAST_TRY) throw new VaultError("pin_wrong", { triesLeft: LAST_TRY - wrong, waitMs: tried.waitMs });
        await this.shelf.remove(PERSON + staffId);
        throw new VaultError("pin_spent");
      }
      const secrets = { dataKey: secret.slice(0, KEY_BYTES), staffToken: secret.slice(KEY_BYTES) };
      secret.fill(0);
      const { operations, memory } = entry.parameters;
      const used = { ...entry, wrong: 0, waitMs: 0, usedAt: this.now() };
      if (operations === PARAMETERS.operations && memory === PARAMETERS.memory) await this.shelf.put(PERSON + staffId, used);
      else await this.seal(used, pin, secrets);
      return { staffId, roles: entry.roles, refused: entry.wrong, ...secrets };
    });
  }

  // Raises: VaultError, as unlocking does: the old one is a try like any other.
  async changePin(staffId, pin, newPin) {
    if (pinFault(newPin)) throw new VaultError("pin_unfit");
    const { roles, dataKey, staffToken } = await this.unlock(staffId, pin);
    await this.setPin(staffId, roles, newPin, { dataKey, staffToken });
    dataKey.fill(0);
    staffToken.fill(0);
  }

  // What the hub said last of this device's people: [{ staff_id, roles, active }]. Who is off unlocks here no more.
  async keepStaff(staff) {
    await this.alone(async () => {
      for (const { staff_id: staffId, roles, active } of staff) {
        const entry = await this.shelf.get(PERSON + staffId);
        if (entry && active) await this.shelf.put(PERSON + staffId, { ...entry, roles });
        else if (entry) await this.shelf.remove(PERSON + staffId);
      }
    });
  }

  async seal(entry, pin, { dataKey, staffToken }) {
    const secret = new Uint8Array(2 * KEY_BYTES);
    secret.set(dataKey);
    secret.set(staffToken, KEY_BYTES);
    const salt = random(SALT_BYTES), iv = random(IV_BYTES), context = await this.context(entry.staffId);
    const box = await this.box.sealUnderPin({ pin, salt, parameters: PARAMETERS, secret, context });
    secret.fill(0);
    const { wrappingKey } = await this.device();
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: text(context) }, wrappingKey, box));
    await this.shelf.put(PERSON + entry.staffId, { ...entry, salt, parameters: { ...PARAMETERS }, iv, sealed, wrong: 0, waitMs: 0, waitsFrom: 0 });
  }

  async unwrap({ staffId, iv, sealed }) {
    const { wrappingKey } = await this.device();
    const how = { name: "AES-GCM", iv, additionalData: text(await this.context(staffId)) };
    try { return new Uint8Array(await crypto.subtle.decrypt(how, wrappingKey, sealed)); }
    catch { throw new VaultError("vault_damaged"); }
  }

  async context(staffId) { return `desk-vault 1\n${(await this.device()).deviceId}\n${staffId}`; }

  async waitOf(entry) {
    const now = this.now();
    if (!entry.waitMs || now >= entry.waitsFrom) return Math.max(0, entry.waitMs - (now - entry.waitsFrom));
    await this.shelf.put(PERSON + entry.staffId, { ...entry, waitsFrom: now });
    return entry.waitMs;
  }

  // --- what is known while it is locked --------------------------------------------------------------------------

  // How many changes of this device the hub does not hold; null where that is not known.
  async unsent() { return (await this.shelf.get(UNSENT)) ?? null; }
  async keepUnsent(count) { await this.shelf.put(UNSENT, count); }
  // Whether the device's store was open sealed once: from then on one in clear is not its own.
  async wasSealed() { return (await this.shelf.get(SEALED)) ?? false; }
  async keepSealed() { await this.shelf.put(SEALED, true); }
  async idleSeconds() { return (await this.shelf.get(IDLE)) ?? IDLE_SECONDS; }
  async keepIdleSeconds(seconds) { await this.shelf.put(IDLE, seconds); }
}

// --- IndexedDB -------------------------------------------------------------------------------------------------------

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

class IndexedDbShelf {
  constructor(database) {
    this.database = database;
    database.onversionchange = () => database.close(); // another tab wipes the device
  }
  get(key) { return settled(this.store("readonly").get(key)); }
  put(key, value) { return this.change((store) => store.put(value, key)); }
  remove(key) { return this.change((store) => store.delete(key)); }
  entries(prefix) { return settled(this.store("readonly").getAll(IDBKeyRange.bound(prefix, `${prefix}\uffff`))); }
  store(mode) { return this.database.transaction(STORE, mode, { durability: "strict" }).objectStore(STORE); }
  change(work) {
    const store = this.store("readwrite");
    work(store);
    return new Promise((resolve, reject) => {
      store.transaction.oncomplete = () => resolve();
      store.transaction.onabort = () => reject(store.transaction.error ?? new DOMException("aborted", "AbortError"));
    });
  }
}

// This device's vault, null where it has none; `make` makes one.
export async function openVault(box, make = false) {
  const request = indexedDB.open(NAME, 1);
  let isMissing = false;
  request.onupgradeneeded = () => {
    if (make) request.result.createObjectStore(STORE);
    else { isMissing = true; request.transaction.abort(); }
  };
  try { return new Vault(new IndexedDbShelf(await settled(request)), box); }
  catch (error) {
    if (isMissing) return null;
    throw error; // what cannot be opened never counts as absent
  }
}

export function removeVault() { return settled(indexedDB.deleteDatabase(NAME)); }
