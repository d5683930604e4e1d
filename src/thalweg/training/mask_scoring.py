"""Forward passes over pictures whose every pixel has a class: confusions a picture, loss and accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from thalweg.core.masks import VOID
from thalweg.training.device import Device
from thalweg.training.loss import cross_entropy
from thalweg.training.ranks import ALONE, Ranks
from thalweg.training.scoring import BatchSource, keep_company, own_batches, score, without_gradients
from thalweg.training.within_memory import answer_within_memory

__all__ = ["MaskScores", "confusions_of", "score_masks"]


@dataclass(frozen=True, slots=True)
class MaskScores:
    """What a network says about a split of pictures with masks, at the size they are trained at.

    Args:
        confusions: int64 `(N, K, K)`, pixels of each true class (rows) that got each answer (columns).
        loss: Mean cross-entropy of a pixel that has a class, in nats.
    """

    confusions: np.ndarray
    loss: float

    @property
    def accuracy(self) -> float:
        """Share of right pixels."""
        total = self.confusions.sum()
        return float(np.trace(self.confusions.sum(axis=0)) / total) if total else 0.0

    @property
    def quality(self) -> float:
        """Mean over the classes that occur of intersection over union."""
        whole = self.confusions.sum(axis=0)
        inside = np.diag(whole)
        union = whole.sum(axis=0) + whole.sum(axis=1) - inside
        there = whole.sum(axis=1) > 0
        return float(np.mean(inside[there] / union[there])) if there.any() else 0.0

    @property
    def further(self) -> Mapping[str, float]:
        """Columns of `history.csv` besides loss and accuracy."""
        return {"val_mean_iou": self.quality}


def confusions_of(answers: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Count which class got which answer, in each picture.

    Args:
        answers: int64 `(N, H, W)`.
        labels: int64 `(N, H, W)`, 255 where there is no class.
        classes: Number of classes.

    Returns:
        int64 `(N, classes, classes)`, rows true.

    Example:
        >>> confusions_of(torch.tensor([[[0, 1]]]), torch.tensor([[[1, 255]]]), 2).tolist()
        [[[0, 0], [1, 0]]]
    """
    counted = []
    for answer, label in zip(answers, labels, strict=True):
        known = label != VOID
        pairs = label[known] * classes + answer[known]
        counted.append(torch.bincount(pairs, minlength=classes**2).reshape(classes, classes))
    return torch.stack(counted)


def score_masks(
    module: torch.nn.Module, batches: BatchSource, device: Device, *, side: int | None = None, ranks: Ranks = ALONE
) -> MaskScores:
    """Run a network over a split in evaluation mode.

    Args:
        module: The network, giving logits `(N, K, H, W)`; its mode is restored.
        batches: The split.
        device: Where to compute.
        side: Longer side to scale the pictures to, in pixels; None keeps the cached size.
        ranks: With whom the split is shared; all get the same answer, that of one process.

    Returns:
        Confusions and loss.
    """
    mode = module.training
    module.eval()
    counted, losses, pixels = [], [], 0
    with without_gradients(module):
        for batch in own_batches(batches, side, ranks):
            labels = batch.labels.to(device.kind)
            logits = answer_within_memory(module, batch.pixels, device)
            known = int((labels != VOID).sum())
            losses.append(float(cross_entropy(logits, labels)) * known)
            pixels += known
            counted.append(confusions_of(score(logits), labels, logits.shape[1]).cpu())
        keep_company(module, batches, device, side=side, ranks=ranks)
    module.train(mode)
    own = {"losses": torch.tensor(losses, dtype=torch.float64), "pixels": torch.tensor([pixels])}
    found = ranks.gather(own | ({"counted": torch.cat(counted)} if counted else {}))
    loss = sum(float(value) for each in found for value in each["losses"])  # in the order of one process
    counts = torch.cat([each["counted"] for each in found if "counted" in each])
    return MaskScores(counts.numpy(), loss / max(1, sum(int(each["pixels"]) for each in found)))
