import numpy as np
import pytest

from thalweg.diagnosis.boosted import Trees

DEEP = [
    [0.1, 0, 1.0, 1, 1, 2],
    [0.3, 1, -1.0, 0, 3, 4],
    [-0.2],
    [0.5],
    [0.7],
]


def slow(tree: list[list[float]], row: np.ndarray) -> float:
    node = tree[0]
    while len(node) > 1:
        value = row[int(node[1])]
        left = bool(node[3]) if np.isnan(value) else value <= node[2]
        node = tree[int(node[4] if left else node[5])]
    return node[0]


@pytest.mark.parametrize("row", [(0, 0), (0, -2), (2, 0), (np.nan, np.nan), (1.0, -1.0), (np.nan, -5)])
def test_the_sum_is_that_of_walking_every_tree(row: tuple[float, float]) -> None:
    values = np.array(row, dtype=float)
    trees = Trees.read(0.25, [DEEP, [[2.0]], [[0.0, 1, 0.0, 1, 1, 2], [-1.0], [1.0]]])
    expected = 0.25 + slow(DEEP, values) + 2.0 + slow([[0.0, 1, 0.0, 1, 1, 2], [-1.0], [1.0]], values)
    assert trees.sum(values) == pytest.approx(expected)


def test_credit_adds_up_to_what_moved_the_sum() -> None:
    trees = Trees.read(0.0, [DEEP])
    row = np.array([0.0, 0.0])
    credit = trees.credit(row)
    assert credit.tolist() == pytest.approx([0.2, 0.4])
    assert 0.1 + credit.sum() == pytest.approx(trees.sum(row))
