"""The places that `lab saddle` starts from: a strict saddle in the plane, and a network whose units are identical.

    plane    f(x, y) = x^2 / 2 + b (y^4 / 4 - y^2 / 2),   saddle at 0, minima at y = -1 and 1

straight or turned by 45 degrees, so that an optimizer that scales every coordinate by itself cannot profit from the
axes. The network is a student of four tanh units that starts with four copies of one, and a teacher of four different
ones: as long as the copies are equal it can only learn what one unit could. Nothing that treats equal units equally
ever parts them, so the distance from the saddle is how much they differ at the start.
"""

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["INPUTS", "SAMPLES", "UNITS", "Plane", "Student"]

SAMPLES, INPUTS, UNITS = 128, 8, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A strict saddle in the plane.

    Args:
        bend: b, how strongly it bends down.
        turned: Whether it is turned by 45 degrees.
    """

    bend: float
    turned: bool

    @property
    def name(self) -> str:
        """What to call it."""
        return f"plane, bends down {self.bend:g}, {'turned' if self.turned else 'along the axes'}"

    @property
    def escaped_below(self) -> float:
        """Half of the way down counts as escaped."""
        return -self.bend / 8

    def start(self, distances: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Start beside the ridge.

        Args:
            distances: Distance from the way into the saddle, one a run.
            random: Not needed: every start is the same.

        Returns:
            `(runs, 2)`.
        """
        del random
        return self._turn(np.stack((np.ones_like(distances), distances), axis=1), back=True)

    def value(self, points: np.ndarray) -> np.ndarray:
        """The loss.

        Args:
            points: `(runs, 2)`.

        Returns:
            `(runs,)`.
        """
        x, y = self._turn(points).T
        return np.asarray(x**2 / 2 + self.bend * (y**4 / 4 - y**2 / 2))

    def gradient(self, points: np.ndarray) -> np.ndarray:
        """The gradient.

        Args:
            points: `(runs, 2)`.

        Returns:
            `(runs, 2)`.
        """
        x, y = self._turn(points).T
        return self._turn(np.stack((x, self.bend * (y**3 - y)), axis=1), back=True)

    def _turn(self, points: np.ndarray, *, back: bool = False) -> np.ndarray:
        if not self.turned:
            return points
        c = math.sqrt(0.5)
        matrix = np.array([[c, c], [-c, c]])
        return np.asarray(points @ (matrix if back else matrix.T))


class Student:
    """A network of identical units beside a teacher of different ones.

    Args:
        seed: Of teacher, data and the copied unit.
    """

    name = "network of identical units"

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng((seed, 3))
        self.inputs = random.standard_normal((SAMPLES, INPUTS))
        teacher = 1.5 * random.standard_normal((INPUTS, UNITS)) / math.sqrt(INPUTS)
        self.targets = np.tanh(self.inputs @ teacher) @ np.array([1.0, -1.0, 1.0, -1.0])
        unit = 0.3 * random.standard_normal((INPUTS, 1))
        self.copies = np.concatenate([np.repeat(unit, UNITS, axis=1).ravel(), np.full(UNITS, 0.3)])

    def start(self, distances: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Start with copies that differ a little.

        Args:
            distances: Standard deviation of the difference, one a run.
            random: Draws it.

        Returns:
            `(runs, parameters)`.
        """
        return self.copies + distances[:, None] * random.standard_normal((len(distances), len(self.copies)))

    def value(self, points: np.ndarray) -> np.ndarray:
        """Half the mean squared error on all samples.

        Args:
            points: `(runs, parameters)`.

        Returns:
            `(runs,)`.
        """
        return np.asarray(((self._run(points, self.inputs)[1] - self.targets) ** 2).mean(axis=1) / 2)

    def gradient(self, points: np.ndarray, chosen: slice | np.ndarray = slice(None)) -> np.ndarray:
        """The gradient on some samples.

        Args:
            points: `(runs, parameters)`.
            chosen: Which samples.

        Returns:
            `(runs, parameters)`.
        """
        inputs, targets = self.inputs[chosen], self.targets[chosen]
        hidden, answers = self._run(points, inputs)
        error = (answers - targets) / len(inputs)
        second = np.matmul(hidden.transpose(0, 2, 1), error[:, :, None])[:, :, 0]
        slope = error[:, :, None] * points[:, None, -UNITS:] * (1 - hidden**2)
        return np.concatenate([np.matmul(inputs.T, slope).reshape(len(points), -1), second], axis=1)

    @staticmethod
    def _run(points: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = points[:, : INPUTS * UNITS].reshape(-1, INPUTS, UNITS)
        hidden = np.tanh(np.matmul(inputs, first))
        return hidden, np.matmul(hidden, points[:, -UNITS:, None])[:, :, 0]
