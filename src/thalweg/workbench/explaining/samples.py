"""Which samples are explained: some that the run held out, right and wrong, or those that the user named."""

import contextlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from thalweg.core.dataset import Notice
from thalweg.core.errors import PictureError, PlanError, ThalwegError
from thalweg.core.files import printable
from thalweg.data.decoding.decode import decode
from thalweg.evaluation.mistakes import worst_mistakes
from thalweg.workbench.answering.model import TrainedModel
from thalweg.workbench.answering.picture_places import Pictures, Place, as_files, blocks_of, missing, places_of
from thalweg.workbench.answering.predict_values import places_in, samples_in
from thalweg.workbench.answering.predictions import predictions_from_csv
from thalweg.workbench.environment import find_source
from thalweg.workbench.loading.loading import Loaded, load, same_split
from thalweg.workbench.telling.telling import Listener

__all__ = ["MOST_NAMED", "Chosen", "as_taken", "choose_held_out", "chosen_held_out", "chosen_named", "own_data"]

MOST_NAMED = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A sample to explain.

    Args:
        file: Its file, or its place in one.
        values: As the network takes it, `(*extents, channels)`.
        truth: Index of its true class, where that is known.
        truth_from: How it is known.
    """

    file: str
    values: np.ndarray
    truth: int | None = None
    truth_from: Literal["split", "folder"] | None = None


def own_data(model: TrainedModel, listener: Listener) -> Loaded:
    """The data that a run was trained on.

    Args:
        model: The run.
        listener: Whoever shows progress.

    Returns:
        Its samples.
    """
    source = find_source(model.folder, model.plan.source)
    return load(source, image_size=model.side, listener=listener, least=1, wanted=model.plan.wanted, like=model.shape)


def as_taken(values: np.ndarray, channels: int) -> np.ndarray:
    """Give the values of a grey picture once for each channel that the network takes.

    Args:
        values: `(..., channels)`, with one channel where all pictures of the source are grey.
        channels: Channels that the network takes.

    Returns:
        `(..., channels)`, a copy.
    """
    return np.repeat(values, channels, axis=-1) if values.shape[-1] == 1 < channels else np.array(values)


def choose_held_out(probabilities: np.ndarray, labels: np.ndarray, count: int, seed: int) -> list[int]:
    """Choose right answers, a class after the other, and as many wrong ones, the surest first.

    Args:
        probabilities: `(files, classes)`.
        labels: True classes.
        count: How many in all.
        seed: Of the choice among the right ones.

    Returns:
        Positions, the right ones first; fewer of one kind where there are not enough.

    Example:
        >>> shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        >>> sorted(choose_held_out(shares, np.array([0, 1, 1, 1]), 3, seed=0))
        [0, 1, 2]
    """
    answers = probabilities.argmax(axis=1)
    wrong = [int(each) for each in worst_mistakes(probabilities, labels, count)]
    order = np.random.default_rng((seed, 31)).permutation(len(labels))
    queues = [[int(at) for at in order if labels[at] == label == answers[at]] for label in np.unique(labels)]
    right = [queue[turn] for turn in range(count) for queue in queues if turn < len(queue)]
    some_right = max(count - len(wrong), (count + 1) // 2)
    kept = right[:some_right]
    return [*kept, *wrong[: count - len(kept)]]


def chosen_held_out(model: TrainedModel, loaded: Loaded, count: int, seed: int) -> list[Chosen]:
    """Some samples of the run's held-out split, right and wrong.

    Args:
        model: The run.
        loaded: Its data.
        count: How many.
        seed: Of the choice.

    Returns:
        The samples, those answered rightly first.
    """
    shown = model.summary.test or model.summary.validation
    text = model.folder.read_text("predictions.csv")
    files, probabilities, labels = predictions_from_csv(text, model.summary.classes, shown)
    same_split(loaded, model.summary)  # pictures that are others now are refused, or said
    row = dict(zip(loaded.files, loaded.rows, strict=True))
    return [
        Chosen(
            file=files[at],
            values=as_taken(loaded.pictures.pixels[int(row[files[at]])], model.shape.channels),
            truth=int(labels[at]),
            truth_from="split",
        )
        for at in choose_held_out(probabilities, labels, count, seed)
        if files[at] in row
    ]


def chosen_named(model: TrainedModel, images: Pictures) -> tuple[list[Chosen], list[Notice], list[str]]:
    """The samples that the user named, read exactly as in training.

    Args:
        model: The run.
        images: Files, folders of such, or arrays; what `predict` takes.

    Returns:
        The samples, the files that cannot be read, and remarks.

    Raises:
        PlanError: Nothing is named.
        PictureError: Nothing of what is named can be read.
    """
    found: list[Chosen] = []
    left_out: list[Notice] = []
    notes: list[str] = []
    with as_files(images) as named, contextlib.closing(_named_samples(model, named.places, notes)) as samples:
        for each in samples:
            if len(found) >= MOST_NAMED:
                notes.append(f"only the first {MOST_NAMED} of the named samples are explained")
                break
            if isinstance(each, Notice):
                left_out.append(Notice(named.told(each.file), each.reason))
            else:
                found.append(replace(each, file=named.told(each.file)))
        left_out += named.left_out
    if not found and left_out:
        others = f" (and {len(left_out) - 1:,} more)" if len(left_out) > 1 else ""
        raise PictureError(f"{printable(left_out[0].file)}: {left_out[0].reason}{others}; nothing is left to explain")
    if not found:
        raise PlanError("nothing to explain is named: give files, folders that hold some, or none for held-out ones")
    return found, left_out, list(dict.fromkeys(notes))


def _named_samples(
    model: TrainedModel, named: Sequence[str | Path], notes: list[str]
) -> Generator[Chosen | Notice, None, None]:
    """What is named, in its order; a place that cannot be read is a notice, and so is a sample that cannot be used."""
    values = model.summary.reading is not None
    places = (Place(name=str(each)) for each in places_in(model, named)) if values else places_of(named)
    for place in places:
        try:
            for each in _samples(model, place, notes, pictures=not values):
                if isinstance(each, Notice):
                    yield each
                    continue
                name, sample = each
                truth = _folder_class(model, Path(name))
                yield Chosen(file=name, values=sample, truth=truth, truth_from=None if truth is None else "folder")
        except (ThalwegError, OSError) as error:
            yield Notice(place.name, missing(place.name) or _reason(error))


def _samples(
    model: TrainedModel, place: Place, notes: list[str], *, pictures: bool
) -> Iterator[tuple[str, np.ndarray] | Notice]:
    """Samples of a place with their names, in their order, or why one of them cannot be used; some beyond the most."""
    if not pictures:
        yield from samples_in(model, Path(place.name), MOST_NAMED + 1)
    elif not place.files:
        yield place.name, np.array(decode(Path(place.name), size=(model.side, model.side)).pixels)
    else:
        with contextlib.closing(blocks_of(model, place, most=MOST_NAMED + 1, notes=notes)) as blocks:
            for block in blocks:
                for row, name in enumerate(block.names):
                    reason = block.broken.get(row)
                    yield Notice(name, reason) if reason else (name, np.array(block.pixels[row]))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ThalwegError) else (getattr(error, "strerror", None) or str(error))


def _folder_class(model: TrainedModel, place: Path) -> int | None:
    name = place.absolute().parent.name
    return model.summary.classes.index(name) if name in model.summary.classes else None
