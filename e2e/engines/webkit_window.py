"""A window with one WebKitGTK view in it: the smallest browser that lets itself be driven and keeps what sites store.

Run by WebKitWebDriver as `python webkit_window.py PROFILE`. Debian's MiniBrowser will not do: with `--automation` it
always uses a store in memory, and a tablet that forgets everything at closing proves nothing. Plain ctypes on the
library that webkit2gtk-driver brings along, so that nothing more is to be installed.
"""

import ctypes
import os
import sys
from pathlib import Path

WIDTH, HEIGHT = 1280, 800
CONSOLE = "console.log"
Pointer = ctypes.c_void_p
Started = ctypes.CFUNCTYPE(None, Pointer, Pointer, Pointer)
CreateView = ctypes.CFUNCTYPE(Pointer, Pointer, Pointer)
Closed = ctypes.CFUNCTYPE(None, Pointer, Pointer)


def text(value: str) -> ctypes.c_char_p:
    return ctypes.c_char_p(value.encode())


def main(profile: Path) -> None:
    gtk = ctypes.CDLL("libgtk-3.so.0")
    webkit = ctypes.CDLL("libwebkit2gtk-4.1.so.0")
    for function in (
        gtk.gtk_window_new, gtk.g_object_new, webkit.webkit_website_data_manager_new,
        webkit.webkit_web_context_new_with_website_data_manager, webkit.webkit_web_view_get_settings,
    ):  # fmt: skip
        function.restype = Pointer
    webkit.webkit_web_view_get_type.restype = ctypes.c_size_t

    def connect(instance: Pointer, signal: str, handler: object) -> None:
        gtk.g_signal_connect_data(instance, text(signal), handler, None, None, 0)

    gtk.gtk_init(None, None)
    data = (text("base-data-directory"), text(str(profile / "data")))
    cache = (text("base-cache-directory"), text(str(profile / "cache")))
    manager = Pointer(webkit.webkit_website_data_manager_new(*data, *cache, None))
    context = Pointer(webkit.webkit_web_context_new_with_website_data_manager(manager))
    webkit.webkit_web_context_set_automation_allowed(context, 1)
    view_type = ctypes.c_size_t(webkit.webkit_web_view_get_type())
    driven = (text("is-controlled-by-automation"), ctypes.c_int(1))
    view = Pointer(gtk.g_object_new(view_type, text("web-context"), context, *driven, None))
    settings = Pointer(webkit.webkit_web_view_get_settings(view))
    webkit.webkit_settings_set_enable_write_console_messages_to_stdout(settings, 1)
    window = Pointer(gtk.gtk_window_new(0))
    gtk.gtk_window_set_default_size(window, WIDTH, HEIGHT)
    gtk.gtk_container_add(window, view)
    gtk.gtk_widget_show_all(window)

    give_view = CreateView(lambda _session, _data: view.value)
    on_started = Started(lambda _context, session, _data: connect(Pointer(session), "create-web-view", give_view))
    on_closed = Closed(lambda _widget, _data: gtk.gtk_main_quit())
    connect(context, "automation-started", on_started)
    connect(view, "close", on_closed)
    connect(window, "destroy", on_closed)
    gtk.gtk_main()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    output = os.open(folder / CONSOLE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    import fcntl  # not on Windows, where the tests import this file all the same

    fcntl.flock(output, fcntl.LOCK_EX)  # kept by every process of this browser, for stop() to wait for the last
    for stream in (1, 2):  # the driver throws both away
        os.dup2(output, stream)
    main(folder)
