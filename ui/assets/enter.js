// Enter moves to the next field, as in a HIS. In an open list Enter takes the first entry, unless arrows chose another.
const moveOn = (form, field) => {
  const fields = [...form.querySelectorAll("input:not([disabled]), button.enter-last")].filter((f) => f.offsetParent);
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
  if (field.getAttribute("aria-expanded") === "true") {
    if (!document.querySelector(".q-menu .q-manual-focusable--focused")) field.dispatchEvent(arrowDown());
  } else event.preventDefault();
  // Only after the field has taken its Enter.
  setTimeout(() => moveOn(form, field));
}, true);

// F7 is the browser's own key for reading with a cursor: not where it opens a window of ours.
document.addEventListener("keydown", (event) => {
  if (event.key === "F7" && document.querySelector(".takes-f7")) event.preventDefault();
}, true);

// While that window is open, keys pressed elsewhere are meant for it: before it has the focus, F9 would save what is below.
document.addEventListener("keydown", (event) => {
  const open = document.querySelector(".desk-history")?.closest(".q-dialog");
  if (!open || open.contains(event.target) || !/^(F[2-4]|F[7-9]|Escape)$/.test(event.key)) return;
  event.stopPropagation();
  if (!event.repeat) open.dispatchEvent(new KeyboardEvent("keydown", { key: event.key }));
}, true);
