"""The losses of a classifier, from logits: binary cross-entropy for two classes, cross-entropy for more."""

from collections.abc import Sequence

import torch
from torch.nn import functional

__all__ = ["class_weights", "cross_entropy", "probabilities"]


def class_weights(counts: Sequence[int], choice: str) -> tuple[float, ...] | None:
    """Weights that make every class count the same.

        w_k = N / (K n_k)

    Args:
        counts: Training files a class.
        choice: `auto` (only when the largest class has at least three times the smallest), `balanced` or `none`.

    Returns:
        One weight a class, with mean 1 over the files; None for equal weights.

    Example:
        >>> class_weights((300, 100), "auto")
        (0.6666666666666666, 2.0)
        >>> class_weights((300, 200), "auto") is None
        True
    """
    if choice == "none" or (choice == "auto" and max(counts) < 3 * min(counts)):
        return None
    total = sum(counts)
    return tuple(total / (len(counts) * max(1, count)) for count in counts)


def cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, *, weights: torch.Tensor | None = None, smoothing: float = 0.0
) -> torch.Tensor:
    """Mean cross-entropy of a batch, in nats.

    One logit a sample stands for two classes: it is log p(1)/p(0), and the loss is the binary cross-entropy.

    Args:
        logits: `(N, 1)` or `(N, K)`.
        labels: int64 `(N,)`.
        weights: Weight a class, `(K,)`; samples are weighted, the mean is over samples.
        smoothing: Share of the target spread evenly over all classes (Szegedy et al. 2015).

    Returns:
        A scalar.
    """
    logits = logits.float()
    if logits.shape[1] == 1:
        target = labels.to(logits.dtype) * (1 - smoothing) + smoothing / 2
        losses = functional.binary_cross_entropy_with_logits(logits[:, 0], target, reduction="none")
    else:
        losses = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    if weights is not None:
        losses = losses * weights[labels]
    return losses.mean()


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Probability of every class.

    Args:
        logits: `(N, 1)` for two classes, or `(N, K)`.

    Returns:
        float32 `(N, K)`; rows sum to 1.

    Example:
        >>> probabilities(torch.zeros(1, 1)).tolist()
        [[0.5, 0.5]]
    """
    logits = logits.float()
    if logits.shape[1] == 1:
        second = torch.sigmoid(logits)
        return torch.cat((1 - second, second), dim=1)
    return torch.softmax(logits, dim=1)
