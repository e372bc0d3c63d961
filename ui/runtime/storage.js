// The journal's bytes in the browser: OPFS where a sync access handle opens, else IndexedDB. Which one is decided in
// ui/browser_storage.py. Used by the worker, and by the shell for the export that must work without Python.

const FOLDER = "desk";
const STORE = "journal";
const KIND_URL = "/storage-kind";
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const committed = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
});

export async function openOpfs(file, patience) {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  const entry = await folder.getFileHandle(file, { create: true });
  if (!entry.createSyncAccessHandle) throw new DOMException("no sync access handle", "NotSupportedError");
  for (const until = Date.now() + patience; ; await pause(30)) {
    try { return new OpfsJournal(await entry.createSyncAccessHandle()); }
    catch (error) { // the tab that owned the file is closing
      if (error.name !== "NoModificationAllowedError" || Date.now() > until) throw error;
    }
  }
}

class OpfsJournal {
  constructor(handle) { this.handle = handle; }
  size() { return this.handle.getSize(); }
  read(offset, length) {
    const data = new Uint8Array(Math.max(0, Math.min(length, this.size() - offset)));
    return data.subarray(0, this.handle.read(data, { at: offset }));
  }
  append(bytes) { // bytes: a Python buffer; written straight out of Python's memory
    const view = bytes.getBuffer("u8");
    try {
      let at = this.size();
      for (let done = 0; done < view.data.length; ) {
        const written = this.handle.write(view.data.subarray(done), { at });
        if (!written) throw new DOMException("nothing was written", "QuotaExceededError");
        done += written;
        at += written;
      }
      this.handle.flush();
    } finally { view.release(); }
  }
  truncate(size) { this.handle.truncate(size); this.handle.flush(); }
  close() { this.handle.close(); }
}

// One entry per append, its key the offset at which it begins.
export async function openIndexedDb(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  const database = await settled(request);
  const journal = new IndexedDbJournal(database);
  await journal.measure();
  return journal;
}

class IndexedDbJournal {
  constructor(database) { this.database = database; this.length = 0; }
  async measure() {
    const last = await settled(this.store("readonly").openCursor(null, "prev"));
    this.length = last ? last.key + last.value.length : 0;
  }
  store(mode) {
    const transaction = this.database.transaction(STORE, mode, { durability: "strict" });
    return transaction.objectStore(STORE);
  }
  size() { return this.length; }
  async read(offset, length) {
    const end = Math.min(offset + length, this.length);
    const data = new Uint8Array(Math.max(0, end - offset));
    if (!data.length) return data;
    const store = this.store("readonly");
    const first = (await settled(store.openKeyCursor(IDBKeyRange.upperBound(offset), "prev"))).key;
    let at = first;
    for (const chunk of await settled(store.getAll(IDBKeyRange.bound(first, end, false, true)))) {
      const from = Math.max(0, offset - at), to = Math.min(chunk.length, end - at);
      data.set(chunk.subarray(from, to), at + from - offset);
      at += chunk.length;
    }
    return data;
  }
  async append(bytes) {
    const view = bytes.getBuffer("u8");
    const chunk = view.data.slice();
    view.release();
    const store = this.store("readwrite");
    store.put(chunk, this.length);
    await committed(store.transaction);
    this.length += chunk.length;
  }
  async truncate(size) {
    if (size >= this.length) return;
    const store = this.store("readwrite");
    const cut = await settled(store.openCursor(IDBKeyRange.upperBound(size, true), "prev"));
    store.delete(IDBKeyRange.lowerBound(size));
    if (cut && cut.key + cut.value.length > size) store.put(cut.value.slice(0, size - cut.key), cut.key);
    await committed(store.transaction);
    this.length = size;
  }
  close() { this.database.close(); }
}

// The facts the choice is made from; nothing is created here except an empty OPFS file.
export async function probe(file, database, patience) {
  const [opfs, indexedDbBytes, lastKind] = await Promise.all([
    openOpfs(file, patience).then((journal) => ({ journal, bytes: journal.size() }), async (error) => ({ error, bytes: await opfsBytes(file) })),
    indexedDbSize(database),
    caches.match(KIND_URL, { cacheName: "desk-meta" }).then((answer) => answer?.text() ?? ""),
  ]);
  return { opfs: opfs.journal ?? null, opfsError: opfs.error?.name ?? "", opfsBytes: opfs.bytes, indexedDbBytes, lastKind };
}

export async function rememberKind(kind) {
  await (await caches.open("desk-meta")).put(KIND_URL, new Response(kind));
}

async function opfsFile(file) {
  const root = await navigator.storage.getDirectory();
  return (await (await root.getDirectoryHandle(FOLDER)).getFileHandle(file)).getFile();
}

// The size of the OPFS journal without owning it; 0 where there is none, -1 where that cannot be told.
async function opfsBytes(file) {
  try { return (await opfsFile(file)).size; }
  catch (error) { return ["NotFoundError", "TypeError", "SecurityError", "NotSupportedError"].includes(error.name) ? 0 : -1; }
}

async function indexedDbSize(name) {
  const request = indexedDB.open(name);
  let exists = true;
  request.onupgradeneeded = () => { exists = false; request.transaction.abort(); }; // it did not exist, and shall not now
  let database;
  try { database = await settled(request); }
  catch { return exists ? -1 : 0; } // what cannot be opened may hold data: it never counts as empty
  if (!database.objectStoreNames.contains(STORE)) { database.close(); return 0; }
  const journal = new IndexedDbJournal(database);
  await journal.measure();
  journal.close();
  return journal.size();
}

// The raw journal for a person to keep when Python cannot start; null where there is none.
export async function readJournalForExport(file = "journal.v1", database = "desk") {
  try {
    const blob = await opfsFile(file);
    if (blob.size) return blob;
  } catch (error) { if (!["NotFoundError", "TypeError", "SecurityError", "NotSupportedError"].includes(error.name)) throw error; }
  if (!(await indexedDbSize(database))) return null;
  const journal = await openIndexedDb(database);
  const blob = new Blob([await journal.read(0, journal.size())]);
  journal.close();
  return blob;
}
