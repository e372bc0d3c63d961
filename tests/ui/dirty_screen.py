"""A page as a browser has it, for inputs that no browser should send: told by events, read by what would be drawn."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.elements.choice_element import ChoiceElement
from nicegui.elements.mixins.validation_element import ValidationElement
from nicegui.events import UploadEventArguments
from nicegui.helpers import kebab_to_camel_case
from nicegui.testing import User

from ui.state import AppState

_YES = ("save-anyway", "confirm")


class _File:
    """A file as it comes out of the upload."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data

    async def read(self) -> bytes:
        return self._data


class Screen:
    """One page that is open. Elements are named by their marks; of several the newest is meant."""

    def __init__(self, user: User, state: AppState) -> None:
        self.user, self.state = user, state
        self.typed: list[str] = []

    async def open(self, path: str) -> None:
        if self.user.client is not None:
            self.user.client.delete()  # a page left behind would be drawn anew at each change
        await self.user.open(path)

    @property
    def elements(self) -> list[Any]:
        return list(self.user.client.elements.values()) if self.user.client is not None else []

    @property
    def told(self) -> list[str]:
        """What was notified."""
        return self.user.notify.messages

    def find(self, mark: str) -> Any:
        words = set(mark.split())
        return next((one for one in reversed(self.elements) if words.issubset(one._markers)), None)

    def at(self, mark: str) -> Any:
        element = self.find(mark)
        assert element is not None, f"nothing is marked {mark}"
        return element

    def tell(self, mark: str, event: str, args: Any) -> None:
        """What a browser tells of an element, past all that it would check before."""
        element = self.at(mark)
        for listener in list(element._event_listeners.values()):
            if listener.type in (event, kebab_to_camel_case(event)):
                with self.user:
                    element._handle_event({"listener_id": listener.id, "args": args})
                return
        raise AssertionError(f"{mark} does not listen to {event}")

    def type(self, mark: str, value: object) -> None:
        if isinstance(value, str):
            self.typed.append(value)
        self.tell(mark, f"update:{self.at(mark).VALUE_PROP}", value)

    def choose(self, mark: str, value: str) -> None:
        """A text into a field; of a list by the place of the option, as browsers say it."""
        element = self.at(mark)
        if not isinstance(element, ChoiceElement):
            self.type(mark, value)
        elif isinstance(element, ui.select):
            self.type(mark, {"value": list(element.options).index(value)} if value in element.options else None)
        else:
            self.type(mark, list(element.options).index(value))

    def click(self, mark: str) -> None:
        self.tell(mark, "click", {})

    def enter(self, mark: str) -> None:
        self.tell(mark, "keydown.enter", {})

    async def give(self, mark: str, data: bytes, name: str = "file.csv") -> None:
        """A file to what is marked so."""
        upload = self.at(mark)
        event = UploadEventArguments(sender=upload, client=upload.client, file=_File(name, data))  # type: ignore[arg-type]
        with self.user:
            for handler in upload._upload_handlers:
                await handler(event)

    def open_row(self, mark: str, record_id: str) -> None:
        self.tell(mark, "rowClick", [None, {"record_id": record_id}])

    async def until(self, holds: Callable[[], object]) -> None:
        for turn in range(2000):
            if holds():
                return
            await asyncio.sleep(0 if turn < 1000 else 0.001)
        raise AssertionError("nothing came of it")

    async def save(self, button: str) -> bool:
        """Press the button and say yes to what is asked; whether something was written."""
        before = len(self.state.database.unsent)
        self.told.clear()
        self.click(button)
        await self.until(lambda: self.told or any(map(self.find, _YES)))
        if not self.told:
            self.click(next(filter(self.find, _YES)))
            await self.until(lambda: self.told)
        return len(self.state.database.unsent) > before

    def value(self, mark: str) -> str:
        value = self.at(mark).value
        assert value is None or isinstance(value, str)
        return value or ""

    def fault(self, mark: str) -> str:
        """What stands under a field."""
        field = self.at(mark)
        return (field.error or "") if isinstance(field, ValidationElement) else ""

    def text(self, mark: str) -> str:
        text = self.at(mark).text
        assert isinstance(text, str)
        return text

    def check(self) -> None:
        """The page can go to the browser, and nothing on it is more than text."""
        for element in self.elements:
            json.dumps(element._to_dict(), ensure_ascii=False, default=str).encode()
            assert "innerHTML" not in element._props
