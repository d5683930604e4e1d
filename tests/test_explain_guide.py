"""docs/explain.md is executed as far as that is quick: its Python runs, its commands exist."""

import pathlib
import re
import shlex

import pytest
import typer

from thalweg.cli.main import app

TEXT = (pathlib.Path(__file__).resolve().parents[1] / "docs" / "explain.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines() if line.startswith("thalweg ")]


def test_python_runs(capsys):
    texts = [text for kind, text in BLOCKS if kind == "python"]
    spaces = [{}, {}]
    for text, space in zip(texts, spaces, strict=True):
        exec(compile(text, "explain.md", "exec"), space)  # noqa: S102 - our own text
    assert spaces[0]["maps"].shape == (2, 16, 16)
    assert capsys.readouterr().out.splitlines()[1].startswith("agree / ")


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_exist_with_their_options(line):
    _, verb, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[verb]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
