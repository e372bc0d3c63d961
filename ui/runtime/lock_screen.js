// What stands before the desk while it is locked: the people of this device, the PIN, signing in with the password,
// choosing a PIN, enrolling. It only shows and asks; lock.js decides.
import { TEXTS } from "./texts.js";
import { PIN_MAX, PIN_MIN, pinFault } from "./vault.js";

const CODE_DIGITS = 8;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "back", "0", "enter"];

// `make("button", { onclick }, "text", child)`
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter(Boolean));
  return element;
}

export class LockScreen {
  // `place`: the element of the page; `lock`: lock.js; `on`: { spent(staffId), revoked(), later() }.
  constructor(place, lock, on) {
    Object.assign(this, { place, lock, on });
    place.addEventListener("keydown", (event) => { if (event.key === "Escape") this.goBack?.(); });
  }

  get isShown() { return !this.place.hidden; }

  hide() {
    clearInterval(this.countdown);
    this.place.hidden = true;
    this.place.replaceChildren(); // what was typed goes too
    this.goBack = null;
  }

  // `back`: where Escape and the button lead, null for nowhere.
  show(title, back, ...children) {
    clearInterval(this.countdown);
    this.goBack = back;
    this.shown = {};
    this.note = make("p", { className: "desk-lock-note" });
    this.note.setAttribute("role", "alert");
    const leave = back && make("button", { type: "button", className: "desk-quiet", onclick: back }, TEXTS.lock.back);
    this.place.replaceChildren(...[make("h1", {}, title), this.note, ...children, leave].filter(Boolean));
    this.place.hidden = false;
    (this.place.querySelector("input, button:not(.desk-quiet)") ?? this.place.querySelector("button"))?.focus();
  }

  say(text) { this.note.textContent = text; }

