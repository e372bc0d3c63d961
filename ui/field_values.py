"""What a field of a page may say of itself: a text, or one of its own choices.

A broken browser, or one that somebody has his hands in, may say anything. What no field can mean is as if it had not
been said: the field keeps what it has, and the forms behind it deal with texts alone. Asked of NiceGUI's elements
themselves, since each page would else have to ask it of each field.

A text that the program fills in may meet one that is being typed: each field tells the browser how many of its texts
were heard before, and there (runtime/socket.js) what nobody had heard of yet stays. So what was typed last counts, on
the screen and here.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from nicegui import ui
from nicegui.elements.choice_element import ChoiceElement
from nicegui.elements.mixins.value_element import ValueElement
from nicegui.events import GenericEventArguments

_HALF = re.compile("[\ud800-\udfff]")


@cache
def guard_field_values() -> None:
    """Once, before the first page is built."""
    _guard(ui.input, lambda field, said: said is None or isinstance(said, str))
    _tell_heard(ui.input)
    _guard(ui.select, _is_choice_of_select)
    _guard(ui.toggle, lambda field, said: _is_emptied(field, said) or _is_place(field, said))
    _guard(ui.radio, _is_place)
    for switch in (ui.checkbox, ui.switch):
        _guard(switch, lambda field, said: isinstance(said, bool))


def _guard(kind: type[ValueElement[Any]], is_sane: Callable[[Any, object], bool]) -> None:
    read = kind._event_args_to_value

    def read_sane(field: Any, event: GenericEventArguments) -> Any:
        if not is_sane(field, event.args):
            return field.value
        if isinstance(event.args, str) and _HALF.search(event.args):
            # A character of two halves of which one was cut off can be neither kept nor sent.
            event.args = event.args.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return read(field, event)

    setattr(kind, "_event_args_to_value", read_sane)  # noqa: B010  # of a class of another package


def _tell_heard(kind: type[ValueElement[Any]]) -> None:
    read, describe = kind._event_args_to_value, kind._to_dict

    def read_counted(field: Any, event: GenericEventArguments) -> Any:
        field.heard = getattr(field, "heard", 0) + 1
        return read(field, event)

    def describe_counted(field: Any) -> dict[str, Any]:
        return {**describe(field), "heard": getattr(field, "heard", 0)}

    setattr(kind, "_event_args_to_value", read_counted)  # noqa: B010
    setattr(kind, "_to_dict", describe_counted)  # noqa: B010


def _is_emptied(field: ChoiceElement, said: object) -> bool:
    return said is None and bool(field.props.get("clearable"))


def _is_place(field: ChoiceElement, said: object) -> bool:
    return type(said) is int and 0 <= said < len(field.options)


def _is_choice(field: ChoiceElement, said: object) -> bool:
    """Shape: {"value": place among the options, ...}."""
    return isinstance(said, dict) and _is_place(field, said.get("value"))


def _is_choice_of_select(field: ui.select, said: object) -> bool:
    if field.multiple and isinstance(said, list):
        return all(_is_choice(field, one) for one in said)
    return _is_emptied(field, said) or (not field.multiple and _is_choice(field, said))
