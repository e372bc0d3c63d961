// What a tap reaches, keys and screen readers reach too. A table whose rows open, and the heads that sort it, are one stop
// of Tab each; arrows walk on from there, Enter or Space is the tap. Arrow down in a search field goes to its first row.
const ROW = ".desk-opens tbody:not(.q-virtual-scroll__padding) > tr", HEAD = ".q-table th.sortable";
const SEARCH = "input[data-enter=stay]";
const STEP = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

const groupOf = (one) => [...one.closest(".q-table").querySelectorAll(one.matches(ROW) ? ROW : HEAD)];
const cardOf = (one) => one.closest(".desk-card, .q-card");
const focusOn = (one) => {
  one.focus();
  one.scrollIntoView({ block: "nearest" });
};

const makeReachable = () => {
  for (const table of document.querySelectorAll(".q-table")) {
    for (const group of [table.querySelectorAll(ROW), table.querySelectorAll(HEAD)]) {
      const stop = [...group].find((one) => one === document.activeElement) ?? group[0];
      for (const one of group) one.tabIndex = one === stop ? 0 : -1;
    }
  }
  // A list that is longer than its place scrolls by keys as well; one whose rows can be walked scrolls along.
  for (const place of document.querySelectorAll(".q-table__middle")) {
    const walks = place.querySelector("[tabindex='0']");
    if (!walks && (place.scrollHeight > place.clientHeight || place.scrollWidth > place.clientWidth)) place.tabIndex = 0;
  }
  // A window is called what its first line says.
  for (const dialog of document.querySelectorAll(".q-dialog:not([aria-label], [aria-labelledby])")) {
    const title = dialog.querySelector(".q-card > [id]");
    if (title) dialog.setAttribute("aria-labelledby", title.id);
  }
};

let isDue = false;
new MutationObserver(() => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    makeReachable();
  });
}).observe(document.documentElement, { childList: true, subtree: true });

document.addEventListener("focusin", ({ target }) => {
  if (target.matches(`${ROW}, ${HEAD}`)) for (const one of groupOf(target)) one.tabIndex = one === target ? 0 : -1;
});

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (!(target instanceof Element) || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const step = STEP[key];
  if (target.matches(SEARCH)) {
    const first = key === "ArrowDown" && cardOf(target)?.querySelector(ROW);
    if (!first) return;
    focusOn(first);
  } else if (!target.matches(`${ROW}, ${HEAD}`)) return;
  else if (key === "Enter" || key === " ") target.click();
  else if (step) {
    const group = groupOf(target), next = group[group.indexOf(target) + step];
    const search = step < 0 && !next && target.matches(ROW) && cardOf(target)?.querySelector(SEARCH);
    if (next || search) focusOn(next || search);
  } else return;
  event.preventDefault();
}, true);
