"""What is drawn while training: it fits the terminal, and nothing of the bar is left behind."""

import io
import math
import re

import pytest
from rich.console import Console

from thalweg.cli.display import Display
from thalweg.cli.settings import Settings
from thalweg.training.progress import Progress

ROW = {"train_loss": 0.61, "train_accuracy": 0.75, "val_loss": 1.2, "val_accuracy": 1.0}
ROW |= {"learning_rate": 1e-3, "images_per_second": 1234.0, "seconds": 2.0}


def progress(**changes):
    told = {"epoch": 3, "epochs": 12, "step": 2, "steps": 5, "fraction": 0.2, "loss": 0.7, "accuracy": 0.5}
    told |= {"learning_rate": 1e-3, "images_per_second": 950.0, "seconds_left": 3700.0, "row": None, **changes}
    return Progress(**told)


def shown(width, *, terminal):
    out = io.StringIO()
    with Display(Settings()) as display:
        display.console = Console(
            file=out, width=width, force_terminal=terminal, soft_wrap=True, highlight=False, legacy_windows=False
        )
        listener = display.listener()
        listener.say("Found 3 files.")
        listener.count("pictures read", 1, 3)
        listener.count("pictures read", 3, 3)
        for epoch in (1, 2):
            listener.train(progress(epoch=epoch, images_per_second=math.nan, seconds_left=math.nan))
            listener.train(progress(epoch=epoch, row=ROW))
    return out.getvalue()


@pytest.mark.parametrize(("width", "columns"), [(40, 5), (79, 8), (200, 8)])
def test_a_line_of_the_table_fits_the_terminal(width, columns):
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", shown(width, terminal=True))
    lines = text.splitlines()
    (row,) = [line[line.index("    2 ") :] for line in lines if "    2 " in line]
    assert len(row) <= width
    assert len(row.split()) == columns


def test_without_a_terminal_there_are_only_plain_lines():
    text = shown(40, terminal=False)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "%" not in text.splitlines()[0]
    assert [len(line.split()) for line in text.splitlines()[2:]] == [8, 8]
    assert "pictures read" not in text


def test_nothing_is_left_of_the_bar():
    text = shown(100, terminal=True)
    assert text.rstrip("\n").endswith(("\x1b[?25h", "\x1b[2K"))  # the cursor is back and the line is cleared
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")


def test_quiet_says_nothing(capsys):
    with Display(Settings(quiet=True)) as display:
        display.say("Looking at photos ...")
        listener = display.listener()
        listener.say("Found 3 files.")
        listener.train(progress(row=ROW))
    assert capsys.readouterr() == ("", "")
