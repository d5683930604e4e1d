"""Logistic regressions read from a text file: a probability from a weighted sum of few numbers."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Logistic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """One regression.

    Args:
        weights: Weight of every number it asks for.
        intercept: What the sum begins with.
    """

    weights: Mapping[str, float]
    intercept: float

    @classmethod
    @cache
    def named(cls, name: str) -> "Logistic":
        """Read a regression that ships with the package.

        Args:
            name: Its key in `curve_models.json`, such as `overfitting_loss`.

        Returns:
            The regression.
        """
        text = files("thalweg.diagnosis").joinpath("curve_models.json").read_text(encoding="utf-8")
        entry = json.loads(text)[name]
        return cls(weights=entry["weights"], intercept=entry["intercept"])

    def probability(self, found: Mapping[str, float]) -> float:
        """Evaluate it.

        Args:
            found: The numbers it asks for, by name.

        Returns:
            A probability.

        Example:
            >>> Logistic(weights={"x": 2.0}, intercept=-1.0).probability({"x": 0.5})
            0.5
        """
        score = self.intercept + sum(weight * found[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-min(max(score, -40.0), 40.0)))
