// A store's folder with all its files sealed, over a folder of storage.js of either kind.
//
// Each file lies there under its name and ".sealed". What a missing end or a missing file would not show by itself stands
// in the marks: of each file its id and how many bytes of it are on disk for certain. They are written some time after an
// append, not with it, into two places in turn, so that one is always whole; a file is marked shorter before it is cut,
// and forgotten before it is removed. Marks that lag are no damage; a file that ends before its mark is.
//
// A folder that lies in clear is sealed when it is opened with a key. Every file is sealed beside, flushed, and read again;
// the first marks are what makes the sealed ones count; then the clear ones are overwritten and removed. Killed before the
// marks are whole it is the clear store, as it was; after, the sealed one. There is no way back.
import { SealError, SealedFile, Sealer, after } from "./sealing.js";
import { NONCE_BYTES, loadSodium, randomBytes } from "./sodium.js";

export const SUFFIX = ".sealed";
const MAGIC = new TextEncoder().encode("DESKMARK");
const KEY_ID_BYTES = 16;
const BOUND = MAGIC.length + KEY_ID_BYTES;
const MARK_AFTER = 2000; // milliseconds
const STEP = 512 * 1024;
// Of the highest number and of a newer format: a program that knows no seals refuses the folder instead of beginning anew.
const REFUSED_BY_OLDER = "journal.999999";
const REFUSAL = Uint8Array.of(...new TextEncoder().encode("VACDESK"), 255);

export const prepare = loadSodium;

// `onProgress` is told how many bytes are sealed, and of how many. Throws: SealError where another key sealed the folder,
// or where it lies in clear though it `wasSealed`: whoever can write to this disk may have put it there.
export async function openSealed(raw, scope, dataKey, onProgress, wasSealed = false) {
  const folder = new SealedFolder(raw, new Sealer(await loadSodium(), dataKey, scope));
  try { await folder.begin(onProgress, wasSealed); } catch (error) {
    folder.slots?.close();
    folder.sealer.close();
    throw error;
  }
  return folder;
}

class SealedFolder {
  constructor(raw, sealer) {
    Object.assign(this, { raw, sealer, damage: [], marks: new Map(), opened: new Set(), slots: null, turn: 0, isClean: false, timer: null });
    this.markKey = sealer.key("marks");
    this.keyId = sealer.key("key id").subarray(0, KEY_ID_BYTES);
  }

  async begin(onProgress, wasSealed) {
    this.slots = await this.raw.openSlots(false);
    const isMarked = this.slots !== null && this.readMarks(await this.slots.read());
    const names = await this.raw.names();
    const sealed = new Set(names.filter((name) => name.endsWith(SUFFIX)));
    const clear = names.filter((name) => !name.endsWith(SUFFIX) && name !== REFUSED_BY_OLDER);
    if (!isMarked) {
      // Clear files go only once all are sealed and marked; so each sealed one has its clear one until then.
      const isUncommitted = [...sealed].every((name) => clear.includes(name.slice(0, -SUFFIX.length)));
      if (!isUncommitted) await this.renewMarks(sealed);
      else if (clear.length && wasSealed) throw new SealError("a store in clear stands where a sealed one was");
      else if (clear.length) await this.sealClear(clear, sealed, onProgress);
      else return; // a new store; its first file will make the marks
    }
    if (!this.isClean) await this.removeClear(clear);
  }

  async sealClear(clear, leftovers, onProgress) {
    for (const name of leftovers) await this.raw.remove(name);
    const sources = [];
    try {
      for (const name of clear) sources.push([name, await this.raw.open(name)]);
      const total = sources.reduce((sum, [, { length }]) => sum + length, 0);
      let done = 0;
      for (const [name, from] of sources) {
        const to = await this.openFile(name);
        for (const [at, piece] of piecesOf(from)) {
          await to.write(piece, at + piece.length === from.length);
          onProgress((done += piece.length), total);
        }
        to.blocks.clear(); // what is read again is to come from the disk
        if (!isSame(from, to)) throw new SealError(`${name}: not the same after sealing`);
      }
      await this.writeMarks();
    } finally {
      for (const file of [...sources.map(([, from]) => from), ...this.opened]) file.close();
    }
  }

  // Both marks are damaged. Whether the key is the right one, the files' headers say.
  async renewMarks(sealed) {
    for (const name of sealed) (await this.openFile(name.slice(0, -SUFFIX.length))).close();
    this.tell("marks", 0, 0);
  }

  async removeClear(clear) {
    for (const name of clear) await this.raw.erase(name);
    const refusal = await this.raw.open(REFUSED_BY_OLDER);
    if (refusal.length !== REFUSAL.length) {
      await refusal.truncate(0);
      await refusal.write(REFUSAL, true);
    }
    refusal.close();
    this.isClean = true;
    await this.writeMarks();
  }

