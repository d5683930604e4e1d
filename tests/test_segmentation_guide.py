"""The guide to pictures with masks: its commands exist with the options it names, and so do its links."""

import pathlib
import re
import shlex

import pytest
import typer.main

from thalweg.cli.main import app

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
GUIDE = (REPOSITORY / "docs" / "segmentation.md").read_text(encoding="utf-8")
COMMANDS = [line.split(" #")[0].strip() for line in GUIDE.splitlines() if line.startswith("thalweg ")]
CODE = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL))


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_the_guide_exist_with_their_options(line):
    _, verb, *words = shlex.split(line)
    known = {option for each in typer.main.get_command(app).commands[verb].params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known, line


def test_options_named_in_the_text_exist():
    commands = typer.main.get_command(app).commands
    known = {
        option for verb in ("train", "predict", "export") for each in commands[verb].params for option in each.opts
    }
    named = {word for code in CODE for word in code.split() if re.match("--[a-z]", word)} - {"--json"}
    assert len(named) > 6
    assert named <= known
