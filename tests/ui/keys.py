"""Keys as the browser tells of them."""

from nicegui import ui
from nicegui.events import GenericEventArguments


def press(keyboard: ui.keyboard, key: str) -> None:
    """As the browser tells of a key that went down."""
    told = {"action": "keydown", "repeat": False, "key": key, "code": key, "location": 0}
    modifiers = dict.fromkeys(("altKey", "ctrlKey", "shiftKey", "metaKey"), False)
    keyboard._handle_key(
        GenericEventArguments(sender=keyboard, client=keyboard.client, args={**told, **modifiers})
    )
