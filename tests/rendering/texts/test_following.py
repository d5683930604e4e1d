import math

import pytest

from thalweg.core.finding import Finding
from thalweg.core.run_state import Followed, RunState
from thalweg.rendering.texts.following import end_lines, epoch_heading, epoch_line, follow_lines

ROW = {
    "epoch": 12345,
    "train_loss": 0.5,
    "train_accuracy": 1.0,
    "val_loss": 0.6,
    "val_accuracy": 1.0,
    "learning_rate": 1e-3,
}
FINDING = Finding(
    code="CUR007",
    name="overfitting",
    severity="warning",
    confidence=0.9,
    subject="run",
    claim="overfitting: " + "x" * 200,
)


def _seen(**fields):
    state = RunState(
        path="runs/a",
        name="گربه " * 40,
        phase="training",
        network="small",
        source="photos\x1b[31m",
        epoch=3,
        epochs=9,
        fraction=0.3,
        train_loss=0.52,
        val_loss=0.6,
        val_accuracy=0.8,
        learning_rate=1e-3,
        verdict_line="6x too high (3x to 12x, 91 % sure)",
        images_per_second=250,
        seconds_left=95,
    )
    return Followed(state=state, rows=(ROW,) * 90, losses=tuple(range(120)), findings=(FINDING,), **fields)


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("plain", [True, False])
def test_every_line_fits(width, plain):
    events = ({"epoch": 1, "step": 7, "kind": "roll_back", "message": "y" * 300},)
    lines = follow_lines(_seen(events=events), width=width, plain=plain)
    assert max(map(len, lines)) <= width
    assert len(lines) == 8
    if plain:
        assert all(line.isascii() for line in lines[1:])


def test_nothing_hostile_reaches_the_terminal():
    text = "\n".join(follow_lines(_seen(), width=400))
    assert "\x1b" not in text
    assert "photos\\u001b[31m" in text
    assert "\x1b[1m" in follow_lines(_seen(), colour=True)[0]


def test_an_epoch_stands_under_its_heading():
    line = epoch_line(ROW, 3661)
    assert len(line) == len(epoch_heading())
    assert line.split() == ["12345", "0.5000", "100.0%", "0.6000", "100.0%", "1.00e-03", "1:01:01"]
    assert epoch_line({"epoch": 1, "val_loss": math.nan}).split() == ["1"]


@pytest.mark.parametrize("phase", ["finished", "interrupted", "stopped", "failed", "log"])
def test_every_end_is_told(phase):
    lines = end_lines(Followed(state=RunState(path="runs/a", name="a", phase=phase, message="why", accuracy=0.5)))
    assert lines
    assert max(map(len, lines)) <= 80
