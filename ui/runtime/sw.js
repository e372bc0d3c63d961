// Service worker: keeps whole builds, serves every page from exactly one of them, and hands the rest to Python.
// Which build is in use is a pointer in Cache Storage, moved only by a person's tap; so any version of this script can
// serve any kept build, and a bad one can be left again.
const BUILD = "@BUILD@";
const FILES = "@FILES@"; // { path: { sha256, size } }, put in by ui/bundle/output.py
if (!("Suspending" in WebAssembly)) delete FILES["images/memory.bin"]; // canRestore() of python.js

const META = "desk-meta";
const STATE_URL = "/state";
const LEADER_PATIENCE = 60_000; // a leader may be starting on a slow machine
const PARALLEL = 6;
// What every answer of this script carries, as the hub's own do (sync/middlewares.py). Opener and resource policy keep other
// sites' windows out. No embedder policy: it would give the pages shared memory and exact clocks, which they need for nothing
// and an attack on the processor's caches needs most.
const GUARDED = {
  "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), " +
    "magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()",
};
const SHELL_CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const RUNNING = ["index.html", "runtime/worker.js", "runtime/pin.js"]; // a page and the workers, each under its own policy
// NiceGUI's page has inline scripts, which carry a nonce, and styles, and compiles its templates in the browser. What is put
// into the page later has no nonce: an event handler or a javascript: link that came in with data does not run.
const pageCsp = (nonce) => `default-src 'none'; script-src 'self' 'nonce-${nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; ` +
  "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; " +
  "frame-src 'self' blob:; manifest-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";
const TYPES = {
  html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", mjs: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8",
  wasm: "application/wasm", json: "application/json", webmanifest: "application/manifest+json", png: "image/png", svg: "image/svg+xml",
  ico: "image/x-icon", woff2: "font/woff2", zip: "application/zip",
};
const UNAVAILABLE = `<!doctype html><html lang="zh-Hant-TW"><meta charset="utf-8"><title>疫苗接種工作站</title>
<p>程式尚未啟動完成，無法顯示此頁。</p><p lang="en">The program has not started yet, so this page cannot be shown.</p><p><a href="">再試一次 / Try again</a></p>`;
const NOT_INSTALLED = `<!doctype html><html lang="zh-Hant-TW"><meta charset="utf-8"><title>疫苗接種工作站</title>
<p>此裝置上沒有可用的程式檔案，且目前無法連上診所主機。請確認網路後再試一次。</p>
<p lang="en">The program is not on this device, and the clinic's hub cannot be reached. Check the network and try again.</p><p><a href="">再試一次 / Try again</a></p>`;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const cacheName = (build) => `bundle-${build}`;
const NOTHING_CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
const html = (text, status) => new Response(text, { status, headers: { ...GUARDED, "Content-Type": TYPES.html, "Cache-Control": "no-store", "Content-Security-Policy": NOTHING_CSP } });

// --- the builds this device keeps ------------------------------------------------------------------------------

async function readState() {
  const answer = await caches.match(STATE_URL, { cacheName: META });
  return { active: null, good: [], bad: [], kept: [], whole: [], ...(answer ? await answer.json() : {}) };
}

function changeState(change) {
  return navigator.locks.request(META, async () => {
    const state = await readState();
    Object.assign(state, change(state));
    await (await caches.open(META)).put(STATE_URL, new Response(JSON.stringify(state)));
    return state;
  });
}

async function sha256(data) {
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", data)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function stored(path, data) {
  const csp = RUNNING.includes(path) ? SHELL_CSP : NOTHING_CSP;
  const headers = { ...GUARDED, "Content-Type": TYPES[path.split(".").pop()] ?? "application/octet-stream", "Content-Security-Policy": csp };
  return new Response(data, { headers });
}

