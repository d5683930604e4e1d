"""What a few hundred held-out files can tell of two networks, by their losses on the same files."""

import numpy as np

__all__ = ["is_known_worse", "losses_of", "nearest_as_good"]

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


def is_known_worse(losses: np.ndarray, others: np.ndarray, *, errors: float = 2.0) -> bool:
    """Say whether a network's loss is higher than another's by more than chance gives.

        mean(differences) > errors * sd(differences) / sqrt(N)

    Args:
        losses: Of the network, one a sample.
        others: Of the other one, on the same samples.
        errors: So many standard errors; two leave about one in forty to chance.

    Returns:
        Whether it is; never where there are fewer than two samples, always where its mean loss is no number.

    Example:
        >>> here, there = np.array([0.5, 0.6, 0.4, 0.5]), np.array([0.1, 0.2, 0.1, 0.3])
        >>> is_known_worse(here, there), is_known_worse(there, here)
        (True, False)
    """
    if not np.isfinite(losses).all():
        return True
    if len(losses) < 2:  # noqa: PLR2004 - of one there is no spread
        return False
    differences = losses - others
    return bool(differences.mean() > errors * differences.std(ddof=1) / np.sqrt(len(differences)))


def nearest_as_good(losses: np.ndarray, *, errors: float = 1.0) -> int:
    """Of several networks between a start and a trained one, choose the nearest to the start that is as good.

    By the rule of one standard error (Breiman et al. 1984), on differences of the same samples.

        the last row whose mean exceeds the lowest mean by at most errors * sd(differences) / sqrt(N)

    Args:
        losses: Of each network and sample, `(M, N)`, the farthest from the start first.
        errors: So many standard errors.

    Returns:
        The row.

    Example:
        >>> losses = np.array([[0.1, 0.2, 0.3, 0.2], [0.15, 0.1, 0.35, 0.22], [0.4, 0.5, 0.7, 0.5]])
        >>> nearest_as_good(losses)
        1
    """
    best = losses[int(np.argmin(losses.mean(axis=1)))]
    differences = losses - best
    spread = differences.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    return int(np.flatnonzero(differences.mean(axis=1) <= errors * spread)[-1])
