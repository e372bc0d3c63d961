// Enter moves to the next field, as in a HIS. In an open list Enter takes the first entry, unless arrows chose another.
const moveOn = (form, field) => {
  const fields = [...form.querySelectorAll("input:not([disabled]), button.enter-last")].filter((f) => f.offsetParent && !f.closest(".enter-skips"));
  const next = fields[fields.indexOf(field) + 1];
  if (!next) return;
  next.focus();
  if (next.select) next.select();
};
const arrowDown = () => new KeyboardEvent("keydown", { key: "ArrowDown", code: "ArrowDown", keyCode: 40, which: 40, bubbles: true });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  const field = event.target;
  const form = field instanceof HTMLInputElement && field.closest(".enter-moves");
  if (!form) return;
  const list = field.getAttribute("aria-expanded");
  if (list === "true") {
    if (!document.querySelector(".q-menu .q-manual-focusable--focused")) field.dispatchEvent(arrowDown());
  } else event.preventDefault();
  if (list === "false") event.stopPropagation(); // or its list would open while the cursor is on its way to the next field
  // Only after the field has taken its Enter.
  setTimeout(() => moveOn(form, field));
}, true);

// The program's own F-keys must not also find, reload or print as the browser does; F5, F6, F11 and F12 stay
// the browser's.
document.addEventListener("keydown", (event) => {
  if (!/^F([1-47-9]|10)$/.test(event.key) || event.ctrlKey || event.altKey) return;
  event.preventDefault();
  // A field that waits for the fingers to rest tells what stands in it before the key does its work.
  if (event.target instanceof HTMLInputElement) event.target.dispatchEvent(new Event("change"));
}, true);

// Escape closes an open list and nothing else: the page, which listens at the document, would leave the form. Quasar, which
// listens at the window, is told all the same.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !document.querySelector(".q-menu:not([class*='-leave-'])")) return;
  event.stopPropagation();
  window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", keyCode: 27, which: 27 }));
}, true);

// While that window is open, keys pressed elsewhere are meant for it: before it has the focus, F9 would save what is below.
document.addEventListener("keydown", (event) => {
  const open = document.querySelector(".desk-history")?.closest(".q-dialog");
  if (!open || open.contains(event.target) || !/^(F[2-4]|F[7-9]|Escape)$/.test(event.key)) return;
  event.stopPropagation();
  if (!event.repeat) open.dispatchEvent(new KeyboardEvent("keydown", { key: event.key }));
}, true);
