// Who has unlocked this device. One state for all its tabs: whoever unlocks one unlocks all, and locking locks all. The
// secrets are in these pages' memory and in the leader's worker, nowhere else; locking drops them from all.
//
// A device without a vault is never locked: `opened` gives null at once.
import { codeForThisPc, enrol, signIn, signOut } from "./access.js";
import { pinThread } from "./pin.js";
import { IDLE_SECONDS, openVault } from "./vault.js";

const OTHER_TABS_PATIENCE = 200; // milliseconds; a tab that is open answers within a few
const LOOK_EVERY = 1000;
const TELL_USE_EVERY = 5000;
const INPUTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "input"];

export class Lock {
  // `on`: { locked(), opened() }, called after the state has changed.
  constructor(build, tabs, me, on) {
    Object.assign(this, { build, tabs, me, on, vault: null, isLocked: true, secrets: null, over: new Set(), idleSeconds: IDLE_SECONDS });
    this.wait();
    for (const name of INPUTS) addEventListener(name, () => this.used(), { capture: true, passive: true });
    for (const name of ["visibilitychange", "pageshow", "resume"]) document.addEventListener(name, () => this.lockWhenIdle());
    setInterval(() => this.lockWhenIdle(), LOOK_EVERY);
  }

  // Whether somebody has to unlock. Another tab may have been unlocked already.
  async begin() {
    this.vault = await openVault(pinThread(this.build));
    if (!(await this.vault?.device())) { // also where an enrolling was not finished
      this.vault = null;
      this.open(null);
      return false;
    }
    this.tabs.postMessage({ t: "lock-ask", from: this.me });
    await Promise.race([this.opened(), new Promise((resolve) => setTimeout(resolve, OTHER_TABS_PATIENCE))]);
    return this.isLocked;
  }

  opened() { return this.whenOpened; } // null, or { staffId, roles, dataKey, staffToken, number }
  locked() { return this.whenLocked; }

  // --- by a person -------------------------------------------------------------------------------------------------

  people() { return this.vault.people(); }

  // Raises: VaultError.
  async unlock(staffId, pin) { this.begun(await this.vault.unlock(staffId, pin)); }

  // Sign in at the hub; `choosePin` then lets the person in. Raises: HubRefused.
  signIn(staffId, password) { return signIn(this.vault, staffId, password); }

  async choosePin(person, pin) {
    await this.vault.setPin(person.staffId, person.roles, pin, person);
    this.begun(person);
  }

  changePin(pin, newPin) { return this.vault.changePin(this.secrets.staffId, pin, newPin); }

  codeForThisPc(staffId, password, isFirst) { return codeForThisPc(staffId, password, isFirst); }

  // Raises: HubRefused; then the device is as it was, and the same keys are sent the next time.
  async enrol(code, name) {
    const vault = await openVault(pinThread(this.build), true);
    this.made ??= await vault.makeDevice();
    this.made.device.name = name;
    await enrol(vault, code, this.made);
    this.made = null;
    this.vault = vault;
    // The store that is open belongs to nobody: whoever signs in now opens it again, sealed.
    this.lockHere();
    this.tabs.postMessage({ t: "afresh" });
  }

  lock() {
    if (!this.secrets) return;
    this.tabs.postMessage({ t: "lock-locked", number: this.secrets.number });
    this.lockHere();
    signOut();
  }

  // --- for all tabs --------------------------------------------------------------------------------------------------

  // What another tab says. Gives whether it was about the lock.
  hear(data) {
    if (data.t === "lock-ask") { if (this.secrets) this.tabs.postMessage({ t: "lock-opened", to: data.from, secrets: this.secrets }); }
    else if (data.t === "lock-opened") { if (!data.to || data.to === this.me) this.begunElsewhere(data.secrets); }
    else if (data.t === "lock-locked") {
      this.over.add(data.number); // an answer to lock-ask may arrive later than this
      if (this.secrets?.number === data.number) this.lockHere();
    } else if (data.t === "lock-used") this.usedAt = this.times();
    else return false;
    return true;
  }

  begun(secrets) {
    const numbered = { ...secrets, number: crypto.randomUUID() };
    this.tabs.postMessage({ t: "lock-opened", secrets: numbered });
    this.open(numbered);
  }

  begunElsewhere(secrets) {
    if (this.isLocked && this.vault && !this.over.has(secrets.number)) this.open(secrets);
  }

  open(secrets) {
    this.secrets = secrets;
    this.isLocked = false;
    this.usedAt = this.times();
    this.vault?.idleSeconds().then((seconds) => (this.idleSeconds = seconds)); // another tab may have set it
    this.whenLocked = new Promise((resolve) => (this.tellLocked = resolve));
    this.tellOpened(secrets);
    this.on.opened();
  }

  lockHere() {
    if (this.isLocked) return;
    if (this.secrets) this.over.add(this.secrets.number);
    for (const secret of [this.secrets?.dataKey, this.secrets?.staffToken]) secret?.fill(0);
    this.secrets = null;
    this.isLocked = true;
    this.wait();
    this.tellLocked();
    this.on.locked();
  }

  wait() { this.whenOpened = new Promise((resolve) => (this.tellOpened = resolve)); }

  // --- idleness ------------------------------------------------------------------------------------------------------

  // Both clocks: one stands still while the device sleeps, the other may be set back.
  times() { return { run: performance.now(), day: Date.now() }; }

  used() {
    if (!this.secrets) return;
    this.lockWhenIdle(); // a touch that wakes a tablet after an hour is not use
    this.usedAt = this.times();
    if (this.usedAt.run - (this.toldUseAt ?? -TELL_USE_EVERY) < TELL_USE_EVERY) return;
    this.toldUseAt = this.usedAt.run;
    this.tabs.postMessage({ t: "lock-used" });
  }

  watch(page) { for (const name of INPUTS) page.addEventListener(name, () => this.used(), { capture: true, passive: true }); }

  lockWhenIdle() {
    if (!this.secrets) return;
    const now = this.times();
    if (Math.max(now.run - this.usedAt.run, now.day - this.usedAt.day) > this.idleSeconds * 1000) this.lock();
  }

  async keepIdleSeconds(seconds) {
    await this.vault.keepIdleSeconds(seconds);
    this.idleSeconds = seconds;
  }
}
