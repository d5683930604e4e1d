"""A finished segmenter's scores on another source with masks, or again on its own held-out split."""

import math
import time
from dataclasses import replace

import numpy as np

from thalweg.core.codec import from_plain
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.masks import VOID
from thalweg.core.results import TrainResult
from thalweg.workbench.answering.mask_scores import score_pictures
from thalweg.workbench.answering.model import TrainedModel
from thalweg.workbench.loading.loaded import Loaded
from thalweg.workbench.telling.telling import Listener

__all__ = ["answer_of_training", "evaluate_masks", "without_best"]

_FURTHER = ("evaluation", "segmentation", "safety")


def answer_of_training(model: TrainedModel) -> TrainResult:
    """What `train` answered.

    Args:
        model: The finished run.

    Returns:
        Its answer, without the scores in full; the run is called as it was named now, wherever it lay then.
    """
    metrics = model.folder.read_json("metrics.json")
    for name in _FURTHER:
        metrics.pop(name, None)
    page = model.folder.path / "report.html"
    trained = from_plain(TrainResult, metrics, "metrics.json")
    return replace(trained, run=str(model.folder.path), report=str(page) if page.is_file() else None)


def without_best(trained: TrainResult) -> TrainResult:
    """Leave out what was best in training: beside scores on another source it would be taken for the best there.

    Args:
        trained: What `train` answered.

    Returns:
        The same without the best epoch.
    """
    return replace(trained, best_accuracy=math.nan, best_epoch=0, best_mean_iou=None)


def evaluate_masks(
    model: TrainedModel, loaded: Loaded, chosen: np.ndarray, *, source: str | None, started: float, listener: Listener
) -> TrainResult:
    """Score a segmenter.

    Args:
        model: The finished run.
        loaded: Pictures with masks.
        chosen: Which of them.
        source: The source as the user named it; None for the run's own split.
        started: When the command began.
        listener: Whoever shows progress.

    Returns:
        The fields of `train`, with the scores on the source.

    Raises:
        SourceError: The source has masks of classes that the run does not know, or no masks.
    """
    assert model.summary.masks is not None  # noqa: S101 - the caller looked
    trained = answer_of_training(model)
    scored = score_pictures(
        model.module,
        loaded,
        [int(index) for index in chosen],
        model.device,
        classes=model.summary.classes,
        split=trained.split if source is None else source,
        majority=int(np.argmax(model.summary.masks.pixels["train"])),
        batch_size=model.plan.batch_size or 8,
        translation=_translation(model, loaded, chosen),
        listener=listener,
    )
    seconds = time.perf_counter() - started
    return replace(
        trained if source is None else without_best(trained),
        files=len(loaded.samples),
        test_files=len(scored.indices),
        left_out=loaded.left_out,
        seconds=seconds,
        images_per_second=len(scored.indices) / seconds if seconds else math.nan,
        split=scored.evaluation.split,
        **scored.fields(),  # type: ignore[arg-type]  # names and values are its own
    )


def _translation(model: TrainedModel, loaded: Loaded, chosen: np.ndarray) -> np.ndarray | None:
    """The run's class by the source's; an index must never be taken from another source."""
    assert loaded.masks is not None  # noqa: S101 - a source without masks was refused
    classes, known = loaded.scan.classes, model.summary.classes
    if classes == known:
        return None
    index = {name: number for number, name in enumerate(known)}
    present = loaded.masks.counts[chosen].sum(axis=0) > 0
    unknown = [name for name, here in zip(classes, present, strict=True) if here and name not in index]
    if unknown:
        raise SourceError(
            f"{printable(loaded.scan.root)}: its masks show {len(unknown)} classes that the run does not know "
            f"({', '.join(map(printable, unknown[:5]))}): give them the run's names in classes.csv "
            f"({', '.join(map(printable, known[:20]))}), or call them void"
        )
    table = np.full(VOID + 1, VOID, np.uint8)
    for place, name in enumerate(classes):
        table[place] = index.get(name, VOID)
    return table
