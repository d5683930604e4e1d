"""docs/derive.md is executed: every command runs as it stands, the Python holds, the answer shown is the answer."""

import pathlib
import re
import shlex

import pytest

from thalweg.cli.main import main

GUIDE = pathlib.Path(__file__).resolve().parents[1].joinpath("docs", "derive.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", GUIDE, re.DOTALL)
COMMANDS = [line for language, text in BLOCKS if not language for line in text.splitlines()]
SHOWN = [text for language, text in BLOCKS if language == "text"]
CASE = next(text for language, text in BLOCKS if language == "yaml")


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_the_guide_run(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.yaml").write_text(CASE)
    program, *words = shlex.split(line)
    assert program == "thalweg"
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert not stop.value.code
    assert capsys.readouterr().out


def test_what_the_guide_shows_is_what_comes_out(capsys):
    with pytest.raises(SystemExit):
        main(shlex.split(COMMANDS[0])[1:])
    out = capsys.readouterr().out
    assert len(SHOWN) == 1
    assert SHOWN[0].rstrip() in out


def test_the_python_of_the_guide_holds():
    (text,) = [text for language, text in BLOCKS if language == "python"]
    assert "assert" in text
    exec(compile(text, "docs/derive.md", "exec"), {})  # noqa: S102 - our own text
