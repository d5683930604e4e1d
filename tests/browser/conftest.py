"""A real Chromium, asked through the DevTools protocol over two pipes: no package, no port, nothing on the network."""

import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-quic", "--disable-dev-shm-usage"),
    *(
        "--disable-default-apps",
        "--mute-audio",
        "--font-render-hinting=none",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
        "--lang=en",
    ),
)
_PATIENCE = 180.0
"""Seconds; what a page waits for itself is less, so that it can tell what it shows instead."""


def find_chromium() -> str | None:
    """The browser to use: `THALWEG_CHROMIUM`, or one of the usual names."""
    named = os.environ.get("THALWEG_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def axe_source() -> str | None:
    """The text of axe-core: `THALWEG_AXE` names the file, or `node_modules` beside the sources holds it."""
    places = [pathlib.Path(os.environ.get("THALWEG_AXE", "none"))]
    places += [folder / "node_modules" / "axe-core" / "axe.min.js" for folder in pathlib.Path(__file__).parents]
    return next((place.read_text("utf-8") for place in places if place.is_file()), None)


class Browser:
    """One browser process; tabs share it.

    Args:
        executable: Path of the browser.
    """

    def __init__(self, executable: str) -> None:
        self._profile = tempfile.mkdtemp(prefix="thalweg-browser-")
        read_by_it, self._out = os.pipe()
        self._in, written_by_it = os.pipe()

        def wire() -> None:  # the protocol's pipes are 3 and 4; copies first, since one may be in the other's place
            one, two = os.dup(read_by_it), os.dup(written_by_it)
            os.dup2(one, 3)
            os.dup2(two, 4)

        self._process = subprocess.Popen(
            [executable, *_FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self._profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=wire,  # noqa: PLW1509 - no threads are running when a test starts its browser
            close_fds=False,
        )
        os.close(read_by_it)
        os.close(written_by_it)
        self._rest, self._number = b"", 0
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer; events that arrive meanwhile are kept."""
        self._number += 1
        call = {"id": self._number, "method": method, "params": parameters}
        if session:
            call["sessionId"] = session
        os.write(self._out, json.dumps(call).encode() + b"\0")
        end = time.monotonic() + _PATIENCE
        while True:
            message = self._next(end)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait(self, wanted: Callable[[], bool]) -> None:
        """Read events until a condition holds."""
        end = time.monotonic() + _PATIENCE
        while not wanted():
            self.events.append(self._next(end))

    def _next(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the browser said nothing for {_PATIENCE:g} s")
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise RuntimeError(f"the browser ended by itself ({self._process.poll()})")
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def close(self) -> None:
        """End the browser and remove its profile."""
        with contextlib.suppress(Exception):
            self.ask("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self._profile, ignore_errors=True)

    @contextlib.contextmanager
    def tab(self, width: int = 1280, height: int = 900, *, dark: bool = False, scripts: bool = True) -> Iterator["Tab"]:
        """Open a tab of a size, and close it in the end."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable", session)
        tab.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        tab.ask("Emulation.setEmulatedMedia", features=[scheme, still])
        tab.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        try:
            yield tab
        finally:
            self.ask("Target.closeTarget", targetId=target)


class Tab:
    """One page in the browser."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol for this tab."""
        return self.browser.ask(method, self.session, **parameters)

    def events(self, *methods: str) -> list[dict[str, Any]]:
        """What happened in this tab so far, of some kinds."""
        mine = (event for event in self.browser.events if event.get("sessionId") == self.session)
        return [event["params"] for event in mine if event["method"] in methods]

    def resize(self, width: int, height: int = 900) -> None:
        """Make the window as wide and high, in CSS pixels."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        loads = len(self.events("Page.loadEventFired"))
        self.ask("Page.navigate", url=address)
        self.browser.wait(lambda: len(self.events("Page.loadEventFired")) > loads)

    def run(self, script: str) -> Any:
        """Evaluate an expression, wait for its promise, and return its value."""
        told = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in told:
            details = told["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details.get("text")))
        return told["result"].get("value")

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press and release a key, such as `Tab`, `ArrowRight`, `Enter` or `+`."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38,
                 "ArrowRight": 39, "ArrowDown": 40}  # fmt: skip
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        shared = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        shared |= {"modifiers": 8 if shift else 0}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **shared, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **shared)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Send a mouse event: `mouseMoved`, `mousePressed` or `mouseReleased`."""
        held = {"button": "left", "clickCount": 1, "buttons": 1}
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def picture(self, *, whole: bool = True) -> bytes:
        """A screenshot as PNG."""
        return base64.b64decode(
            self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
            if not whole
            else self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=self._clip())["data"]
        )

    def _clip(self) -> dict[str, float]:
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16_000), "scale": 1}

    def printed(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=False)["data"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A running Chromium; the tests that need one are skipped where there is none."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium: install Debian's package chromium, or name one with THALWEG_CHROMIUM")
    running = Browser(executable)
    yield running
    running.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker axe-core, which is not ours to carry."""
    source = axe_source()
    if source is None:
        pytest.skip("no axe-core: npm install axe-core beside the sources, or name its axe.min.js with THALWEG_AXE")
    return source
