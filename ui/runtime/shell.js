// The top-level page: owns the worker when this tab leads, holds the iframe, offers updates, shows a failed start.
import { hubState, tellWiped } from "./access.js";
import { Lock } from "./lock.js";
import { LockScreen } from "./lock_screen.js";
import { TEXTS, keepLanguage, keptLanguage, speak } from "./texts.js";
import { isPractice, leavePractice, readStoreForExport, removeStore } from "./storage.js";
import { removeVault, toBase64 } from "./vault.js";

const setting = (name) => document.querySelector(`meta[name="${name}"]`).content;
const element = (id) => document.getElementById(`desk-${id}`);
const BUILD = setting("desk-build");
const ME = crypto.randomUUID?.() ?? String(Math.random());
const STALLED_AFTER = 30_000; // without any sign of progress
const STANDBY_AFTER = 1_500; // once this tab's own page is up
const UPDATE_EVERY = 30 * 60_000;
const FILL_AGAIN_AFTER = 10_000;
const FILL_PATIENCE = 300_000;
const CLOSE_PATIENCE = 3_000; // what Python is writing when the desk is locked

const marks = (window.deskMarks = {});
const mark = (name, at = performance.now()) => (marks[name] ??= Math.round(at * 10) / 10);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const become = (state) => (document.documentElement.dataset.desk = state); // starting, locked, page, interactive, failed: for tests and styles
mark("shell");
become("starting");

let registration;
let controlled; // a promise: by the service worker
let worker = null; // { thread, code, detail, closed }
let leading = false; // this tab holds the lock
let serving = false; // ... and its Python answers
let leader = null; // who serves, as far as this tab knows
let frame = null;
let failed = false;
let gone = false; // wiped: nothing is started any more
let giveUpLead = () => {};
const tabs = new BroadcastChannel("desk");
const sockets = new Set();
const lock = new Lock(BUILD, tabs, ME, { opened: onOpened, locked: onLocked });
const screen = new LockScreen(element("lock"), lock, { spent: onSpent, revoked: onRevokedWhileLocked, later: showDesk });

// --- start -----------------------------------------------------------------------------------------------------

async function main() {
  speak(keptLanguage());
  document.title = element("product").textContent = TEXTS.product;
  element("progress").textContent = TEXTS.starting;
  element("retry").onclick = retry;
  element("export").onclick = exportJournal;
  element("rollback").onclick = rollBack;
  element("leave-practice").onclick = () => leavePractice().then(startAfresh);
  element("update-apply").onclick = applyUpdate;
  if (!window.isSecureContext || !navigator.serviceWorker) return fail("insecure", location.origin);
  watchdog();
  tabs.onmessage = ({ data }) => {
    if (lock.hear(data)) return;
    if (data.t === "leader") follow(data.id);
    else if (data.t === "who" && serving) tabs.postMessage({ t: "leader", id: ME });
    else if (data.t === "afresh") location.replace("/");
  };
  tabs.postMessage({ t: "who" });
  navigator.serviceWorker.addEventListener("message", onServiceWorkerMessage);
  navigator.serviceWorker.startMessages();
  const enrolCode = takeEnrolCode();
  elect();
  controlled = controlledByServiceWorker().then(() => mark("sw"));
  try {
    if (await lock.begin()) onLocked();
    else if (!lock.vault) offerToEnrol(enrolCode);
  } catch (error) { fail("storage_unavailable", `vault: ${error}`); }
}

async function controlledByServiceWorker() {
  const { serviceWorker } = navigator;
  try { registration = await serviceWorker.register("/sw.js", { updateViaCache: "none" }); }
  catch (error) { // offline, or the hub is off: what is installed goes on
    registration = await serviceWorker.getRegistration();
    if (!registration) return fail("install_failed", String(error));
  }
  registration.addEventListener("updatefound", watchInstall);
  watchInstall();
  if (!serviceWorker.controller && registration.active && !sessionStorage.getItem("desk-reloaded")) {
    // A forced reload goes past the service worker; the page must come from the same build as everything else.
    sessionStorage.setItem("desk-reloaded", "1");
    location.reload();
    return new Promise(() => {});
  }
  if (!serviceWorker.controller) await new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  sessionStorage.removeItem("desk-reloaded");
}

