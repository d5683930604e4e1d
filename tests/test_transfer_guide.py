"""docs/transfer.md is executed as far as that is quick: its Python runs."""

import pathlib
import re

import pytest

from thalweg.pretrained.published import backbone_names

TEXT = (pathlib.Path(__file__).resolve().parents[1] / "docs" / "transfer.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(2))
def test_python_runs(number, capsys):
    text = [text for kind, text in BLOCKS if kind == "python"][number]
    exec(compile(text, "transfer.md", "exec"), {})  # noqa: S102 - our own text
    assert ("efficientnet-lite0", "1.00 of the rate")[number] in capsys.readouterr().out


def test_every_backbone_stands_in_the_table():
    shown = TEXT.replace("`resnet18` to `resnet152`", "resnet18 resnet34 resnet50 resnet101 resnet152")
    assert all(name in shown for name in backbone_names())
