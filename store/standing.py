"""How a device stands to its hub: what each remembers of the other, and what follows where that does not fit. Pure.

Invariants:
- nothing is ever thrown away to agree: what one side lacks is sent again, and a change sent twice is one change;
- a hub that was put back or begun anew is noticed by its generation, and by knowing less than it once told;
- a device that was put back from an older copy is noticed by the hub knowing later changes of its own; it takes them
  before it gives numbers to new ones;
- two devices under one name are noticed by more changes than numbers; each goes on under a name of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

from store.protocol import SyncAnswer


class Reaction(StrEnum):
    """What a device does about an answer, besides taking what it brings."""

    NONE = "none"
    START_OVER = "start_over"  # another hub, or an older copy of it: give it all of ours, read it from the start
    CATCH_UP = "catch_up"  # an older copy of ourselves: read from the start, our own changes too
    RESEND = "resend"  # the hub has lost changes of ours
    RENEW = "renew"  # two devices under one name


@dataclass(frozen=True)
class Standing:
    """What a device remembers. Shape: `acknowledged` counts its own changes that the hub said to hold."""

    hub_generation: str
    last_seq: int
    acknowledged: int


def react(ours: Standing, answer: SyncAnswer) -> Reaction:
    """Decide about one answer, after what it accepts is counted in `ours`."""
    if answer.generation and ours.hub_generation and answer.generation != ours.hub_generation:
        return Reaction.START_OVER
    theirs = answer.device
    if theirs is None:
        return Reaction.NONE
    if theirs.count > theirs.last_seq:
        return Reaction.RENEW
    if theirs.last_seq > ours.last_seq:
        return Reaction.CATCH_UP
    if theirs.count < ours.acknowledged:
        return Reaction.RESEND
    return Reaction.NONE
