"""A web server on this machine that plays the faults of real ones."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"\xef\xbb\xbf\n <!DOCTYPE HTML><html><title>Sign in</title></html>"
DRIVE_PAGE = b"<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head>"
# Nothing listens here.
CLOSED = "http://127.0.0.1:9"
_STATUS = {"forbidden": 403, "missing": 404, "broken": 503}


@dataclass
class Site:
    """A server.

    Paths are /NAME, or /FAULT/NAME with one of these faults:
        plain: ranges are ignored, and there is no ETag.
        chunked: the size is not announced; endless: nor does the end arrive.
        cut: the connection ends after half of what was requested.
        flaky: the same, at the first request for the file.
        moved: a redirect to the file; login: one to a page.
        forbidden, missing, broken: this status.

    Attributes:
        address: of the server.
        files: content by name.
        requests: path and Range header of each request.
    """

    address: str
    files: dict[str, bytes] = field(default_factory=lambda: {"page": PAGE, "drive": DRIVE_PAGE})
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    flaky: set[str] = field(default_factory=set)


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            self.handle_one_request()  # one request per connection, which is then closed

        def do_GET(self) -> None:
            fault, _, name = self.path.split("?")[0].strip("/").rpartition("/")
            site.requests.append((self.path, self.headers["Range"]))
            if fault in ("moved", "login"):
                self.send_response(302)
                self.send_header("Location", "/page" if fault == "login" else f"/{name}")
                self.end_headers()
            elif fault in _STATUS:
                self.send_error(_STATUS[fault])
            else:
                self._send(fault, name)

        def _send(self, fault: str, name: str) -> None:
            content = site.files[name]
            tag = f'"{hash(content)}"'
            start = 0
            wanted, version = self.headers["Range"], self.headers["If-Range"]
            if wanted and fault != "plain" and version in (None, tag):
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    return self.send_error(416)
                self.send_response(206)
                last = len(content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
            else:
                self.send_response(200)
            body = content[start:]
            if fault in ("chunked", "endless"):
                return self._send_chunked(body, ends=fault == "chunked")
            self.send_header("Content-Length", str(len(body)))
            if fault != "plain":
                self.send_header("ETag", tag)
            self.end_headers()
            ends = fault == "cut" or (fault == "flaky" and name not in site.flaky)
            site.flaky.add(name)
            self.wfile.write(body[: len(body) // 2] if ends else body)

        def _send_chunked(self, body: bytes, *, ends: bool) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(body), body) + (b"0\r\n\r\n" if ends else b""))

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@contextmanager
def serve() -> Iterator[Site]:
    """Start a server that ends with the block."""
    site = Site("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
