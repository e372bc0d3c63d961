// A store's files in the browser: OPFS where a sync access handle opens, else IndexedDB. Which one is decided in
// ui/browser_storage.py. Used by the worker, and by the shell for the export that must work without Python.
//
// A folder of bytes: names(), open(name), remove(name), erase(name): remove and overwrite, openSlots(create): two small
// places written in turn, close(). A file of bytes: length, read(into, at), write(data, durable), truncate(size), close();
// writing is done on return in OPFS, IndexedDB gives a promise. With a data key sealed_folder.js stands above them.

const FOLDER = "desk";
const OWNER = "owner"; // an empty file whose handle says that the folder is in use
const SLOTS = "seals"; // what sealed_folder.js keeps; that it is there says that the folder is sealed
const SLOT_BYTES = 128 * 1024;
const FILES = "files";
const META = "desk-meta";
const PRACTICE = "desk-practice"; // the folder and the database of practice mode
const PRACTICE_URL = "/practice";
const kindUrl = (name) => `/storage-kind${name === FOLDER ? "" : `-${name}`}`;
const ABSENT = ["NotFoundError", "TypeError", "SecurityError", "NotSupportedError"];
const REMOVE_PATIENCE = 5000;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const committed = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
});

// --- whether sealed -------------------------------------------------------------------------------------------------

// The device's data key, once this worker has it: what opens a folder without naming another uses it.
let deviceKey = null;
let tellSealing = () => {};
let wasSealed = false;
// `sealed`: the device's own store was sealed before, so one in clear in its place is not the device's work.
export function useKey(dataKey, sealed, onProgress) {
  deviceKey = dataKey;
  wasSealed = sealed;
  tellSealing = onProgress;
  import("./sealed_folder.js").then(({ prepare }) => prepare()); // while Python is being prepared
}

async function opened(raw, name, dataKey) {
  try {
    if (dataKey) {
      const { openSealed } = await import("./sealed_folder.js");
      return new Folder(await openSealed(raw, name, dataKey, tellSealing, wasSealed && name === FOLDER));
    }
    const slots = await raw.openSlots(false);
    if (!slots) return new Folder(raw);
    slots.close();
    throw new DOMException("the store is sealed, and there is no key", "SealError");
  } catch (error) { raw.close(); throw error; }
}

// What Python sees (ui/browser_storage.py). A buffer is given back on return; bytes go out of Python's memory as they stand.
class Folder {
  constructor(raw) { this.raw = raw; }
  names() { return this.raw.names(); }
  async open(name) { return new File(await this.raw.open(name)); }
  remove(name) { return this.raw.remove(name); }
  close() { this.raw.close(); }
}

class File {
  constructor(raw) { this.raw = raw; }
  size() { return this.raw.length; }
  markedSize() { return this.raw.markedSize ?? 0; }
  read(offset, length) {
    const data = new Uint8Array(Math.max(0, Math.min(length, this.raw.length - offset)));
    return data.subarray(0, this.raw.read(data, offset));
  }
  // What lies at several places, one after the other. `places`: a buffer of 64-bit floats, offset and length in turn.
  readMany(places) {
    const view = places.getBuffer("f64");
    try {
      let total = 0;
      for (let n = 1; n < view.data.length; n += 2) total += view.data[n];
      const data = new Uint8Array(total);
      let at = 0;
      for (let n = 0; n < view.data.length; n += 2) {
        const piece = data.subarray(at, at + view.data[n + 1]);
        if (piece.length && this.raw.read(piece, view.data[n]) !== piece.length) throw new DOMException("the file ends before", "NotReadableError");
        at += piece.length;
      }
      return data;
    } finally { view.release(); }
  }
  append(bytes, durable) {
    const view = bytes.getBuffer("u8");
    try { return this.raw.write(view.data, durable); } finally { view.release(); }
  }
  truncate(size) { return this.raw.truncate(size); }
  close() { this.raw.close(); }
}

// --- OPFS --------------------------------------------------------------------------------------------------------

export async function openOpfs(name, patience, dataKey = deviceKey) {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(name, { create: true });
  const owner = await folder.getFileHandle(OWNER, { create: true });
  if (!owner.createSyncAccessHandle) throw new DOMException("no sync access handle", "NotSupportedError");
  for (const until = Date.now() + patience; ; await pause(30)) {
    let handle;
    try { handle = await owner.createSyncAccessHandle(); }
    catch (error) { // the tab that owned the folder is closing
      if (error.name !== "NoModificationAllowedError" || Date.now() > until) throw error;
      continue;
    }
    return opened(new OpfsFolder(folder, handle), name, dataKey);
  }
}

