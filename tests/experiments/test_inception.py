import numpy as np
import pytest
import torch

from thalweg.accounting.ledger import count
from thalweg.core.shape import Shape
from thalweg.experiments.inception_variants import BRANCHES, branched, held_within, single_size, window_gradient
from thalweg.experiments.lab import lab
from thalweg.experiments.labs import inception
from thalweg.modules.build import build
from thalweg.networks.functional import Input
from thalweg.networks.layers import Conv2d
from thalweg.networks.sequential import Sequential
from thalweg.rendering.pages.drawings import check_drawing


def test_the_lab_on_pictures(monkeypatch, blue_and_red):
    monkeypatch.setattr(inception, "EPOCHS", (0.3, 1))
    monkeypatch.setattr(inception, "SEEDS", (2, 2))
    monkeypatch.setattr(inception, "TIMING", 0.0)
    monkeypatch.setattr(inception, "lab_data", lambda *_, **__: blue_and_red)
    answer = lab("inception", "made", quick=True, workers=1)
    names = [row[0] for row in answer.table.rows]
    assert names == ["all branches", *(f"without {each}" for each in BRANCHES), "all, no normalisation", "only 3x3", "only 5x5"]  # fmt: skip  # noqa: E501
    assert answer.findings[0].claim == "Every branch matters"
    assert len(answer.findings) == 4
    assert check_drawing(answer.figures[0].svg)
    assert "5x5 sees" in answer.figures[0].alternative


def test_one_size_costs_what_all_branches_cost(blue_and_red):
    specs = inception._specs(blue_and_red)
    macs = {name: count(spec).macs for name, spec in specs.items()}
    for name in ("only 3x3", "only 5x5"):
        assert macs[name] == pytest.approx(macs["all branches"], rel=0.06)
    assert all(macs[f"without {each}"] < macs["all branches"] for each in BRANCHES)


def test_normalisation_is_there_once_a_convolution_or_not_at_all():
    kinds = [layer.kind for layer in branched(Shape(1, (16, 16)), 2).layers]
    assert kinds.count("batch_norm") == kinds.count("conv2d") == 13
    assert "batch_norm" not in [layer.kind for layer in branched(Shape(1, (16, 16)), 2, normalised=False).layers]
    alone = branched(Shape(1, (16, 16)), 3, branches=("pool",))
    assert count(alone).rows[-1].output_shape == Shape(3)
    assert count(single_size(Shape(1, (16, 16)), 3, 5, 4)).rows[-1].output_shape == Shape(3)


def test_a_window_moves_nothing_beyond_it():
    spec = Sequential([Input(1, 15, 15), Conv2d(4, 3, padding="same"), Conv2d(4, 5, padding="same", name="last")])
    energy = window_gradient(build(spec, seed=0), "last", torch.rand(3, 1, 15, 15))
    rows, columns = np.nonzero(energy)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 10, 4, 10)
    assert energy.sum() == pytest.approx(1)
    assert 3 <= held_within(energy) <= held_within(energy, 1.0) == 7
    assert held_within(np.zeros((3, 3))) == 0
    assert held_within(np.eye(1, 9, 4)[0]) == 1
    assert held_within(np.pad(np.ones((2, 2, 2)), 3)) == 2


@pytest.mark.parametrize("kind", ["beats", "boxes"])
def test_the_lab_on_signals_and_volumes(monkeypatch, request, kind):
    monkeypatch.setattr(inception, "EPOCHS", (0.3, 1))
    monkeypatch.setattr(inception, "SEEDS", (2, 2))
    monkeypatch.setattr(inception, "TIMING", 0.0)
    monkeypatch.setattr(inception, "lab_data", lambda *_, **__: request.getfixturevalue(kind))
    answer = lab("inception", "made", quick=True, workers=1)
    windows = {"beats": "window-3", "boxes": "3x3x3"}[kind]
    assert f"without {windows}" in [row[0] for row in answer.table.rows]
    assert {"beats": "possible steps", "boxes": "possible voxels"}[kind] in answer.findings[-1].observed
    assert check_drawing(answer.figures[0].svg)
