"""`thalweg predict`: what a trained network says about single samples, read exactly as in training."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import numpy as np

from thalweg.accounting.ledger import count
from thalweg.core.errors import PictureError, PlanError
from thalweg.core.results import Prediction, PredictResult
from thalweg.data.arrays import picture_arrays
from thalweg.data.decode import decode
from thalweg.data.walk import maybe_picture
from thalweg.training.device import fitting_threads
from thalweg.workbench.model import TrainedModel, in_groups, open_model
from thalweg.workbench.predict_arrays import predict_arrays
from thalweg.workbench.predict_masks import predict_masks
from thalweg.workbench.predict_values import predict_values

__all__ = ["files_in", "predict"]

GROUP = 32
_AHEAD = 3 * GROUP
"""Pictures decoded before the network asks for them: so many are in memory at most, besides its own group."""


def predict(
    run: str | Path,
    images: str | Path | Sequence[str | Path],
    *,
    device: str = "auto",
    out: str | Path | None = None,
    view: str = "fitted",
) -> PredictResult:
    """Classify pictures, signals or volumes with a finished run; or every pixel, where it was trained with masks.

    Args:
        run: The run folder.
        images: A picture file or several, or folders whose files are all tried, but for hidden ones; arrays of pictures
            (`.npz`, `.npy`, idx files, CIFAR's batches, or a folder of such; one answer a row). For a network of
            signals or volumes, arrays and tables (one answer a row), recordings, scans, and folders of frames.
        device: `auto`, `cpu`, `cuda` or `mps`.
        out: Of a network trained with masks: a new folder for the masks it predicts.
        view: Of such a network: `fitted` brings a picture to the size of training, `whole` keeps its proportions,
            `tiles` does so window by window.

    Returns:
        One prediction a file, or row, in the order asked for; what cannot be read has an error instead of a class.

    Raises:
        RunError: There is no finished run.
        PlanError: No picture is named, or masks are asked for of a network that was trained without.

    Example:
        >>> predict("runs/none", ["a.png"])
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    images = [images] if isinstance(images, str | Path) else images  # letters of a name are no pictures
    model = open_model(run, device=device)
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
    for arrays, places in groupby(_places(images), key=_files_read_as_one):
        named = [place for place, _ in places]
        if arrays:
            for place in named:
                yield from predict_arrays(model, place, arrays, most=GROUP, notes=notes)
            continue
        decoded = _decoded(named, model.side)
        for group in in_groups(named, GROUP):
            yield from _answers(model, group, [next(decoded) for _ in group])


def _files_read_as_one(place: tuple[str, tuple[Path, ...]]) -> tuple[Path, ...]:
    return place[1]


def _places(images: Sequence[str | Path]) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Pictures, and arrays of such with the files that are read as one; a folder of photos may hold arrays, too."""
    for image in images:
        files = list(files_in([image]))
        photos = Path(image).is_dir() and any(not maybe_picture("", file) for file in files)
        arrays = () if photos else picture_arrays(Path(image))
        for each in arrays:
            yield str(image) if len(arrays) == 1 else str(each[0]), each
        yield from ((file, ()) for file in (files if not arrays else ()))


def files_in(images: Sequence[str | Path]) -> Iterable[str]:
    """The picture files that a user means.

    Args:
        images: Files, or folders whose files are tried, but for hidden ones and those that are no pictures by their
            names or first bytes, such as a table or a licence beside the photos.

    Yields:
        Paths in the order asked for.
    """
    for image in images:
        path = Path(image)
        if path.is_dir():
            yield from sorted(str(file) for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
        else:
            yield str(image)


def _named(images: Sequence[str | Path]) -> Iterable[tuple[str, str]]:
    """Pictures, each with the name of its mask: the path below the folder that was named, without ending."""
    for image in images:
        path = Path(image)
        inside = [path] if not path.is_dir() else [Path(file) for file in files_in([image])]
        for file in inside:
            name = file.relative_to(path) if path.is_dir() else Path(file.name)
            yield str(file), str(name.with_suffix(""))


def _hidden(file: Path, folder: Path) -> bool:
    """What lies in a folder and is no picture, left by a system or beside the photos; a file named itself is tried."""
    parts = file.relative_to(folder).parts
    debris = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return debris or maybe_picture(str(folder), file.relative_to(folder).as_posix()).startswith("no picture by its")


def _decoded(files: Sequence[str], side: int) -> Iterator[np.ndarray | str]:
    """Decode in order, as many at once as there are cores, some ahead: pixels, or the reason why there are none."""
    waiting: deque[Future[np.ndarray | str]] = deque()
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode") as pool:
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
        return str(error)


def _answers(model: TrainedModel, files: Sequence[str], decoded: Sequence[np.ndarray | str]) -> list[Prediction]:
    broken = {place: each for place, each in enumerate(decoded) if isinstance(each, str)}
    pictures = [each for each in decoded if not isinstance(each, str)]
    return list(model.predictions(files, pictures, broken))
