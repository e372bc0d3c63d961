// The worker that runs Python. Phase 1 (at once): Python, imports, pages. Phase 2 (when this tab leads): storage and start.
import { unpackImage } from "./image.js";
import { OtherTable, readMemory, restoreMemory } from "./memory.js";
import { PYTHON_ENV, canRestore, extensionPath, makeModuleWith, pyodideOptions } from "./python.js";
import * as storage from "./storage.js";

const { build, images, manyTouchPoints, userAgent } = JSON.parse(self.name); // a query string would be lost in the cache
const base = `/bundle/${build}/`;
const say = (t, more) => postMessage({ t, ...more });
const mark = (name) => say("mark", { name, at: performance.timeOrigin + performance.now() });
const log = (line) => say("log", { line });
mark("worker");

class StartError extends Error {
  constructor(code, detail) { super(detail); this.code = code; }
}
let failed = false;
const fail = (error, code = "python_error") => {
  if (failed) return;
  failed = true;
  say("failed", { code: error.code ?? code, detail: String(error.stack || error) });
};
self.addEventListener("unhandledrejection", (event) => log(`unhandled: ${event.reason?.stack || event.reason}`));

// Desktop-mode iPads look like a Mac; Pyodide must know them to leave out a wasm feature that crashes there, and asks
// for touch points that only pages have.
if (manyTouchPoints) Object.defineProperty(navigator, "maxTouchPoints", { value: manyTouchPoints });

// WebKit's failed fetch rejects with an error that has no `stack`. Pyodide takes it for a plain object, cannot raise it,
// and the Python that awaits it waits for ever. Elsewhere the property is there, or never looked up this far.
if (!("stack" in Error.prototype)) Object.defineProperty(Error.prototype, "stack", { value: "", writable: true, configurable: true });

// What Python sees of this worker (ui/browser.py), and what a browser test evaluates in (desk.py).
const watchers = new Set();
const asked = new Map();
let askings = 0;
const desk = (self.desk = {
  py: null, restored: false, build, userAgent, storage, online: navigator.onLine, mark,
  watchConnectivity(callback) { watchers.add(callback); return () => watchers.delete(callback); },
  askShell(what) {
    return new Promise((resolve) => { const id = ++askings; asked.set(id, resolve); say("ask", { what, id }); });
  },
  keepLanguage(language) { say("language", { language }); },
  keepIdleSeconds(idleSeconds) { return desk.askShell({ idleSeconds }); },
  tellStaff(staff) { say("staff", { staff: JSON.parse(staff) }); },
  async sign(purpose, challenge, staffId) {
    const { openVault } = await import("./vault.js");
    return (await openVault(null)).sign(purpose, challenge, staffId, location.origin);
  },
  tellRebuild(done, total) { say("rebuild", { done, total }); },
});
function setOnline(online) {
  if (online === desk.online) return;
  desk.online = online;
  for (const callback of watchers) callback(online);
}
self.addEventListener("online", () => setOnline(true));
self.addEventListener("offline", () => setOnline(false));

let python; // ui/runtime/entry.py
let live = false;
const waiting = [];
self.onmessage = (event) => {
  const { t } = event.data;
  if (t === "lead") lead(event.data).catch(fail);
  else if (t === "close") finish();
  else if (t === "online") setOnline(event.data.online);
  else if (t === "told") { asked.get(event.data.id)?.(event.data.answer); asked.delete(event.data.id); }
  else if (live) serve(event);
  else waiting.push(event);
};

async function serve({ data, ports: [port] }) {
  if (data.t === "http") {
    try {
      const answer = await python.http(data);
      const { status, headers, body } = answer.toJs({ dict_converter: Object.fromEntries });
      answer.destroy();
      port.postMessage({ status, headers, body });
    } catch (error) {
      log(String(error.stack || error));
      port.postMessage({ status: 500, headers: [], body: null });
    }
    port.close();
  } else {
    const socket = python.open_socket(data, (kind, value) => {
      port.postMessage([kind, value?.toJs ? value.toJs() : value]);
      if (kind === "close") setTimeout(() => socket.destroy());
    });
    port.onmessage = ({ data: [kind, value] }) => socket.receive(kind, value);
  }
}

// Straight out of the cache that the service worker keeps, which would only pass them on.
const cache = caches.open(`bundle-${build}`);
const get = async (name) => (await (await cache).match(base + name)) ?? fetch(base + name);

