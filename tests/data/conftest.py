"""A server on loopback that answers as each test wants it to, and a cache that each test has for itself."""

import contextlib
import http.server
import threading

import pytest


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        self.close_connection = True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.server.answers[self.path.partition("?")[0]](self)

    def log_message(self, *arguments):
        pass

    def answer(self, body=b"", status=200, **headers):
        self.send_response(status)
        headers = {"Content_Length": str(len(body)), **headers}
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


class Server(http.server.ThreadingHTTPServer):
    """`server.answers["/path"] = lambda handler: handler.answer(b"...")`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = {}
        self.asked = []
        self.stopped = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


def _served():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.stopped.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def server():
    yield from _served()


@pytest.fixture
def second_server():
    yield from _served()


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache; the environment decides where it is."""
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
