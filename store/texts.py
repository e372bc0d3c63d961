"""What a text that people type may be: how long, and of signs that can be seen.

Invariants:
- what is too long, or holds a sign nobody can see, is told with its limit and never cut or changed;
- a limit is asked of what is typed or imported: what a store holds already stays readable whatever its length.

The limits are written once, at the fields of the models.
ASSUMED: the numbers themselves. CDC publishes none; these are well above what clinics write.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import BaseModel

from store.problems import Problem, ProblemCode


@dataclass(frozen=True)
class Limit:
    """Stands in the annotation of a field. Units: `highest` in characters."""

    highest: int


MAX_TEXT = 200
Code = Annotated[str, Limit(60)]
Text = Annotated[str, Limit(MAX_TEXT)]

# Control signs, halves of a character, and what turns the direction of a line or takes no room: a number that holds one
# looks like another. Joiners (200C, 200D) and the variants of a character (FE00-FE0F, E0100-E01EF) stay, since emoji,
# some scripts and some people's names are written with them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


def check_text(text: str, field: str = "", highest: int = MAX_TEXT) -> list[Problem]:
    """Report a text that cannot be kept as it is typed."""
    if len(text) > highest:
        return [Problem(field, ProblemCode.TEXT_TOO_LONG, {"length": str(len(text)), "highest": str(highest)})]
    return [Problem(field, ProblemCode.TEXT_UNSEEN)] if _UNSEEN.search(text) else []


def check_texts(record: BaseModel) -> list[Problem]:
    """The same for every field of a record that has a limit."""
    limits, lowest = _limits(type(record))
    texts = {name: text for name in limits if (text := getattr(record, name))}
    # First all in one, for the speed of long rosters.
    if max(map(len, texts.values()), default=0) <= lowest and not _UNSEEN.search("".join(texts.values())):
        return []
    return [problem for name, text in texts.items() for problem in check_text(text, name, limits[name])]


@cache
def _limits(model: type[BaseModel]) -> tuple[dict[str, int], int]:
    """By field, and the lowest of them."""
    limits = {
        name: each.highest
        for name, field in model.model_fields.items()
        for each in field.metadata
        if isinstance(each, Limit)
    }
    return limits, min(limits.values())
