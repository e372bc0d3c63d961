// A folder of bytes as runtime/storage.js describes it, in memory, and what the checks of sealing share.
import { SealedFile, Sealer } from "./runtime/sealing.js";
import { loadSodium } from "./runtime/sodium.js";

// `steps`: how many writing calls still reach the disk; then it is as if the power had gone, the last call half done.
export class MemoryFolder {
  constructor(files = {}, { steps = Infinity, later = false } = {}) {
    Object.assign(this, { files: new Map(Object.entries(files).map(([name, data]) => [name, data.slice()])), steps, later, slots: [], taken: new Set() });
  }
  copy(options) {
    const folder = new MemoryFolder(Object.fromEntries(this.files), options);
    folder.slots = this.slots.map((slot) => slot?.slice());
    return folder;
  }
  // Runs what changes the disk: whole, or, when the power goes, what `half` leaves.
  change(whole, half = () => {}) {
    if (this.steps-- > 0) return this.later ? Promise.resolve().then(whole) : whole();
    half();
    this.steps = 0;
    throw new Error("power cut");
  }
  async names() { return [...this.files.keys()]; }
  async open(name) {
    if (this.taken.has(name)) throw new Error(`${name} is open already`); // as OPFS has it
    if (!this.files.has(name)) this.change(() => this.files.set(name, new Uint8Array(0)));
    await 0;
    this.taken.add(name);
    return new MemoryFile(this, name);
  }
  async remove(name) { await this.change(() => this.files.delete(name)); }
  async erase(name) { await this.change(() => this.files.delete(name), () => this.files.get(name)?.fill(0)); }
  async openSlots(create) {
    if (!this.slots.length && !create) return null;
    return {
      read: () => this.slots.filter(Boolean),
      write: (slot, data) => this.change(() => { this.slots[slot] = data.slice(); }, () => { this.slots[slot] = data.slice(0, data.length / 2); }),
      close: () => {},
    };
  }
  close() {}
}

class MemoryFile {
  constructor(folder, name) { Object.assign(this, { folder, name, reads: 0, bytesRead: 0 }); }
  get data() { return this.folder.files.get(this.name); }
  set data(data) { this.folder.files.set(this.name, data); }
  get length() { return this.data.length; }
  read(into, at) {
    const data = this.data.subarray(at, at + into.length);
    into.set(data);
    this.reads += 1;
    this.bytesRead += data.length;
    return data.length;
  }
  write(data) {
    const copy = data.slice(), grow = (part) => { this.data = joined(this.data, part); };
    return this.folder.change(() => grow(copy), () => grow(copy.subarray(0, copy.length / 2)));
  }
  truncate(size) { return this.folder.change(() => { this.data = this.data.slice(0, size); }); }
  close() { this.folder.taken.delete(this.name); }
}

export const KEY = new Uint8Array(32).fill(7);
export const text = (value) => new TextEncoder().encode(value);
export const sodium = await loadSodium();
export const sealer = new Sealer(sodium, KEY, "desk");

// Bytes of a place that tell where they stand.
export const bytes = (length, from = 0) => Uint8Array.from({ length }, (_, n) => ((from + n) * 7 + ((from + n) >> 8)) & 255);

export const joined = (...parts) => new Uint8Array(Buffer.concat(parts));

export class Told {
  constructor() { this.damage = []; }
  tell(...what) { this.damage.push(what); }
  lower() {}
  touched() {}
  closed() {}
}

export async function openFile(folder, { name = "journal.000001", mark, told = new Told(), key = sealer } = {}) {
  return new SealedFile(key, await folder.open(name), name, mark, told);
}

export function readAll(file) {
  const all = new Uint8Array(file.length);
  file.read(all, 0);
  return all;
}
