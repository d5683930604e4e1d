"""Connected regions, held against a flood fill that anybody can read."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thalweg.evaluation.objects import connected_regions


def flooded(labels):
    """The slow twin: one region after the other, from its first pixel on."""
    found, number = np.full(labels.shape, -1), 0
    for start in np.ndindex(labels.shape):
        if found[start] >= 0:
            continue
        waiting = [start]
        while waiting:
            row, column = waiting.pop()
            inside = 0 <= row < labels.shape[0] and 0 <= column < labels.shape[1]
            if inside and found[row, column] < 0 and labels[row, column] == labels[start]:
                found[row, column] = number
                waiting += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
        number += 1
    return found


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2)))
def test_regions_are_those_of_a_flood(labels):
    assert connected_regions(labels).tolist() == flooded(labels).tolist()


def test_a_spiral_is_one_region():
    labels = np.zeros((9, 9), np.uint8)
    labels[0, :] = labels[:, 8] = labels[8, :] = labels[2:, 0] = labels[2, :7] = labels[2:7, 6] = labels[6, 2:7] = 1
    assert len(np.unique(connected_regions(labels)[labels == 1])) == 1
