"""docs/context.md is executed: its commands run, and its table is the catalogue's."""

import pathlib
import re
import shlex

import pytest

from thalweg.cli.main import main
from thalweg.experiments.lab import labs
from thalweg.networks.context import CONTEXTS

GUIDE = (pathlib.Path(__file__).resolve().parents[1] / "docs" / "context.md").read_text(encoding="utf-8")
COMMANDS = [
    line.split(" #")[0].strip()
    for kind, text in re.findall(r"```(\w*)\n(.*?)```", GUIDE, re.DOTALL)
    for line in text.splitlines()
    if not kind and line.startswith("thalweg ")
]
SHORT = [line for line in COMMANDS if line.split()[1] in {"count", "draw"}]


@pytest.mark.parametrize("line", SHORT)
def test_commands_that_answer_at_once_run(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(line)[1:])
    assert stop.value.code == 0
    assert "attention" in capsys.readouterr().out


def test_the_rest_are_labs_that_exist():
    others = [line for line in COMMANDS if line not in SHORT]
    assert len(SHORT) == 2
    assert others
    assert all(shlex.split(line)[1] == "lab" and shlex.split(line)[2] in labs() for line in others)


def test_the_table_holds_every_module():
    assert tuple(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)) == CONTEXTS[1:]
