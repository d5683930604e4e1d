"""Signals outside training, the second Ctrl-C within, and a terminal that is gone."""

import json
import os
import signal
import types

import pytest

from thalweg.cli.main import main
from thalweg.cli.settings import Settings
from thalweg.cli.training import show_run

TRAIN = ("--epochs", "2", "--image-size", "32", "--batch-size", "8")


@pytest.mark.usefixtures("heard_hang_up")
@pytest.mark.parametrize(
    ("number", "told", "status"),
    [(2, "interrupted", 130), (15, "terminated", 143), (1, "the terminal was closed", 129)],
)
def test_a_signal_outside_training_is_one_line_too(monkeypatch, capsys, number, told, status):
    def kill(*_, **__):
        try:
            os.kill(os.getpid(), number)
        except BaseException as error:
            raise ImportError("as an interrupted import makes of it") from error

    monkeypatch.setattr("thalweg.workbench.check.look", kill)
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stop:
        main(["check", "photos", "--json"])
    assert stop.value.code == status
    out, err = capsys.readouterr()
    assert err == f"Looking at photos ...\nthalweg: {told}\n"
    assert json.loads(out)["exit_status"] == status
    assert signal.getsignal(number) is before


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX has them")
def test_work_that_shall_outlive_its_terminal_does(monkeypatch):
    """As `nohup` asks for it."""
    monkeypatch.setattr("thalweg.workbench.check.look", lambda *_, **__: os.kill(os.getpid(), signal.SIGHUP) or 1 / 0)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with pytest.raises(SystemExit, match="1"):  # the division, to which it came
        main(["check", "photos", "--quiet"])
    signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX has them")
def test_a_second_ctrl_c_in_training_says_so(photo_folder, tmp_path, monkeypatch, capsys):
    def twice(self, *_, **__):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("thalweg.training.loop.Trainer._step", twice)
    with pytest.raises(SystemExit) as stop:
        main(["train", str(photo_folder), *TRAIN, "--lr", "0.01", "--out", str(tmp_path / "run"), "--quiet"])
    assert stop.value.code == 130
    assert capsys.readouterr().err == "thalweg: interrupted\n"


def test_a_run_that_was_stopped_is_saved_though_nobody_reads_the_answer(monkeypatch):
    stopped = types.SimpleNamespace(interrupted=129, epochs=1, run="run")

    def gone(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("typer.echo", gone)
    monkeypatch.setattr("thalweg.cli.training.lead_nowhere", lambda _: None)
    assert show_run(Settings(), stopped) == 129
