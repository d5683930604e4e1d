"""Diagnosis from Python: every kind of source, what cannot be read, and the page."""

import csv
import io
import pathlib
import tempfile
from types import SimpleNamespace

import numpy as np
import pytest

import thalweg
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.run_log import NamedHistory
from thalweg.workbench import diagnose as room

EXAMPLE = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "examples" / "reference-keras-elpv.csv"
RISING = {"loss": [0.69, 0.7, 1.5, 4.0, 9.1, 25.0], "accuracy": [0.5] * 6, "val_loss": [0.7, 0.8, 1.9, 5.0, 11.0, 30.0]}


def names(run):
    return [finding.name for finding in run.findings]


def log(folder, name="log.csv", history=None):
    columns = history or RISING
    path = folder / name
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("epoch", *columns))
        writer.writerows((number, *row) for number, row in enumerate(zip(*columns.values(), strict=True)))
    return path


def test_a_file_a_mapping_a_keras_history_and_a_run_history_give_one_answer(tmp_path):
    rows = [
        {"epoch": n, "train_loss": loss, "train_accuracy": 0.5, "val_loss": held}
        for n, (loss, held) in enumerate(zip(RISING["loss"], RISING["val_loss"], strict=True), 1)
    ]
    history = RunHistory.from_epochs(rows)
    sources = (
        log(tmp_path), str(log(tmp_path)), RISING, SimpleNamespace(history=RISING), history,
        NamedHistory(place="x", format="y", history=history),
    )  # fmt: skip
    runs = thalweg.diagnose(*sources).results
    assert len(runs) == len(sources)
    assert "diverging" in names(runs[0])
    assert {tuple(finding.claim for finding in run.findings) for run in runs} == {
        tuple(finding.claim for finding in runs[0].findings)
    }
    assert runs[0].path == str(tmp_path / "log.csv")


def test_the_reference_log_shows_what_is_wrong_with_it():
    if not EXAMPLE.is_file():
        pytest.skip("no shared/examples folder beside the repository")
    (run,) = thalweg.diagnose(EXAMPLE).results
    found = {finding.name: finding for finding in run.findings}
    assert found["validation_irregular"].severity == "warning"
    assert "batchnorm_mismatch" in found["validation_irregular"].alternatives
    assert "25.26 at epoch 3" in found["validation_irregular"].claim
    assert "overshooting" in found


def test_what_cannot_be_read_is_named_and_the_rest_is_judged(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    answer = thalweg.diagnose(tmp_path / "none.csv", log(tmp_path), tmp_path / "empty.csv")
    assert [run.error is None for run in answer.results] == [False, True, False]
    assert "none.csv" in answer.results[0].error
    assert answer.results[0].learning_rate.verdict == "undetermined"
    assert answer.exit_status == 1
    assert thalweg.diagnose(tmp_path / "none.csv").exit_status == 2


@pytest.mark.parametrize("source", [3, None, {"a": 1}, {"loss": "high"}, SimpleNamespace(history=4)])
def test_what_is_no_history_is_refused_with_a_line(source):
    (run,) = thalweg.diagnose(source).results
    assert run.error.startswith("history 1")


def test_nothing_asked_and_wrong_columns_are_refused(tmp_path):
    with pytest.raises(thalweg.ThalwegError, match="name a log"):
        thalweg.diagnose()
    with pytest.raises(thalweg.ThalwegError, match=r"--columns foo: write it as train_loss=NAME"):
        thalweg.diagnose(RISING, columns="foo")
    with pytest.raises(thalweg.ThalwegError, match=r"--html .*: name a file in a folder that exists"):
        thalweg.diagnose(RISING, html=tmp_path / "none" / "page.html")


def test_columns_override_the_guess(tmp_path):
    path = log(tmp_path, history={"foo": RISING["loss"], "bar": RISING["val_loss"]})
    (run,) = thalweg.diagnose(path, columns="train_loss=foo, val_loss=bar").results
    assert run.history.signal("train_loss").values == tuple(RISING["loss"])
    assert "diverging" in names(run)


def test_there_is_one_verdict_on_the_learning_rate_and_it_comes_first(monkeypatch):
    verdict = LearningRateEstimate(verdict="too_high", factor=6.0, interval=(3.0, 12.0), confidence=0.91, reason="r")
    monkeypatch.setattr(room, "estimate", lambda _: verdict)
    (run,) = thalweg.diagnose(RISING).results
    assert names(run)[0] == "learning_rate_too_high"
    assert not {"learning_rate_too_low", "slow_convergence", "too_few_epochs", "not_learning"} & set(names(run))
    assert run.to_json()["learning_rate"]["factor"] == 6.0
    assert "6x too high (3x to 12x)" in run.findings[0].claim


def test_the_recorded_rate_becomes_the_edit(monkeypatch):
    verdict = LearningRateEstimate(verdict="too_high", factor=10.0, confidence=0.91)
    monkeypatch.setattr(room, "estimate", lambda _: verdict)
    (run,) = thalweg.diagnose(RISING | {"learning_rate": [0.1] * 6}).results
    assert dict(run.findings[0].remedies[0].edit) == {"learning_rate": 0.01}


def test_the_page_shows_the_curves_with_the_evidence_and_needs_nothing_else(tmp_path):
    page = tmp_path / "page.html"
    answer = thalweg.diagnose(log(tmp_path, "گربه <b>.csv"), tmp_path / "none.csv", html=page)
    text = page.read_text("utf-8")
    assert answer.page == str(page)
    assert "CUR002 diverging" in text
    assert "<b>.csv" not in text
    assert "گربه" in text
    assert "<svg" in text
    assert "http-equiv" in text
    assert "src=" not in text
    assert "none.csv" in text


def test_many_runs_make_one_page(tmp_path):
    for number in range(3):
        log(tmp_path, f"{number}.csv")
    answer = thalweg.diagnose(tmp_path, html=tmp_path / "page.html")
    assert len(answer.results) == 3
    assert "Learning rates: 3 " in (tmp_path / "page.html").read_text("utf-8")


def test_no_verdict_stands_against_a_run_that_diverges():
    """The sum of a detector's losses lies far above zero, so that a jump back to the start looks small to the model."""
    t = np.arange(1, 61)
    fall = 1.2 + 1.1 * np.exp(-t / 4)
    loss = 0.07 * np.where(t > 20, 2.3 + 0.01 * np.sin(7.0 * t), fall) + 0.05
    (run,) = thalweg.diagnose({"loss": loss.tolist(), "val_loss": (loss + 0.01).tolist()}).results
    assert "diverging" in names(run)
    assert run.learning_rate.verdict in {"too_high", "undetermined"}
    assert run.learning_rate.factor is None or run.learning_rate.factor > 1
    assert "learning_rate_too_low" not in names(run)


def test_open_files_and_pasted_text_are_read():
    pasted = "".join(f"epoch {number}, loss {loss}\n" for number, loss in enumerate(RISING["loss"], 1))
    (run,) = thalweg.diagnose(io.StringIO(pasted)).results
    assert "diverging" in names(run)
    assert run.path == "history 1"
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as file:
        file.write(pasted)
        file.seek(0)
        assert "diverging" in names(thalweg.diagnose(file).results[0])
    with EXAMPLE.open("rb") as file:
        assert thalweg.diagnose(file).results[0].path == str(EXAMPLE)
