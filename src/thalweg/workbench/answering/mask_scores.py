"""A segmenter scored at the masks' own size: its logits are enlarged to each mask, then every pixel is compared.

Scores at the small size of training would flatter: thin things that vanish when a mask is shrunk cannot be missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from thalweg.core.errors import PictureError, RunError
from thalweg.core.files import printable
from thalweg.core.mask_safety import MaskSafety
from thalweg.core.masks import VOID
from thalweg.core.segmentation import SegmentationEvaluation
from thalweg.data.batching.batches import Batches
from thalweg.data.masks.decode import read_mask
from thalweg.evaluation.mask_tally import PixelTally
from thalweg.evaluation.segmentation import confusion_of, evaluate_segmentation, overlaps
from thalweg.training.device import Device
from thalweg.training.within_memory import answer_within_memory
from thalweg.workbench.answering.predictions import csv_line
from thalweg.workbench.loading.loaded import Loaded
from thalweg.workbench.telling.telling import Listener

__all__ = ["ScoredPictures", "enlarged", "score_pictures"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredPictures:
    """A split of pictures with masks, scored.

    Args:
        evaluation: Scores of the split.
        safety: What is missed, and how far confidence can be believed.
        confusions: int64 `(pictures, classes, classes)` at the masks' own size.
        answers: uint8 `(pictures, height, width)` at the size of training, for the report.
        indices: Position of each picture among the loaded ones.
        majority_accuracy: Share of pixels of the class with the most training pixels.
    """

    evaluation: SegmentationEvaluation
    safety: MaskSafety
    confusions: np.ndarray
    answers: np.ndarray
    indices: tuple[int, ...]
    majority_accuracy: float

    def fields(self) -> dict[str, object]:
        """Fields of `TrainResult`.

        Returns:
            Those that scores decide.
        """
        whole = self.confusions.sum(axis=0)
        there = whole.sum(axis=1) > 0
        recalls = np.diag(whole)[there] / whole.sum(axis=1)[there]
        return {
            "accuracy": self.evaluation.pixel_accuracy,
            "accuracy_interval": self.evaluation.pixel_accuracy_interval,
            "pixel_accuracy": self.evaluation.pixel_accuracy,
            "mean_iou": self.evaluation.mean_iou,
            "mean_iou_interval": self.evaluation.mean_iou_interval,
            "iou": dict(self.evaluation.iou),
            "majority_accuracy": self.majority_accuracy,
            "balanced_accuracy": float(recalls.mean()),
            "calibration_error": self.safety.calibration_error,
        }

    def to_csv(self, loaded: Loaded, classes: Sequence[str]) -> str:
        """Write `pictures.csv`: a row a picture, worst pictures are found by sorting it.

        Args:
            loaded: The pictures.
            classes: Class names in index order.

        Returns:
            The file's text: picture, mask, share of right pixels, mean IoU of the classes it shows, IoU a class.
        """
        lines = [csv_line(("file", "mask", "pixels", "accuracy", "mean_iou", *(f"iou_{name}" for name in classes)))]
        for index, confusion in zip(self.indices, self.confusions, strict=True):
            total, iou = confusion.sum(), overlaps(confusion)
            there = confusion.sum(axis=1) > 0
            numbers = (np.trace(confusion) / max(1, total), iou[there].mean() if there.any() else np.nan, *iou)
            cells = ["" if np.isnan(number) else format(float(number), ".6g") for number in numbers]
            sample = loaded.samples[index]
            lines.append(csv_line((sample.file, sample.mask, str(int(total)), *cells)))
        return "".join(lines)


def enlarged(logits: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Bring logits to another size and make probabilities of them.

    Args:
        logits: `(K, h, w)`.
        size: Height and width.

    Returns:
        float32 `(K, height, width)`; classes sum to 1.
    """
    if tuple(logits.shape[1:]) != size:
        logits = functional.interpolate(logits[None].float(), size=size, mode="bilinear", align_corners=False)[0]
    return torch.softmax(logits.float(), dim=0)


@torch.inference_mode()
def score_pictures(
    module: torch.nn.Module,
    loaded: Loaded,
    indices: Sequence[int],
    device: Device,
    *,
    classes: Sequence[str],
    split: str,
    majority: int,
    batch_size: int,
    translation: np.ndarray | None = None,
    listener: Listener | None = None,
) -> ScoredPictures:
    """Run a segmenter over pictures and compare it with their masks, each at its own size.

    Args:
        module: The network, giving logits; its mode is restored.
        loaded: Pictures with masks.
        indices: Which of them.
        device: Where to compute.
        classes: The network's classes.
        split: What is scored.
        majority: The class with the most training pixels.
        batch_size: Pictures at a time.
        translation: The network's class, or 255, by the source's; None where they are the same.
        listener: Told how many are done.

    Returns:
        The scores.

    Raises:
        RunError: A mask has gone or changed since it was read.
    """
    assert loaded.masks is not None and loaded.scan.masks is not None  # noqa: S101, PT018 - there are masks
    chosen = np.asarray(indices, np.int64)
    batches = Batches(
        loaded.pictures.pixels,
        loaded.rows[chosen],
        chosen,
        batch_size=batch_size,
        masks=loaded.masks.pixels,
        mask_rows=chosen,
        device=device.batches,
    )
    tally = PixelTally(classes)
    counted: list[np.ndarray] = []
    answers = np.zeros((len(chosen), *loaded.masks.pixels.shape[1:]), np.uint8)
    void, mode = 0, module.training
    module.eval()
    for batch in batches.epoch(0):
        logits = answer_within_memory(module, batch.pixels, device).float().cpu()
        answers[batch.indices] = logits.argmax(dim=1).byte().numpy()
        for position, single in zip(batch.indices, logits, strict=True):
            sample = loaded.samples[chosen[position]]
            try:
                truth, _ = read_mask(loaded.scan.root / sample.mask, loaded.scan.masks)
            except PictureError as error:
                raise RunError(f"{printable(sample.mask)} could be read before and cannot now: {error}") from None
            truth = truth if translation is None else translation[truth]
            shares = enlarged(single, (truth.shape[0], truth.shape[1]))
            counted.append(confusion_of(shares.argmax(dim=0).numpy(), truth, len(classes)))
            tally.add(shares.numpy(), truth)
            void += int((truth == VOID).sum())
        if listener is not None:
            listener.count("pictures scored", len(counted), len(chosen))
    module.train(mode)
    confusions = np.stack(counted)
    real = confusions.sum(axis=(0, 2))
    return ScoredPictures(
        evaluation=evaluate_segmentation(confusions, classes, split=split, void_pixels=void),
        safety=tally.result(),
        confusions=confusions,
        answers=answers,
        indices=tuple(int(index) for index in chosen),
        majority_accuracy=float(real[majority] / real.sum()),
    )
