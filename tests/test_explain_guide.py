"""docs/explain.md is executed as far as that is quick: its Python runs."""

import pathlib
import re

TEXT = (pathlib.Path(__file__).resolve().parents[1] / "docs" / "explain.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)


def test_python_runs(capsys):
    texts = [text for kind, text in BLOCKS if kind == "python"]
    spaces = [{}, {}]
    for text, space in zip(texts, spaces, strict=True):
        exec(compile(text, "explain.md", "exec"), space)  # noqa: S102 - our own text
    assert spaces[0]["maps"].shape == (2, 16, 16)
    assert capsys.readouterr().out.splitlines()[1].startswith("agree / ")