// --- who leads -------------------------------------------------------------------------------------------------

async function elect() {
  const led = await navigator.locks.request("desk-leader", { ifAvailable: true }, (lock) => (lock ? lead() : false));
  if (led === false) await navigator.locks.request("desk-standby", standBy);
}

// Holds the leader's lock until the tab closes or the start fails. Each locking ends one Python and the key it held;
// the next is prepared while the desk is locked.
async function lead() {
  if (failed) return; // a tab that shows a failure must not own the store behind it
  leading = true;
  const given = new Promise((resolve) => (giveUpLead = resolve));
  while (!failed && !gone) {
    startWorker();
    const person = await Promise.race([lock.opened(), given]);
    if (failed || gone) break;
    progress();
    const device = person && (await lock.vault.device());
    // Whoever pulls the plug now leaves it unknown how much the hub does not hold.
    if (person && !(await isPractice())) await lock.vault.keepUnsent(null);
    const wasSealed = Boolean(person) && (await lock.vault.wasSealed());
    if (lock.isLocked || lock.secrets !== person) continue; // locked again meanwhile: the key is gone
    const info = {
      build: BUILD, online: navigator.onLine, user_agent: navigator.userAgent, language: keptLanguage(),
      staff: person && {
        device_id: device.deviceId, staff_id: person.staffId, roles: person.roles, staff_token: toBase64(person.staffToken),
        refused: person.refused ?? 0,
      },
    };
    worker.thread.postMessage({ t: "lead", info, dataKey: person && person.dataKey, wasSealed });
    await Promise.race([lock.locked(), given]);
    serving = false;
    await endWorker();
  }
  leading = serving = false;
}

async function endWorker() {
  const ending = worker;
  worker = null;
  if (!ending) return;
  const closed = new Promise((resolve) => (ending.closed = resolve));
  ending.thread.postMessage({ t: "close" });
  const unsent = await Promise.race([closed, pause(CLOSE_PATIENCE)]);
  ending.thread.terminate();
  if (lock.vault && Number.isInteger(unsent)) await lock.vault.keepUnsent(unsent);
}

// One follower has a worker ready, so that it answers within a moment when the leader goes.
async function standBy() {
  let mine = false;
  const warm = (async () => {
    await pageUp;
    await pause(STANDBY_AFTER);
    if (!mine) startWorker();
  })();
  warm.catch(() => {});
  await new Promise((passOn) => {
    navigator.locks.request("desk-leader", async () => {
      mine = true;
      passOn(); // the next follower may stand by
      if (worker?.code) { worker.thread.terminate(); worker = null; } // its first start failed; this one counts
      await lead();
    });
  });
}

function startWorker() {
  if (worker) return;
  const touch = navigator.maxTouchPoints;
  const name = JSON.stringify({
    build: BUILD, images: JSON.parse(setting("desk-images")), userAgent: navigator.userAgent,
    manyTouchPoints: navigator.platform === "MacIntel" && touch > 1 ? touch : 0,
  });
  const thread = new Worker(`/bundle/${BUILD}/runtime/worker.js`, { type: "module", name });
  const mine = (worker = { thread, code: "", detail: "" });
  const broken = (code, detail) => {
    Object.assign(mine, { code, detail });
    if (leading && worker === mine) fail(code, detail);
  };
  thread.onerror = (event) => broken("worker_failed", event.message ?? "the worker's script did not load");
  thread.onmessage = ({ data }) => {
    progress();
    if (data.t === "mark") mark(data.name, data.at - performance.timeOrigin);
    else if (data.t === "progress") showDownload(data);
    else if (data.t === "rebuild") element("progress").textContent = TEXTS.rebuilding(data.done, data.total);
    else if (data.t === "sealing") element("progress").textContent = TEXTS.sealing(Math.floor((100 * data.done) / data.total));
    else if (data.t === "language") keepLanguage(data.language);
    else if (data.t === "log") console.log(data.line);
    else if (data.t === "failed") broken(data.code, data.detail);
    else if (data.t === "closed") mine.closed(data.unsent);
    else if (worker !== mine) return; // it is being ended
    else if (data.t === "ready") ready();
    else if (data.t === "staff") lock.vault?.keepStaff(data.staff);
    else if (data.t === "ask") answerWorker(thread, data);
  };
}

