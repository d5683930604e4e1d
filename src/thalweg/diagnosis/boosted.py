"""Sums of small decision trees, read from a text file and evaluated with numpy.

A tree asks at most a few questions of the kind "is this number at most that threshold?"; where the number is missing,
the question says which way to go. The answers of all trees are added up (Friedman 2001, "Greedy function approximation:
a gradient boosting machine"). Because every question also stores what was answered on average at that point, an answer
can be taken apart: what each question moved it by is credited to the feature it asked about (Saabas 2014).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Trees"]

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_LEAF = 1  # numbers in a leaf of the file: its value; a question has six


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Trees of one sum, side by side as arrays (tree, node).

    Args:
        start: What the sum begins with.
        feature: Which feature a node asks about; -1 in a leaf.
        threshold: At most this goes left.
        missing: The next node where the feature is missing.
        left: The next node on the left.
        right: The next node on the right.
        value: The answer in a leaf, the mean answer at a question.
        depth: Most questions a tree asks.
    """

    start: float
    feature: Whole
    threshold: Numbers
    missing: Whole
    left: Whole
    right: Whole
    value: Numbers
    depth: int

    @classmethod
    def read(cls, start: float, trees: Sequence[Sequence[Sequence[float]]]) -> "Trees":
        """Take trees as they stand in the file.

        Args:
            start: What the sum begins with.
            trees: Each a list of nodes: `[value]` for a leaf, `[value, feature, threshold, missing goes left (0 or 1),
                left node, right node]` for a question; the first node is the root.

        Returns:
            The trees.

        Example:
            >>> trees = Trees.read(0.5, [[[0.0, 0, 1.5, 1, 1, 2], [-1.0], [2.0]]])
            >>> trees.sum(np.array([3.0])), trees.sum(np.array([np.nan]))
            (2.5, -0.5)
        """
        size = (len(trees), max(len(tree) for tree in trees))
        feature, threshold, value = np.full(size, -1), np.zeros(size), np.zeros(size)
        missing, left, right = (np.tile(np.arange(size[1]), (size[0], 1)) for _ in range(3))
        deepest = 0
        for row, tree in enumerate(trees):
            depths = [0] * len(tree)
            for place, node in enumerate(tree):
                value[row, place] = node[0]
                if len(node) > _LEAF:
                    feature[row, place], threshold[row, place] = int(node[1]), node[2]
                    left[row, place], right[row, place] = int(node[4]), int(node[5])
                    missing[row, place] = int(node[4] if node[3] else node[5])
                    depths[int(node[4])] = depths[int(node[5])] = depths[place] + 1
            deepest = max(deepest, *depths)
        return cls(start=start, feature=feature, threshold=threshold, missing=missing, left=left, right=right,
                   value=value, depth=deepest)  # fmt: skip

    def sum(self, features: Numbers) -> float:
        """Add up the answers.

        Args:
            features: One number a feature; nan where it is missing.

        Returns:
            The sum, with its start.
        """
        rows, node = np.arange(len(self.value)), np.zeros(len(self.value), dtype=np.int64)
        for _ in range(self.depth):
            node = self._next(features, rows, node)
        return self.start + float(self.value[rows, node].sum())

    def credit(self, features: Numbers) -> Numbers:
        """Take the sum apart.

        Args:
            features: As for `sum`.

        Returns:
            What each feature moved the sum by.
        """
        credit = np.zeros(len(features))
        rows, node = np.arange(len(self.value)), np.zeros(len(self.value), dtype=np.int64)
        for _ in range(self.depth):
            after = self._next(features, rows, node)
            asked = self.feature[rows, node]
            moved = self.value[rows, after] - self.value[rows, node]
            np.add.at(credit, asked[asked >= 0], moved[asked >= 0])
            node = after
        return credit

    def _next(self, features: Numbers, rows: Whole, node: Whole) -> Whole:
        asked = self.feature[rows, node]
        found = features[asked]
        turned = np.where(found <= self.threshold[rows, node], self.left[rows, node], self.right[rows, node])
        turned = np.where(np.isnan(found), self.missing[rows, node], turned)
        return np.where(asked < 0, node, turned)
