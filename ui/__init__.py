"""The screens: NiceGUI pages that run in the browser's own Python (Pyodide), and on CPython in tests.

Not to be used here, because the browser has none of them: threads, processes, sockets, blocking waits
(`run.io_bound` and `asyncio.to_thread` run at once and block; `run.cpu_bound` fails). Long work yields with
`await asyncio.sleep(0.004)`: up to 2 ms Pyodide passes the turn to itself, and taps and timers starve in Chromium.
JavaScript is reached through browser.py only. Files written are gone after a reload.
`ui.download` takes bytes, not a path: browsers fetch a download's address past the service worker.
"""