function ready() {
  if (!leading || failed || lock.isLocked) return;
  serving = true;
  if (lock.vault) isPractice().then((practice) => practice || lock.vault.keepSealed());
  tabs.postMessage({ t: "leader", id: ME });
  navigator.serviceWorker.controller?.postMessage({ t: "leader" });
  follow(ME);
}

// Another Python serves from now on: a page that talked to the old one starts afresh.
function follow(id) {
  const changed = leader !== null && leader !== id;
  leader = id;
  if (changed) {
    for (const socket of sockets) socket.end(1006, false);
    sockets.clear();
    if (frame && frameLoaded) { mark("reload"); frame.contentWindow.location.reload(); }
  }
}

async function answerWorker(thread, { what, id }) {
  let answer = null;
  if (what === "afresh") startAfresh();
  else if (what === "lock") lock.lock();
  else if (what === "pin") changePin();
  else if (what === "enrol") offerToEnrol("");
  else if (what === "first") showLock(() => screen.showManager(true, showDesk));
  else if (what === "sign-in") signInAgain();
  else if (what === "wipe") wipeDevice().then(() => goneFor(TEXTS.lock.revokedWiped));
  else if (what === "idle") answer = (await lock.vault?.idleSeconds()) ?? null;
  else if (what.idleSeconds) await lock.keepIdleSeconds(what.idleSeconds);
  else if (what === "persist") answer = (await navigator.storage?.persist?.()) ?? false;
  else if (what === "persisted") answer = (await navigator.storage?.persisted?.()) ?? false;
  thread.postMessage({ t: "told", id, answer });
}

// Into practice mode or out of it: all tabs of the device, and not at a person whom the other store does not know.
function startAfresh() {
  tabs.postMessage({ t: "afresh" });
  location.replace("/");
}

for (const name of ["online", "offline"]) {
  addEventListener(name, () => {
    worker?.thread.postMessage({ t: "online", online: navigator.onLine });
    if (name === "online") checkForUpdate();
  });
}

// --- the lock --------------------------------------------------------------------------------------------------

// What was half typed is kept in the store, sealed with the rest, and comes back with the page.
function onLocked() {
  if (failed || gone) return;
  closeFrame();
  showLock(() => screen.showPeople());
  become("locked");
}

function onOpened() {
  if (failed || gone) return;
  screen.hide();
  progress();
  element("splash").hidden = false;
  controlled.then(showPage);
}

// `show`: what stands before the desk, which may go on behind it.
function showLock(show) {
  element("splash").hidden = true;
  if (frame) frame.hidden = true;
  return show();
}

function showDesk() {
  screen.hide();
  element("splash").hidden = frameLoaded;
  if (!frame) return;
  frame.hidden = false;
  frame.contentWindow.focus();
}

// The hub lets the person at the desk in no more on what the PIN opens here: an account that is off, or a new password.
async function signInAgain() {
  if (!lock.secrets) return;
  const { staffId } = lock.secrets;
  await lock.vault.keepStaff([{ staff_id: staffId, active: false }]);
  lock.lock();
  screen.showSignIn(TEXTS.lock.refused.nobody, () => screen.showPeople(), staffId);
}

function changePin() { showLock(() => screen.showChangePin(showDesk)); }

// Where the hub wants people to sign in and this browser is no device of the clinic yet. Recording goes on without it.
async function offerToEnrol(code) {
  const state = (await isPractice()) ? null : await hubState(); // who practises is with no hub
  if (!state?.hasAccounts || lock.vault || failed || screen.isShown) return;
  showLock(() => screen.showEnrol(code, { isThisPc: state.isThisPc, mayWait: true }));
}

