import json
import pathlib

import jsonschema
import numpy as np
import pytest

from thalweg.accounting.ledger import count
from thalweg.core.errors import SourceError
from thalweg.core.shape import Shape
from thalweg.experiments.clips import FRAMES, SIDE, TASKS, clips
from thalweg.experiments.dimension_networks import WAYS, arranged, way_network, way_shape
from thalweg.experiments.lab import lab
from thalweg.experiments.labs import dimensions
from thalweg.rendering.pages.drawings import check_drawing

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(dimensions, "CLIPS", 16)
    monkeypatch.setattr(dimensions, "HELD_OUT", 8)
    monkeypatch.setattr(dimensions, "WIDTH", 1)
    monkeypatch.setattr(dimensions, "TIMING", 0.0)
    monkeypatch.setattr(dimensions, "QUICK", (0.5, 2))


def test_no_frame_of_a_moving_clip_tells_its_class():
    for task in ("motion", "moment"):
        values, labels = clips(task, 800, seed=3)
        means = [values[labels == label].mean(axis=(0, 2, 4)) for label in (0, 1)]
        assert np.abs(means[0] - means[1]).max() < 0.2, "the same places are as bright in both classes"
    values, labels = clips("motion", 200, seed=3)
    moved = np.roll(values[:, :-1], 1, axis=3)
    right = (moved * values[:, 1:]).mean(axis=(1, 2, 3, 4)) > (np.roll(moved, -2, axis=3) * values[:, 1:]).mean(axis=(1, 2, 3, 4))  # fmt: skip  # noqa: E501
    assert (right == labels).mean() > 0.95, "two frames together do"


def test_a_frame_of_a_shape_tells_its_class():
    values, labels = clips("shape", 400, seed=1)
    bright = np.sort(values[:, 0].reshape(400, -1), axis=1)[:, -9:].mean(axis=1)
    assert bright[labels == 0].mean() > bright[labels == 1].mean() + 0.15, (
        "a square has nine bright places, a cross five"
    )


@pytest.mark.parametrize("way", WAYS)
def test_every_way_reads_the_same_numbers(way):
    clip = Shape(2, (4, 8, 8))
    values = np.arange(3 * 4 * 8 * 8 * 2).reshape(3, 4, 8, 8, 2)
    laid = arranged(way, values)
    *extents, channels = laid.shape[1:]
    assert (channels, *extents) == way_shape(way, clip).as_tuple()
    assert sorted(laid[1].ravel().tolist()) == sorted(values[1].ravel().tolist())
    assert count(way_network(way, clip, 3, 4)).rows[-1].output_shape == Shape(3)


def test_stacked_frames_keep_time_apart_from_colour():
    values = np.zeros((1, 4, 8, 8, 2))
    values[0, 3, :, :, 1] = 5
    assert arranged("frames stacked", values)[0, 0, 0].tolist() == [0, 0, 0, 0, 0, 0, 0, 5]


def test_the_lab_on_its_own_clips(tiny):
    answer = lab("dimensions", quick=True, workers=1)
    told = json.loads(json.dumps({"schema": 1, **answer.to_json()}))
    jsonschema.validate(told, json.loads((SCHEMAS / "lab.json").read_text(encoding="utf-8")))
    assert len(answer.table.rows) == len(TASKS) * len(WAYS)
    assert len(answer.findings) == 4
    assert all(check_drawing(figure.svg) for figure in answer.figures)
    parameters = {int(row[3].replace(",", "")) for row in answer.table.rows[:4]}
    assert max(parameters) < 3 * min(parameters), "about equal parameters"
    assert (FRAMES, SIDE) == (8, 16)


def test_pictures_are_no_clips(photo_folder):
    with pytest.raises(SourceError, match=r"holds pictures.*clips or volumes|too small"):
        lab("dimensions", photo_folder, quick=True, workers=1)
