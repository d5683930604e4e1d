"""Links that must be refused within 30 s: other schemes, private redirects, endless, stalled, trickling, short bodies.

A server on loopback answers each link as a hostile one would; the real limits of time hold, nothing is shortened.

    python benchmarks/reliability/urls.py --out benchmarks/results/reliability/urls.json
"""

import contextlib
import http.server
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outcome import Case, cache_in, report

SECONDS = 30.0
Answer = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.close_connection = True
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            ANSWERS[self.path](self)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""

    def head(self, status: int = 200, **headers: str) -> None:
        """Begin an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


def redirect(target: str) -> Answer:
    """Send elsewhere."""
    return lambda handler: handler.head(302, Location=target, Content_Length="0")


def _endless(handler: Handler) -> None:
    handler.head(Content_Type="application/zip")
    while True:
        handler.wfile.write(bytes(1 << 20))


def _stalled(handler: Handler) -> None:
    handler.head(Content_Length="1000000")
    handler.wfile.write(b"PK\x03\x04")
    handler.wfile.flush()
    time.sleep(60)


def _trickling(handler: Handler) -> None:
    handler.head(Content_Length="1000000")
    for _ in range(600):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.1)


def _endless_head(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        handler.wfile.write(f"X-{number}: y\r\n".encode())
        handler.wfile.flush()
        time.sleep(0.1)


def _short(handler: Handler) -> None:
    handler.head(Content_Length="1000000")
    handler.wfile.write(b"PK\x03\x04" + bytes(1000))


def _silent(handler: Handler) -> None:
    del handler
    time.sleep(60)


ANSWERS: dict[str, Answer] = {
    "/loop": redirect("/loop"),
    "/metadata": redirect("https://169.254.169.254/latest/meta-data"),
    "/file": redirect("file:///etc/passwd"),
    "/endless": _endless,
    "/stalled": _stalled,
    "/trickling": _trickling,
    "/endless-head": _endless_head,
    "/short": _short,
    "/silent": _silent,
    "/giant": lambda handler: handler.head(Content_Length=str(10**15)),
    "/secret": lambda handler: handler.head(Content_Length="0"),
}
LINKS = (
    *("file:///etc/passwd", "ftp://127.0.0.1/a.zip", "http://192.0.2.1/a.zip", "/loop", "/door", "/metadata", "/file"),
    *("/endless", "/stalled", "/trickling", "/endless-head", "/short", "/silent", "/giant"),
)
SLOW = {"/endless", "/stalled", "/trickling", "/endless-head", "/silent"}


def work(quick: bool) -> dict[str, object]:
    """Follow every link as `thalweg train` would."""
    import thalweg
    from thalweg.core.errors import ThalwegError

    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    for server in servers:
        server.daemon_threads, server.asked = True, []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    first, second = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    ANSWERS["/door"] = redirect(second + "/secret")
    details: list[Case] = []
    with tempfile.TemporaryDirectory() as name, cache_in(name):
        for link in LINKS:
            if quick and link in SLOW:
                continue
            started, said = time.perf_counter(), ""
            try:
                thalweg.check(first + link if link.startswith("/") else link)
            except ThalwegError as error:
                said = str(error)
            seconds = time.perf_counter() - started
            left = [path.name for path in Path(name).rglob("*") if path.is_file()]
            clear = bool(said) and "\n" not in said
            held = clear and seconds < SECONDS and not left and not servers[1].asked  # type: ignore[attr-defined]
            details.append({"link": link, "said": said, "seconds": round(seconds, 1), "left": left, "held": held})
        for server in servers:
            server.shutdown()
            server.server_close()
    return {"row": 18, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
