"""Networks with and without a 1x1 before their 5x5 windows, narrow and wide, on few samples and on more."""

from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.experiments.data import LabData
from thalweg.experiments.foreseen import Work
from thalweg.experiments.lab import LabRequest
from thalweg.experiments.seeds import Seeds
from thalweg.experiments.sizing import cost_of
from thalweg.experiments.timing import answer_seconds
from thalweg.experiments.variants import Variant, accuracies, train_variants, works_of
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input
from thalweg.networks.layers import BatchNorm, GlobalAvgPool, ReLU
from thalweg.networks.sequential import Sequential
from thalweg.networks.spatial import CONV, MAX_POOL, scaled_input
from thalweg.networks.writing import Layer, Value

__all__ = ["MARGIN", "NARROW", "WIDE", "Trial", "five_by_five", "run_trials", "trial_works"]

NARROW, WIDE = 6, 24
"""Channels."""
FEW = 100
"""Samples that are few."""
MARGIN = 0.03
"""What an accuracy may lose and still count as kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A pair of networks on some samples.

    Args:
        name: Which.
        width: Channels of its windowed layers.
        samples: It was trained on.
        scores: Accuracies `without` and `with`.
        macs: Without, and with.
        seconds: A sample, without and with.
    """

    name: str
    width: int
    samples: int
    scores: Seeds
    macs: tuple[int, int]
    seconds: tuple[float, float]


def five_by_five(shape: Shape, classes: int, width: int, *, reduced: int | None) -> NetworkSpec:
    """A network of one 3x3 and two 5x5 convolutions.

    Args:
        shape: Channels and size of one sample.
        classes: Number of classes.
        width: Channels of every layer.
        reduced: Channels of the 1x1 before each 5x5; None leaves them out.

    Returns:
        The network.

    Example:
        >>> kinds = [layer.kind for layer in five_by_five(Shape(1, (32, 32)), 2, 8, reduced=2).layers]
        >>> kinds.count("conv2d")
        5
    """
    axes = shape.axes
    conv, pool = CONV[axes], MAX_POOL[axes]
    layers: list[Value | Layer] = [Input(*shape.as_tuple()), scaled_input(axes)]
    layers += [conv(width, 3, padding="same", bias=False), BatchNorm(), ReLU(), pool(2)]
    for last in (False, True):
        if reduced is not None:
            layers += [conv(reduced, 1, bias=False), BatchNorm(), ReLU()]
        layers += [conv(width, 5, padding="same", bias=False), BatchNorm(), ReLU()]
        layers += [] if last else [pool(2)]
    return Sequential([*layers, GlobalAvgPool(), *classifier(classes)], name="five by five")


Specs = dict[tuple[int, str], NetworkSpec]


def _planned(
    data: LabData, seed: int, epochs: float, widths: Sequence[int]
) -> tuple[dict[str, LabData], Specs, list[Variant]]:
    few = data.some(FEW, seed=seed)
    sets = {"few": few, "all": data} if len(few.train) < len(data.train) else {"all": data}
    specs = {
        (width, word): five_by_five(data.shape, len(data.classes), width, reduced=reduced)
        for width in widths
        for word, reduced in (("without", None), ("with", max(1, width // 4)))
    }
    variants = [
        Variant(
            name=f"{kind}/{width}/{word}",
            spec=spec,
            epochs=epochs * len(data.train) / len(held.train),
            data=kind,
        )
        for kind, held in sets.items()
        for (width, word), spec in specs.items()
    ]
    return sets, specs, variants


def trial_works(data: LabData, *, seed: int, epochs: float, seeds: int, widths: Sequence[int]) -> list[Work]:
    """What the trials consist of, to foresee how long they take.

    Args:
        data: What to train on.
        seed: The first one.
        epochs: Passes over all samples.
        seeds: Trainings of each network.
        widths: Channels.

    Returns:
        An entry a network and number of samples.
    """
    sets, _, variants = _planned(data, seed, epochs, widths)
    return works_of(variants, sets, seeds)


def run_trials(
    data: LabData, request: LabRequest, *, epochs: float, seeds: int, timing: float, widths: Sequence[int]
) -> tuple[Trial, ...]:
    """Train all pairs.

    Args:
        data: What to train on.
        request: What the user asked for.
        epochs: Passes over all samples; fewer samples get as many updates.
        seeds: Trainings of each network.
        timing: Seconds that timing may take.
        widths: Channels, narrow first.

    Returns:
        One trial a width and number of samples.
    """
    sets, specs, variants = _planned(data, request.seed, epochs, widths)
    found = train_variants(variants, sets, seeds, request)
    times = answer_seconds({f"{width}/{word}": spec for (width, word), spec in specs.items()}, seconds=timing)
    trials = []
    for kind, held in sets.items():
        for width in widths:
            pair = [(width, word) for word in ("without", "with")]
            trials.append(
                Trial(
                    name=f"{width} channels, {len(held.train):,} samples",
                    width=width,
                    samples=len(held.train),
                    scores=accuracies({word: found[f"{kind}/{width}/{word}"] for _, word in pair}),
                    macs=(cost_of(specs[pair[0]], "macs"), cost_of(specs[pair[1]], "macs")),
                    seconds=(times[f"{width}/without"], times[f"{width}/with"]),
                )
            )
    return tuple(trials)
