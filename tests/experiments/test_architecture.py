import pytest

from thalweg.accounting.ledger import count
from thalweg.core.shape import Shape
from thalweg.experiments.architectures import ARCHITECTURES, architecture
from thalweg.experiments.lab import lab
from thalweg.experiments.labs import architecture as room
from thalweg.experiments.sizing import nearest_width
from thalweg.rendering.pages.drawings import check_drawing


@pytest.fixture
def tiny(monkeypatch, blue_and_red):
    monkeypatch.setattr(room, "EPOCHS", (0.3, 1))
    monkeypatch.setattr(room, "SEEDS", (2, 2))
    monkeypatch.setattr(room, "PARAMETERS", (1500, 1500))
    monkeypatch.setattr(room, "STEPS", (2, 2))
    monkeypatch.setattr(room, "TIMING", 0.0)
    monkeypatch.setattr(room, "lab_data", lambda *_, **__: blue_and_red)


def test_the_lab_on_pictures(tiny):
    answer = lab("architecture", "made", quick=True, workers=1)
    assert [row[0] for row in answer.table.rows] == list(ARCHITECTURES)
    found = {each.claim: each for each in answer.findings}
    twice = found["The sequential and the functional form are one network"]
    assert twice.verdict == "supported"
    assert "to the bit" in twice.observed
    assert check_drawing(answer.figures[0].svg)
    assert answer.figures[0].alternative.count("epochs") == len(ARCHITECTURES)


@pytest.mark.parametrize("kind", ["beats", "boxes"])
def test_the_lab_on_signals_and_volumes(tiny, monkeypatch, request, kind):
    monkeypatch.setattr(room, "lab_data", lambda *_, **__: request.getfixturevalue(kind))
    answer = lab("architecture", "made", quick=True, workers=1)
    assert [row[0] for row in answer.table.rows] == list(ARCHITECTURES)
    assert answer.findings[-1].verdict == "supported"  # both forms are one network
    assert answer.setup["networks"].startswith({"beats": "a window-3 convolution", "boxes": "a 3x3x3 conv"}[kind])


def test_forms_that_differ_are_noticed(tiny, monkeypatch, blue_and_red):
    real = room.network
    monkeypatch.setattr(room, "network", lambda form, shape, classes: real("lenet" if "func" in form else form, shape, classes))  # fmt: skip  # noqa: E501
    same, of = room._written_twice(blue_and_red, 0, 1)
    assert same < of


def test_equal_parameters_are_nearly_equal():
    shape = Shape(3, (32, 32))
    sizes = {}
    for name in ARCHITECTURES:
        width = nearest_width(lambda width, name=name: architecture(name, shape, 4, width), 15_000, "parameters")
        sizes[name] = count(architecture(name, shape, 4, width)).parameters
    assert all(abs(each - 15_000) < 3500 for each in sizes.values()), sizes


def test_only_residual_networks_add():
    adds = {name: [layer.kind for layer in architecture(name, Shape(1, (16, 16)), 2, 4).layers].count("add") for name in ARCHITECTURES}  # fmt: skip  # noqa: E501
    assert adds == {"plain": 0, "inception": 0, "residual": 2, "plain, deep": 0, "residual, deep": 8}
