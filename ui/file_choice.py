"""The button by which a file is chosen; Quasar's own has no name for a screen reader and is too small for a finger."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.events import UploadEventArguments

# What picks the file needs Quasar's trigger.
_BUTTON = """
<q-btn {look} no-caps color="primary" icon="upload_file" label="{label}" @click="props.pickFiles" />
<div style="display: none"><q-uploader-add-trigger /></div>
"""


def file_button(
    label: str,
    read: Callable[[UploadEventArguments], Awaitable[None]],
    *,
    most_bytes: int,
    rejected: str,
    look: str = "unelevated",
) -> ui.upload:
    """A CSV file goes to `read`; of another or a larger one `rejected` is told. `look`: Quasar's words for a button."""
    upload = ui.upload(on_upload=read, auto_upload=True).classes("desk-upload")
    upload.props(f"accept=.csv,.txt max-file-size={most_bytes} flat")
    upload.add_slot("header", _BUTTON.format(label=label, look=look))
    upload.on("rejected", lambda: ui.notify(rejected, type="negative", position="bottom"))
    return upload
