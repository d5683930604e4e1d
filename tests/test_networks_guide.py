"""docs/networks.md is executed: its Python runs in one piece, and what it writes is trained."""

import pathlib
import re

import pytest

import thalweg
from thalweg.networks import layers

GUIDE = (pathlib.Path(__file__).resolve().parents[1] / "docs" / "networks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def written():
    known = {}
    exec("\n".join(text for kind, text in BLOCKS if kind == "python"), known)  # noqa: S102 - our own text
    return known


def test_every_layer_is_listed():
    text = re.sub(r"`(\w+)1d` to `3d`", r"`\g<1>1d` `\g<1>2d` `\g<1>3d`", GUIDE)
    assert {f"`{name}`" for name in layers.__all__} <= set(re.findall(r"`\w+`", text))


@pytest.mark.parametrize("name", ["listed", "called"])
def test_both_networks_of_the_guide_are_trained(written, name, photo_folder, tmp_path):
    spec = written[name]
    last = spec.layer(spec.outputs[0])
    two = thalweg.draw(spec, format="python").drawing.replace("Dense(3)", "Dense(2)")
    assert (spec.name, last.settings["out_features"]) == (name, 3)
    (tmp_path / "net.py").write_text(two, encoding="utf-8")
    result = thalweg.train(
        photo_folder, network=tmp_path / "net.py", epochs=1, lr=0.01, image_size=16, out=tmp_path / "run"
    )
    assert result.parameters == thalweg.count(tmp_path / "run").total.parameters