  // Run what a button does; one at a time, and what the hub or the vault refuses is told.
  async doing(work, told = TEXTS.lock.checking) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.say(told);
    // The words must be on the screen before this thread has no time for them.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    try { await work(); }
    catch (error) { await this.tell(error); }
    finally { this.isBusy = false; }
  }

  async tell(error) {
    const { code, retrySeconds } = error;
    if (code === "device_revoked") return this.on.revoked();
    const told = TEXTS.lock.refused[code];
    if (!told) console.error(error);
    this.say(typeof told === "function" ? told(Math.max(1, Math.ceil(retrySeconds / 60))) : (told ?? TEXTS.lock.refusedOther));
  }

  // --- who -----------------------------------------------------------------------------------------------------------

  async showPeople(said = "") {
    const { shown } = this;
    const people = await this.lock.people(), unsent = await this.lock.vault.unsent();
    if (shown !== this.shown) return; // something else has taken its place meanwhile
    if (!people.length) return this.showSignIn(said || TEXTS.lock.nobodyYet, null);
    const list = make("div", { className: "desk-people" });
    for (const person of people) {
      const roles = make("small", {}, person.roles.map((role) => TEXTS.lock.roles[role] ?? role).join(TEXTS.lock.comma));
      list.append(make("button", { type: "button", onclick: () => this.showPin(person) }, person.staffId, roles));
    }
    this.show(
      TEXTS.lock.who, null, list,
      make("button", { type: "button", className: "desk-quiet", onclick: () => this.showSignIn() }, TEXTS.lock.another),
      unsent && make("p", {}, TEXTS.lock.unsent(unsent)),
    );
    this.say(said);
  }

  // --- the PIN -------------------------------------------------------------------------------------------------------

  showPin(person) {
    const field = pinField(TEXTS.lock.pin, "none");
    const enter = () => this.doing(() => this.unlock(person, field.input));
    const form = asForm(enter, field.label, this.pad(field.input, enter));
    const forgot = make("button", { type: "button", className: "desk-quiet", onclick: () => this.showSignIn("", () => this.showPeople(), person.staffId) }, TEXTS.lock.forgot);
    this.show(person.staffId, () => this.showPeople(), form, forgot);
    if (person.waitMs) this.countDown(person, person.waitMs);
  }

  pad(input, enter) {
    const acts = { back: () => (input.value = input.value.slice(0, -1)), enter };
    const pad = make("div", { className: "desk-pad" });
    for (const key of KEYS) {
      const type = (digit) => { if (input.value.length < PIN_MAX) input.value += digit; };
      const button = make("button", { type: "button", onclick: () => { (acts[key] ?? type)(key); input.focus(); } }, TEXTS.lock.keys[key] ?? key);
      if (acts[key]) button.setAttribute("aria-label", TEXTS.lock.keyNames[key]);
      pad.append(button);
    }
    return pad;
  }

  async unlock({ staffId }, input) {
    const pin = input.value;
    input.value = "";
    if (pinFault(pin) === "length") return this.say(TEXTS.lock.pinLength(PIN_MIN, PIN_MAX));
    try { await this.lock.unlock(staffId, pin); }
    catch (error) {
      const { code, triesLeft, waitMs } = error;
      if (code === "pin_spent") return this.on.spent(staffId);
      if (code === "vault_damaged" || code === "nobody") return this.showSignIn(TEXTS.lock.refused[code], () => this.showPeople(), staffId);
      if (code !== "pin_wrong" && code !== "pin_waits") throw error;
      this.say(triesLeft === undefined ? "" : TEXTS.lock.wrong(triesLeft));
      input.focus();
      if (waitMs) this.countDown({ staffId, triesLeft }, waitMs);
    }
  }

  // Nothing can be entered meanwhile; the vault asks for no less.
  countDown({ triesLeft }, waitMs) {
    clearInterval(this.countdown);
    const until = performance.now() + waitMs;
    const entry = [...this.place.querySelectorAll(".desk-pad button, form input")];
    const tick = () => {
      const leftMs = until - performance.now();
      for (const one of entry) one.disabled = leftMs > 0;
      const left = triesLeft === undefined ? "" : TEXTS.lock.wrong(triesLeft);
      this.say(leftMs > 0 ? left + waitText(leftMs) : "");
      if (leftMs > 0) return;
      clearInterval(this.countdown);
      this.place.querySelector("form input")?.focus();
    };
    tick();
    this.countdown = setInterval(tick, 500);
  }

  // --- the password --------------------------------------------------------------------------------------------------

  showSignIn(said = "", back = () => this.showPeople(), staffId = "") {
    const who = textField(TEXTS.lock.staffId, { value: staffId, maxLength: 20 });
    const password = textField(TEXTS.lock.password, { type: "password", maxLength: 200 });
    const enter = () => this.doing(async () => {
      if (!who.input.value.trim() || !password.input.value) return this.say(TEXTS.lock.bothMissing);
      const person = await this.lock.signIn(who.input.value.trim(), password.input.value);
      this.showChoosePin(person);
    });
    this.show(TEXTS.lock.signIn, back, asForm(enter, make("p", {}, TEXTS.lock.signInWhy), who.label, password.label, submit(TEXTS.lock.signIn)));
    this.say(said);
    if (staffId) password.input.focus();
  }

  showChoosePin(person) {
    this.choose(TEXTS.lock.choosePin, () => this.showPeople(), [], (_, pin) => this.lock.choosePin(person, pin));
  }

  // By the person who is at the desk; the desk goes on behind.
  showChangePin(done) {
    const old = pinField(TEXTS.lock.oldPin);
    this.choose(TEXTS.lock.changePin, done, [old], async ([oldPin], pin) => {
      try { await this.lock.changePin(oldPin, pin); }
      catch (error) {
        if (error.code === "pin_spent" || error.code === "nobody") return this.lock.lock();
        if (error.code === "pin_wrong") return this.say(TEXTS.lock.wrong(error.triesLeft) + waitText(error.waitMs));
        if (error.code === "pin_waits") return this.say(waitText(error.waitMs));
        throw error;
      }
      done();
    });
  }

  choose(title, back, before, work) {
    const first = pinField(TEXTS.lock.newPin), second = pinField(TEXTS.lock.pinAgain);
    const enter = () => this.doing(async () => {
      const fault = pinFault(first.input.value);
      if (fault) return this.say(fault === "simple" ? TEXTS.lock.pinSimple : TEXTS.lock.pinLength(PIN_MIN, PIN_MAX));
      if (first.input.value !== second.input.value) return this.say(TEXTS.lock.pinsDiffer);
      await work(before.map(({ input }) => input.value), first.input.value);
    });
    const labels = [...before, first, second].map(({ label }) => label);
    this.show(title, back, asForm(enter, make("p", {}, TEXTS.lock.pinWhy(PIN_MIN, PIN_MAX)), ...labels, submit(TEXTS.lock.use)));
  }

  // --- enrolment -------------------------------------------------------------------------------------------------------

  // `isThisPc`: a manager may enrol the clinic PC's own browser with the password instead of a code.
  showEnrol(code, { isThisPc, mayWait }) {
    const digits = textField(TEXTS.lock.code, { value: spaced(code), inputMode: "numeric", maxLength: 20, placeholder: "1234 5678" });
    const name = textField(TEXTS.lock.deviceName, { maxLength: 40, placeholder: TEXTS.lock.deviceNameSuch });
    const enter = () => this.doing(async () => {
      const typed = digits.input.value.normalize("NFKC").replaceAll(/[\s-]/g, "");
      if (!/^[0-9]+$/.test(typed) || typed.length !== CODE_DIGITS) return this.say(TEXTS.lock.codeForm);
      if (!name.input.value.trim()) { this.say(TEXTS.lock.nameMissing); return name.input.focus(); }
      await this.enrol(typed, name.input.value.trim());
    });
    const byManager = isThisPc && make("button", { type: "button", className: "desk-quiet", onclick: () => this.showManager(false) }, TEXTS.lock.thisPc);
    this.show(
      TEXTS.lock.enrol, mayWait ? this.on.later : null,
      asForm(enter, make("p", {}, TEXTS.lock.enrolWhy), digits.label, name.label, submit(TEXTS.lock.enrolNow)), byManager,
    );
    if (mayWait) this.place.lastElementChild.textContent = TEXTS.lock.later;
    if (code) name.input.focus();
  }

  async enrol(code, name) {
    await this.lock.enrol(code, name);
    this.showSignIn(TEXTS.lock.enrolled, null);
  }

  // At the clinic PC: the account that everything begins with, or a manager of this clinic; this browser is enrolled by it.
  showManager(isFirst, back = this.on.later) {
    const who = textField(TEXTS.lock.staffId, { maxLength: 20 });
    const password = textField(TEXTS.lock.password, { type: "password", maxLength: 200 });
    const again = isFirst && textField(TEXTS.lock.passwordAgain, { type: "password", maxLength: 200 });
    const enter = () => this.doing(async () => {
      const staffId = who.input.value.trim(), typed = password.input.value;
      if (!staffId || !typed) return this.say(TEXTS.lock.bothMissing);
      if (again && again.input.value !== typed) return this.say(TEXTS.lock.passwordsDiffer);
      const code = await this.lock.codeForThisPc(staffId, typed, isFirst);
      await this.lock.enrol(code, TEXTS.lock.clinicPc);
      this.showChoosePin(await this.lock.signIn(staffId, typed));
    });
    const words = isFirst ? TEXTS.lock.firstWhy : TEXTS.lock.thisPcWhy;
    const title = isFirst ? TEXTS.lock.first : TEXTS.lock.thisPc;
    this.show(title, back, asForm(enter, make("p", {}, words), who.label, password.label, again && again.label, submit(title)));
  }

  // --- gone ------------------------------------------------------------------------------------------------------------

  showGone(text) { this.show(TEXTS.lock.gone, null, make("p", {}, text), make("button", { type: "button", onclick: () => location.replace("/") }, TEXTS.lock.again)); }
}

function asForm(enter, ...children) {
  const form = make("form", { noValidate: true, autocomplete: "off" }, ...children);
  form.addEventListener("submit", (event) => { event.preventDefault(); enter(); });
  return form;
}

const submit = (text) => make("button", { type: "submit" }, text);

function textField(name, properties) {
  const input = make("input", { type: "text", autocomplete: "off", spellcheck: false, ...properties });
  return { input, label: make("label", {}, name, input) };
}

// Digits only, whatever keyboard; `inputMode` "none" where the pad stands on the screen.
function pinField(name, inputMode = "numeric") {
  const field = textField(name, { type: "password", inputMode, maxLength: PIN_MAX, autocomplete: "new-password" });
  field.input.addEventListener("input", () => (field.input.value = field.input.value.normalize("NFKC").replaceAll(/[^0-9]/g, "")));
  return field;
}

function waitText(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds > 0 ? TEXTS.lock.wait(Math.floor(seconds / 60), seconds % 60) : "";
}

const spaced = (code) => (code.length === CODE_DIGITS ? `${code.slice(0, 4)} ${code.slice(4)}` : code);