  // ---- what a folder does

  async names() {
    const names = (await this.raw.names()).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
    return [...new Set([...names, ...this.marks.keys()])]; // one that is missing is asked for, and found to be empty
  }

  async open(name) {
    if (!this.isClean) await this.removeClear([]);
    return this.openFile(name);
  }

  async openFile(name) {
    const raw = await this.raw.open(name + SUFFIX);
    try {
      const mark = this.marks.get(name);
      const file = new SealedFile(this.sealer, raw, name, mark, this);
      if (mark && file.length && mark.id !== file.idText()) throw new SealError(`${name}: another file has taken its place`);
      if (file.markedSize > file.length) this.tell(name, file.length, file.markedSize - file.length);
      this.opened.add(file);
      return file;
    } catch (error) { raw.close(); throw error; }
  }

  async remove(name) {
    if (this.marks.delete(name)) await this.writeMarks();
    await this.raw.remove(name + SUFFIX);
  }

  close() {
    if (this.slots && this.isClean) this.markQuietly();
    clearTimeout(this.timer);
    this.slots?.close();
    this.raw.close();
    this.markKey.fill(0);
    this.sealer.close();
  }

  // Damage, named: file, and where in its plain bytes.
  tell(name, offset, length) {
    const text = `${name}: ${length} bytes from ${offset} on cannot be unsealed`;
    if (this.damage.includes(text)) return;
    this.damage.push(text);
    console.warn(`sealed store: ${text}`);
  }

  // ---- what a file tells

  closed(file) {
    this.note(file);
    this.opened.delete(file);
  }

  touched() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.markQuietly();
    }, MARK_AFTER);
  }

  lower(file, size) {
    if (!((this.marks.get(file.name)?.size ?? 0) > size)) return;
    file.kept = size;
    return this.writeMarks();
  }

  // ---- marks

  note(file) {
    if (file.kept) this.marks.set(file.name, { id: file.idText(), size: file.kept });
    else this.marks.delete(file.name);
  }

  // Marks that lag are no damage, so a disk that refuses them stops nobody.
  markQuietly() {
    const refused = (error) => console.warn(`sealed store: no marks: ${error}`);
    try { this.writeMarks()?.catch(refused); } catch (error) { refused(error); }
  }

  writeMarks() {
    for (const file of this.opened) this.note(file);
    return this.slots ? this.writeSlot() : this.raw.openSlots(true).then((slots) => { this.slots = slots; return this.writeSlot(); });
  }

  writeSlot() {
    const { sealer: { sodium }, keyId, markKey } = this;
    const text = JSON.stringify({ turn: ++this.turn, isClean: this.isClean, files: Object.fromEntries(this.marks) });
    const nonce = randomBytes(NONCE_BYTES), bound = joined(MAGIC, keyId);
    const sealed = sodium.seal(markKey, nonce, new TextEncoder().encode(text), bound);
    return this.slots.write(this.turn % 2, joined(bound, nonce, new Uint8Array(new Uint32Array([sealed.length]).buffer), sealed));
  }

  // Takes the newer of two marks; false where none is whole. Throws: SealError where another key wrote them.
  readMarks(slots) {
    let isOther = false, newest = null;
    for (const slot of slots) {
      if (slot.length < BOUND || MAGIC.some((byte, at) => slot[at] !== byte)) continue;
      if (this.keyId.some((byte, at) => slot[MAGIC.length + at] !== byte)) isOther = true;
      const at = BOUND + NONCE_BYTES + 4;
      if (slot.length < at) continue;
      const length = new DataView(slot.buffer, slot.byteOffset).getUint32(BOUND + NONCE_BYTES, true);
      const plain = this.sealer.sodium.open(this.markKey, slot.subarray(BOUND, BOUND + NONCE_BYTES), slot.subarray(at, at + length), slot.subarray(0, BOUND));
      const mark = plain && JSON.parse(new TextDecoder().decode(plain));
      if (mark && mark.turn > (newest?.turn ?? 0)) newest = mark;
    }
    if (!newest && isOther) throw new SealError("the store was sealed by another key");
    if (newest) Object.assign(this, { turn: newest.turn, isClean: newest.isClean, marks: new Map(Object.entries(newest.files)) });
    return newest !== null;
  }
}

function* piecesOf(file) {
  for (let at = 0; at < file.length; at += STEP) {
    const piece = new Uint8Array(Math.min(STEP, file.length - at));
    file.read(piece, at);
    yield [at, piece];
  }
}

function isSame(one, other) {
  if (one.length !== other.length) return false;
  for (const [at, piece] of piecesOf(one)) {
    const again = new Uint8Array(piece.length);
    other.read(again, at);
    if (again.some((byte, n) => byte !== piece[n])) return false;
  }
  return true;
}

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
