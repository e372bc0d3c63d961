// A file of the store as it lies sealed on the device.
//
//   file   = blocks of 4096 bytes, the last one shorter; the first begins with the header
//   header = "DESKSEAL" | version u32 | file id 16 | nonce 24 | tag 16, which seals the bytes before the nonce
//   block  = chunks that fill it to its last byte
//   chunk  = length u16 | used u16 | offset u64 | nonce 24 | `length` sealed bytes | tag 16
//
// Numbers are little endian. `offset` is where the chunk's bytes stand in the plain file; of its `length` bytes the first
// `used` are the file's, the rest are zeros that fill a block up. A chunk whose offset lies before the end so far cuts the
// plain file there: cutting writes such a chunk, because rewriting one that holds acknowledged bytes could lose them.
//
// The seal is XChaCha20-Poly1305 (WebCrypto's AES-GCM only answers later, and a search must read a record where it stands).
// The key is derived from the device's data key for this folder, file name and file id; the associated data are the
// chunk's head and its place in the sealed file. So no chunk opens in another file or at another place. A file emptied gets
// a new id, hence a new key; of one cut elsewhere, what was cut off still opens at its very place, but only what nobody was
// ever told of is cut. Nonces are 24 random bytes, fresh for each chunk and never made of its place or content: cutting and
// writing again at the same place under the same key uses none twice.
//
// - An append that a crash cut off ends, like an unsealed one, with the last chunk that is whole; what follows is no chunk.
// - What does not open reads as zeros, and is told: the checksums above name the frame, record or section, and the
//   others stay readable. Within a block reading goes on at the next chunk that opens, else at the next block.
// - One record unseals one or two blocks, and few are looked into to find it, however many chunks the file has.
import { NONCE_BYTES, TAG_BYTES, randomBytes } from "./sodium.js";

const BLOCK = 4096;
const MAGIC = new TextEncoder().encode("DESKSEAL");
const VERSION = 1;
const ID_BYTES = 16;
const BOUND_HEADER = MAGIC.length + 4 + ID_BYTES;
const HEADER = BOUND_HEADER + NONCE_BYTES + TAG_BYTES;
const HEAD = 12;
const OVERHEAD = HEAD + NONCE_BYTES + TAG_BYTES;
const SMALLEST_REST = OVERHEAD + 12; // a rest of a block below it is filled with zeros, so that a chunk always fits
const BLOCKS_AT_ONCE = 8;
const AREA = BLOCKS_AT_ONCE * BLOCK;
const BLOCKS_KEPT = 256;
const NOTHING = new Uint8Array(0);

export class SealError extends Error {
  constructor(message) { super(message); this.name = "SealError"; }
}

// OPFS has done what is asked when it returns, IndexedDB later.
export const after = (done, next) => (done instanceof Promise ? done.then(next) : next());
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));

// Fixed room in libsodium's memory, in which one chunk or one small append at a time is sealed or opened.
export class Sealer {
  constructor(sodium, dataKey, scope) {
    Object.assign(this, { sodium, core: sodium.core, dataKey: dataKey.slice(), scope });
    this.nonces = new Uint8Array(64 * NONCE_BYTES);
    this.noncesUsed = this.nonces.length;
    this.area = this.core._malloc(AREA);
    this.plain = this.core._malloc(BLOCK);
    this.bound = this.core._malloc(HEAD + 8);
  }
  key(purpose) { return this.sodium.derive(this.dataKey, new TextEncoder().encode(`${this.scope}\n${purpose}`)); }
  get memory() { return this.core.HEAPU8; } // anew each time: it moves when libsodium's memory grows
  view() {
    if (this.dataView?.buffer !== this.memory.buffer) this.dataView = new DataView(this.memory.buffer);
    return this.dataView;
  }

  // The browser is asked for many at once: asking took as long as sealing a record.
  freshNonce() {
    if (this.noncesUsed === this.nonces.length) {
      crypto.getRandomValues(this.nonces);
      this.noncesUsed = 0;
    }
    return this.nonces.subarray(this.noncesUsed, (this.noncesUsed += NONCE_BYTES));
  }

