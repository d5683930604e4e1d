"""`thalweg evaluate`: a finished run's scores on another source, or again on its own held-out split."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from thalweg.core.errors import RunError, SourceError
from thalweg.core.files import printable
from thalweg.core.finding import Evidence, Finding
from thalweg.core.remedy import Remedy
from thalweg.core.results import TrainResult
from thalweg.data.batching.batches import Batches
from thalweg.data.opening.source import source_name
from thalweg.evaluation.classification import evaluate as score_split
from thalweg.training.scoring import predict as run_over
from thalweg.workbench.answering.evaluate_masks import answer_of_training, evaluate_masks, without_best
from thalweg.workbench.answering.model import TrainedModel, open_model
from thalweg.workbench.environment import find_source
from thalweg.workbench.loading.loading import Loaded, load, same_split, trained_on
from thalweg.workbench.telling.telling import Listener, whoever_is_here

__all__ = ["evaluate", "held_out"]

_GROUP = 32


def evaluate(
    run: str | Path, source: str | Path | None = None, *, device: str = "auto", listener: Listener | None = None
) -> TrainResult:
    """Score a finished run.

    Args:
        run: The run folder.
        source: Labelled pictures, in any form that `train` takes; None takes the run's own held-out split.
        device: `auto`, `cpu`, `cuda` or `mps`.
        listener: Whoever shows progress.

    Returns:
        The fields of `train`, with the scores on the source.

    Raises:
        RunError: There is no finished run.
        SourceError: The source has a class that the network does not know.
        PlanError: There is no such device.

    Example:
        >>> evaluate("runs/none", "photos")
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    listener = listener or whoever_is_here()
    started = listener.began
    model = open_model(run, device=device)
    own = source is None
    name = find_source(model.folder, model.plan.source) if source is None else source_name(source)
    # A network may be tried on one class; its own split is read again just as it was in training.
    wanted = model.plan.wanted if own else model.wanted
    loaded = load(name, image_size=model.size, listener=listener, least=1, wanted=wanted, like=model.shape)
    chosen = _own_split(model, loaded) if own else np.arange(len(loaded.samples))
    if model.summary.masks is not None:
        return evaluate_masks(model, loaded, chosen, source=None if own else name, started=started, listener=listener)
    labels = _known_labels(model, loaded, chosen)
    scores = run_over(
        model.module,
        Batches(
            loaded.pictures.pixels,
            loaded.rows[chosen],
            labels,
            batch_size=model.plan.batch_size or 32,
            device=model.device.batches,
        ),
        model.device,
    )
    trained = answer_of_training(model)
    split = trained.split if own else name
    evaluation = score_split(
        scores.probabilities,
        scores.labels,
        classes=model.summary.classes,
        split=split,
        majority_class=int(np.argmax(model.summary.counts.get("train", model.summary.class_counts))),
    )
    seconds = time.perf_counter() - started
    return replace(
        trained if own else without_best(trained),
        findings=trained.findings if own else (*trained.findings, *_seen_before(model, loaded, name)),
        files=len(loaded.samples),
        test_files=evaluation.files,
        left_out=loaded.left_out,
        seconds=seconds,
        images_per_second=evaluation.files / seconds if seconds else math.nan,
        accuracy=evaluation.accuracy,
        accuracy_interval=evaluation.accuracy_interval,
        majority_accuracy=evaluation.majority_accuracy,
        split=split,
        auc=evaluation.auc,
        auc_interval=evaluation.auc_interval,
        balanced_accuracy=evaluation.balanced_accuracy,
        calibration_error=evaluation.calibration_error,
    )


def _seen_before(model: TrainedModel, loaded: Loaded, source: str) -> Iterator[Finding]:
    """DAT002 once more: a source that holds what the network was trained on flatters it."""
    again = trained_on(loaded, model.summary)
    if again:
        yield Finding(
            code="DAT002",
            name="split_leakage",
            severity="info",  # whoever asks for it on purpose has done nothing wrong
            confidence=1.0,
            subject=source,
            claim=f"{len(again):,} of {len(loaded.samples):,} files of {printable(source)} show what the network was "
            f"trained on, such as {printable(again[0])}: their score says nothing about new ones",
            evidence=(
                Evidence(signal="held_out_files_with_twins", window="file list", observed=len(again), threshold=0),
            ),
            remedies=(
                Remedy(
                    code="regroup_split",
                    safety="advice",
                    expected_effect="evaluate without a source scores the files that training did not see",
                ),
            ),
        )


def held_out(
    run: str | Path, *, most: int, training: int
) -> tuple[list[np.ndarray], list[tuple[np.ndarray, np.ndarray]], str]:
    """Samples of a run as its network takes them, for whoever measures another form of it.

    Args:
        run: The run folder.
        most: Held-out samples, at most, spread evenly over the split.
        training: Training samples, at most, likewise.

    Returns:
        Batches of training samples float32 `(N, channels, ...)`; batches of held-out samples with their labels; what
        the held-out split is called.

    Raises:
        RunError: There is no finished run, its source has changed, or its network gives every pixel a class.
    """
    model = open_model(run, device="cpu")
    if model.summary.masks is not None:
        raise RunError(f"{printable(model.folder.path)} gives every pixel a class; --int8 is for one class a sample")
    name = find_source(model.folder, model.plan.source)
    listener = whoever_is_here()
    loaded = load(name, image_size=model.size, listener=listener, least=1, wanted=model.plan.wanted, like=model.shape)
    parts = same_split(loaded, model.summary)
    held, split = (parts.test, "test") if parts.test else (parts.validation, "validation")

    def batches(indices: Sequence[int], number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        every = max(1, -(-len(indices) // number))
        chosen = np.asarray(indices, dtype=np.int64)[::every]
        source = Batches(loaded.pictures.pixels, loaded.rows[chosen], loaded.labels[chosen], batch_size=_GROUP)
        return [(np.ascontiguousarray(each.pixels.numpy()), each.labels.numpy()) for each in source.epoch(0)]

    return [pixels for pixels, _ in batches(parts.train, training)], batches(held, most), split


def _own_split(model: TrainedModel, loaded: Loaded) -> np.ndarray:
    parts = same_split(loaded, model.summary)
    return np.asarray(parts.test or parts.validation, dtype=np.int64)


def _known_labels(model: TrainedModel, loaded: Loaded, chosen: np.ndarray) -> np.ndarray:
    """Labels in the order of the run's classes; a class index must never be taken from the new source."""
    index = {name: number for number, name in enumerate(model.summary.classes)}
    labels = loaded.labels[chosen]
    used = [int(label) for label in np.unique(labels)]
    unknown = [loaded.scan.classes[label] for label in used if loaded.scan.classes[label] not in index]
    if unknown:
        raise SourceError(
            f"{printable(loaded.scan.root)} has {len(unknown)} of {len(used)} classes that the run does not know "
            f"({', '.join(map(printable, unknown[:5]))}): leave them out, or name them as it does "
            f"({', '.join(map(printable, model.summary.classes[:20]))})"
        )
    return np.asarray([index[loaded.scan.classes[label]] for label in labels], dtype=np.int64)