// Damaged files must be noticed before they run as something else; the hash is counted while Python starts.
const checks = [];
let fetched = 0;
async function fetchChecked(name) {
  const answer = await get(name).catch((error) => { throw new StartError("bundle_missing", `${name}: ${error}`); });
  if (!answer.ok) throw new StartError("bundle_missing", `${name}: HTTP ${answer.status}`);
  const data = await answer.arrayBuffer();
  say("progress", { done: ++fetched, total: Object.keys(images).length });
  const check = crypto.subtle.digest("SHA-256", data).then((digest) => {
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hex !== images[name]) throw new StartError("bundle_damaged", `${name}: ${hex} instead of ${images[name]}`);
  });
  check.catch(fail);
  checks.push(check);
  return data;
}

// Pyodide fetches one thing after the other, and only prints a warning and waits for ever when one fails. So everything
// is fetched here at once, and handed to it when it asks.
async function prepare() {
  const url = (name) => new URL(base + name, location.href).href;
  const compile = (name) => WebAssembly.compileStreaming(get(name));
  const core = import("../pyodide/pyodide.asm.mjs"), loader = import("../pyodide/pyodide.mjs");
  const wasm = compile("pyodide/pyodide.asm.wasm");
  const extensions = Object.keys(images).filter(extensionPath).map((name) => [extensionPath(name), compile(name)]);
  const memory = canRestore() ? fetchChecked("images/memory.bin").then(readMemory) : null;
  const stdlib = fetchChecked("images/stdlib.zip"), site = fetchChecked("images/site.bin"), app = fetchChecked("images/app.bin");
  for (const part of [wasm, ...extensions.map(([, compiled]) => compiled)]) part.catch((error) => fail(error, "wasm_failed"));
  for (const part of [core, loader]) part.catch((error) => fail(error, "bundle_missing"));
  for (const image of [memory, stdlib, site, app]) image?.catch(fail);

  const { fetch: fetchFromNetwork } = self;
  const { instantiateStreaming } = WebAssembly;
  const early = { [url("images/stdlib.zip")]: () => stdlib.then((data) => new Response(data)), [url("pyodide/pyodide.asm.wasm")]: async () => new Response() };
  self.fetch = (what, options) => early[what]?.() ?? fetchFromNetwork(what, options);
  WebAssembly.instantiateStreaming = async (_response, imports) => {
    const module = await wasm;
    mark("wasm");
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  const { loadPyodide } = await loader, { default: createModule } = await core;
  const start = (memory) => loadPyodide({
    ...pyodideOptions(log), indexURL: url("pyodide/"), stdLibURL: url("images/stdlib.zip"), env: PYTHON_ENV,
    createPyodideModule: makeModuleWith(createModule, extensions, async (module) => { if (memory) restoreMemory(module, await memory); }),
    _loadSnapshot: memory?.then(({ head }) => head),
    fsInit: async (FS) => {
      for (const image of [site, app]) unpackImage(FS, await image);
      mark("files");
    },
  });
  let restored = memory !== null;
  const py = await start(memory).catch((error) => {
    if (!(error instanceof OtherTable)) throw error;
    log(`memory not restored: ${error.message}`);
    restored = false;
    return start(null);
  });
  self.fetch = fetchFromNetwork;
  WebAssembly.instantiateStreaming = instantiateStreaming;
  await Promise.all(checks);
  desk.py = py;
  mark("python");
  python = py.pyimport("ui.runtime.entry");
  desk.restored = restored;
  if (!restored) python.register();
  python.begin(build);
  mark("app");
  say("registered");
}
const prepared = prepare();
prepared.catch(fail);

// `dataKey`: what the device's files are sealed with; a device without one keeps them in clear. `wasSealed`: they were.
async function lead({ info, dataKey, wasSealed }) {
  if (dataKey) storage.useKey(dataKey, wasSealed, (done, total) => say("sealing", { done, total }));
  const practice = storage.isPractice(); // looked up while Python is being prepared
  await prepared;
  const [code, detail] = (await python.lead(JSON.stringify({ ...info, practice: await practice }))).toJs();
  if (code) throw new StartError(code, detail);
  live = true;
  waiting.splice(0).forEach(serve);
  mark("ready");
  say("ready");
}

// Before this thread ends: what is being written is written to its end.
async function finish() {
  let unsent = null;
  try { if (live) unsent = await python.close(); }
  catch (error) { log(String(error.stack || error)); }
  say("closed", { unsent });
}