  // Seal the plain bytes that stand in the area behind the room for head and nonce. `at`: the chunk's place in the file.
  seal(place, key, at, { length, used, offset }) {
    const { core, bound } = this, view = this.view();
    view.setUint16(place, length, true);
    view.setUint16(place + 2, used, true);
    view.setBigUint64(place + 4, BigInt(offset), true);
    this.memory.copyWithin(bound, place, place + HEAD);
    view.setBigUint64(bound + HEAD, BigInt(at), true);
    this.memory.set(this.freshNonce(), place + HEAD);
    const sealed = place + HEAD + NONCE_BYTES;
    core._crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, 0, sealed, length, 0, bound, HEAD + 8, 0, 0, place + HEAD, key);
  }

  // The chunk that stands `from` bytes into a block, which is filled so far and lies somewhere in the area, or null where
  // none does. `at`: its place in the file.
  open(block, from, filled, key, at) {
    const { core, bound, plain } = this, place = block + from, view = this.view();
    const length = view.getUint16(place, true), used = view.getUint16(place + 2, true), high = view.getUint32(place + 8, true);
    const size = OVERHEAD + length, rest = BLOCK - from - size;
    if (size > filled - from || used > length || high > 0xfffff || (rest && rest < SMALLEST_REST)) return null;
    this.memory.copyWithin(bound, place, place + HEAD);
    view.setBigUint64(bound + HEAD, BigInt(at), true);
    const sealed = place + HEAD + NONCE_BYTES;
    const other = core._crypto_aead_xchacha20poly1305_ietf_decrypt(plain, 0, 0, sealed, length + TAG_BYTES, 0, bound, HEAD + 8, 0, place + HEAD, key);
    if (other) return null;
    return { at, end: at + size, offset: high * 2 ** 32 + view.getUint32(place + 4, true), data: this.memory.slice(plain, plain + used) };
  }

  close() {
    for (const [place, length] of [[this.area, AREA], [this.plain, BLOCK], [this.bound, HEAD + 8]]) this.release(place, length);
    this.dataKey.fill(0);
  }
  release(place, length) {
    this.memory.fill(0, place, place + length);
    this.core._free(place);
  }
}

export class SealedFile {
  // `raw`: the file as it lies there. `mark`: what was once known of it, {id, size}. `folder` is told of damage (`tell`),
  // before the file is cut (`lower`), after it has grown (`touched`), and at its end (`closed`).
  constructor(sealer, raw, name, mark, folder) {
    Object.assign(this, { sealer, raw, name, folder });
    Object.assign(this, { id: null, key: 0, end: 0, length: 0, kept: 0, markedSize: mark?.size ?? 0, blocks: new Map(), firsts: [], heads: [] });
    if (raw.length < HEADER) return; // new, or its very first append was cut off
    const header = new Uint8Array(HEADER);
    raw.read(header, 0);
    if (!this.readHeader(header)) {
      const opens = mark && this.takeId(bytesOf(mark.id));
      if (!opens) throw new SealError(`${name}: not sealed by this device's key, or its header is damaged`);
      folder.tell(name, 0, 0);
    }
    this.findEnd();
    this.kept = Math.min(this.length, this.markedSize); // more than that may not have been flushed yet
  }

  idText() { return hexOf(this.id); }

  readHeader(header) {
    if (MAGIC.some((byte, at) => header[at] !== byte)) return false;
    if (new DataView(header.buffer).getUint32(MAGIC.length, true) > VERSION) throw new SealError(`${this.name}: sealed by a newer version`);
    this.takeId(header.slice(MAGIC.length + 4, BOUND_HEADER));
    const { sealer: { sodium }, keyBytes } = this;
    return sodium.open(keyBytes, header.subarray(BOUND_HEADER, HEADER - TAG_BYTES), header.subarray(HEADER - TAG_BYTES), header.subarray(0, BOUND_HEADER)) !== null;
  }