class OpfsFolder {
  constructor(folder, owner) { Object.assign(this, { folder, owner }); }
  async names() {
    const names = [];
    for await (const name of this.folder.keys()) if (name !== OWNER && name !== SLOTS) names.push(name);
    return names;
  }
  async open(name) {
    const entry = await this.folder.getFileHandle(name, { create: true });
    return new OpfsFile(await entry.createSyncAccessHandle());
  }
  async remove(name) {
    try { await this.folder.removeEntry(name); } catch (error) { if (error.name !== "NotFoundError") throw error; }
  }
  async erase(name) {
    const file = await this.open(name), zeros = new Uint8Array(1024 * 1024);
    for (let at = 0; at < file.length; at += zeros.length) file.handle.write(zeros.subarray(0, file.length - at), { at });
    file.truncate(file.length); // to the disk
    file.close();
    await this.remove(name);
  }
  async openSlots(create) {
    try {
      const entry = await this.folder.getFileHandle(SLOTS, { create });
      return new OpfsSlots(await entry.createSyncAccessHandle());
    } catch (error) { if (error.name !== "NotFoundError") throw error; return null; }
  }
  close() { this.owner.close(); }
}

class OpfsSlots {
  constructor(handle) { this.handle = handle; }
  read() {
    return [0, SLOT_BYTES].map((at) => {
      const data = new Uint8Array(Math.max(0, Math.min(SLOT_BYTES, this.handle.getSize() - at)));
      this.handle.read(data, { at });
      return data;
    });
  }
  write(slot, data) {
    this.handle.write(data, { at: slot * SLOT_BYTES });
    this.handle.flush();
  }
  close() { this.handle.close(); }
}

class OpfsFile {
  constructor(handle) { this.handle = handle; this.length = handle.getSize(); }
  read(into, at) { return this.handle.read(into, { at }); }
  write(data, durable) {
    try {
      let at = this.length;
      for (let done = 0; done < data.length; ) {
        const written = this.handle.write(data.subarray(done), { at });
        if (!written) throw new DOMException("nothing was written", "QuotaExceededError");
        done += written;
        at += written;
        this.length = at;
      }
      if (durable) this.handle.flush();
    } catch (error) { this.length = this.handle.getSize(); throw error; }
  }
  truncate(size) { this.handle.truncate(size); this.handle.flush(); this.length = size; }
  close() { this.handle.close(); }
}

// --- IndexedDB: one entry per append, its key the file's name and the offset at which it begins -------------------

export async function openIndexedDb(name, dataKey = deviceKey) {
  return opened(await indexedDbFolder(name), name, dataKey);
}

async function indexedDbFolder(name) {
  const request = indexedDB.open(name, 2);
  request.onupgradeneeded = ({ oldVersion }) => {
    const files = request.result.createObjectStore(FILES);
    if (oldVersion !== 1) return;
    request.transaction.objectStore("journal").openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (!cursor) return request.result.deleteObjectStore("journal");
      files.put(cursor.value, ["journal.v1", cursor.key]);
      cursor.continue();
    };
  };
  return new IndexedDbFolder(await settled(request));
}

class IndexedDbFolder {
  constructor(database) { this.database = database; }
  store(mode) { return this.database.transaction(FILES, mode, { durability: "strict" }).objectStore(FILES); }
  async names() {
    const names = new Set();
    for (const [name] of await settled(this.store("readonly").getAllKeys())) if (name !== SLOTS) names.add(name);
    return [...names];
  }
  async bytes() {
    let bytes = 0;
    const store = this.store("readonly");
    const request = store.openCursor();
    for (let cursor; (cursor = await settled(request)); cursor.continue()) bytes += cursor.value.length;
    return bytes;
  }
  // Read whole: what is asked of a file must be answered at once, and IndexedDB answers later.
  async open(name) { return new IndexedDbFile(this, name, await settled(this.store("readonly").getAll(within(name)))); }
  async remove(name) {
    const store = this.store("readwrite");
    store.delete(within(name));
    await committed(store.transaction);
  }
  erase(name) { return this.remove(name); } // its bytes go when the browser next tidies up its database
  async openSlots(create) {
    const slots = await settled(this.store("readonly").getAll(within(SLOTS)));
    return slots.length || create ? new IndexedDbSlots(this, slots) : null;
  }
  close() { this.database.close(); }
}

class IndexedDbSlots {
  constructor(folder, slots) { Object.assign(this, { folder, slots }); }
  read() { return this.slots; }
  write(slot, data) {
    const store = this.folder.store("readwrite");
    store.put(data, [SLOTS, slot]);
    return committed(store.transaction);
  }
  close() {}
}

const within = (name) => IDBKeyRange.bound([name, 0], [name, Infinity]);

