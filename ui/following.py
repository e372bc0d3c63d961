"""Word of changes to what is on the screen, and only as long as it is there."""

from collections.abc import Callable

from nicegui import Event, ui
from nicegui.element import Element


def follow(event: Event[[]], show: Callable[[], object], place: Element | None = None) -> None:
    """Call `show` at each `event` until `place` is gone; of itself the place is where the page is being built.

    Not left to NiceGUI: it lets go of a listener with the tab, and one tab shows page after page, all day.
    """
    on = place or ui.context.slot.parent

    def tell() -> None:
        if on.is_deleted:
            event.unsubscribe(tell)
        else:
            show()

    event.subscribe(tell, unsubscribe_on_delete=False)
