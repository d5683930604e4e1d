"""Measuring how much context a segmentation network uses: the surroundings of sampled pixels are filled.

A radius is measured as receptive fields are, in squares: radius 2 is a square of 5x5 around the pixel. The surroundings
are filled with three things, since each fill is a picture that the network never saw: where the three curves agree, it
is the missing context that tells; where they part, it is the fill.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from thalweg.core.context_use import ContextCurve, overlap_of
from thalweg.core.errors import SpecError
from thalweg.explanation.activation import untouched

__all__ = [
    "FILLS",
    "Place",
    "context_curves",
    "control_curve",
    "crop_around",
    "in_pieces",
    "interval_over_pictures",
    "sample_places",
]

_Value = TypeVar("_Value")
_BATCH = 8
_DRAWS = 400
_BLUR = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One pixel: which picture, where in it, and its true class."""

    picture: int
    row: int
    column: int
    truth: int


def sample_places(truth: npt.ArrayLike, classes: int, each: int, *, seed: int = 0) -> tuple[Place, ...]:
    """Draw pixels of every class, from as many pictures as hold it.

    Args:
        truth: Class of every pixel; `(pictures, height, width)`, anything outside 0 to `classes` - 1 is left out.
        classes: Number of classes.
        each: Pixels of each class, at most.
        seed: Which ones.

    Returns:
        The pixels, by picture.

    Example:
        >>> [(each.picture, each.truth) for each in sample_places([[[0, 1]], [[0, 255]]], 2, 2)]
        [(0, 0), (0, 1), (1, 0)]
    """
    masks = np.asarray(truth)
    chance = np.random.default_rng((seed, 41))
    found: list[Place] = []
    for number in range(classes):
        spots = {int(one): np.argwhere(masks[one] == number) for one in np.flatnonzero((masks == number).any((1, 2)))}
        order = chance.permutation(list(spots)).tolist()
        for turn in range(min(each, sum(map(len, spots.values())))):  # a picture after the other, in turn
            picture = order[turn % len(order)]
            row, column = spots[picture][chance.integers(len(spots[picture]))]
            found.append(Place(picture=picture, row=int(row), column=int(column), truth=number))
    unique = {(one.picture, one.row, one.column): one for one in found}
    return tuple(sorted(unique.values(), key=lambda one: (one.picture, one.row, one.column)))


def _mean(pixels: Tensor) -> Tensor:
    return pixels.mean((2, 3), keepdim=True).expand_as(pixels)


def _blurred(pixels: Tensor) -> Tensor:
    rows, columns = (max(1, round(extent / _BLUR)) for extent in pixels.shape[2:])
    return functional.interpolate(
        functional.adaptive_avg_pool2d(pixels, (rows, columns)), size=pixels.shape[2:], mode="bilinear"
    )


def _other(pixels: Tensor) -> Tensor:
    return pixels.roll(1, 0) if len(pixels) > 1 else pixels.flip((2, 3))


FILLS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType({
    "mean": _mean,
    "blurred": _blurred,
    "other": _other,
})
"""What stands where context was, by name; a single picture is turned around where another is wanted."""


def context_curves(
    module: nn.Module,
    pixels: Tensor,
    places: Sequence[Place],
    classes: int,
    *,
    radii: Sequence[int],
    fills: Sequence[str] = tuple(FILLS),
    told: Callable[[int, int], None] | None = None,
) -> tuple[ContextCurve, ...]:
    """Answers at sampled pixels while everything beyond a radius is filled.

    Args:
        module: The network, giving logits `(N, classes, height, width)`.
        pixels: `(pictures, channels, height, width)`, as the network takes them.
        places: The pixels to ask.
        classes: Number of classes.
        radii: Pixels that stay on each side, growing.
        fills: Names out of `FILLS`.
        told: Called with how many answers were given, and of how many.

    Returns:
        A curve for each fill.

    Raises:
        SpecError: There is no place to ask, or no such fill.

    Example:
        >>> net = nn.Conv2d(1, 2, 5, padding=2)
        >>> places = [Place(picture=0, row=4, column=4, truth=0)]
        >>> curve = context_curves(net, torch.rand(2, 1, 9, 9), places, 2, radii=(2, 4))[0]
        >>> curve.agreement
        (1.0, 1.0)
    """
    if not places:
        raise SpecError("no pixel has a class that is known, so there is no context to ask for")
    unknown = [fill for fill in fills if fill not in FILLS]
    if unknown:
        raise SpecError(f"no fill is called {unknown[0]!r}; known are {', '.join(FILLS)}")
    truth = np.array([one.truth for one in places])
    owners = np.array([one.picture for one in places])
    weights = 1 / np.bincount(truth, minlength=classes)[truth]  # every class counts as much
    total, done = len(places) * (1 + len(fills) * len(radii)), 0
    curves = []
    with untouched(module), torch.no_grad():
        whole = _answers(module, [(pixels[one.picture], one) for one in places])
        for fill in fills:
            filled = FILLS[fill](pixels.float())
            answers = []
            for radius in radii:
                cases = [(_within(pixels[one.picture], filled[one.picture], one, radius), one) for one in places]
                answers.append(_answers(module, cases))
                done += len(places)
                if told is not None:
                    told(len(places) + done, total)
            curves.append(_curve(fill, radii, np.array(answers), whole, truth, owners, weights, classes))
    return tuple(curves)


