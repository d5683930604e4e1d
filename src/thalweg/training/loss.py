"""The losses of a classifier, from logits: binary cross-entropy for two classes, cross-entropy for more.

Where every pixel has a class, the cross-entropy is the mean over the pixels that have one; void counts for nothing.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional

from thalweg.core.masks import VOID

__all__ = ["class_weights", "cross_entropy", "objective", "overlap_loss", "pixel_weights", "probabilities"]

_HEAVIEST = 10.0
_EVERY = 2


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


def objective(
    logits: torch.Tensor,
    labels: torch.Tensor,
    *,
    weights: torch.Tensor | None = None,
    smoothing: float = 0.0,
    overlap: float = 0.0,
) -> torch.Tensor:
    """What a run minimises: the cross-entropy, and of pixels a share of the overlap loss beside it.

    Args:
        logits: As `cross_entropy` takes them.
        labels: The same.
        weights: Weight a class in the cross-entropy.
        smoothing: Of its target.
        overlap: Weight of `overlap_loss`; only where every pixel has a class.

    Returns:
        A scalar.
    """
    loss = cross_entropy(logits, labels, weights=weights, smoothing=smoothing)
    return loss + overlap * overlap_loss(logits, labels) if overlap and labels.ndim > 1 else loss


def overlap_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The Lovász-softmax loss: one less the intersection over union, made differentiable.

    For each class, errors e = |[label is the class] - probability| are sorted, and each weighs by what the Jaccard
    index loses when its pixel is added to the wrong ones. A pole of a hundred pixels counts as much as the road, which
    is what the mean intersection over union asks for. Every picture has a loss of its own, the mean over the classes it
    shows; pictures weigh by their known pixels, so that pieces and ranks add up to the batch. Sorting is dear: every
    second pixel each way is looked at, and beginning at another one would give the same in the mean.

    Args:
        logits: `(N, K, H, W)`.
        labels: int64 `(N, H, W)`, 255 where there is no class.

    Returns:
        A scalar, 0 to 1.

    References:
        M. Berman, A. Rannen Triki, M. Blaschko, The Lovász-softmax loss, CVPR 2018.

    Example:
        >>> labels = torch.tensor([[[0, 1], [1, 1]]]).repeat_interleave(2, 1).repeat_interleave(2, 2)
        >>> sure = 50 * functional.one_hot(labels, 2).permute(0, 3, 1, 2).float()
        >>> [round(float(overlap_loss(logits, labels)), 6) for logits in (sure, -sure)]
        [0.0, 1.0]
    """
    shares = torch.softmax(logits[:, :, ::_EVERY, ::_EVERY].float(), dim=1).flatten(2)
    seen = labels[:, ::_EVERY, ::_EVERY].flatten(1)
    whole = (labels != VOID).flatten(1).sum(1)
    total = logits.new_zeros((), dtype=torch.float32)
    for share, label, pixels in zip(shares, seen, whole, strict=True):
        known = label != VOID
        if not bool(known.any()):
            continue
        truth = functional.one_hot(label[known], share.shape[0]).T.float()
        there = truth.any(1)
        total = total + pixels * _lovasz((truth - share[:, known]).abs()[there], truth[there]).mean()
    return total / whole.sum().clamp(min=1)


def _lovasz(errors: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The extension at each class's errors; both `(classes, pixels)`."""
    errors, order = errors.sort(dim=1, descending=True)
    hit = truth.gather(1, order)
    count = hit.sum(1, keepdim=True)
    jaccard = 1 - (count - hit.cumsum(1)) / (count + (1 - hit).cumsum(1))
    return (errors * jaccard.diff(dim=1, prepend=torch.zeros_like(count))).sum(1)


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
