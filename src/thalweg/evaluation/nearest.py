"""Of several networks between a start and a trained one, the nearest to the start that is not known to be worse."""

import numpy as np

__all__ = ["losses_of", "nearest_as_good"]

_LEAST = 1e-12
"""Probabilities below this count as this: one sure and wrong answer does not decide alone."""


def losses_of(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The loss of each sample.

    Args:
        probabilities: `(N, K)`.
        labels: `(N,)`.

    Returns:
        Cross-entropies in nats, `(N,)`.

    Example:
        >>> losses_of(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1])).round(3).tolist()
        [0.693, -0.0]
    """
    sure: np.ndarray = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    losses: np.ndarray = -np.log(np.maximum(sure, _LEAST))
    return losses


def nearest_as_good(losses: np.ndarray) -> int:
    """Choose by the rule of one standard error (Breiman et al. 1984), on differences of the same samples.

        the last row whose mean exceeds the lowest mean by at most sd(differences) / sqrt(N)

    Args:
        losses: Of each network and sample, `(M, N)`, the farthest from the start first.

    Returns:
        The row.

    Example:
        >>> losses = np.array([[0.1, 0.2, 0.3, 0.2], [0.15, 0.1, 0.35, 0.22], [0.4, 0.5, 0.7, 0.5]])
        >>> nearest_as_good(losses)
        1
    """
    best = losses[int(np.argmin(losses.mean(axis=1)))]
    differences = losses - best
    errors = differences.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    return int(np.flatnonzero(differences.mean(axis=1) <= errors)[-1])