def crop_around(values: Tensor, row: int, column: int, radius: int, *, beyond: Tensor | float) -> Tensor:
    """Cut out the square around a place.

    Args:
        values: `(..., height, width)`.
        row: Of the place.
        column: Of the place.
        radius: Pixels on each side of it.
        beyond: What stands where the square leaves the picture; broadcast over the square.

    Returns:
        `(..., 2 radius + 1, 2 radius + 1)`.

    Example:
        >>> crop_around(torch.arange(9.0).reshape(3, 3), 0, 1, 1, beyond=-1).tolist()
        [[-1.0, -1.0, -1.0], [0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    side = 2 * radius + 1
    square = torch.as_tensor(beyond, dtype=values.dtype).expand(*values.shape[:-2], side, side).clone()
    top, left = max(0, row - radius), max(0, column - radius)
    kept = values[..., top : row + radius + 1, left : column + radius + 1]
    down, across = top - (row - radius), left - (column - radius)
    square[..., down : down + kept.shape[-2], across : across + kept.shape[-1]] = kept
    return square


def control_curve(
    modules: Mapping[int, nn.Module], pixels: Tensor, places: Sequence[Place], classes: int
) -> ContextCurve:
    """Answers of networks that were trained on crops, each asked at the middle of a crop of its own radius.

    No picture is filled here, so that nothing is strange to the network that answers: the control of `context_curves`.

    Args:
        modules: By radius, growing; the last one was trained on whole pictures and is asked on them.
        pixels: `(pictures, channels, height, width)`, as the networks take them.
        places: The pixels to ask.
        classes: Number of classes.

    Returns:
        The curve; agreement is that with the network trained on whole pictures.

    Raises:
        SpecError: There is no place to ask, or no network.

    Example:
        >>> net = nn.Conv2d(1, 2, 5, padding=2)
        >>> places = [Place(picture=0, row=4, column=4, truth=0)]
        >>> control_curve({2: net, 8: net}, torch.rand(1, 1, 9, 9), places, 2).agreement
        (1.0, 1.0)
    """
    if not places or not modules:
        raise SpecError("no pixel has a class that is known, so there is no context to ask for")
    truth = np.array([one.truth for one in places])
    owners = np.array([one.picture for one in places])
    weights = 1 / np.bincount(truth, minlength=classes)[truth]
    *small, last = modules
    answers = []
    for radius in small:
        middle = [(_crop(pixels[one.picture], one, radius), replace(one, row=radius, column=radius)) for one in places]
        with untouched(modules[radius]), torch.no_grad():
            answers.append(_answers(modules[radius], middle))
    with untouched(modules[last]), torch.no_grad():
        answers.append(_answers(modules[last], [(pixels[one.picture], one) for one in places]))
    return _curve("crops", tuple(modules), np.array(answers), answers[-1], truth, owners, weights, classes)


def _crop(picture: Tensor, place: Place, radius: int) -> Tensor:
    picture = picture.float()
    return crop_around(picture, place.row, place.column, radius, beyond=picture.mean((1, 2), keepdim=True))


def _within(picture: Tensor, filled: Tensor, place: Place, radius: int) -> Tensor:
    copy = filled.clone()
    window = (
        slice(None),
        slice(max(0, place.row - radius), place.row + radius + 1),
        slice(max(0, place.column - radius), place.column + radius + 1),
    )
    copy[window] = picture[window].to(copy.dtype)
    return copy


def _answers(module: nn.Module, cases: Sequence[tuple[Tensor, Place]]) -> npt.NDArray[np.int64]:
    found: list[int] = []
    for some in in_pieces(cases, _BATCH):
        logits = module(torch.stack([picture.float() for picture, _ in some]))
        found.extend(int(logits[number, :, one.row, one.column].argmax()) for number, (_, one) in enumerate(some))
    return np.array(found, dtype=np.int64)


def _curve(
    fill: str,
    radii: Sequence[int],
    answers: npt.NDArray[np.int64],
    whole: npt.NDArray[np.int64],
    truth: npt.NDArray[np.int64],
    owners: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    classes: int,
) -> ContextCurve:
    same, right = (answers == whole).astype(np.float64), (answers == truth).astype(np.float64)
    tables = []
    for given in answers:
        table = np.zeros((classes, classes))
        np.add.at(table, (truth, given), weights)
        tables.append(overlap_of(table.tolist()))
    return ContextCurve(
        fill=fill,
        radii=tuple(map(int, radii)),
        agreement=tuple(float(np.average(row, weights=weights)) for row in same),
        agreement_interval=tuple(interval_over_pictures(row, owners, weights) for row in same),
        accuracy=tuple(float(np.average(row, weights=weights)) for row in right),
        iou=tuple(zip(*tables, strict=True)),
    )


def interval_over_pictures(
    values: npt.NDArray[np.float64], owners: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """An interval of a weighted mean, from pictures drawn anew.

    Args:
        values: One a place; those that are not finite are left out.
        owners: Number of the picture that each is from.
        weights: Of each.

    Returns:
        The middle 95 %; nan twice for one picture.
    """
    known = np.isfinite(values)
    pictures, place = np.unique(owners[known], return_inverse=True)
    if len(pictures) < 2:  # noqa: PLR2004 - one has no spread
        return float("nan"), float("nan")
    weight = np.bincount(place, weights=weights[known])
    total = np.bincount(place, weights=(weights * values)[known])
    times = np.random.default_rng(5).multinomial(len(pictures), np.full(len(pictures), 1 / len(pictures)), size=_DRAWS)
    low, high = np.percentile((times @ total) / (times @ weight), [2.5, 97.5])
    return float(low), float(high)


def in_pieces(values: Sequence[_Value], size: int) -> list[list[_Value]]:
    """Cut a sequence into pieces for batches.

    Args:
        values: What is cut.
        size: Of a piece; the last may be shorter.

    Returns:
        The pieces, in order.

    Example:
        >>> in_pieces("abcde", 2)
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    return [list(values[start : start + size]) for start in range(0, len(values), size)]
