"""The page in a real browser: it follows a run that grows, asks nobody else for anything, and fits a telephone."""

import contextlib
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from thalweg.core.files import write_atomically

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "browser.py"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@pytest.fixture
def served(tmp_path, make_run):
    """The address of a page over one run, and the run."""
    run = make_run(tmp_path / "runs" / "گربه‌ها <img src=x onerror=alert(1)>", finished=False)
    make_run(tmp_path / "runs" / "other")
    command = [sys.executable, "-m", "thalweg", "serve", str(tmp_path / "runs"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield server.stdout.readline().strip(), run
        finally:
            server.terminate()


@pytest.fixture
def tab():
    specification = importlib.util.spec_from_file_location("browser", DRIVER)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    with module.Browser(CHROMIUM) as page:
        yield page


def _until(tab, code, wanted=True):
    for _ in range(150):
        with contextlib.suppress(RuntimeError):  # the page is changing just now
            if (found := tab.value(code)) == wanted:
                return
        time.sleep(0.1)
    raise AssertionError(f"{code} is {found!r} after 15 s, not {wanted!r}")


def test_the_page_follows_a_run(served, tab):
    address, run = served
    tab("Page.navigate", url=address)
    _until(tab, "document.querySelectorAll('.runs tbody tr').length", 2)
    _until(tab, "document.getElementById('pulse-text').textContent", "live")
    assert tab.value("location.search") == ""  # the token does not stay in the history
    assert "onerror=alert(1)>" in tab.value("document.querySelector('tbody').textContent")
    assert tab.value("document.querySelectorAll('tbody img').length") == 0

    tab.value("[...document.querySelectorAll('.name a')].find((a) => a.textContent.includes('onerror')).click()")
    _until(tab, "document.querySelectorAll('.plot svg').length", 5)
    assert tab.value("document.activeElement.id") == "main"
    _until(tab, "[...document.querySelectorAll('.fact')].some((f) => f.textContent.startsWith('Epoch3 of 3'))")
    grown = (run / "history.csv").read_text() + "4,0.2,0.9,0.25,0.875,0.001,4,250\n"
    write_atomically(run / "history.csv", grown)
    _until(tab, "document.querySelector('.facts').textContent.includes('87.5 %')")

    tab.value("document.querySelector('.plot').focus()")
    for kind in ("rawKeyDown", "keyUp"):
        tab("Input.dispatchKeyEvent", type=kind, key="End", code="End", windowsVirtualKeyCode=35)
    assert tab.value("document.querySelector('.tip').textContent") == (
        "epoch 4\ntraining: 0.2 nats\nvalidation: 0.25 nats\nbest validation accuracy"
    )
    for width in (320, 768, 1920):
        tab("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        _until(tab, "document.documentElement.scrollWidth <= innerWidth")
    tab.value("location.hash = ''")
    _until(tab, "document.querySelectorAll('.runs tbody tr').length", 2)
    tab.value("document.querySelectorAll('.pick').forEach((box) => box.click())")
    tab.value("[...document.querySelectorAll('.button')].find((b) => b.textContent === 'Compare 2 runs').click()")
    _until(tab, "document.querySelectorAll('thead th a').length", 2)
    assert tab.complaints() == []
    asked = {address.split("/")[2] for address in tab.requests() if address.startswith("http")}
    assert asked == {address.split("/")[2]}
