"""What is missed is counted by size and by place, and confidence against being right."""

import math

import numpy as np
import pytest

from thalweg.core.errors import PictureError
from thalweg.evaluation.mask_tally import PixelTally


def sure(answer, confidence, classes=3):
    """Probabilities with that answer, so sure, and the rest spread."""
    shares = np.full((classes, *answer.shape), (1 - confidence) / (classes - 1))
    np.put_along_axis(shares, answer[None], confidence, axis=0)
    return shares


def test_objects_are_counted_by_size_and_missed_ones_are_not_found():
    truth = np.zeros((100, 100), np.uint8)
    truth[10:12, 10:13] = 1  # 6 pixels: under 0.1 %
    truth[50:55, 50:55] = 1  # 25 pixels: 0.25 %
    truth[70:90, 70:90] = 1  # 400 pixels: 4 %
    truth[95, 95] = 1  # a crumb, which is no object
    answer = truth.astype(np.int64)
    answer[10:12, 10:13] = 0
    answer[70:90, 70:81] = 0  # 55 % of it
    tally = PixelTally(("road", "car", "sky"))
    tally.add(sure(answer, 0.8), truth)
    road, car, sky = tally.result().classes
    assert car.objects == (1, 1, 1)
    assert car.found == (0, 1, 0)
    assert road.objects == (0, 0, 1)
    assert sum(sky.objects) == 0
    assert math.isnan(sky.precision)
    assert car.precision == 1
    assert car.confidence == pytest.approx(0.8)
    assert car.calibration_error == pytest.approx(0.2)


def test_places_are_told_apart_and_void_counts_for_nothing():
    truth = np.zeros((60, 60), np.uint8)
    truth[:, :20] = 255
    answer = np.zeros((60, 60), np.int64)
    answer[:6, 50:] = 1  # wrong in a corner
    tally = PixelTally(("road", "car"))
    tally.add(sure(answer, 0.9, classes=2), truth)
    result = tally.result()
    road = result.classes[0]
    assert sum(road.pixels) == 60 * 40
    assert road.recall[0] == road.recall[1] == 1
    assert road.recall[2] < 1
    assert result.risk_coverage.risk[-1] == pytest.approx(60 / 2400)


def test_nothing_counted_is_said():
    tally = PixelTally(("road", "car"))
    tally.add(np.full((2, 4, 4), 0.5), np.full((4, 4), 255, np.uint8))
    with pytest.raises(PictureError, match="no pixel has a class"):
        tally.result()
