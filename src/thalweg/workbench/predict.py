"""`thalweg predict`: what a trained network says about single samples, read exactly as in training."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from thalweg.accounting.ledger import count
from thalweg.core.errors import PictureError, PlanError
from thalweg.core.process import usable_cores
from thalweg.core.results import Prediction, PredictResult
from thalweg.data.decoding.decode import decode
from thalweg.training.device import fitting_threads
from thalweg.workbench.answering.model import TrainedModel, in_groups, open_model
from thalweg.workbench.answering.picture_places import Pictures, as_files, files_in, missing, places_of
from thalweg.workbench.answering.predict_arrays import predict_arrays
from thalweg.workbench.answering.predict_masks import predict_masks
from thalweg.workbench.answering.predict_values import predict_values

__all__ = ["predict"]

GROUP = 32
_AHEAD = 3 * GROUP
"""Pictures decoded before the network asks for them: so many are in memory at most, besides its own group."""


def predict(
    run: str | Path,
    images: Pictures,
    *,
    device: str = "auto",
    out: str | Path | None = None,
    view: str = "fitted",
) -> PredictResult:
    """Classify pictures, signals or volumes with a finished run; or every pixel, where it was trained with masks.

    Args:
        run: The run folder.
        images: A picture file or several, or folders whose files are all tried, but for hidden ones; archives and
            patterns (`new/*.jpg`) of such; arrays of pictures
            (`.npz`, `.npy`, idx files, CIFAR's batches, or a folder of such; one answer a row, or the row that is named
            as it is called in answers). For a network of signals or volumes, arrays and tables (one answer a row),
            recordings, scans, and folders of frames. Arrays of numpy or torch are read as if they lay in `array.npy`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        out: Of a network trained with masks: a new folder for the masks it predicts.
        view: Of such a network: `fitted` brings a picture to the size of training, `whole` keeps its proportions,
            `tiles` does so window by window.

    Returns:
        One prediction a file, or row, in the order asked for; what cannot be read has an error instead of a class.

    Raises:
        RunError: There is no finished run.
        PlanError: No picture is named, something is no name and no array, or masks are asked for of a network that was
            trained without.

    Example:
        >>> predict("runs/none", ["a.png"])
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    model = open_model(run, device=device)
    with as_files(images) as named:
        found = _predict(model, named.places, out=out, view=view)
    answers = [replace(each, file=named.told(each.file)) for each in found.predictions]
    answers += (Prediction(file=each.file, class_=None, error=each.reason) for each in named.left_out)
    return replace(found, predictions=tuple(answers))


def _predict(model: TrainedModel, images: Sequence[str | Path], *, out: str | Path | None, view: str) -> PredictResult:
    if model.summary.masks is not None:
        named = list(_named(images))
        if not named:
            raise PlanError("no picture is named: give files, or folders that hold some")
        found = predict_masks(model, named, out=Path(out) if out else None, view=view)
        return PredictResult(predictions=tuple(found), classes=model.summary.classes)
    if out is not None or view != "fitted":
        raise PlanError("--out and --view are for networks trained with masks; this one gives a picture one class")
    if model.summary.reading is not None:
        answers = predict_values(model, images)
        if not answers:
            raise PlanError(
                "nothing to classify is named: give arrays, tables, recordings or scans, or folders of such"
            )
        return PredictResult(predictions=tuple(answers), classes=model.summary.classes)
    notes: list[str] = []
    with fitting_threads(model.device, (count(model.spec).macs or 0) * GROUP):
        predictions = tuple(_predict_pictures(model, images, notes))
    if not predictions:
        raise PlanError("no picture is named: give files, or folders that hold some")
    return PredictResult(predictions=predictions, classes=model.summary.classes, notes=tuple(dict.fromkeys(notes)))


def _predict_pictures(model: TrainedModel, images: Sequence[str | Path], notes: list[str]) -> Iterator[Prediction]:
    for arrays, places in groupby(places_of(images), key=lambda place: bool(place.files)):
        if arrays:
            for place in places:
                yield from predict_arrays(model, place, most=GROUP, notes=notes)
            continue
        named = [place.name for place in places]
        decoded = _decoded(named, model.side)
        for group in in_groups(named, GROUP):
            yield from _answers(model, group, [next(decoded) for _ in group])


def _named(images: Sequence[str | Path]) -> Iterable[tuple[str, str]]:
    """Pictures, each with the name of its mask: the path below the folder that was named, without ending."""
    for image in images:
        path = Path(image)
        inside = [path] if not path.is_dir() else [Path(file) for file in files_in([image])]
        for file in inside:
            name = file.relative_to(path) if path.is_dir() else Path(file.name)
            yield str(file), str(name.with_suffix(""))


def _decoded(files: Sequence[str], side: int) -> Iterator[np.ndarray | str]:
    """Decode in order, as many at once as there are cores, some ahead: pixels, or the reason why there are none."""
    waiting: deque[Future[np.ndarray | str]] = deque()
    with ThreadPoolExecutor(usable_cores(), thread_name_prefix="decode") as pool:
        try:
            for file in files:
                waiting.append(pool.submit(_decode, file, side))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _decode(file: str, side: int) -> np.ndarray | str:
    try:
        return decode(Path(file), size=(side, side)).pixels
    except PictureError as error:
        return missing(file) or str(error)


def _answers(model: TrainedModel, files: Sequence[str], decoded: Sequence[np.ndarray | str]) -> list[Prediction]:
    broken = {place: each for place, each in enumerate(decoded) if isinstance(each, str)}
    pictures = [each for each in decoded if not isinstance(each, str)]
    return list(model.predictions(files, pictures, broken))
