"""A Chromium without a window, driven over its own protocol with the standard library alone."""

import base64
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request
from typing import Any

__all__ = ["Browser", "Tab", "find_chromium"]

QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--disable-extensions"),
)
_SHORT, _LONG = 126, 1 << 16


def find_chromium() -> str | None:
    """Where a Chromium is on this machine; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Tab:
    """One page: `tab(METHOD, **params)` of the DevTools protocol; `tab.events` holds what came meanwhile."""

    def __init__(self, port: int) -> None:
        address = ""
        for _ in range(200):
            with contextlib.suppress(OSError, StopIteration):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                    pages = json.load(answer)
                address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
                break
            time.sleep(0.05)
        if not address:
            raise OSError("the browser did not answer within ten seconds")
        self._link = socket.create_connection(("127.0.0.1", port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        path = address.split(str(port), 1)[1]
        self._link.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._link.recv(1)
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        number = next(self._numbers)
        self._send(json.dumps({"id": number, "method": method, "params": params}).encode())
        while True:
            told = self._receive()
            if told.get("id") == number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']['message']}")
                result: dict[str, Any] = told["result"]
                return result
            self.events.append(told)

    def value(self, code: str) -> object:
        """Run JavaScript and give what it comes to."""
        found = self("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def picture(self, path: pathlib.Path, width: int, height: int, theme: str = "light") -> None:
        """Take a screenshot at a size, light or dark."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        time.sleep(0.5)
        path.write_bytes(base64.b64decode(self("Page.captureScreenshot", format="png")["data"]))

    def complaints(self) -> list[str]:
        """Errors and warnings of the console so far."""
        self.value("1")  # whatever came before has been told now
        kinds = {"Runtime.exceptionThrown", "Log.entryAdded"}
        loud = [
            event
            for event in self.events
            if event["method"] in kinds
            or (event["method"] == "Runtime.consoleAPICalled" and event["params"]["type"] in {"error", "warning"})
        ]
        return [json.dumps(event["params"])[:500] for event in loud]

    def requests(self) -> list[str]:
        """Addresses that were asked for so far."""
        self.value("1")
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [str(event["params"]["request"]["url"]) for event in sent]

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def _send(self, data: bytes) -> None:
        size, mask = len(data), os.urandom(4)
        if size < _SHORT:
            head = bytes([0x81, 128 | size])
        elif size < _LONG:
            head = bytes([0x81, 128 | 126]) + struct.pack(">H", size)
        else:
            head = bytes([0x81, 128 | 127]) + struct.pack(">Q", size)
        self._link.sendall(head + mask + bytes(byte ^ mask[k % 4] for k, byte in enumerate(data)))

    def _receive(self) -> dict[str, Any]:
        message = b""
        while True:
            first, size = self._exactly(2)
            size &= 127
            if size == 126:
                (size,) = struct.unpack(">H", self._exactly(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self._exactly(8))
            body = self._exactly(size)
            if first & 15 in {0, 1}:
                message += body
                if first & 128:
                    found: dict[str, Any] = json.loads(message)
                    return found

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self._link.recv(size - len(found))
            if not part:
                raise OSError("the browser has gone")
            found += part
        return found


class Browser:
    """Starts Chromium and gives its one page; ends it and removes its profile afterwards."""

    def __init__(self, program: str) -> None:
        self.program = program

    def __enter__(self) -> Tab:
        self._profile = tempfile.mkdtemp()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = [
            self.program,
            *QUIET,
            f"--user-data-dir={self._profile}",
            f"--remote-debugging-port={port}",
            "about:blank",
        ]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._tab = Tab(port)
        except BaseException:
            self._end()
            raise
        return self._tab

    def __exit__(self, *_: object) -> None:
        self._tab.close()
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        shutil.rmtree(self._profile, ignore_errors=True)
