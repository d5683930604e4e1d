import json
import pathlib

import jsonschema
import pytest

from thalweg.core.lab import LabResult
from thalweg.experiments import optimizer_runs
from thalweg.experiments.lab import lab
from thalweg.experiments.labs import batch_size, learning_rate, optimizers

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas" / "lab.json"


@pytest.fixture
def tiny(monkeypatch, blue_and_red):
    """Labs of a few steps on 48 pictures: the quick ones take longer than a test may."""
    for module in (optimizers, batch_size, learning_rate):
        monkeypatch.setattr(module, "lab_data", lambda *_, **__: blue_and_red)
    monkeypatch.setattr(optimizers, "OPTIMIZERS", ("SGD", "SGD with momentum", "Adam"))
    monkeypatch.setattr(optimizers, "FARTHER", 0)
    monkeypatch.setattr(optimizers, "NEAR", (1e-2,))
    monkeypatch.setattr(optimizers, "SADDLE_STEPS", 1000)
    monkeypatch.setattr(optimizer_runs, "TEXTS", 80)
    monkeypatch.setattr(optimizer_runs, "SPARSE_STEPS", 4)
    size = {"side": 16, "samples": 48, "epochs": 3, "batch": 16, "seeds": 2}
    monkeypatch.setattr(optimizers, "QUICK", optimizers.Size(**size, rates=2, trials=1))
    monkeypatch.setattr(learning_rate, "QUICK", learning_rate.Size(**{**size, "seeds": 1}))
    steps = {"full batch": 6, "mini batch": 8, "single example": 10}
    monkeypatch.setattr(batch_size, "QUICK", batch_size.Size(side=16, samples=48, steps=steps, seeds=2, curves=2))


def run(name: str) -> LabResult:
    answer = lab(name, quick=True, workers=1)
    jsonschema.validate({"schema": 1, **answer.to_json()}, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return answer


def test_optimizers(tiny):
    answer = run("optimizers")
    assert len(answer.findings) == 12
    rows = {row[0]: row[1:] for row in answer.table.rows}
    assert rows["state, bytes, measured"] == rows["state, bytes, predicted"]
    found = {each.claim: each.verdict for each in answer.findings}
    assert found["Adam needs extra state and memory"] == found["SGD needs less memory"] == "supported"
    assert found["SGD gets stuck at saddles"] == "contradicted"


def test_batch_size(tiny):
    answer = run("batch-size")
    assert [row[0] for row in answer.table.rows] == ["full batch", "mini batch", "single example"]
    assert len(answer.findings) == 6
    assert answer.figures[0].caption.startswith("The loss of every step's own samples")


def test_learning_rate(tiny):
    answer = run("learning-rate")
    assert len(answer.table.rows) == 9
    assert [line.label for line in answer.figures[0].lines][:2] == ["SGD with momentum", "rate chosen by thalweg"]
    assert len(answer.figures) == 4
