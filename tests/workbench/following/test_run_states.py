import json
import time

import pytest

import thalweg
from thalweg.core.errors import RunError
from thalweg.core.files import write_atomically
from thalweg.core.holding import held, is_held
from thalweg.core.live_state import PROGRESS_FILE, STOP_FILE, read_live_state
from thalweg.core.plan import TrainingPlan
from thalweg.workbench.following import run_control
from thalweg.workbench.following.run_control import ask_to_stop, resume_apart
from thalweg.workbench.following.run_states import RunShelf, run_state
from thalweg.workbench.following.run_view import RunView
from thalweg.workbench.telling.telling import Listener

HEADER = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second\n"


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(TrainingPlan(source="photos", epochs=4).to_toml())
    (folder / "history.csv").write_text(HEADER + "1,0.9,0.5,1.0,0.4,0.001,2,100\n2,0.5,0.7,0.8,0.6,0.001,4,110\n")
    return folder


def _say(folder, **fields):
    state = {"schema": 1, "phase": "training", "updated": time.time(), "host": "elsewhere", "epoch": 3, **fields}
    write_atomically(folder / PROGRESS_FILE, json.dumps(state))


def test_a_run_that_nobody_holds_ended_early(run):
    state = run_state(run)
    assert (state.phase, state.epoch, state.epochs, state.best_accuracy, state.best_epoch) == ("stopped", 2, 4, 0.6, 2)
    with held(run):
        assert run_state(run).phase == "training"


def test_the_run_itself_is_believed_while_it_goes_on(run):
    _say(run, loss=0.3, learning_rate=0.002, seconds_left=12.0, fraction=0.6)
    state = run_state(run)  # on another machine, a moment ago
    assert (state.phase, state.epoch, state.train_loss, state.seconds_left) == ("training", 3, 0.3, 12.0)
    _say(run, updated=time.time() - 3600)
    assert run_state(run).phase == "stopped"
    with held(run):
        _say(run, phase="evaluating", updated=time.time() - 3600)
        assert run_state(run).phase == "evaluating"
    _say(run, phase="failed", message="the loss is not finite")
    assert (run_state(run).phase, run_state(run).message) == ("failed", "the loss is not finite")


@pytest.mark.parametrize("name", ["progress.json", "history.csv", "metrics.json", "findings.json", "plan.toml"])
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"schema": 1, "phase": 7}', b"\xff\xfe"])
def test_a_damaged_file_tells_nothing(run, name, content):
    (run / name).write_bytes(content)
    assert run_state(run).name == "a"
    RunView(run).charts()


def test_a_shelf_reads_again_what_has_changed(run, tmp_path, monkeypatch):
    shelf = RunShelf(tmp_path / "runs")
    assert [state.epoch for state in shelf.states()] == [2]
    write_atomically(run / "history.csv", HEADER + "1,0.9,0.5,1.0,0.4,0.001,2,100\n")
    assert [state.epoch for state in shelf.states()] == [1]
    looked = []
    monkeypatch.setattr("thalweg.workbench.following.run_states.run_state", lambda folder, **_: looked.append(folder))
    monkeypatch.setattr("thalweg.workbench.following.run_states._SETTLED_SECONDS", -1.0)
    shelf._known[run] = (run.stat().st_mtime_ns, shelf._known[run][1])
    shelf.states()
    assert looked == []  # nothing has changed since


def test_no_run_is_no_run(tmp_path):
    with pytest.raises(RunError, match="no run folder"):
        run_state(tmp_path)
    with pytest.raises(RunError):
        ask_to_stop(tmp_path)


def test_only_a_run_that_trains_is_stopped_and_only_one_that_does_not_is_resumed(run, monkeypatch):
    with pytest.raises(RunError, match=r"not training \(stopped\)"):
        ask_to_stop(run)
    started = []
    monkeypatch.setattr(run_control.subprocess, "Popen", lambda words, **_: started.append(words))
    resume_apart(run)
    assert started[0][1:] == ["-m", "thalweg", "resume", "--quiet", "--", str(run.resolve())]
    with held(run):
        ask_to_stop(run)
        with pytest.raises(RunError, match="being trained already"):
            resume_apart(run)
    assert (run / STOP_FILE).exists()
    assert len(started) == 1


def test_a_run_tells_where_it_is_and_stops_when_asked(photo_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("thalweg.workbench.runs.live_file.SECONDS", 0.0)
    folder = tmp_path / "run"
    seen = []

    def look(progress):
        if progress.epoch == 2 and not seen:
            seen.append((run_state(folder), is_held(folder), len(RunView(folder).charts())))
            ask_to_stop(folder)

    def ignore(*_):
        pass

    listener = Listener(say=ignore, count=ignore, train=look)
    result = thalweg.train(photo_folder, epochs=50, out=folder, lr=1e-3, repair=False, image_size=16, listener=listener)
    assert result.interrupted == 143
    ((state, was_held, charts),) = seen
    assert was_held
    assert (state.phase, state.epoch, state.epochs, charts) == ("training", 2, 50, 5)
    assert state.learning_rate > 0
    assert run_state(folder).phase == "interrupted"
    assert not (folder / STOP_FILE).exists()
    assert read_live_state(folder).phase == "interrupted"
    steps = (folder / "steps.csv").read_text().splitlines()
    assert [int(line.split(",")[0]) for line in steps[1:]] == [*range(1, len(steps))]
