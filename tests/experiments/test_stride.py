import json
import re
from dataclasses import replace

import pytest
import torch

from thalweg.accounting.ledger import count
from thalweg.core.shape import Shape
from thalweg.experiments.lab import lab
from thalweg.experiments.labs import stride
from thalweg.experiments.stride_networks import MANNERS, changes_under_shift, shifted, stride_network
from thalweg.rendering.pages.drawings import check_drawing


@pytest.fixture
def tiny(monkeypatch, blue_and_red):
    monkeypatch.setattr(stride, "EPOCHS", (0.5, 1))
    monkeypatch.setattr(stride, "SEEDS", (2, 2))
    monkeypatch.setattr(stride, "WIDTHS", (2, 2))
    monkeypatch.setattr(stride, "TIMING", 0.0)
    doubled = replace(blue_and_red, train=_doubled(blue_and_red.train), test=_doubled(blue_and_red.test))
    monkeypatch.setattr(stride, "lab_data", lambda *_, **__: doubled)


def _doubled(part):
    return type(part)(values=part.values.repeat(2, axis=1).repeat(2, axis=2), labels=part.labels)


def test_the_lab_on_pictures(tiny):
    answer = lab("stride", "made", quick=True, workers=1)
    assert [row[0] for row in answer.table.rows] == list(MANNERS)
    by_name = {row[0]: dict(zip(answer.table.header, row, strict=True)) for row in answer.table.rows}
    assert by_name["stride 1"]["map"] == "32x32"
    assert by_name["stride 2"]["map"] == "8x8"
    assert by_name["stride 2"]["sees"] == "15"
    assert len(answer.findings) == 6
    assert len(answer.figures[1].lines) == 5
    assert check_drawing(answer.figures[0].svg)


def test_the_lab_on_signals(tiny, monkeypatch, beats):
    monkeypatch.setattr(stride, "lab_data", lambda *_, **__: beats)
    answer = lab("stride", "made", quick=True, workers=1)
    assert [row[1] for row in answer.table.rows][:2] == ["64", "16"]
    assert "steps" in answer.table.caption
    assert "signals move by one step" in answer.table.caption
    assert check_drawing(answer.figures[0].svg)
    told = json.dumps(answer.to_json())
    assert not re.search(r"\bpixels?\b|\bpictures?\b|3x3", told)


def test_a_shift_moves_and_repeats_the_edge():
    picture = torch.arange(6.0).view(1, 1, 2, 3)
    assert shifted(picture, 0, -1).tolist() == [[[[1, 2, 2], [4, 5, 5]]]]
    assert shifted(picture, 1, 0).tolist() == [[[[0, 1, 2], [0, 1, 2]]]]
    assert torch.equal(shifted(shifted(picture, 0, 1), 0, -1)[..., :2], picture[..., :2])
    assert shifted(picture[:, :, 0], 2).tolist() == [[[0, 0, 0]]]
    assert shifted(picture[:, :, None], 0, 0, 1)[0, 0, 0].tolist() == [[0, 0, 1], [3, 3, 4]]


def test_answers_that_look_at_one_place_change_and_means_do_not():
    class Corner(torch.nn.Module):
        def forward(self, x):
            return x[:, :1, 0, 0] - 0.5

    class Always(torch.nn.Module):
        def forward(self, x):
            return x.mean(dim=(1, 2, 3), keepdim=True)[:, :, 0, 0] * 0 + 1

    pictures = (torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    assert changes_under_shift(Always(), pictures, 2) == [0.0, 0.0]
    assert 0.1 < changes_under_shift(Corner(), pictures, 1)[0] < 0.4


@pytest.mark.parametrize("manner", MANNERS)
def test_every_manner_fits_small_pictures(manner):
    ledger = count(stride_network(Shape(3, (20, 24)), 3, manner, width=4))
    assert ledger.rows[-1].output_shape == Shape(3)
