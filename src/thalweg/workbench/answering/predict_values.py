"""What a network trained on signals or volumes says about others: files are read as those of training were.

An array or table gives one answer a row, a recording one answer for all its windows (the mean of their probabilities),
any other file and a folder of frames one answer each.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from thalweg.core.dataset import Sample
from thalweg.core.errors import PictureError, SourceError
from thalweg.core.results import Prediction
from thalweg.data.files.kinds import FileKind, kind_of_file
from thalweg.data.files.walk import maybe_picture
from thalweg.data.formats.npz import DAMAGE, is_label_file
from thalweg.data.formats.sample_files import only_array
from thalweg.data.formats.series_files import SERIES
from thalweg.data.formats.tables import TABLES
from thalweg.data.measured.arrays import read_parts
from thalweg.data.measured.measuring import form_of_parts, write_arrays
from thalweg.data.measured.measuring_files import write_files
from thalweg.data.measured.store import Measured, open_measured
from thalweg.data.measured.values import load_values
from thalweg.workbench.answering.model import TrainedModel, in_groups
from thalweg.workbench.answering.picture_places import missing

__all__ = ["places_in", "predict_values", "samples_in"]

GROUP = 64
_ARRAYS = (".npz", ".npy", *TABLES, *SERIES)


def predict_values(model: TrainedModel, sources: Sequence[str | Path]) -> list[Prediction]:
    """Classify signals or volumes.

    Args:
        model: A network that was trained on such.
        sources: Files, or folders of files or frames.

    Returns:
        One prediction a sample, or a recording; what cannot be read has an error instead of a class.
    """
    answers: list[Prediction] = []
    for place in places_in(model, sources):
        try:
            answers.extend(_answers(model, place))
        except (SourceError, PictureError, OSError) as error:
            reason = str(error).removeprefix(f"{place.name}: ").removeprefix("samples: ")  # the file is named beside it
            answers.append(Prediction(file=str(place), class_=None, error=reason))
    return answers


def places_in(model: TrainedModel, sources: Sequence[str | Path]) -> Iterator[Path]:
    """Files to read, and folders that are one clip each.

    Args:
        model: A network that was trained on such.
        sources: Files, or folders of files or frames.

    Yields:
        Paths in the order asked for.
    """
    clips = _kind(model) == "clip"
    for source in sources:
        path = Path(source)
        if not path.is_dir():
            yield path
            continue
        inside = sorted(each for each in path.rglob("*") if not any(part.startswith(".") for part in each.parts[-1:]))
        if clips:
            frames = {each.parent for each in inside if each.is_file() and not maybe_picture("", str(each))}
            yield from sorted(frames)
        else:
            yield from (each for each in inside if each.is_file() and _is_candidate(each))


def _is_candidate(path: Path) -> bool:
    arrays = path.name.lower().endswith(_ARRAYS) or kind_of_file(path.name) is not None
    return arrays and not (path.suffix.lower() == ".npy" and is_label_file(path.stem))


def _kind(model: TrainedModel) -> str:
    return model.summary.reading.kind if model.summary.reading else "picture"


def _answers(model: TrainedModel, path: Path) -> Iterator[Prediction]:
    with tempfile.TemporaryDirectory(prefix="thalweg-", ignore_cleanup_errors=True) as aside:
        folder = Path(aside, "samples")
        kind = _read(model, path, folder, Path(aside))
        measured = open_measured(folder)
        assert measured is not None  # noqa: S101 - it has just been written
        _check_steps(model, measured)
        rows = _probabilities(model, measured)
        if kind == "wav":
            yield model.prediction(str(path), rows.mean(axis=0))
        elif kind == "array":
            for name, row in zip(measured.index.names, rows, strict=True):
                yield model.prediction(f"{path}{name.removeprefix(path.name)}", row)
            for notice in measured.index.left_out:
                file = f"{path}{notice.file.removeprefix(path.name)}"
                yield Prediction(file=file, class_=None, error=notice.reason)
        else:
            yield model.prediction(str(path), rows[0])


def samples_in(model: TrainedModel, path: Path, most: int) -> list[tuple[str, np.ndarray]]:
    """Read the first samples of a file as the network takes them.

    Args:
        model: A network that was trained on such.
        path: A file, or a folder that is one clip.
        most: How many samples.

    Returns:
        Name and values `(*extents, channels)` of each.
    """
    with tempfile.TemporaryDirectory(prefix="thalweg-", ignore_cleanup_errors=True) as aside:
        folder = Path(aside, "samples")
        kind = _read(model, path, folder, Path(aside))
        measured = open_measured(folder)
        assert measured is not None  # noqa: S101 - it has just been written
        _check_steps(model, measured)
        values = load_values(measured, extents=model.shape.extents, channels=model.shape.channels)
        blocks = [np.array(values.pixels[int(row)]) for row in values.rows[:most]]
        if kind == "array":
            names = [f"{path}{name.removeprefix(path.name)}" for name in measured.index.names]
        else:
            names = [f"{path}, window {number}" if kind == "wav" else str(path) for number in range(1, len(blocks) + 1)]
    return list(zip(names, blocks, strict=False))


def _check_steps(model: TrainedModel, measured: Measured) -> None:
    like = model.shape
    if measured.index.form == "signal" and like.axes == 1 and measured.extents != model.wanted.extents:
        wanted = model.wanted.extents or like.extents
        raise SourceError(f"has {measured.extents[0]:,} steps; the network takes {wanted[0]:,}")


def _read(model: TrainedModel, path: Path, folder: Path, aside: Path) -> str:
    """Bring a file's samples into a folder; tells whether they are rows of an array, windows, or one sample."""
    if reason := missing(str(path)):
        raise SourceError(reason)
    trained: str = _kind(model)
    named = kind_of_file(path.name)
    whole: FileKind | None = "clip" if path.is_dir() else named
    rows = path.suffix.lower() == ".npz" or (trained == "array" and (named in {"table", "npy"} or named is None))
    if rows and not (named == "npy" and _is_one(model, path)):
        if not path.name.lower().endswith(_ARRAYS):
            raise SourceError("is no array, table, recording or scan")
        values = int(np.prod(model.wanted.extents or model.shape.extents)) * model.shape.channels
        parts = read_parts((path,), aside, labelled=False, values=values)
        write_arrays(parts, form_of_parts(parts, model.wanted.form), folder, most_shown=None)
        return "array"
    if whole is None:
        raise SourceError("is no array, table, recording or scan")
    if whole == "clip":
        frames = sorted(each.name for each in path.iterdir() if each.is_file() and not maybe_picture("", str(each)))
        samples = [Sample(f"{path.name}/{name}", -1) for name in frames]
        write_files("clip", path.parent, samples, folder, model.wanted)
    else:
        write_files(whole, path.parent, [Sample(path.name, -1)], folder, model.wanted)
    return whole


def _is_one(model: TrainedModel, path: Path) -> bool:
    """Whether an array is one sample rather than a row of samples, by its number of axes."""
    try:
        held = np.load(path, mmap_mode="r", allow_pickle=False)
        values = only_array(held) if path.suffix.lower() == ".npz" else held
        axes = -1 if values is None else values.ndim
    except DAMAGE:
        return False
    return bool(axes == model.shape.axes or (axes == model.shape.axes + 1 and model.shape.channels > 1))


def _probabilities(model: TrainedModel, measured: Measured) -> np.ndarray:
    like = model.shape
    values = load_values(measured, extents=like.extents, channels=like.channels)
    blocks = [
        model.answer([np.asarray(values.pixels[row]) for row in some])
        for some in in_groups([int(row) for row in values.rows], GROUP)
    ]
    return np.concatenate(blocks)
