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
