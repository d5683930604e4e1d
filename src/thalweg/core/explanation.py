"""The answer of `explain`: what each stage responds to, where the network looks, how far such maps can be trusted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from thalweg.core.codec import to_plain
from thalweg.core.dataset import Notice
from thalweg.core.report import Block, PictureGrid
from thalweg.core.showing import Showable

__all__ = [
    "AGREES_FROM",
    "CHANGES_BELOW",
    "Agreement",
    "Album",
    "CellCurves",
    "ExplainResult",
    "ExplainedSample",
    "Importance",
    "SanityCheck",
    "SanityStep",
    "Stage",
    "TopPatches",
    "agreement_verdict",
    "sanity_verdict",
]

AGREES_FROM = 0.4
"""Two methods agree on a sample from this rank correlation on; ours, not a published number."""
CHANGES_BELOW = 0.5
"""A map has changed when its rank correlation with the trained network's is below this; ours as well."""

AgreementVerdict: TypeAlias = Literal["agree", "do not agree", "blank"]
SanityVerdict: TypeAlias = Literal["changes", "does not change", "blank"]


def agreement_verdict(correlation: float) -> AgreementVerdict:
    """Judge whether two methods point to the same places.

    Args:
        correlation: Rank correlation over the cells; nan where one map is the same everywhere.

    Returns:
        The verdict.

    Example:
        >>> agreement_verdict(0.7), agreement_verdict(-0.1), agreement_verdict(math.nan)
        ('agree', 'do not agree', 'blank')
    """
    if math.isnan(correlation):
        return "blank"
    return "agree" if correlation >= AGREES_FROM else "do not agree"


