"""The guide to pictures with masks: the options that its text names exist."""

import pathlib
import re

import typer.main

from thalweg.cli.main import app

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
GUIDE = (REPOSITORY / "docs" / "segmentation.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL))


def test_options_named_in_the_text_exist():
    commands = typer.main.get_command(app).commands
    known = {
        option for verb in ("train", "predict", "export") for each in commands[verb].params for option in each.opts
    }
    named = {word for code in CODE for word in code.split() if re.match("--[a-z]", word)} - {"--json"}
    assert len(named) > 6
    assert named <= known
