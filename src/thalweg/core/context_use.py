"""How much of the picture around a pixel a segmentation network uses: what it could see, and what it needs.

Three numbers that are often taken for one another. The *receptive field* is what could matter at all, counted from the
layers. The *reach* of gradients is how far from the pixel the answer would change under small changes, and is much
smaller (Luo et al. 2016). The *context curve* is what the answer really needs: everything further away than a radius is
filled with something that says nothing, and the radius grows until the answers are those of the whole picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "ConfusionChange",
    "ContextCurve",
    "ContextRemoval",
    "ContextUse",
    "GradientReach",
    "confusion_changes",
    "overlap_of",
    "street_pairs",
]

_PEOPLE = frozenset({
    "pedestrian", "pedestrians", "person", "people", "child", "rider", "bicyclist", "cyclist", "bicycle", "bike",
})  # fmt: skip
_SIDEWALK = frozenset({"sidewalk", "pavement", "footpath", "footway"})
_GROUND = _SIDEWALK | {"road", "street", "roadway", "carriageway"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientReach:
    """The square around a pixel that holds a share of the gradient's energy.

    Args:
        share: Of the energy (squared gradients), 0 to 1.
        radius: Half of the square's side less the pixel itself, in pixels: 2 is a square of 5x5; mean over places.
        interval: 95 % interval over pictures.
    """

    share: float
    radius: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextCurve:
    """Answers at sampled pixels while everything beyond a radius is filled.

    Args:
        fill: What it is filled with: `mean` (of the picture), `blurred` (the same picture without detail) or `other`
            (another picture, so that what is far away is real but wrong); `crops` where nothing is filled and a
            network that was trained on crops of each radius answers.
        radii: Pixels that stay on each side, growing; the last may be larger than the picture.
        agreement: Share of answers that are those on the whole picture, by radius; every class counts as much.
        agreement_interval: 95 % intervals of that, over pictures.
        accuracy: Share of right answers, by radius; every class counts as much.
        iou: By class and radius: intersection over union at as many pixels of every class; nan where a class has none.
    """

    fill: str
    radii: tuple[int, ...]
    agreement: tuple[float, ...]
    agreement_interval: tuple[tuple[float, float], ...]
    accuracy: tuple[float, ...]
    iou: tuple[tuple[float, ...], ...]

    def enough(self, share: float = 0.95) -> int | None:
        """The radius from which on so many answers are those on the whole picture.

        Args:
            share: Of the answers, 0 to 1.

        Returns:
            The radius in pixels; None where the largest one is not enough.

        Example:
            >>> ends = ((0.0, 1.0),) * 3
            >>> curve = ContextCurve(fill="mean", radii=(4, 8, 16), agreement=(0.5, 0.96, 0.99),
            ...                      agreement_interval=ends, accuracy=(0.5, 0.9, 0.9), iou=())
            >>> curve.enough(), curve.enough(0.999)
            (8, None)
        """
        reached = None
        for radius, value in zip(reversed(self.radii), reversed(self.agreement), strict=True):
            if value < share:
                break
            reached = radius
        return reached


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionChange:
    """How often one class is called another, with context and without.

    Args:
        truth: What the pixels are.
        predicted: What they are called.
        with_context: Share of the class's pixels that are called so, 0 to 1.
        without: The same without context.
        pixels: How many pixels fewer are called so with context; negative where there are more.
    """

    truth: str
    predicted: str
    with_context: float
    without: float
    pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextRemoval:
    """The same network with what its context module adds replaced by the mean of that over pictures and positions.

    Args:
        layers: Whose values were replaced.
        iou_with: By class, as trained; nan where a class is nowhere.
        iou_without: By class, with the mean.
        mean_iou_with: Mean over classes, as trained.
        mean_iou_without: The same with the mean.
        changes: Confusions that context removes (first) and brings (last), by pixels.
    """

    layers: tuple[str, ...]
    iou_with: tuple[float, ...]
    iou_without: tuple[float, ...]
    mean_iou_with: float
    mean_iou_without: float
    changes: tuple[ConfusionChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextUse:
    """How much context one network uses on some pictures.

    Args:
        network: What it is called.
        classes: Names of the classes.
        extents: Size of the pictures, in pixels along each axis.
        field: Receptive field of one output, in pixels along each axis; it may reach over the picture's edge.
        whole: Whether every output could see the whole picture.
        reach: Squares that hold 50, 90 and 99 % of gradient energy.
        curves: One for each fill.
        removal: What the context module is worth; None where there is none.
        pictures: Pictures looked at.
        places: Pixels sampled for the curves, by class.
        notes: What must be known to read the numbers.
        control: Answers of networks trained on crops of each radius, at the same pixels; None where none were trained.
    """

    network: str
    classes: tuple[str, ...]
    extents: tuple[int, ...]
    field: tuple[int, ...]
    whole: bool
    reach: tuple[GradientReach, ...]
    curves: tuple[ContextCurve, ...]
    removal: ContextRemoval | None
    pictures: int
    places: Mapping[str, int]
    notes: tuple[str, ...] = ()
    control: ContextCurve | None = None


def overlap_of(confusion: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Intersection over union of every class.

    Args:
        confusion: Rows are true classes, columns predicted ones.

    Returns:
        By class; nan where nothing is the class and nothing is called it.

    Example:
        >>> overlap_of([[3, 1], [0, 4]])
        (0.75, 0.8)
    """
    columns = [sum(column) for column in zip(*confusion, strict=True)]
    found = []
    for place, (row, called) in enumerate(zip(confusion, columns, strict=True)):
        either = sum(row) + called - row[place]
        found.append(float(row[place] / either) if either else float("nan"))
    return tuple(found)