// Put every file of a build into its cache, each checked: out of that cache, out of another build's, else from the hub.
// Only then can the build be used without the hub.
async function fill(build, files) {
  const cache = await caches.open(cacheName(build));
  const others = [];
  for (const name of await caches.keys()) {
    if (name.startsWith("bundle-") && name !== cacheName(build)) {
      const other = await caches.open(name);
      const list = await other.match("/files");
      if (list) others.push([name.slice(7), other, await list.json()]);
    }
  }
  await cache.put("/files", new Response(JSON.stringify(files)));
  const total = Object.values(files).reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const queue = Object.entries(files);
  const take = async (path, { sha256: expected }) => {
    const url = `/bundle/${build}/${path}`;
    const sources = [
      () => cache.match(url),
      ...others.filter(([, , list]) => list[path]?.sha256 === expected).map(([id, other]) => () => other.match(`/bundle/${id}/${path}`)),
      () => fetch(url),
      () => fetch(url, { cache: "reload" }), // what the browser kept may be the damaged one
    ];
    let reason = "not found";
    for (const [index, source] of sources.entries()) {
      let data;
      try {
        const answer = await source();
        if (!answer?.ok) { if (answer) reason = `HTTP ${answer.status}`; continue; }
        data = await answer.arrayBuffer();
      } catch (error) { reason = String(error); continue; }
      if ((await sha256(data)) !== expected) { reason = "wrong content"; continue; }
      if (index > 0) await cache.put(url, stored(path, data));
      return;
    }
    throw new Error(`${path}: ${reason}`);
  };
  const work = async () => {
    for (let next; (next = queue.shift()); ) {
      await take(...next);
      done += next[1].size;
      broadcast({ t: "filling", build, done, total });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  await changeState(({ whole }) => ({ whole: [...new Set([...whole, build])] }));
  await broadcast({ t: "whole", build });
}

async function broadcast(message) {
  for (const client of await shells()) client.postMessage(message);
}

// The very first build shows its page while the hub is there for what is not kept yet, and is filled afterwards (`fill`
// below); a later one comes whole before it is offered.
self.addEventListener("install", (event) => event.waitUntil((async () => {
  const { active, whole } = await changeState(({ active, kept, whole }) => ({
    active: whole.includes(active) ? active : BUILD,
    kept: [...new Set([...kept, BUILD])], // markGood() shall not remove it half done
  }));
  if (active === BUILD && !whole.includes(BUILD)) return self.skipWaiting();
  await fill(BUILD, FILES);
  await changeState(() => ({ kept: [BUILD] })); // one that waited before has had its day
})()));

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function use(build, insteadOf) {
  await changeState(({ bad }) => ({ active: build, bad: insteadOf ? [...new Set([...bad, insteadOf])] : bad.filter((one) => one !== build) }));
  await self.skipWaiting();
  await broadcast({ t: "switched", build });
}

// A build that has shown a working page is good. Kept: it, the last good one before it, and what waits for its tap.
async function markGood(build) {
  const { good, active } = await changeState(({ good, bad }) => ({ good: [...good.filter((one) => one !== build), build].slice(-2), bad: bad.filter((one) => one !== build) }));
  const newer = self.registration.waiting || self.registration.installing;
  const { kept } = await changeState(({ kept }) => ({ kept: newer ? kept : [BUILD] }));
  const needed = new Set([...good, ...kept, active].map(cacheName));
  for (const name of await caches.keys()) if (name.startsWith("bundle-") && !needed.has(name)) await caches.delete(name);
  await changeState(({ whole }) => ({ whole: whole.filter((one) => needed.has(cacheName(one))) }));
}

// Also what a first visit goes on with once its page is up: what is there already is only checked.
async function repair() {
  const { active } = await readState();
  const list = await caches.match("/files", { cacheName: cacheName(active) });
  try { await fill(active, active === BUILD ? FILES : await list.json()); return { ok: true }; }
  catch (error) { return { ok: false, detail: String(error.message ?? error) }; }
}

// --- from the pages to Python ----------------------------------------------------------------------------------

let leaderId = null;
let leaderNews = () => {};
let leaderNewsPromise = new Promise((resolve) => (leaderNews = resolve));

async function shells() {
  return (await self.clients.matchAll({ type: "window", includeUncontrolled: true })).filter((client) => client.frameType === "top-level");
}

async function findLeader(until) {
  for (let lonely = 0; Date.now() < until; ) {
    const known = leaderId && (await self.clients.get(leaderId));
    if (known) return known;
    leaderId = null;
    const candidates = await shells();
    lonely = candidates.length ? 0 : lonely + 1;
    if (lonely > 8) return null; // nobody is there who could start one
    for (const client of candidates) client.postMessage({ t: "who" });
    await Promise.race([leaderNewsPromise, pause(250)]);
  }
  return null;
}

// One try at one leader; null when it went away or was not the leader any more.
async function askLeader(leader, message) {
  const channel = new MessageChannel();
  const answer = new Promise((resolve) => (channel.port1.onmessage = ({ data }) => resolve(data)));
  leader.postMessage(message, [channel.port2]);
  for (;;) {
    const got = await Promise.race([answer, pause(300)]);
    if (got) return got.notLeader ? null : got;
    if (leaderId !== leader.id || !(await self.clients.get(leader.id))) return null;
  }
}

// Every "<script" of the page itself: what comes of data stands in it with "&lt;" (NiceGUI's template).
function withNonce(body, nonce) {
  return new TextDecoder().decode(body).replace(/<script(?=[\s>])/g, `<script nonce="${nonce}"`);
}

async function fromPython(request) {
  const url = new URL(request.url);
  const idempotent = request.method === "GET" || request.method === "HEAD";
  const message = {
    t: "http", method: request.method, path: url.pathname, query: url.search.slice(1), host: url.host, scheme: url.protocol.slice(0, -1),
    headers: [...request.headers, ...(request.referrer ? [["referer", request.referrer]] : [])],
    body: idempotent ? null : new Uint8Array(await request.arrayBuffer()),
  };
  for (const until = Date.now() + LEADER_PATIENCE; ; ) {
    const leader = await findLeader(until);
    if (!leader) return html(UNAVAILABLE, 503);
    const answer = await askLeader(leader, message);
    if (answer) {
      const headers = new Headers(answer.headers), nonce = crypto.randomUUID();
      for (const [name, value] of Object.entries(GUARDED)) headers.set(name, value);
      headers.set("Cache-Control", "no-store");
      headers.set("Content-Security-Policy", pageCsp(nonce));
      const body = /^text\/html\b/.test(headers.get("Content-Type")) ? withNonce(answer.body, nonce) : answer.body;
      return new Response([101, 204, 205, 304].includes(answer.status) ? null : body, { status: answer.status, headers });
    }
    if (leaderId === leader.id) leaderId = null;
    if (!idempotent) return html(UNAVAILABLE, 503); // whether it was carried out is not known: never twice
  }
}

async function connectSocket(message, port) {
  const leader = await findLeader(Date.now() + LEADER_PATIENCE);
  if (leader) leader.postMessage(message, [port]);
  else port.postMessage(["close", 1006]);
}

// --- events ----------------------------------------------------------------------------------------------------

async function fromBuild(path, orElse) {
  const state = await readState();
  const build = state.active ?? BUILD;
  const hit = await caches.match(`/bundle/${build}/${path}`, { cacheName: cacheName(build) });
  return hit ?? orElse(state);
}

// A file that a page asks for: from the build in use, while that is not whole from the hub, else from the build before.
async function fileOfPage(path, request) {
  return fromBuild(path, async ({ active, whole }) => {
    if (!whole.includes(active)) return network(`/bundle/${active}/${path}`);
    return (await anyBuild(path)) ?? fromPython(request);
  });
}

async function anyBuild(path) { // a page of the build before, while the new one takes over
  for (const name of await caches.keys()) {
    if (name.startsWith("bundle-")) {
      const hit = await caches.match(`/bundle/${name.slice(7)}/${path}`, { cacheName: name });
      if (hit) return hit;
    }
  }
  return null;
}

async function network(request) {
  try { return await fetch(request); } catch { return html(NOT_INSTALLED, 503); }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin || pathname.startsWith("/api/") || pathname === "/sw.js") return;
  if (pathname.startsWith("/bundle/")) {
    const [, , build] = pathname.split("/");
    event.respondWith(caches.match(pathname, { cacheName: cacheName(build) }).then((hit) => hit ?? network(request)));
  } else if (request.mode === "navigate" && request.destination === "document") {
    event.respondWith(fromBuild("index.html", () => network(request)));
  } else if (pathname === "/manifest.webmanifest" || pathname === "/favicon.ico" || pathname.startsWith("/icons/")) {
    event.respondWith(fromBuild(pathname.slice(1), () => network(request)));
  } else if (/^\/(assets|_nicegui\/[^/]+\/(static|esm|libraries|components|resources))\//.test(pathname)) {
    event.respondWith(fileOfPage(pathname.slice(1), request));
  } else {
    event.respondWith(fromPython(request));
  }
});

self.addEventListener("message", (event) => {
  const { data, ports, source } = event;
  const work = {
    leader: async () => { leaderId = source.id; leaderNews(); leaderNewsPromise = new Promise((resolve) => (leaderNews = resolve)); },
    socket: () => connectSocket(data, ports[0]),
    state: async () => {
      const state = await readState();
      const previous = state.good.filter((build) => build !== state.active && state.whole.includes(build)).at(-1) ?? null;
      ports[0].postMessage({ own: BUILD, ...state, previous: previous && (await caches.has(cacheName(previous))) ? previous : null });
    },
    use: () => use(data.build, data.insteadOf),
    good: () => markGood(data.build),
    repair: async () => ports[0].postMessage(await repair()),
  }[data.t];
  if (work) event.waitUntil(work());
});
