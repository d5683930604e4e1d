"""docs/diagnose.md is executed: its commands run, its Python holds, the answer shown is part of the answer."""

import pathlib
import re
import shlex
import shutil

import pytest

from thalweg.cli.main import main
from thalweg.diagnosis.rules import RULES

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
GUIDE = (REPOSITORY / "docs" / "diagnose.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", GUIDE, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines() if line.startswith("thalweg ")]
ROWS = "".join(f"{n},{0.2 + 2 * 0.8**n:.4f},{0.3 + 2 * 0.8**n:.4f}\n" for n in range(20))


@pytest.fixture
def place(tmp_path, monkeypatch):
    shutil.copytree(REPOSITORY / "docs" / "examples", tmp_path / "docs" / "examples")
    (tmp_path / "log.csv").write_text("epoch,foo,bar\n" + ROWS)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "log.csv").write_text("epoch,loss,val_loss\n" + ROWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_guide_has_commands_and_the_example_answers_as_shown(place, capsys):
    assert len(COMMANDS) >= 6
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(COMMANDS[0])[1:])
    out = capsys.readouterr().out
    (shown,) = [text for kind, text in BLOCKS if kind == "text"]
    assert stop.value.code == 1
    assert shown.strip() in out


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_runs(place, capsys, line):
    if line == "thalweg diagnose log.csv --json":
        (place / "log.csv").write_text("epoch,loss,val_loss\n" + ROWS)
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(line)[1:])
    out, err = capsys.readouterr()
    assert stop.value.code in {0, 1}, err
    assert out


def test_the_python_runs(capsys):
    (text,) = [text for kind, text in BLOCKS if kind == "python"]
    exec(compile(text, "docs/diagnose.md", "exec"), {})  # noqa: S102 - our own text
    assert "diverging" in capsys.readouterr().out


def test_every_finding_of_a_rule_is_in_the_table():
    missing = [rule.name for rule in RULES if f"`{rule.name}`" not in GUIDE and not rule.code.startswith("LRN")]
    assert missing == []


def test_the_example_is_the_log_that_was_given(place):
    original = REPOSITORY.parent / "shared" / "examples" / "reference-keras-elpv.csv"
    if not original.is_file():
        pytest.skip("no shared/examples folder beside the repository")
    assert (place / "docs" / "examples" / original.name).read_bytes() == original.read_bytes()
