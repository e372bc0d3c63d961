// The packed files of ui/bundle/image.py, in the browser, in Node and in the worker alike.

// NiceGUI hashes modification times into its URLs, so files and folders get one fixed time.
const MODIFIED = 1577836800000;

export function readImage(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  let offset = 4 + length;
  return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))).map(([path, size]) => {
    const data = new Uint8Array(buffer, offset, size);
    offset += size;
    return [path, data];
  });
}

export function unpackImage(FS, buffer) {
  const folders = new Set();
  const touch = (node) => { node.mtime = node.ctime = node.atime = MODIFIED; };
  for (const [path, data] of readImage(buffer)) {
    const folder = "/" + path.slice(0, path.lastIndexOf("/"));
    if (!folders.has(folder)) { FS.mkdirTree(folder); folders.add(folder); }
    const node = FS.mknod("/" + path, 0o100644, 0); // four times as fast as FS.writeFile: no opening, no copying
    node.contents = data;
    node.usedBytes = data.length;
    touch(node);
  }
  for (let folder of folders) {
    for (; folder; folder = folder.slice(0, folder.lastIndexOf("/"))) touch(FS.lookupPath(folder).node);
  }
}