  makeHeader() {
    const header = new Uint8Array(HEADER);
    header.set(MAGIC);
    new DataView(header.buffer).setUint32(MAGIC.length, VERSION, true);
    const id = randomBytes(ID_BYTES), nonce = this.sealer.freshNonce();
    header.set(id, MAGIC.length + 4);
    this.takeId(id);
    header.set(nonce, BOUND_HEADER);
    header.set(this.sealer.sodium.seal(this.keyBytes, nonce, NOTHING, header.subarray(0, BOUND_HEADER)), BOUND_HEADER + NONCE_BYTES);
    return header;
  }

  takeId(id) {
    const { sealer } = this;
    this.id = id;
    this.keyBytes = sealer.key(`${this.name}\n${this.idText()}`);
    this.key ||= sealer.core._malloc(this.keyBytes.length);
    sealer.memory.set(this.keyBytes, this.key);
    return true;
  }

  // From the last chunk that is whole; no other block is looked at.
  findEnd() {
    this.end = this.raw.length;
    for (let number = this.lastBlock(); number >= 0; number--) {
      const last = this.block(number).chunks.at(-1);
      if (last) { this.end = last.end; this.length = last.offset + last.data.length; return; }
    }
    this.end = HEADER;
  }

  lastBlock() { return Math.floor((this.end - 1) / BLOCK); }

  // Shape: {chunks: [{at, end, offset, data}], first, last}: `first` where its plain bytes begin, `last` where they end.
  // `count`: how many blocks, this one the first, are read at once.
  block(number, count = 1) {
    let block = this.blocks.get(number);
    if (block) return block;
    const { sealer: { memory, area } } = this, begins = number * BLOCK;
    const filled = Math.min(count * BLOCK, AREA, this.end - begins);
    this.raw.read(memory.subarray(area, area + filled), begins);
    for (let at = 0; at < filled; at += BLOCK) {
      const opened = this.openBlock(area + at, begins + at, Math.min(BLOCK, filled - at));
      block ??= opened;
    }
    return block;
  }

  openBlock(place, begins, filled) {
    const chunks = [], number = begins / BLOCK;
    for (let from = number ? 0 : HEADER; from + OVERHEAD <= filled; ) {
      const chunk = this.sealer.open(place, from, filled, this.key, begins + from);
      if (chunk) chunks.push(chunk);
      from = chunk ? chunk.end - begins : from + 1;
    }
    const last = chunks.at(-1);
    const block = { chunks, first: chunks[0]?.offset ?? null, last: last ? last.offset + last.data.length : null };
    if (this.blocks.size >= BLOCKS_KEPT) this.blocks.delete(this.blocks.keys().next().value);
    this.blocks.set(number, block);
    this.firsts[number] = block.first;
    return block;
  }

  firstOf(number) { return this.firsts[number] === undefined ? this.block(number).first : this.firsts[number]; }

  // Where a block's first chunk says that it begins, unproven: whether it may cut what stands before it.
  headOf(number) {
    if (this.heads[number] === undefined) {
      const head = new DataView(new ArrayBuffer(HEAD));
      this.raw.read(new Uint8Array(head.buffer), number * BLOCK);
      this.heads[number] = Number(head.getBigUint64(4, true));
    }
    return this.heads[number];
  }

  // The last block that begins at or before a plain offset. What lies between two places is nearly alike dense, so the
  // first guess is mostly right.
  blockOf(offset) {
    let low = 0, high = this.lastBlock(), from = 0, to = this.length, begins = HEADER, ends = this.end, best = 0;
    for (let step = 0; low <= high; step++) {
      const place = begins + ((offset - from) / (to - from)) * (ends - begins);
      const guess = Math.min(high, Math.max(low, step < 4 ? Math.floor(place / BLOCK) || 0 : (low + high + 1) >> 1));
      let number = guess;
      while (number > low && this.firstOf(number) === null) number--; // nothing in it opens
      const { first, last } = this.block(number);
      if (first === null) low = guess + 1;
      else if (offset < first) [high, to, ends] = [number - 1, first, number * BLOCK];
      else if (offset < last) return number;
      else [best, low, from, begins] = [number, guess + 1, last, (guess + 1) * BLOCK];
    }
    return best;
  }

