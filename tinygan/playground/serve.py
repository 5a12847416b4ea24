"""Serve a folder of static files to this machine alone."""

import errno
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Serves files below its folder, none elsewhere, and lists nothing."""

    # Whatever the tables of this machine say: browsers refuse modules of another type.
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".onnx": "application/octet-stream",
        ".json": "application/json",
        ".svg": "image/svg+xml",
    }

    def send_head(self):
        """Refuse links that lead out of the folder; `translate_path` has dropped every ``..``."""
        target = Path(self.translate_path(self.path)).resolve()
        if not target.is_relative_to(Path(self.directory).resolve()):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def list_directory(self, path: str) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        # A playground that was built again is seen at once.
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


def open_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Listen on 127.0.0.1; `serve_forever` of the returned server answers.

    Args:
        folder: with index.html.
        port: 0 for any free one.

    Raises:
        FileNotFoundError: the folder has no index.html.
        OSError: the port is in use, or not allowed.
    """
    if not (Path(folder) / "index.html").is_file():
        raise FileNotFoundError(f"{folder} has no index.html: `make playground` builds one")
    handler = partial(_Handler, directory=str(folder))
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is in use" if error.errno == errno.EADDRINUSE else "needs more rights"
        raise OSError(f"port {port} {why}: choose another with --port, or 0 for any") from error
