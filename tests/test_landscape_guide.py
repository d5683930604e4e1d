"""docs/landscape.md, lab.md and explain.md are executed as far as that is quick: their Python runs."""

import pathlib
import re

import pytest

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


@pytest.mark.parametrize(("name", "text"), PYTHON, ids=[name for name, _ in PYTHON])
def test_python_runs(name, text, capsys, monkeypatch):
    monkeypatch.setattr(saddle, "RATES", (0.1, 1.0))
    monkeypatch.setattr(saddle, "NETWORK_RATES", (1.0,))
    monkeypatch.setattr(saddle, "QUICK", (200, 1))
    exec(compile(text, name, "exec"), {})  # noqa: S102 - our own text
    said = capsys.readouterr().out
    assert any(word in said for word in ("agree / do not agree", "for the class of each picture", "saddle")), name
