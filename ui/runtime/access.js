// What the shell itself asks the hub, before Python's store is open: is signing in needed here, enrol this device, sign a
// person in. Shapes: store/access_protocol.py.
import { fromBase64, toBase64 } from "./vault.js";

const PATIENCE = 15_000;
const JSON_TYPE = { "Content-Type": "application/json" };

// `code`: the hub's (store/access_protocol.py), or network_failed. Units: `retrySeconds` until it may be tried again.
export class HubRefused extends Error {
  constructor(code, retrySeconds = 0) { super(code); Object.assign(this, { code, retrySeconds }); }
}

async function ask(path, body) {
  let answer, told;
  try {
    const more = body && { method: "POST", body: JSON.stringify(body), headers: JSON_TYPE };
    answer = await fetch(`/api/access/${path}`, { ...more, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    told = await answer.json();
  } catch { throw new HubRefused("network_failed"); }
  if (!answer.ok) throw new HubRefused(told?.error?.code ?? "app_error", Number(answer.headers.get("Retry-After")) || 0);
  if (told.problems?.length) throw new HubRefused(told.problems[0].code);
  return told;
}

// Shape: { hasAccounts, isThisPc }; null where the hub does not answer, or is of before there were accounts.
export async function hubState() {
  try {
    const told = await ask("state");
    return { hasAccounts: told.has_accounts, isThisPc: told.is_this_pc };
  } catch { return null; }
}

// At the clinic PC: the first manager's account, or a manager's password; either gives the code that enrols this browser.
export async function codeForThisPc(staffId, password, isFirst) {
  return (await ask(isFirst ? "first" : "pc-code", { staff_id: staffId, password })).code;
}

// Make this browser a device of the clinic; `made`: its keys, of `Vault.makeDevice`. After an answer that was lost the
// same keys may be sent again.
export async function enrol(vault, code, { device, publicKey, dataKey }) {
  const { deviceId, name } = device;
  const keys = { public_key: toBase64(publicKey), data_key: toBase64(dataKey) };
  await ask("enrol", { code, device_id: deviceId, name, ...keys });
  await vault.keepDevice(device);
}

// Shape: { staffId, roles, dataKey, staffToken }, for `Vault.setPin`; the person is called as the account is, whatever way
// it was typed.
export async function signIn(vault, staffId, password) {
  const { deviceId } = await vault.device();
  const { challenge } = await ask(`challenge?device_id=${deviceId}`);
  const signature = await vault.sign("desk-sign-in", challenge, staffId, location.origin);
  const told = await ask("sign-in", { device_id: deviceId, challenge, signature, staff_id: staffId, password });
  await vault.keepStaff(told.staff);
  return { staffId: told.staff_id, roles: told.roles, dataKey: fromBase64(told.data_key), staffToken: fromBase64(told.staff_token) };
}

// The last word of a device that was turned off: nothing is left on it.
export async function tellWiped(vault) {
  const { deviceId } = await vault.device();
  const { challenge } = await ask(`challenge?device_id=${deviceId}`);
  const signature = await vault.sign("desk-hand-over", challenge, "", location.origin);
  const request = { device_id: deviceId, generation: deviceId, after: 0, changes: [] };
  await ask("hand-over", { device_id: deviceId, challenge, signature, request, wiped: true });
}

// At locking: nothing is left that could be used. Without the hub its session ends by itself.
export function signOut() {
  fetch("/api/access/sign-out", { method: "POST", keepalive: true, body: "{}", headers: JSON_TYPE }).catch(() => {});
}
