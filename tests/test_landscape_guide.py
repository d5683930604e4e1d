"""docs/landscape.md, lab.md and explain.md are executed as far as that is quick: Python runs, commands exist."""

import pathlib
import re
import shlex

import pytest
import typer

from thalweg.cli.main import app
from thalweg.experiments.labs import saddle

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
BLOCKS = [
    (name, kind, text)
    for name in ("landscape.md", "lab.md", "explain.md")
    for kind, text in re.findall(
        r"```(\w*)\n(.*?)```", (REPOSITORY / "docs" / name).read_text(encoding="utf-8"), re.DOTALL
    )
]
PYTHON = [(name, text) for name, kind, text in BLOCKS if kind == "python"]
COMMANDS = [line for _, kind, text in BLOCKS if not kind for line in text.splitlines() if line.startswith("thalweg ")]


@pytest.mark.parametrize(("name", "text"), PYTHON, ids=[name for name, _ in PYTHON])
def test_python_runs(name, text, capsys, monkeypatch):
    monkeypatch.setattr(saddle, "RATES", (0.1, 1.0))
    monkeypatch.setattr(saddle, "NETWORK_RATES", (1.0,))
    monkeypatch.setattr(saddle, "QUICK", (200, 1))
    exec(compile(text, name, "exec"), {})  # noqa: S102 - our own text
    said = capsys.readouterr().out
    assert any(word in said for word in ("agree / do not agree", "for the class of each picture", "saddle")), name


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_exist_with_their_options(line):
    _, verb, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[verb]
    known = {option for parameter in command.params for option in parameter.opts} | {"--json"}
    assert {word for word in words if word.startswith("--")} <= known
