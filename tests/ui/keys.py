"""Keys as the browser tells of them."""

from nicegui import ui
from nicegui.events import GenericEventArguments


def press(keyboard: ui.keyboard, key: str) -> None:
    """As the browser tells of a key that went down. Shape of `key`: "F2", "Shift+F2"."""
    shift, key = key.startswith("Shift+"), key.removeprefix("Shift+")
    told = {"action": "keydown", "repeat": False, "key": key, "code": key, "location": 0}
    modifiers = {**dict.fromkeys(("altKey", "ctrlKey", "metaKey"), False), "shiftKey": shift}
    keyboard._handle_key(
        GenericEventArguments(sender=keyboard, client=keyboard.client, args={**told, **modifiers})
    )
