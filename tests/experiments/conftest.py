import numpy as np
import pytest

from thalweg.experiments.data import LabData, LabPart


@pytest.fixture
def blue_and_red() -> LabData:
    """Pictures of 16x16, 48 to train on and 24 held out, bluish or reddish; as `lab_data` gives them."""
    random = np.random.default_rng(7)

    def part(number: int) -> LabPart:
        labels = np.arange(number, dtype=np.int64) % 2
        values = random.integers(40, 160, (number, 16, 16, 3))
        values[labels == 0, ..., 2] += 60
        values[labels == 1, ..., 0] += 60
        return LabPart(values=values.astype(np.uint8), labels=labels)

    return LabData(source="made", classes=("blue", "red"), train=part(48), test=part(24))


@pytest.fixture
def beats() -> LabData:
    """Signals of 64 steps with a bump early or late, as `lab_data` gives them."""
    return _measured((64,), early=16, late=44, reach=5)


@pytest.fixture
def boxes() -> LabData:
    """Volumes of 12 voxels a side with a bright layer above or below."""
    return _measured((12, 12, 12), early=3, late=8, reach=2)


def _measured(extents, *, early, late, reach):
    random = np.random.default_rng(5)

    def part(number):
        labels = np.arange(number, dtype=np.int64) % 2
        values = random.standard_normal((number, *extents, 1)).astype(np.float32)
        for row, label in zip(values, labels, strict=True):
            place = late if label else early
            row[place - reach : place + reach] += 2
        return LabPart(values=values, labels=labels)

    return LabData(source="made", classes=("early", "late"), train=part(48), test=part(24))
