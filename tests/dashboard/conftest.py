"""A folder of small runs made by hand, and the guarded page over it, asked without a network."""

import asyncio
import csv
import json

import httpx
import pytest

pytest.importorskip("starlette", reason="the extra dashboard is not installed")

from thalweg.core.plan import TrainingPlan
from thalweg.dashboard.app import make_app
from thalweg.dashboard.guard import Guard
from thalweg.dashboard.shelf import Shelf
from thalweg.dashboard.tongue import Tongue
from thalweg.workbench.runs.steps import STEP_COLUMNS

TOKEN = "correct-horse-battery-staple"  # noqa: S105 - of tests alone
PORT = 8765


def make_run(folder, *, epochs=3, steps=8, source="photos", finished=True):
    """Write what a run of ours leaves, as far as the page reads it."""
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(TrainingPlan(source=source, epochs=epochs).to_toml(), encoding="utf-8")
    with (folder / "history.csv").open("w", newline="") as file:
        names = ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
        rows = csv.writer(file)
        rows.writerow((*names, "images_per_second"))
        rows.writerows((k, 1 / k, 0.5 + k / 10, 1.1 / k, 0.4 + k / 10, 0.001, k, 250) for k in range(1, epochs + 1))
    lines = [",".join(STEP_COLUMNS)]
    for k in range(1, epochs * steps + 1):
        known = [k, 1 + (k - 1) // steps, 2 / k, 2 / k, 1.5, 0.001, k / 10]
        lines.append(",".join(map(str, known)) + "," * (len(STEP_COLUMNS) - len(known)))
    (folder / "steps.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "report.html").write_text("<!doctype html><p>the report", encoding="utf-8")
    if finished:
        metrics = {"schema": 1, "accuracy": 0.7, "accuracy_interval": [0.6, 0.8], "split": "validation", "seconds": 9.5}
        (folder / "metrics.json").write_text(json.dumps({**metrics, "images_per_second": 250, "learning_rate": 0.001}))
        found = [{"code": "CUR001", "name": "too_few_epochs", "severity": "warning", "confidence": 1, "subject": "run"}]
        found[0]["claim"] = "Short."
        (folder / "findings.json").write_text(json.dumps({"schema": 1, "findings": found}))
    return folder


@pytest.fixture(name="make_run")
def _make_run():
    return make_run


@pytest.fixture
def shelf(tmp_path):
    make_run(tmp_path / "runs" / "first")
    make_run(tmp_path / "runs" / "گربه‌ها <script>alert(1)</script>", source="عکس‌ها")
    make_run(tmp_path / "runs" / "halted", finished=False)
    (tmp_path / "secret.txt").write_text("the secret")
    return Shelf(tmp_path / "runs")


@pytest.fixture
def page(shelf):
    """Send a request to the guarded page, with the token and our own Host unless told otherwise."""
    return sender(shelf)


@pytest.fixture
def persian_page(shelf):
    """The same in Persian."""
    return sender(shelf, "fa")


def sender(shelf, language="en"):
    app = make_app(shelf, closing=lambda: True, language=language)
    guard = Guard(app, token=TOKEN, port=PORT, say=Tongue(language).trouble)

    def send(path, method="GET", *, token=TOKEN, host=f"127.0.0.1:{PORT}", **headers):
        given = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if token is not None:
            given.setdefault("authorization", f"Bearer {token}")

        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(guard)) as client:
                # as it stands: the client would tidy up what a hostile one would send
                url = httpx.URL(scheme="http", host="127.0.0.1", port=PORT, raw_path=path.encode("utf-8"))
                return await client.request(method, url, headers=given)

        return asyncio.run(ask())

    return send


@pytest.fixture
def keys(shelf):
    """Keys of the runs by their names."""
    return {state.name: key for key, state in shelf.states().items()}
