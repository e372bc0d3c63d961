"""The stop-watches: scripts that run in the page, so that driving the browser from outside costs the figures nothing.

Shape: each gives milliseconds; those of a start give the browser's clock instead, in milliseconds since 1970.
"""

# The search on the first page, typed as soon as it is there; Python answers with a sentence. Types again where the page
# was put up anew meanwhile.
FIRST_ANSWER = """async () => {
  for (;;) {
    const page = document.querySelector("iframe")?.contentDocument;
    const field = page?.querySelector('input[aria-label^="查詢患者"]');
    if (field && !field.value) {
      field.value = "057164";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (field && /找到 \\d+ 人|查無此人/.test(page.body.innerText)) return Date.now();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}"""

BARE_ANSWER = "async () => (await window.answered)[1]"

# A button that Python answers by counting, tapped for so long with a breath between.
CLICKS = """async ([milliseconds, breath]) => {
  const button = document.querySelector("button.bench-tap"), label = document.querySelector(".bench-count");
  const samples = [], end = performance.now() + milliseconds;
  while (performance.now() < end) {
    const old = label.textContent, start = performance.now();
    await new Promise((resolve) => {
      const watch = new MutationObserver(() => {
        if (label.textContent === old) return;
        watch.disconnect();
        resolve();
      });
      watch.observe(label, { childList: true, characterData: true, subtree: true });
      button.click();
    });
    samples.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, breath));
  }
  return samples;
}"""

# From the last keystroke to the row on the screen. Each search is [what is typed, the chart number to be seen].
SEARCHES = """async (searches) => {
  const field = document.querySelector('input[aria-label^="查詢患者"]');
  const type = (text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const shown = async (condition) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const rows = () => [...document.querySelectorAll("tbody tr")].map((row) => row.innerText).join(" ");
  const samples = [];
  for (const [typed, chart] of searches) {
    type("");
    await shown(() => !/找到 \\d+ 人|查無此人/.test(document.body.innerText));
    const start = performance.now();
    type(typed);
    await shown(() => rows().includes(chart));
    samples.push(performance.now() - start);
  }
  return samples;
}"""

# One tap and the wait for what it shows, JavaScript put in for ACT and DONE (the page's policy lets no text be run);
# run in the outer page, as a tap may lead to another inner page.
TAP = """async () => {
  const page = () => document.querySelector("iframe").contentDocument;
  const seen = (element) => element && element.getClientRects().length > 0;
  const all = (selector) => [...page().querySelectorAll(selector)].filter(seen);
  const field = (label) => all(`[aria-label^="${label}"]`).find((e) => "value" in e);
  const button = (text) => all("button").find((e) => (e.innerText || e.ariaLabel || "").trim().startsWith(text));
  const row = (text) => all("tbody tr").find((e) => e.innerText.includes(text));
  const option = (text) => all('[role="option"]').find((e) => e.innerText.startsWith(text));
  const title = () => page().querySelector(".desk-title")?.innerText ?? "";
  const says = (text) => page().body?.innerText.includes(text);
  const type = (element, text) => {
    element.focus();
    element.value = text;
    element.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const press = (element, key) => {
    const keyCode = { Enter: 13, Escape: 27 }[key]; // which Quasar asks for
    for (const kind of ["keydown", "keyup"])
      element.dispatchEvent(new (page().defaultView.KeyboardEvent)(kind, { key, code: key, keyCode, bubbles: true }));
  };
  const act = () => (ACT, true), done = () => DONE;
  const wait = async (met) => {
    const until = performance.now() + 15000;
    for (;;) {
      try { if (met()) return; } catch {} // not there yet
      if (performance.now() > until) throw new Error(`no answer to ${act}: ${done}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await wait(act);
  const start = performance.now();
  await wait(done);
  return performance.now() - start;
}"""
