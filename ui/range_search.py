"""How the lists of records are searched, in the manual's words: what is not done yet, or a range of days."""

from collections.abc import Iterator
from datetime import date, timedelta

from nicegui import ui

from store.roc_date import InvalidRocDate, format_compact, parse_roc_date
from ui import wording

_MOST_TYPED = 100
_LONGEST = timedelta(days=92)  # each day is looked up by itself
_OPEN, _RANGE = "open", "range"


def read_days(first: ui.input, last: ui.input) -> tuple[date | None, date | None] | None:
    """The days typed into two fields that may be empty; None, and told at the field, where that is no range."""
    begin, end = _read_day(first), _read_day(last)
    if first.error or last.error:
        return None
    if begin and end and begin > end:
        first.error = wording.RANGE_REVERSED
        return None
    return begin, end


def _read_day(field: ui.input) -> date | None:
    field.error = None
    try:
        return parse_roc_date(typed) if (typed := (field.value or "").strip()[:_MOST_TYPED]) else None
    except InvalidRocDate as error:
        field.error = wording.DATE_FAULT[error.fault]
        return None


class RangeSearch:
    """The choice and its two days; what is listed stays what was asked for until `read` says otherwise."""

    def __init__(self, open_label: str, labels: tuple[str, str], today: date) -> None:
        """`open_label` names the search for what is not done yet, `labels` the first and the last day."""
        self.days: tuple[date, date] | None = None
        with ui.row().classes("items-center"):
            ui.label(wording.SEARCH_BY)
            self._choice = ui.radio({_OPEN: open_label, _RANGE: wording.SEARCH_RANGE}, value=_OPEN)
        self._choice.props("inline").classes("desk-scope").mark("search-by")
        with ui.element("div").classes("desk-fields"):
            self._from, self._to = (self._day(label, today) for label in labels)
        self._from.mark("range-from")
        self._to.mark("range-to")

    def read(self) -> bool:
        """Take what is chosen and typed into `days`, None for what is not done yet; False where a field is at fault."""
        if self._choice.value == _OPEN:
            self.days = None
            return True
        found: list[date] = []
        for field in (self._from, self._to):
            field.error = None
            try:
                found.append(parse_roc_date(field.value or ""))
            except InvalidRocDate as error:
                field.error = wording.DATE_FAULT[error.fault]
        if len(found) < 2:
            return False
        first, last = found
        if first > last:
            self._from.error = wording.RANGE_REVERSED
        elif last - first > _LONGEST:
            self._to.error = wording.RANGE_TOO_LONG
        else:
            self.days = first, last
            return True
        return False

    def each_day(self) -> Iterator[str]:
        """The days of the range, the first one first. Shape: ISO dates, none without a range."""
        if self.days is not None:
            first, last = self.days
            yield from ((first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1))

    def _day(self, label: str, today: date) -> ui.input:
        field = ui.input(label, value=format_compact(today)).without_auto_validation()
        field.props("outlined bottom-slots autocomplete=off").classes("w-full")
        field.bind_visibility_from(self._choice, "value", lambda chosen: chosen == _RANGE)
        return field
