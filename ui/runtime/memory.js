// Python's memory as it is once everything is imported and the pages are defined: made by the build, put in place at start
// instead of importing for two seconds. Only where the engine lays out the function table as the build's engine did:
// `table` is compared, because the memory holds places in it.
//
// Shape of the file: u32 little-endian header length, header JSON { table, size, head, runs: [[offset, length]] }, then the
// first `head` bytes of Pyodide's own snapshot (what it must know besides), then the runs of the memory that are not zero.

const GAP = 4096; // zeros shorter than this are kept: fewer runs

export function packMemory(snapshot, table) {
  const head = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 2)[1];
  const memory = snapshot.subarray(head);
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length >> 2);
  const runs = [];
  for (let at = 0; at < words.length; ) {
    while (at < words.length && !words[at]) at++;
    const from = at;
    let end = at;
    while (at < words.length && at - end < GAP / 4) if (words[at++]) end = at;
    if (end > from) runs.push([from * 4, (end - from) * 4]);
  }
  const header = new TextEncoder().encode(JSON.stringify({ table, size: memory.length, head, runs }));
  const parts = [new Uint8Array(new Uint32Array([header.length]).buffer), header, snapshot.subarray(0, head)];
  return [...parts, ...runs.map(([offset, length]) => memory.subarray(offset, offset + length))];
}

export function readMemory(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const { table, size, head, runs } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  const take = (bytes) => new Uint8Array(buffer, (at += bytes) - bytes, bytes);
  // Pyodide reads the head as 32-bit numbers, which must be aligned; with no memory behind it, it copies none.
  return { table, size, head: take(head).slice(), runs: runs.map(([offset, bytes]) => [offset, take(bytes)]) };
}

export class OtherTable extends Error {}

// Raises OtherTable before anything is written.
export function restoreMemory(module, { table, size, runs }) {
  if (module.wasmTable.length !== table) throw new OtherTable(`${module.wasmTable.length} functions instead of ${table}`);
  // Pyodide 314 exports its memory, so the size that it asks for at restoring is not heard.
  if (module.HEAP8.length < size) module.growMemory(size);
  const memory = new Uint8Array(module.HEAP8.buffer);
  let at = 0;
  for (const [offset, bytes] of runs) {
    memory.fill(0, at, offset);
    memory.set(bytes, offset);
    at = offset + bytes.length;
  }
  memory.fill(0, at, size);
}
