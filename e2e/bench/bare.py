"""The floor: a page whose worker starts the same Pyodide files and evaluates 1 + 1, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

PAGE = """<!doctype html><meta charset="utf-8"><title>bare</title><script type="module">
const worker = new Worker("/worker.js", { type: "module" });
window.answered = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve([data, Date.now()])));
</script>"""
WORKER = """
import { PYTHON_ENV, pyodideOptions } from "/runtime/python.js";
import { loadPyodide } from "/pyodide/pyodide.mjs";
const py = await loadPyodide({
  ...pyodideOptions(console.log), env: PYTHON_ENV,
  indexURL: new URL("/pyodide/", location).href, stdLibURL: new URL("/images/stdlib.zip", location).href,
});
postMessage(py.runPython("1 + 1"));
"""
OWN = {"/": (PAGE, "text/html"), "/worker.js": (WORKER, "text/javascript")}
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


class Handler(BaseHTTPRequestHandler):
    """Serves the bundle's files as the hub does: compressed, and to be kept for ever."""

    protocol_version = "HTTP/1.1"

    def __init__(self, files: Path, *arguments: object) -> None:
        self.files = files
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path in OWN:
            text, kind = OWN[self.path]
            return self.answer(200, text.encode(), kind, "")
        path = self.files / self.path.lstrip("/")
        if ".." in self.path or not path.is_file():
            return self.answer(404, b"", "text/plain", "")
        kind = TYPES.get(path.suffix, "application/octet-stream")
        small = path.with_name(f"{path.name}.br")
        if small.exists() and "br" in self.headers.get("Accept-Encoding", ""):
            return self.answer(200, small.read_bytes(), kind, "br")
        return self.answer(200, path.read_bytes(), kind, "")

    def answer(self, status: int, body: bytes, kind: str, encoding: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve_bare_page(bundle: Path) -> Iterator[str]:
    """Serve the page out of a built bundle while the body runs; gives its address. `localhost` is a secure context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, bundle / "files"))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