def sanity_verdict(correlation: float) -> SanityVerdict:
    """Judge whether a map depends on what the network learned.

    Args:
        correlation: Rank correlation of the maps of the trained and of the wholly randomised network.

    Returns:
        The verdict.

    Example:
        >>> sanity_verdict(0.05), sanity_verdict(0.98)
        ('changes', 'does not change')
    """
    if math.isnan(correlation):
        return "blank"
    return "changes" if correlation < CHANGES_BELOW else "does not change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """A map of one method, for one class, over the cells of a sample.

    Args:
        method: `grad_cam`, `occlusion` or `saliency`.
        target: The class it speaks for.
        layer: The layer it was made at; None for the input.
        layer_extents: Positions of that layer along each axis.
        cells: Cells along each axis.
        values: Mean of the map over each cell, row by row, in the method's own unit; positive speaks for the class.
    """

    method: Literal["grad_cam", "occlusion", "saliency"]
    target: str
    layer: str | None
    layer_extents: tuple[int, ...]
    cells: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whether class activation and occlusion point to the same places.

    Args:
        target: The class both speak for.
        correlation: Spearman's rank correlation over the cells; nan where one map is the same everywhere.
        verdict: What that means.
    """

    target: str
    correlation: float
    verdict: AgreementVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCurves:
    """Insertion and deletion of the cells of one sample in one order.

    Args:
        order: `grad_cam`, `occlusion`, or `random`, which is the mean over some random orders.
        target: The class whose probability is followed.
        shares: Share of the cells inserted or deleted.
        insertion: Probability of the class while cells are inserted, the most important first.
        deletion: The same while they are deleted.
        insertion_area: Area under the first; large is good.
        deletion_area: Area under the second; small is good.
    """

    order: Literal["grad_cam", "occlusion", "random"]
    target: str
    shares: tuple[float, ...]
    insertion: tuple[float, ...]
    deletion: tuple[float, ...]
    insertion_area: float
    deletion_area: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedSample:
    """One sample with its maps.

    Args:
        file: Its file, or its place in one.
        answer: The network's answer.
        probability: The probability of that.
        truth: Its true class, where it is known.
        truth_from: How it is known: from the `split` of the run, or from the name of the file's `folder`.
        importances: The maps.
        agreements: Of class activation and occlusion, for each class explained.
        curves: Insertion and deletion, for the first class explained.
    """

    file: str
    answer: str
    probability: float
    truth: str | None
    truth_from: Literal["split", "folder"] | None
    importances: tuple[Importance, ...]
    agreements: tuple[Agreement, ...]
    curves: tuple[CellCurves, ...]

    def curve(self, order: str) -> CellCurves | None:
        """The curves of an order.

        Args:
            order: Its name.

        Returns:
            The curves, or None.
        """
        return next((each for each in self.curves if each.order == order), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SanityStep:
    """The likeness of maps after some layers forgot what they learned.

    Args:
        forgotten: What was randomised last; everything above it was so already.
        rank: Mean rank correlation with the trained network's maps.
        structure: Mean structural similarity with them.
        blank: Share of the maps that became the same everywhere.
    """

    forgotten: str
    rank: float
    structure: float
    blank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SanityCheck:
    """Whether a method's maps change when weights are randomised from the top down.

    Args:
        method: `grad_cam` or `saliency`.
        layer: The layer it is made at; None for the input.
        positions: Places of a map that are ranked.
        steps: The likeness after each step; after the last one the network knows nothing.
        verdict: What the last step means.
    """

    method: Literal["grad_cam", "saliency"]
    layer: str | None
    positions: int
    steps: tuple[SanityStep, ...]
    verdict: SanityVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TopPatches:
    """Where one channel is strongest.

    Args:
        channel: Its number, from 0.
        files: The samples, the strongest first.
        values: The channel's value there.
    """

    channel: int
    files: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What works at one resolution.

    Args:
        number: From 0 at the input.
        layer: Its last layer.
        kind: That layer's kind.
        channels: Channels of that layer.
        extents: Positions along each axis.
        receptive_field: Input positions that one of its values can see, along each axis.
        stride: Input positions between two neighbouring values.
        silent: Channels that gave the same for every sample that was searched; None where none was.
        strongest: Channels that are strongest on the first sample, the strongest first.
        patches: What some channels respond to.
    """

    number: int
    layer: str
    kind: str
    channels: int
    extents: tuple[int, ...]
    receptive_field: tuple[int, ...]
    stride: tuple[float, ...]
    silent: int | None
    strongest: tuple[int, ...]
    patches: tuple[TopPatches, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainResult(Showable):
    """The answer of `explain`.

    Args:
        run: The run folder.
        page: The page that was written, or None.
        network: The network's name.
        form: `picture`, `signal` or `volume`.
        extents: Size of a sample along each axis.
        classes: Class names in index order.
        layer: The layer of class activation; None where no layer has a map.
        stages: The stages, from the input on.
        samples: The explained samples.
        sanity: The sanity checks.
        searched: Samples searched for patches, and of which split; empty where none was.
        left_out: Files that were asked for and cannot be read, each with its reason.
        notes: What could not be shown, and why.
        seconds: Wall time.
    """

    run: str
    page: str | None
    network: str
    form: Literal["picture", "signal", "volume"]
    extents: tuple[int, ...]
    classes: tuple[str, ...]
    layer: str | None
    stages: tuple[Stage, ...]
    samples: tuple[ExplainedSample, ...]
    sanity: tuple[SanityCheck, ...]
    searched: str
    left_out: tuple[Notice, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        """The answer with the field names of the interface.

        Returns:
            Plain data.
        """
        plain: dict[str, object] = to_plain(self)
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """The pictures that go with an explanation.

    Args:
        samples: For each sample its pictures with their maps, and its curves.
        filters: The filters of the first layer, or None.
        maps: By the number of a stage: the maps of the first sample.
        patches: By the number of a stage: what its channels respond to.
    """

    samples: tuple[tuple[Block, ...], ...]
    filters: PictureGrid | None = None
    maps: Mapping[int, PictureGrid] = field(default_factory=dict)
    patches: Mapping[int, PictureGrid] = field(default_factory=dict)