def confusion_changes(
    with_context: Sequence[Sequence[float]], without: Sequence[Sequence[float]], classes: Sequence[str]
) -> tuple[ConfusionChange, ...]:
    """Compare what two networks call each class, on the same pixels.

    Args:
        with_context: Pixels by true and predicted class.
        without: The same of the other network.
        classes: Names of the classes.

    Returns:
        Every confusion that differs; those that context removes first, by pixels.

    Example:
        >>> found = confusion_changes([[8, 2], [1, 9]], [[5, 5], [0, 10]], ["pedestrian", "road"])
        >>> [(each.truth, each.predicted, each.pixels) for each in found]
        [('pedestrian', 'road', 3), ('road', 'pedestrian', -1)]
    """
    found = []
    for row, truth in enumerate(classes):
        held = sum(with_context[row])
        for column, predicted in enumerate(classes):
            fewer = without[row][column] - with_context[row][column]
            if row != column and held and fewer:
                found.append(
                    ConfusionChange(
                        truth=truth,
                        predicted=predicted,
                        with_context=float(with_context[row][column] / held),
                        without=float(without[row][column] / held),
                        pixels=int(fewer),
                    )
                )
    return tuple(sorted(found, key=lambda each: -each.pixels))


def street_pairs(classes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The confusions that are dangerous on a street, of the classes that there are.

    Args:
        classes: Names of the classes.

    Returns:
        True class and answer: people taken for the ground they stand on, and the sidewalk taken for road.

    Example:
        >>> street_pairs(["Sky", "Road", "Pavement", "Bicyclist"])
        (('Bicyclist', 'Road'), ('Bicyclist', 'Pavement'), ('Pavement', 'Road'))
    """
    known = {name: name.strip().lower() for name in classes}
    people = [name for name, word in known.items() if word in _PEOPLE]
    ground = [name for name, word in known.items() if word in _GROUND]
    sidewalk = [name for name in ground if known[name] in _SIDEWALK]
    road = [name for name in ground if name not in sidewalk]
    return (
        *((one, other) for one in people for other in ground),
        *((one, other) for one in sidewalk for other in road),
    )
