"""Whose a dose is: the person it was recorded for, or the one that staff merged that person into.

Invariants:
- a merge moves nothing: a dose keeps the patient it was recorded for, and whose it is now follows from the decisions
  that hold, so that undoing a merge is taking the decision back;
- the answer does not depend on the order in which decisions came; chains are followed to their end;
- merges in a ring are no one's honest work and do no harm: all of the ring are the one with the smallest record id;
- who was merged into two persons apart goes with the decision made last; the other pair is shown as open (pairs.py).
"""

from store.tables import Tables


def effective_patient(tables: Tables, patient_id: str) -> str:
    """The record id of who the person goes on as; the same id where nobody merged it."""
    way = [patient_id]
    while (further := _merged_into(tables, way[-1])) is not None:
        if further in way:
            return min(way[way.index(further) :])
        way.append(further)
    return way[-1]


def merged_patients(tables: Tables, patient_id: str) -> list[str]:
    """Record ids of those who go on as this person, without the person."""
    came = _upstream(tables, patient_id)
    return sorted(one for one in came if one != patient_id and effective_patient(tables, one) == patient_id)


def affected_patients(tables: Tables, first: str, second: str) -> list[str]:
    """Everybody whose effective person a decision on the two may change, before or after it is applied."""
    return sorted(_upstream(tables, first) | _upstream(tables, second))


def _merged_into(tables: Tables, patient_id: str) -> str | None:
    merges = tables.decisions.find_by("merged", patient_id)
    return max(merges, key=lambda merge: merge["revision"])["survivor"] if merges else None


def _upstream(tables: Tables, patient_id: str) -> set[str]:
    """The person and all from whom a merge, followed or overruled, leads here."""
    found, ahead = {patient_id}, [patient_id]
    while ahead:
        for merge in tables.decisions.find_by("survivor", ahead.pop()):
            gone = merge["second"] if merge["survivor"] == merge["first"] else merge["first"]
            if gone not in found:
                found.add(gone)
                ahead.append(gone)
    return found
