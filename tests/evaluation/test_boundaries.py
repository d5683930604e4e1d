import numpy as np
import pytest

from thalweg.core.errors import PictureError
from thalweg.evaluation.boundaries import boundary_counts, boundary_f1, f1_of

VOID = 255


def slow_f1(said, truth, tolerance, number):
    """Every border pixel of one looks for one of the other, by distance."""

    def borders(labels):
        found = []
        for row, column in np.ndindex(labels.shape):
            if labels[row, column] != number or truth[row, column] == VOID:
                continue
            for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                other = (row + down, column + right)
                inside = 0 <= other[0] < labels.shape[0] and 0 <= other[1] < labels.shape[1]
                if inside and truth[other] != VOID and labels[other] != number:
                    found.append((row, column))
                    break
        return found

    drawn, true = borders(said), borders(truth)

    def met(own, other):
        return sum(any((a - c) ** 2 + (b - d) ** 2 <= tolerance**2 for c, d in other) for a, b in own)

    if not drawn and not true:
        return np.nan
    if not drawn or not true or not met(drawn, true) or not met(true, drawn):
        return 0.0
    precision, recall = met(drawn, true) / len(drawn), met(true, drawn) / len(true)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("tolerance", [0, 1, 1.5, 3])
def test_it_equals_its_slow_twin(tolerance):
    chance = np.random.default_rng(7)
    for _ in range(4):
        truth = chance.integers(0, 3, (4, 5)).repeat(4, 0).repeat(4, 1)
        said = np.roll(truth, chance.integers(0, 3, 2), (0, 1))
        truth = np.where(chance.random(truth.shape) < 0.05, VOID, truth)
        slow = [slow_f1(said, truth, tolerance, number) for number in range(4)]
        assert boundary_f1(said, truth, tolerance, 4) == pytest.approx(slow, nan_ok=True)


def test_an_edge_one_pixel_off_is_right_within_one_pixel_only():
    truth = np.zeros((8, 8), int)
    truth[:, 4:] = 1
    said = np.roll(truth, 3, 1)
    said[:, :3] = 0
    assert boundary_f1(truth, truth, 0).tolist() == [1.0, 1.0]
    assert boundary_f1(said, truth, 2.9).tolist() == [0.0, 0.0]
    assert boundary_f1(said, truth, 3).tolist() == [1.0, 1.0]


def test_counts_of_pictures_add_up():
    chance = np.random.default_rng(1)
    pairs = [(chance.integers(0, 2, (9, 9)), chance.integers(0, 2, (9, 9))) for _ in range(3)]
    total = sum(boundary_counts(*pair, 1, 2) for pair in pairs)
    wide = [np.hstack([np.pad(pair[which], ((0, 0), (0, 3)), constant_values=0) for pair in pairs]) for which in (0, 1)]
    wide[1][:, [column for column in range(36) if column % 12 > 8]] = (
        VOID  # void between them: no border, and too wide to reach over
    )
    assert (boundary_counts(*wide, 1, 2) == total).all()
    assert f1_of(total).shape == (2,)


def test_wrong_arguments_are_refused():
    with pytest.raises(PictureError, match="one size"):
        boundary_counts(np.zeros((2, 2)), np.zeros((2, 3)), 1, 2)
    with pytest.raises(PictureError, match="tolerance"):
        boundary_counts(np.zeros((2, 2)), np.zeros((2, 2)), -1, 2)
