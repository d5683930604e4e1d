"""A run folder that version 0.1.0 wrote still opens: scores, predictions and report."""

import json
import pathlib
import shutil

import pytest

import thalweg

OLD = pathlib.Path(__file__).resolve().parents[1] / "golden" / "run-0.1.0"


@pytest.fixture
def old(tmp_path):
    shutil.copytree(OLD, tmp_path / "old")
    return tmp_path / "old"


def test_an_old_run_is_evaluated_predicts_and_is_rendered(old, monkeypatch):
    monkeypatch.chdir(old)
    stored = json.loads((old / "metrics.json").read_text(encoding="utf-8"))
    assert thalweg.evaluate(old).accuracy == pytest.approx(stored["accuracy"], abs=1e-6)
    answers = thalweg.predict(old, [old / "photos" / "red"]).predictions
    assert len(answers) == 6
    assert all(each.class_ in {"plain", "red"} for each in answers)
    assert pathlib.Path(thalweg.report(old).report).stat().st_size > 10_000
