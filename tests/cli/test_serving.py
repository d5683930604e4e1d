"""`follow` from outside: a line an epoch, one JSON object, exit statuses, any terminal's letters, no torch."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import jsonschema
import pytest

import thalweg
from thalweg.cli.main import main
from thalweg.core.files import write_atomically
from thalweg.core.holding import held
from thalweg.core.plan import TrainingPlan

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"
HEADER = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second\n"


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "گربه"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(TrainingPlan(source="عکس", epochs=2).to_toml(), encoding="utf-8")
    (folder / "history.csv").write_text(HEADER + "1,0.9,0.5,1.0,0.4,0.001,2,100\n2,0.5,0.7,0.8,0.6,0.001,4,110\n")
    metrics = {"schema": 1, "accuracy": 0.6, "accuracy_interval": [0.5, 0.7], "split": "test", "seconds": 9}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "report.html").write_text("<p>")
    return folder


@pytest.fixture
def told(capsys):
    def follow(*words, status=0):
        with pytest.raises(SystemExit) as stop:
            main(["follow", *map(str, words)])
        out, err = capsys.readouterr()
        assert stop.value.code == status, (out, err)
        return out

    return follow


def test_a_finished_run_is_told_at_once(told, run):
    lines = told(run).splitlines()
    assert lines[0].split() == ["گربه:", "small", "on", "عکس", "finished"]
    assert [line.split()[0] for line in lines[1:4]] == ["epoch", "1", "2"]
    assert lines[4] == "Finished: right on 60.0% of the test files (95 % interval 50.0% to 70.0%)."
    assert lines[-1].startswith("Report: ")
    assert max(map(len, lines[:-1])) <= 80


def test_the_answer_is_one_object_of_its_schema(told, run):
    answer = json.loads(told(run, "--json"))
    jsonschema.validate(answer, json.loads((SCHEMAS / "follow.json").read_text()))
    assert (answer["phase"], answer["accuracy"], answer["epoch"]) == ("finished", 0.6, 2)


def test_a_failed_run_is_status_one_and_an_interrupted_one_says_how_to_go_on(told, run):
    state = {"schema": 1, "phase": "failed", "updated": time.time(), "message": "the loss is not finite"}
    (run / "progress.json").write_text(json.dumps(state))
    assert "Failed: the loss is not finite" in told(run, status=1)
    (run / "progress.json").write_text(json.dumps({**state, "phase": "interrupted"}))
    assert f"Go on with: thalweg resume {run}" in told(run)


def test_what_is_no_run_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (["follow"], ["follow", "nothing"], ["follow", str(tmp_path)]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_without_a_name_the_newest_run_is_followed(told, run, monkeypatch):
    monkeypatch.chdir(run.parent.parent)
    assert "گربه" in told()


def test_a_run_is_followed_until_it_ends(run, monkeypatch):
    monkeypatch.setattr("thalweg.workbench.follow.SECONDS", 0.01)
    (run / "metrics.json").unlink()
    state = {"schema": 1, "phase": "training", "updated": time.time(), "host": "here", "epoch": 3, "epochs": 3}
    write_atomically(run / "progress.json", json.dumps(state))
    epochs, ready = [], threading.Event()

    def show(seen):
        epochs.append((seen.state.phase, len(seen.rows)))
        if len(epochs) == 3:
            write_atomically(run / "history.csv", (run / "history.csv").read_text() + "3,0.4,0.8,0.7,0.7,0.001,6,120\n")
            write_atomically(run / "progress.json", json.dumps({**state, "phase": "finished"}))
            ready.set()

    with held(run):
        seen = thalweg.follow(run, show=show)
    assert ready.is_set()
    assert epochs[:3] == [("training", 2)] * 3
    assert epochs[-1] == ("finished", 3)
    assert seen.state.epoch == 3


def test_a_log_of_another_program_ends_when_nothing_comes(tmp_path, monkeypatch):
    monkeypatch.setattr("thalweg.workbench.follow.SECONDS", 0.01)
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss,val_loss\n0,0.9,0.8\n1,0.5,0.6\n")
    looks = []

    def show(seen):
        looks.append(len(seen.rows))
        if len(looks) == 2:
            log.write_text(log.read_text() + "2,0.4,0.5\n")

    seen = thalweg.follow(log, idle=0.2, show=show)
    assert looks[0] == 2
    assert looks[-1] == 3
    assert seen.state.val_loss == 0.5
    assert seen.state.phase == "log"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_any_code_page_will_do_and_torch_is_not_loaded(run, encoding):
    code = f"""
import sys
from thalweg.cli.main import main
try:
    main(["follow", {str(run)!r}])
finally:
    assert "torch" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert b"Finished: right on 60.0%" in done.stdout
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_page_that_is_ended_has_printed_its_one_object(capsys, monkeypatch, number, status):
    def serve(runs, *, say, **_):  # what the real one does: tell the address, then wait for whoever ends it
        say("http://127.0.0.1:8765/?token=x")
        signal.raise_signal(number)

    monkeypatch.setattr(thalweg, "serve", serve, raising=False)
    with pytest.raises(SystemExit) as stop:
        main(["serve", "runs", "--json"])
    (line,) = capsys.readouterr().out.splitlines()
    jsonschema.validate(json.loads(line), json.loads((SCHEMAS / "serve.json").read_text()))
    assert stop.value.code == status


@pytest.mark.parametrize("idle", ["nan", "-1", "soon"])
def test_seconds_that_never_pass_are_refused(capsys, tmp_path, idle):
    (tmp_path / "log.csv").write_text("epoch,loss\n0,1.0\n1,0.5\n")
    with pytest.raises(SystemExit) as stop:
        main(["follow", str(tmp_path / "log.csv"), "--idle", idle])
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert err.startswith(f"thalweg: --idle {idle}")