  read(into, offset) {
    const until = Math.min(offset + into.length, this.length);
    if (until <= offset) return 0;
    let at = offset;
    const lost = (end) => { into.fill(0, at - offset, end - offset); this.folder.tell(this.name, at, end - at); };
    reading: for (let number = this.blockOf(offset); number <= this.lastBlock(); number++) {
      if (at >= until && this.headOf(number) >= until) break;
      const { chunks } = this.block(number, 1 + Math.ceil((until - at) / BLOCK));
      for (const chunk of chunks) {
        if (chunk.offset >= until) break reading;
        if (chunk.offset > at) lost(chunk.offset);
        const end = Math.min(chunk.offset + chunk.data.length, until);
        if (end > offset) into.set(chunk.data.subarray(Math.max(0, offset - chunk.offset), end - chunk.offset), Math.max(0, chunk.offset - offset));
        at = Math.max(offset, end); // also back, where the chunk cuts what was before it
      }
    }
    if (at < until) lost(until);
    return until - offset;
  }

  write(data, durable, offset = this.length) {
    if (this.raw.length > this.end) { // what a crash or a refused write left behind the last whole chunk
      const cutting = this.raw.truncate(this.end);
      if (!(cutting instanceof Promise)) return this.write(data, durable, offset);
      const copy = data.slice(); // Python takes its buffer back
      return cutting.then(() => this.write(copy, durable, offset));
    }
    const sealed = data.length || offset !== this.length ? this.seal(data, offset) : NOTHING;
    const tail = this.lastBlock();
    return after(this.raw.write(sealed, durable), () => {
      this.blocks.delete(tail);
      this.end += sealed.length;
      this.length = offset + data.length;
      if (durable) this.kept = this.length;
      this.folder.touched();
    });
  }

  // The chunks that data becomes at the end of the file, a view into the area where they fit.
  seal(data, offset) {
    const { sealer, key } = this, { area } = sealer;
    const header = this.end ? NOTHING : this.makeHeader();
    const most = HEADER + data.length + (Math.ceil(data.length / (BLOCK - OVERHEAD)) + 3) * (OVERHEAD + SMALLEST_REST);
    const large = most > AREA ? new Uint8Array(most) : null;
    (large ?? sealer.memory).set(header, large ? 0 : area);
    let length = header.length, done = 0;
    do {
      const at = this.end + length, room = BLOCK - (at % BLOCK) - OVERHEAD;
      const used = Math.min(room, data.length - done), rest = room - used;
      const padding = rest < SMALLEST_REST ? rest : 0;
      const place = area + (large ? 0 : length), plain = place + HEAD + NONCE_BYTES;
      sealer.memory.set(data.subarray(done, done + used), plain);
      sealer.memory.fill(0, plain + used, plain + used + padding);
      sealer.seal(place, this.key, at, { length: used + padding, used, offset: offset + done });
      const size = OVERHEAD + used + padding;
      if (large) large.set(sealer.memory.subarray(place, place + size), length);
      length += size;
      done += used;
    } while (done < data.length);
    return large ? large.subarray(0, length) : sealer.memory.subarray(area, area + length);
  }

  truncate(size) {
    if (size >= this.length) return this.raw.truncate(this.end); // durable on return, whatever stood behind it
    const chunk = size ? this.chunkBefore(size) : null;
    const end = chunk?.end ?? 0, length = chunk ? chunk.offset + chunk.data.length : 0;
    return after(this.folder.lower(this, size), () => after(this.raw.truncate(end), () => {
      Object.assign(this, { end, length, kept: Math.min(size, length) });
      this.blocks.clear();
      this.firsts.length = this.heads.length = this.lastBlock() + 1;
      if (size !== length) return this.write(NOTHING, true, size);
    }));
  }

  // The last chunk that begins before a plain offset.
  chunkBefore(offset) {
    for (let number = this.blockOf(offset - 1); number >= 0; number--) {
      const chunk = this.block(number).chunks.findLast((chunk) => chunk.offset < offset);
      if (chunk) return chunk;
    }
    return null;
  }

  close() {
    this.folder.closed(this);
    this.raw.close();
    this.blocks.clear();
    this.keyBytes?.fill(0);
    if (this.key) this.sealer.release(this.key, this.keyBytes.length);
    this.key = 0;
  }
}
