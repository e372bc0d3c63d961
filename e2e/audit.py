"""What is wrong with a screen for hands and eyes: axe's rules, small targets, words cut off, a page wider than it."""

import os
from collections.abc import Iterator
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT

from e2e.screens import Desk

DESK, UPRIGHT = (1280, 800), (820, 1180)
TARGET_PX = 44
# Where pictures of every screen are wanted for the eye, this variable names a folder for them.
PICTURES = os.environ.get("E2E_PICTURES", "")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What lies dimmed under an open window was looked at before it opened, and cannot be tapped meanwhile.
_ROOT = """
  const dialogs = [...document.querySelectorAll(".q-dialog")].filter((one) => one.checkVisibility());
  const root = dialogs.at(-1) ?? document;
"""
_RUN_AXE = f"""async (runOnly) => {{
  {_ROOT}
  const {{ violations }} = await axe.run(root, {{ runOnly, resultTypes: ["violations"], iframes: root === document }});
  const told = (id, {{ target, html, failureSummary }}) =>
    `${{id}}: ${{target.flat().join(" ")}} ${{html.slice(0, 120)}} ${{failureSummary.replace(/\\s+/g, " ")}}`;
  return violations.flatMap(({{ id, nodes }}) => nodes.map((node) => told(id, node)));
}}"""
# A field, and a box with its words, is as large as what a finger hits of it.
_SMALL = f"""(least) => {{
  {_ROOT}
  const targets = "a[href], button, input, textarea, select, summary, th.sortable, tr[tabindex], [role=button]," +
    "[role=option], [role=checkbox], [role=radio], [role=tab], .q-field__focusable-action";
  const whole = (one) => one.matches("button, .q-field__focusable-action") ? one :
    one.closest(".q-field__control, .q-checkbox, .q-radio") ?? one;
  const seen = {{ opacityProperty: true, visibilityProperty: true }};
  const small = [...root.querySelectorAll(targets)]
    .filter((one) => one.checkVisibility(seen) && !one.closest("[aria-hidden=true]"))
    .map((one) => [one, whole(one).getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.width < least - 0.5 || box.height < least - 0.5))
    .map(([one, box]) => `${{Math.round(box.width)}}x${{Math.round(box.height)}} px: ${{one.outerHTML.slice(0, 160)}}`);
  return [...new Set(small)];
}}"""
_WIDE = """() => {
  const { scrollWidth, clientWidth } = document.scrollingElement;
  return scrollWidth > clientWidth ? [`wider than the window by ${scrollWidth - clientWidth} px`] : [];
}"""
# Words of ours that do not fit where they stand, or are broken in two; what was typed into a field scrolls in it.
_CUT = f"""() => {{
  {_ROOT}
  const words = (one) => [...one.childNodes].filter(({{ nodeType, data }}) => nodeType === 3 && data.trim());
  const isCut = (one) => one.clientWidth > 1 && getComputedStyle(one).overflowX !== "visible" &&
    one.scrollWidth > one.clientWidth + 1;
  const isBroken = (text) => [...text.data.matchAll(/\\b[A-Za-z]+\\b/g)].some(({{ 0: word, index }}) => {{
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    return new Set([...range.getClientRects()].map(({{ top }}) => Math.round(top))).size > 1;
  }});
  return [...root.querySelectorAll("*")]
    .filter((one) => words(one).length && one.checkVisibility() && !one.closest("[aria-hidden=true]"))
    .filter((one) => isCut(one) || (one.closest("th, button, label") && words(one).some(isBroken)))
    .map((one) => `cut off: ${{one.textContent.trim()}}`);
}}"""
# Colours that fade in are no colours of ours.
_STAND_STILL = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const moving = () => document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
  do {
    await Promise.all(moving().map((one) => one.finished.catch(() => 0)));
    await frame();
    await frame();
  } while (moving().length);
}"""


class Audit:
    """Looks at one screen after the other at each size and keeps what is wrong with them."""

    def __init__(self, desk: Desk, sizes: tuple[tuple[int, int], ...] = (UPRIGHT, DESK)) -> None:
        self._page, self._sizes = desk.page, sizes
        self.faults: list[str] = []
        self.seen: list[str] = []

    def look(self, name: str) -> None:
        """Look at what is on the screen now; `name` stands before each fault."""
        for width, height in self._sizes:
            self._page.set_viewport_size({"width": width, "height": height})
            for frame in self._page.frames:
                frame.evaluate(_STAND_STILL)
            if PICTURES:
                self._page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png")
            self.faults += [f"{name} {width}x{height} {fault}" for fault in self._find_faults((width, height))]
        self.seen.append(name)

    def _find_faults(self, size: tuple[int, int]) -> Iterator[str]:
        frames = self._page.frames
        for frame in frames:
            if not frame.evaluate("typeof axe === 'object'"):
                frame.evaluate(AXE_SCRIPT)
        has_window = any(frame.locator(".q-dialog").count() for frame in frames)
        yield from (frames[-1] if has_window else frames[0]).evaluate(_RUN_AXE, _RULES)
        for frame in frames:
            yield from frame.evaluate(_WIDE)
            if size == UPRIGHT:
                yield from frame.evaluate(_SMALL, TARGET_PX)
                yield from frame.evaluate(_CUT)