// The code out of the QR; it does not stay in the address.
function takeEnrolCode() {
  const code = /^#enrol=([0-9]{8})$/.exec(location.hash)?.[1] ?? "";
  if (code) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

// The last try of somebody's PIN is used up. Where nobody is left who could unlock, nothing readable is to stay, unless
// it is nowhere else.
async function onSpent(staffId) {
  if ((await lock.people()).length || (await lock.vault.unsent()) !== 0) return screen.showSignIn(TEXTS.lock.spent, () => screen.showPeople(), staffId);
  await removeStore();
  screen.showSignIn(TEXTS.lock.wiped, null, staffId);
}

async function onRevokedWhileLocked() {
  const unsent = await lock.vault.unsent();
  if (unsent !== 0) return screen.showPeople(TEXTS.lock.revokedLocked);
  await wipeDevice();
  goneFor(TEXTS.lock.revokedWiped);
}

// The store first: with the vault still there, whatever stops this is found again at the next start.
async function wipeDevice() {
  gone = true;
  closeFrame();
  await endWorker(); // it holds the store's files
  lock.lock();
  await leavePractice();
  await removeStore();
  await tellWiped(lock.vault).catch(() => {});
  await removeVault();
  giveUpLead();
}

function goneFor(text) {
  tabs.postMessage({ t: "afresh" });
  showLock(() => screen.showGone(text));
}

// --- requests and sockets --------------------------------------------------------------------------------------

function onServiceWorkerMessage({ data, ports, source }) {
  if (data.t === "who") { if (serving) source.postMessage({ t: "leader" }); }
  else if (data.t === "http") { if (serving) worker.thread.postMessage(data, [ports[0]]); else ports[0].postMessage({ notLeader: true }); }
  else if (data.t === "socket") { if (serving) worker.thread.postMessage(data, [ports[0]]); else ports[0].postMessage(["close", 1006]); }
  else if (data.t === "filling" && data.build === BUILD) showFilling(data);
  else if (data.t === "whole" && data.build === BUILD) becomeWhole();
  else if (data.t === "switched" && data.build !== BUILD) location.reload();
}

// Called by runtime/socket.js out of the page.
window.desk = {
  openSocket(request, port, socket) {
    const message = { ...request, t: "socket" };
    sockets.add(socket);
    socket.addEventListener("close", () => sockets.delete(socket));
    if (serving) worker.thread.postMessage(message, [port]);
    else navigator.serviceWorker.controller.postMessage(message, [port]);
  },
  pageReady() {
    if (marks.interactive === undefined) {
      mark("interactive");
      navigator.serviceWorker.controller.postMessage({ t: "good", build: BUILD });
      offerUpdate();
      fillUp();
      setInterval(checkForUpdate, UPDATE_EVERY);
      announceUp();
    }
    become("interactive");
    located();
    speak(frame.contentDocument.documentElement.lang); // as staff chose, in this tab or in another
    if (document.activeElement === document.body || document.activeElement === frame) frame.contentWindow.focus();
  },
  located,
};

// --- the page --------------------------------------------------------------------------------------------------

let frameLoaded = false;
let announceUp;
const pageUp = new Promise((resolve) => (announceUp = resolve));

function showPage() {
  if (failed || lock.isLocked || frame) return;
  frame = Object.assign(document.createElement("iframe"), { id: "desk-frame", className: "desk-waiting", title: document.title, hidden: screen.isShown });
  frame.src = location.pathname + location.search + location.hash;
  frame.onload = () => {
    if (failed) return;
    mark("page");
    if (marks.interactive === undefined) become("page"); // Firefox may connect the socket before the load event
    frameLoaded = true;
    element("splash").hidden = true;
    frame.className = "";
    lock.watch(frame.contentWindow);
    watchTitle();
    located();
  };
  document.body.append(frame);
}

function closeFrame() {
  frame?.remove();
  frame = null;
  frameLoaded = false;
  sockets.clear();
}

function located() {
  if (!frame) return;
  const { pathname, search, hash } = frame.contentWindow.location;
  if (pathname + search + hash !== location.pathname + location.search + location.hash) history.replaceState(null, "", pathname + search + hash);
  document.title = frame.title = frame.contentDocument.title || document.title;
}

function watchTitle() {
  const head = frame.contentDocument.head;
  if (head) new MutationObserver(located).observe(head, { childList: true, characterData: true, subtree: true });
}

// --- updates ---------------------------------------------------------------------------------------------------

let offered = null; // { build, target }

function watchInstall() {
  const installing = registration.installing;
  installing?.addEventListener("statechange", () => {
    if (installing.state === "installed") offerUpdate();
    else if (installing.state === "redundant" && !frameLoaded && !registration.active) fail("install_failed", "the service worker was not installed");
  });
}

async function checkForUpdate() {
  try { await registration.update(); } catch { /* the hub is not reachable now; the next occasion will do */ }
  offerUpdate();
}

async function offerUpdate() {
  const target = registration.waiting ?? navigator.serviceWorker.controller;
  const state = target && (await ask(target, { t: "state" }));
  if (!state || state.own === BUILD || state.bad.includes(state.own)) return;
  offered = { build: state.own, target };
  element("update-text").textContent = TEXTS.updateReady;
  element("update-apply").textContent = TEXTS.update;
  element("update").dataset.build = state.own;
  element("update").hidden = false;
}

function applyUpdate() {
  element("update-apply").disabled = true;
  offered.target.postMessage({ t: "use", build: offered.build });
}

// After a first visit this device does not yet hold all it needs without the hub. It says so until it does.
async function fillUp() {
  for (;;) {
    const { controller } = navigator.serviceWorker;
    const state = await ask(controller, { t: "state" });
    if (state?.whole.includes(BUILD) || (state && state.active !== BUILD)) return becomeWhole();
    element("filling").hidden = false;
    await ask(controller, { t: "repair" }, FILL_PATIENCE);
    await pause(FILL_AGAIN_AFTER);
  }
}

function showFilling({ done, total }) {
  element("filling").textContent = TEXTS.filling(Math.floor((100 * done) / total));
}

function becomeWhole() {
  document.documentElement.dataset.whole = "yes";
  element("filling").hidden = true;
}

function ask(target, message, patience = 5000) {
  const channel = new MessageChannel();
  const answer = new Promise((resolve) => (channel.port1.onmessage = ({ data }) => resolve(data)));
  target.postMessage(message, [channel.port2]);
  return Promise.race([answer, pause(patience).then(() => null)]);
}

// --- a failed start --------------------------------------------------------------------------------------------

let lastProgress = performance.now();
function progress() { lastProgress = performance.now(); }

function watchdog() {
  const timer = setInterval(() => {
    if (failed) clearInterval(timer);
    else if (leading && !frameLoaded && !lock.isLocked && performance.now() - lastProgress > STALLED_AFTER) fail("stalled", JSON.stringify(marks));
  }, 1000);
}

function showDownload({ done, total }) {
  if (!registration?.active) element("progress").textContent = TEXTS.downloading(done, total);
}

async function fail(code, detail) {
  if (failed) return;
  failed = true;
  become("failed");
  console.error(`start failed: ${code} ${detail}`);
  worker?.thread.terminate();
  worker = null;
  giveUpLead();
  element("failure-text").textContent = TEXTS.failed[code] ?? TEXTS.failedOther;
  element("failure-code").textContent = `${code} · ${BUILD}`;
  element("failure-summary").textContent = TEXTS.details;
  element("failure-detail").textContent = detail;
  const practice = await isPractice().catch(() => false);
  element("leave-practice").textContent = TEXTS.leavePractice;
  element("leave-practice").hidden = !practice;
  element("export").hidden = practice; // it would be the real data, which did not fail
  for (const name of ["retry", "export", "rollback"]) element(name).textContent = TEXTS[name];
  element("splash").hidden = true;
  screen.hide();
  if (frame) frame.hidden = true;
  element("failure").hidden = false;
  element("retry").focus();
  const { controller } = navigator.serviceWorker ?? {};
  const state = controller && (await ask(controller, { t: "state" }));
  if (registration?.waiting) offerUpdate(); // the version that mends this failure may be here already
  element("rollback").hidden = !state?.previous;
  element("rollback").dataset.build = state?.previous ?? "";
}

async function retry() {
  element("failure-note").textContent = TEXTS.repairing;
  const { controller } = navigator.serviceWorker ?? {};
  if (controller) await ask(controller, { t: "repair" }, FILL_PATIENCE);
  location.reload();
}

function rollBack() {
  navigator.serviceWorker.controller.postMessage({ t: "use", build: element("rollback").dataset.build, insteadOf: BUILD });
}

async function exportJournal() {
  const note = element("failure-note");
  try {
    const blob = await readStoreForExport();
    if (!blob) return (note.textContent = TEXTS.exportNothing);
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(blob), download: `desk-store-${new Date().toISOString().replace(/[:.]/g, "-")}.bin`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    note.textContent = TEXTS.exported;
  } catch (error) { note.textContent = TEXTS.exportFailed(`${error.name} ${error.message}`); }
}

main();
