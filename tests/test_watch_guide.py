"""docs/watch.md is executed: its Python runs, and says what the comments promise."""

import pathlib
import re

GUIDE = (pathlib.Path(__file__).resolve().parents[1] / "docs" / "watch.md").read_text(encoding="utf-8")


def test_the_example_runs_and_finds_the_rate_too_high(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(compile(example, "docs/watch.md", "exec"), {})  # noqa: S102 - our own documentation
    line, verdict, findings = capsys.readouterr().out.splitlines()
    assert line.startswith("learning rate 3.0e1: ")
    assert line.endswith("too high")
    assert verdict == "too_high"
    assert "learning_rate_too_high" in findings
