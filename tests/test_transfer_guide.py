"""docs/transfer.md is executed as far as that is quick: its Python runs, its commands exist."""

import pathlib
import re
import shlex

import pytest
import typer

from thalweg.cli.main import app
from thalweg.pretrained.published import backbone_names

TEXT = (pathlib.Path(__file__).resolve().parents[1] / "docs" / "transfer.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines() if line.startswith("thalweg ")]


@pytest.mark.parametrize("number", range(2))
def test_python_runs(number, capsys):
    text = [text for kind, text in BLOCKS if kind == "python"][number]
    exec(compile(text, "transfer.md", "exec"), {})  # noqa: S102 - our own text
    assert ("efficientnet-lite0", "1.00 of the rate")[number] in capsys.readouterr().out


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_exist_with_their_options(line):
    _, verb, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[verb]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_backbone_stands_in_the_table():
    shown = TEXT.replace("`resnet18` to `resnet152`", "resnet18 resnet34 resnet50 resnet101 resnet152")
    assert all(name in shown for name in backbone_names())