class IndexedDbFile {
  constructor(folder, name, chunks) {
    Object.assign(this, { folder, name, length: 0, data: new Uint8Array(0) });
    for (const chunk of chunks) this.keep(chunk);
  }
  keep(chunk) {
    if (this.length + chunk.length > this.data.length) {
      const larger = new Uint8Array(Math.max(4096, 2 * (this.length + chunk.length)));
      larger.set(this.data.subarray(0, this.length));
      this.data = larger;
    }
    this.data.set(chunk, this.length);
    this.length += chunk.length;
  }
  read(into, at) {
    const data = this.data.subarray(at, Math.max(at, Math.min(at + into.length, this.length)));
    into.set(data);
    return data.length;
  }
  async write(data) {
    const chunk = data.slice();
    if (!chunk.length) return;
    const store = this.folder.store("readwrite");
    store.put(chunk, [this.name, this.length]);
    await committed(store.transaction);
    this.keep(chunk);
  }
  async truncate(size) {
    if (size >= this.length) return;
    const store = this.folder.store("readwrite");
    store.delete(within(this.name));
    if (size) store.put(this.data.slice(0, size), [this.name, 0]);
    await committed(store.transaction);
    this.length = size;
  }
  close() {}
}

// --- which of the two ----------------------------------------------------------------------------------------------

// The facts the choice is made from; nothing is created here except an empty OPFS folder.
export async function probe(folder, database, patience) {
  const [opfs, indexedDbBytes, lastKind] = await Promise.all([
    openOpfs(folder, patience).then((opened) => ({ opened }), (error) => ({ error })),
    indexedDbSize(database),
    caches.match(kindUrl(folder), { cacheName: META }).then((answer) => answer?.text() ?? ""),
  ]);
  return { opfs: opfs.opened ?? null, opfsError: opfs.error?.name ?? "", opfsBytes: await opfsBytes(folder), indexedDbBytes, lastKind };
}

export async function rememberKind(folder, kind) {
  await (await caches.open(META)).put(kindUrl(folder), new Response(kind));
}

async function opfsFiles(name = FOLDER) {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
  const files = [];
  for await (const entry of folder.values()) if (entry.kind === "file" && entry.name !== OWNER) files.push(await entry.getFile());
  return files;
}

// The bytes in OPFS without owning them; 0 where there are none, -1 where that cannot be told.
async function opfsBytes(folder) {
  try { return (await opfsFiles(folder)).reduce((sum, { size }) => sum + size, 0); }
  catch (error) { return ABSENT.includes(error.name) ? 0 : -1; }
}

async function indexedDbSize(name) {
  const request = indexedDB.open(name);
  let exists = true;
  request.onupgradeneeded = () => { exists = false; request.transaction.abort(); }; // it did not exist, and shall not now
  try { (await settled(request)).close(); }
  catch { return exists ? -1 : 0; } // what cannot be opened may hold data: it never counts as empty
  const folder = await indexedDbFolder(name);
  try { return await folder.bytes(); } finally { folder.close(); }
}

// --- practice mode: a store of its own, and a mark that this device uses that one ------------------------------------

// Not in localStorage, which a browser that is killed may not have written yet.
export async function isPractice() {
  return Boolean(await caches.match(PRACTICE_URL, { cacheName: META }));
}

export async function enterPractice() {
  await removeStore(PRACTICE); // what an earlier practice left, where it could not be removed at its end
  await (await caches.open(META)).put(PRACTICE_URL, new Response("yes"));
}

// The mark goes first: whatever fails after that, the device is at its real work again.
export async function leavePractice() {
  await (await caches.open(META)).delete(PRACTICE_URL);
  await removeStore(PRACTICE).catch(() => {});
}

// All files of a store, for ever. A worker that had it open may have ended a moment ago.
export async function removeStore(name = FOLDER) {
  await (await caches.open(META)).delete(kindUrl(name));
  const root = await navigator.storage.getDirectory().catch(() => null);
  for (const until = Date.now() + REMOVE_PATIENCE; root; await pause(30)) {
    try { await root.removeEntry(name, { recursive: true }); break; }
    catch (error) {
      if (error.name === "NotFoundError") break;
      if (error.name !== "NoModificationAllowedError" || Date.now() > until) throw error;
    }
  }
  await settled(indexedDB.deleteDatabase(name));
}

// --- for a person to keep ---------------------------------------------------------------------------------------------

// All files as they are, for a person to keep when Python cannot start; null where there are none.
// Shape: as ui/bundle/image.py writes it, so that `read_image` takes it apart.
export async function readStoreForExport(folder = FOLDER, database = "desk") {
  let files = [];
  try { files = (await opfsFiles(folder)).map((file) => [file.name, file.size, file]); }
  catch (error) { if (!ABSENT.includes(error.name)) throw error; }
  if (!files.some(([, size]) => size) && (await indexedDbSize(database))) {
    const kept = await indexedDbFolder(database);
    const slots = await kept.openSlots(false);
    files = (slots?.slots ?? []).map((data, slot) => [`${SLOTS}.${slot}`, data.length, data]);
    for (const name of await kept.names()) {
      const file = await kept.open(name);
      files.push([name, file.length, file.data.subarray(0, file.length)]);
    }
    kept.close();
  }
  if (!files.some(([, size]) => size)) return null;
  const header = new TextEncoder().encode(JSON.stringify(files.map(([name, size]) => [name, size])));
  return new Blob([new Uint32Array([header.length]), header, ...files.map(([, , data]) => data)]);
}
