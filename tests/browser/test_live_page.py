"""The live page in a real browser: it follows a real training until its stop button, and speaks Persian throughout."""

import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from thalweg.core.codec import to_plain
from thalweg.core.finding import Finding, Remedy
from thalweg.core.plan import TrainingPlan

pytest.importorskip("starlette", reason="the extra dashboard is not installed")
Image = pytest.importorskip("PIL.Image")

NAMES = ("گربه‌ها", "plain")
RUN = "[...document.querySelectorAll('.name a')].find((a) => a.textContent === {name!r}).click()"
UNKNOWN_NAMES = {"thalweg", "compare", "small", "photos", "plain", "runs", "CUR", "LRN", "nan", "live", "relu"}


@contextlib.contextmanager
def serving(root, *options):
    """Serve the runs of a folder; gives the address, and ends the server whatever becomes of the test."""
    command = [sys.executable, "-m", "thalweg", "serve", str(root), "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def until(tab, condition, seconds=150):
    """Wait for a page that draws itself; what it shows in the end is told where the wait was in vain."""
    waited = f"""new Promise((done) => {{
      const began = performance.now();
      const look = () => {{
        if ({condition}) done('');
        else if (performance.now() - began > {1000 * seconds}) done(document.body.innerText);
        else setTimeout(look, 50);
      }};
      look();
    }})"""
    assert tab.run(waited) == "", condition


def press(tab, words):
    tab.run(f"[...document.querySelectorAll('button')].find((b) => b.textContent === {words!r}).click()")


@pytest.fixture
def photos(tmp_path):
    draw = np.random.default_rng(0)
    for name, bright in (("dark", 60), ("light", 180)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(16):
            pixels = draw.integers(bright - 50, bright + 50, (16, 16, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.skipif(os.name == "nt", reason="the status of a run that was stopped is another one there")
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="there is no torch")
def test_the_page_follows_a_real_run_until_its_stop_button(browser, photos, tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    command = [sys.executable, "-m", "thalweg", "train", str(photos), "--out", str(runs / "real"), "--quiet"]
    command += ["--epochs", "2000", "--lr", "0.001", "--image-size", "16"]
    with serving(runs) as address, browser.tab() as tab:
        tab.open(address)
        until(tab, "document.querySelector('.empty code') && !document.querySelector('.empty').hidden")
        tab.run("window.first = true")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as training:
            try:
                until(tab, "document.querySelectorAll('.runs tbody tr').length === 1")
                until(tab, "document.querySelector('.badge.training')")
                tab.run(RUN.format(name="real"))
                epoch = "Number((document.querySelector('.facts')?.textContent.match(/Epoch([0-9]+)/) || [])[1] || 0)"
                until(tab, f"{epoch} >= 2 && document.querySelectorAll('.plot path.curve').length >= 6")
                seen, curve = tab.run(epoch), "document.querySelector('.plot path.curve').getAttribute('d')"
                drawn = tab.run(curve)
                until(tab, f"{epoch} > {seen} && {curve} !== {drawn!r}")
                press(tab, "Save and stop")
                until(tab, "document.querySelector('.badge.interrupted')")
                assert training.wait(60) == 143, training.stderr.read()
            finally:
                training.kill()
        assert "Resume" in tab.run("document.querySelector('.acts').textContent")
        assert tab.run("window.first") is True  # the page was never loaded again
        assert tab.events("Runtime.exceptionThrown", "Log.entryAdded") == []
    assert (runs / "real" / "checkpoints").is_dir()


def epochs_of(run):
    try:
        return [int(line.partition(",")[0]) for line in (run / "history.csv").read_text("utf-8").splitlines()[1:]]
    except (OSError, ValueError):  # not yet there, or in the middle of a line
        return []


@pytest.mark.skipif(os.name == "nt", reason="the status of a run that was stopped is another one there")
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="there is no torch")
def test_a_run_ended_by_ctrl_c_goes_on_from_the_page_and_ends(browser, photos, tmp_path):
    run, epochs = tmp_path / "runs" / "real", 30
    command = [sys.executable, "-m", "thalweg", "train", str(photos), "--out", str(run), "--quiet"]
    command += ["--epochs", str(epochs), "--lr", "0.001", "--image-size", "16"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as training:
        try:
            while len(epochs_of(run)) < 3 and training.poll() is None:
                time.sleep(0.02)
            training.send_signal(signal.SIGINT)
            assert training.wait(60) == 130, training.stderr.read()
        finally:
            training.kill()
    before = epochs_of(run)
    assert 3 <= len(before) < epochs
    with serving(run.parent) as address, browser.tab() as tab:
        tab.open(address)
        until(tab, "document.querySelector('.badge.interrupted')")
        tab.run("window.first = true")
        tab.run(RUN.format(name="real"))
        until(tab, "document.querySelector('.acts')?.textContent.includes('Resume')")
        press(tab, "Resume")
        epoch = "Number((document.querySelector('.facts')?.textContent.match(/Epoch([0-9]+)/) || [])[1] || 0)"
        until(tab, f"{epoch} > {len(before)}")
        until(tab, "document.querySelector('.badge.finished')")
        until(tab, f"{epoch} === {epochs}")
        assert "Resume" not in tab.run("document.querySelector('.acts')?.textContent || ''")
        assert tab.run("window.first") is True  # the page was never loaded again
        assert tab.events("Runtime.exceptionThrown", "Log.entryAdded") == []
    assert epochs_of(run) == list(range(1, epochs + 1))  # none twice, none left out
    assert (run / "report.html").is_file()


def write_run(folder, *, finding=True, running=False):
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(TrainingPlan(source="photos", epochs=12).to_toml(), encoding="utf-8")
    head = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second\n"
    rows = [f"{k},{1 / k},{1 - 0.5 / k},{1.1 / k},{0.9 - 0.4 / k},0.001,{k},1250\n" for k in range(1, 13)]
    (folder / "history.csv").write_text(head + "".join(rows), encoding="utf-8")
    steps = [f"{k},{1 + k // 1000},{2 / k},{2 / k},1.5,0.001,{k / 10}\n" for k in range(1, 12_001)]
    names = "step,epoch,objective,loss,gradient_norm,learning_rate,seconds\n"
    (folder / "steps.csv").write_text(names + "".join(steps), encoding="utf-8")
    events = [{"epoch": 2, "step": 1500, "kind": "rate", "message": "the loss changed by +20%"}]
    (folder / "events.json").write_text(json.dumps({"schema": 1, "events": events}))
    if running:
        return
    metrics = {"schema": 1, "accuracy": 0.87, "accuracy_interval": [0.8, 0.92], "split": "validation", "seconds": 12}
    (folder / "metrics.json").write_text(json.dumps({**metrics, "images_per_second": 250, "learning_rate": 0.001}))
    remedy = Remedy(code="more_epochs", edit={"epochs": 24}, safety="advice")
    found = Finding(
        code="CUR001",
        name="too_few_epochs",
        severity="warning",
        confidence=0.9,
        subject="run",
        claim="the learning rate is 3x too low",
        remedies=(remedy,),
    )
    (folder / "findings.json").write_text(json.dumps({"schema": 1, "findings": [to_plain(found)] if finding else []}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("live") / "runs"
    write_run(root / NAMES[0])
    write_run(root / NAMES[1], finding=False, running=True)
    return root


@pytest.fixture(scope="module", params=["en", "fa"])
def served(request, folder):
    with serving(folder, "--lang", request.param) as address:
        yield request.param, address


def views(tab):
    """Each view of the page in turn."""
    drawn = "document.querySelectorAll('.plot svg').length >= 5"
    until(tab, "document.querySelectorAll('.runs tbody tr').length === 2")
    yield "table"
    tab.run(RUN.format(name=NAMES[0]))
    until(tab, f"{drawn} && document.querySelectorAll('.list li').length === 2")
    yield "run"
    tab.run("location.hash = ''")
    until(tab, "document.querySelectorAll('.pick').length === 2")
    tab.run("document.querySelectorAll('.pick').forEach((box) => box.click())")
    tab.run("document.querySelector('a.button.main').click()")
    until(tab, f"{drawn} && document.querySelectorAll('td').length > 9")
    yield "comparison"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_on_the_live_page(browser, axe, served, dark):
    language, address = served
    with browser.tab(dark=dark) as tab:
        tab.ask("Page.setBypassCSP", enabled=True)
        tab.open(address)
        tab.run(f"{axe}; 0")
        for view in views(tab):
            found = tab.run("axe.run(document).then(all => all.violations.map(v => [v.id, v.nodes.map(n => n.html)]))")
            assert found == [], (language, view)


def test_the_live_page_fits_every_width_and_says_nothing_of_itself_in_english(browser, served):
    language, address = served
    with browser.tab() as tab:
        tab.open(address)
        assert tab.run("document.documentElement.lang + document.dir") == {"en": "enltr", "fa": "fartl"}[language]
        for view in views(tab):
            for width in (320, 768, 1920):
                tab.resize(width)
                until(tab, "document.documentElement.scrollWidth <= innerWidth")
            shown = tab.run(SHOWN)
            if language == "fa":
                english = {word for text in shown for word in re.findall(r"[A-Za-z]{2,}", text)} - UNKNOWN_NAMES
                assert english == set(), view
                rest = [re.sub(r"[A-Z]{3}\d{3}|\d(\.\d+)?e-?\d+", "", text) for text in shown]
                assert [text for text in rest if re.search("[0-9]", text)] == [], view
            else:
                assert not [text for text in shown if re.search("[۰-۹]", text)]
        assert tab.events("Runtime.exceptionThrown", "Log.entryAdded") == []


SHOWN = """
(() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  const plan = (node) => node.closest('.plain') && node.closest('[dir=ltr], tr.differs, tr:has(bdi)');
  while (walk.nextNode()) {
    const up = walk.currentNode.parentElement;
    const seen = !['NOSCRIPT', 'SCRIPT'].includes(up.tagName) && up.id !== 'folder' && !plan(up);
    if (seen) found.push(walk.currentNode.data);
  }
  for (const each of document.querySelectorAll('[aria-label]')) found.push(each.getAttribute('aria-label'));
  for (const each of document.querySelectorAll('[data-label]')) found.push(each.dataset.label);
  return [document.title, ...found];
})()
"""


def test_a_key_reads_a_curve_in_the_language_of_the_page(browser, served):
    language, address = served
    with browser.tab() as tab:
        tab.open(address)
        _, view = (next(views_of := views(tab)), next(views_of))
        assert view == "run"
        tab.run("document.querySelector('.plot').focus()")
        tab.press("End")
        told = tab.run("document.querySelector('.tip').innerText").translate({0x2068: None, 0x2069: None}).splitlines()
        wanted = {"en": "training: 0.08333 nats", "fa": "آموزش: ۰٫۰۸۳۳۳ نات"}
        assert told[1] == wanted[language]
