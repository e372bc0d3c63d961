"""Which vaccines a nurse is offered, the likeliest first. Pure.

Invariants:
- every vaccine in use can be reached, whatever the clinic has ticked; with influenza off, those against it only where
  the dose is of an earlier day;
- a vaccine that a record names already is among them.
"""

from collections.abc import Callable, Collection, Iterable

from store.codes import Vaccine


def choose_vaccines(
    known: Iterable[Vaccine],
    favourites: Collection[str],
    *,
    influenza: bool,
    named: str = "",
    has_lots: Callable[[str], bool] = lambda code: False,
) -> list[Vaccine]:
    """The favourites, then those of which the clinic has lots, then the others, each in the order of the table.

    `influenza`: whether vaccines against it are offered; `named` is the code that a record has already.
    """
    offered = [
        vaccine
        for vaccine in known
        if vaccine.code == named or (vaccine.in_use and (influenza or not vaccine.is_influenza))
    ]
    return sorted(offered, key=lambda vaccine: (vaccine.code not in favourites, not has_lots(vaccine.code)))
