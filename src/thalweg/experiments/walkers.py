"""Four optimizers that walk many points at once over a surface: every row is a run of its own, with its own rate.

The update rules are those of torch.optim to rounding (a test holds them against it); side by side in one array,
thousands of runs take as long as one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["OPTIMIZERS", "Walk", "walk"]

OPTIMIZERS = ("SGD", "SGD with momentum", "Adam", "perturbed SGD")
MOMENTUM, BETAS, EPS = 0.9, (0.9, 0.999), 1e-8
QUIET, MEMORY = 0.03, 0.98
"""Perturbed SGD (Jin et al. 2017) kicks where the gradient, averaged with this memory since single batches are noisy,
is below this share of the largest average seen."""
KICK, EVERY = 1e-2, 50
"""Length of a kick, and steps between two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Many runs.

    Args:
        losses: `(steps + 1, runs)`.
        path: `(kept, runs, parameters)`, where paths were asked for.
    """

    losses: np.ndarray
    path: np.ndarray


def walk(
    name: str,
    value: Callable[[np.ndarray], np.ndarray],
    gradient: Callable[[np.ndarray, int], np.ndarray],
    start: np.ndarray,
    rates: np.ndarray,
    *,
    steps: int,
    seed: int,
    keep_path: bool = False,
) -> Walk:
    """Walk all points for some steps.

    Args:
        name: One of `OPTIMIZERS`.
        value: The loss of every point, `(runs, parameters)` to `(runs,)`.
        gradient: The gradient of every point at a step, noise included.
        start: `(runs, parameters)`.
        rates: Learning rate of every run.
        steps: Steps to make.
        seed: Of the kicks.
        keep_path: Whether to keep where the points were.

    Returns:
        Losses after every step; a run that leaves all numbers is at infinity from then on.
    """
    points, rate = start.astype(np.float64).copy(), rates[:, None]
    first, second = np.zeros_like(points), np.zeros_like(points)
    largest, kicked = np.zeros(len(points)), np.full(len(points), -EVERY)
    random = np.random.default_rng((seed, 71))
    losses, path = [value(points)], [points.copy()]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, steps + 1):
            slope = gradient(points, step)
            if name == "Adam":
                first = BETAS[0] * first + (1 - BETAS[0]) * slope
                second = BETAS[1] * second + (1 - BETAS[1]) * slope**2
                move = first / (1 - BETAS[0] ** step) / (np.sqrt(second / (1 - BETAS[1] ** step)) + EPS)
            elif name == "SGD with momentum":
                first = MOMENTUM * first + slope
                move = first
            else:
                move = slope
            points = points - rate * move
            if name == "perturbed SGD":
                first = MEMORY * first + (1 - MEMORY) * slope
                length = np.sqrt((first**2).sum(axis=1)) / (1 - MEMORY**step)
                largest = np.maximum(largest, length)
                due = (length <= QUIET * largest) & (step - kicked >= EVERY)
                kick = random.standard_normal(points.shape)
                points[due] += (KICK * kick / np.sqrt((kick**2).sum(axis=1, keepdims=True)))[due]
                kicked[due] = step
            losses.append(np.nan_to_num(value(points), nan=np.inf))
            if keep_path:
                path.append(points.copy())
    return Walk(losses=np.stack(losses), path=np.stack(path))
