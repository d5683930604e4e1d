"""The loss of a detector, which programs print in its parts: `box_loss`, `cls_loss`, `dfl_loss`.

`cls_loss` alone is the loss of a classifier; beside the others it is a part, and what is minimised is the sum.
"""

from collections.abc import Collection, Sequence

import numpy as np

from thalweg.core.files import printable
from thalweg.histories.names import meaning, words
from thalweg.histories.recording import Curve

__all__ = ["with_sums"]

_CLASSES = {"cls", "class", "classification", "classifier"}
_BESIDE = {"box", "bbox", "boxes", "dfl", "obj", "objectness", "giou", "iou", "ciou", "seg", "mask", "kpt", "kobj"}
_BESIDE |= {"pose", "rpn", "loc", "localization", "regression", "reg", "centerness", "theta", "angle", "keypoint"}


def with_sums(curves: Sequence[Curve], told: Collection[str], notes: list[str]) -> list[Curve]:
    """Add the sum of parts where one part alone would be taken for the whole.

    Args:
        curves: A run's curves without a signal.
        told: Signals that are known already.
        notes: What was guessed; the sums are added.

    Returns:
        The curves, and the sums.

    Example:
        >>> notes: list[str] = []
        >>> parts = [Curve(name=name, values=np.ones(2)) for name in ("box_loss", "cls_loss")]
        >>> [curve.name for curve in with_sums(parts, (), notes)], notes
        (['box_loss', 'cls_loss', 'total loss'], ['train_loss is the sum of cls_loss, box_loss'])
    """
    made = list(curves)
    for split in ("train", "val", "test", ""):
        own = [each for each in curves if "loss" in words(each.name) and meaning(each.name).split == split]
        losses = [each for each in own if meaning(each.name).quantity == "loss"]
        beside = [each for each in own if _BESIDE & set(words(each.name))]
        if len(losses) != 1 or not beside or not _CLASSES & set(words(losses[0].name)):
            continue
        first = losses[0]
        if f"{split or 'train'}_loss" in told or not all(_together(first, each) for each in beside):
            continue
        per = meaning(first.name).per
        name = " ".join(filter(None, (split, "total loss", per)))
        whole = np.sum([each.values for each in (first, *beside)], axis=0)
        made.append(Curve(name=name, values=whole, epochs=first.epochs, steps=first.steps))
        names = printable(", ".join(each.name for each in (first, *beside)))
        notes.append(f"{split or 'train'}_loss is the sum of {names}")
    return made


def _together(one: Curve, other: Curve) -> bool:
    """Whether two curves have their points at the same places."""
    places = ((one.epochs, other.epochs), (one.steps, other.steps))
    return len(one.values) == len(other.values) and all(
        first is second or (first is not None and second is not None and np.array_equal(first, second))
        for first, second in places
    )
