"""The losses of a classifier, from logits: binary cross-entropy for two classes, cross-entropy for more.

Where every pixel has a class, the cross-entropy is the mean over the pixels that have one; void counts for nothing.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional

from thalweg.core.masks import VOID

__all__ = ["class_weights", "cross_entropy", "pixel_weights", "probabilities"]

_HEAVIEST = 10.0


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


def pixel_weights(pixels: Sequence[int], choice: str) -> tuple[float, ...] | None:
    """Weights of classes of pixels, whose frequencies differ a hundredfold.

        w_k = sqrt(median n / n_k) for `auto`,   median n / n_k for `balanced`,   at most 10, then scaled so that a
        training pixel weighs 1 on average

    The root is a middle way: without weights thin and rare things are given up, with the full ones (Eigen and Fergus
    2015, used by SegNet) everything near a pole becomes pole.

    Args:
        pixels: Training pixels a class.
        choice: `auto`, `balanced` or `none`.

    Returns:
        One weight a class; a class without pixels gets 1. None for equal weights.

    Example:
        >>> [round(weight, 3) for weight in pixel_weights((900, 100), "auto")]
        [0.833, 2.5]
    """
    if choice == "none":
        return None
    filled = sorted(count for count in pixels if count)
    if not filled:
        return None
    median = filled[len(filled) // 2]
    power = 1.0 if choice == "balanced" else 0.5
    raw = [min(_HEAVIEST, (median / count) ** power) if count else 1.0 for count in pixels]
    mean = sum(weight * count for weight, count in zip(raw, pixels, strict=True)) / sum(pixels)
    return tuple(weight / mean if count else 1.0 for weight, count in zip(raw, pixels, strict=True))


def cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, *, weights: torch.Tensor | None = None, smoothing: float = 0.0
) -> torch.Tensor:
    """Mean cross-entropy of a batch, in nats.

    One logit a sample stands for two classes: it is log p(1)/p(0), and the loss is the binary cross-entropy.

    Args:
        logits: `(N, 1)` or `(N, K)`, or `(N, K, H, W)`.
        labels: int64 `(N,)`, or `(N, H, W)` with 255 where there is no class.
        weights: Weight a class, `(K,)`; samples are weighted, the mean is over samples (or pixels).
        smoothing: Share of the target spread evenly over all classes (Szegedy et al. 2015).

    Returns:
        A scalar.
    """
    logits = logits.float()
    if labels.ndim > 1:
        return _of_pixels(logits, labels, weights, smoothing)
    if logits.shape[1] == 1:
        target = labels.to(logits.dtype) * (1 - smoothing) + smoothing / 2
        losses = functional.binary_cross_entropy_with_logits(logits[:, 0], target, reduction="none")
    else:
        losses = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    if weights is not None:
        losses = losses * weights[labels]
    return losses.mean()


def _of_pixels(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None, smoothing: float
) -> torch.Tensor:
    losses = functional.cross_entropy(logits, labels, reduction="none", ignore_index=VOID, label_smoothing=smoothing)
    known = (labels != VOID).sum().clamp(min=1)
    if weights is not None:
        losses = losses * weights[labels.clamp(max=len(weights) - 1)]
    return losses.sum() / known


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Probability of every class.

    Args:
        logits: `(N, 1)` for two classes, `(N, K)`, or `(N, K, H, W)`.

    Returns:
        float32 `(N, K)`, or `(N, K, H, W)`; classes sum to 1.

    Example:
        >>> probabilities(torch.zeros(1, 1)).tolist()
        [[0.5, 0.5]]
    """
    logits = logits.float()
    if logits.shape[1] == 1:
        second = torch.sigmoid(logits)
        return torch.cat((1 - second, second), dim=1)
    return torch.softmax(logits, dim=1)
