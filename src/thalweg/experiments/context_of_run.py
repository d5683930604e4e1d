"""`lab context RUN`: how much context the network of a finished run uses, on its own held-out pictures."""

import math
from collections.abc import Sequence

import numpy as np

from thalweg.core.context_use import ContextCurve, ContextUse
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.lab import LabResult
from thalweg.core.report import Curves, Line, Table
from thalweg.experiments.context_claims import judge_field, judge_removal
from thalweg.experiments.data import LabPart
from thalweg.experiments.lab import LabRequest
from thalweg.workbench.context_use import measure_context
from thalweg.workbench.environment import find_source
from thalweg.workbench.loading import load, same_split
from thalweg.workbench.model import open_model

__all__ = ["context_of_run"]

_MOST_LINES = 6
_LIMITS = (
    "Filled pictures are pictures that the network was not trained on: where fills disagree, the fill speaks.",
    "IoU along a curve is that of sampled pixels, as many of each class: it is not the IoU of the split.",
    "What a network uses is not what it would need: one trained on smaller pictures may do with less.",
    "Intervals are over pictures; one training was looked into.",
)


def context_of_run(request: LabRequest, question: str, *, pictures: int, each: int) -> LabResult:
    """Look into a run's network.

    Args:
        request: Its source is the folder.
        question: What the experiment asks.
        pictures: Held-out pictures that are looked at.
        each: Pixels of each class to ask.

    Returns:
        The answer.

    Raises:
        RunError: The run was not trained on masks, or holds out no picture.
    """
    model = open_model(str(request.source), device="cpu")
    place = printable(model.folder.path)
    if model.summary.masks is None:
        raise RunError(f"{place} classifies whole pictures: this experiment wants a run that was trained with masks")
    source = find_source(model.folder, model.plan.source)
    loaded = load(
        source, image_size=model.size, listener=request.listener, least=1, wanted=model.plan.wanted, like=model.shape
    )
    parts = same_split(loaded, model.summary)
    held = np.asarray(parts.test or parts.validation)
    if not len(held) or loaded.masks is None:
        raise RunError(f"{place} holds out no picture, so there is nothing to ask its network about")
    chosen = np.sort(np.random.default_rng((request.seed, 37)).permutation(held)[:pictures])
    shown = LabPart(
        values=np.ascontiguousarray(loaded.pictures.pixels[loaded.rows[chosen]]),
        labels=loaded.masks.pixels[chosen].astype(np.int64),
    )
    use = measure_context(
        model.module,
        model.spec,
        shown.inputs,
        shown.labels,
        model.summary.classes,
        each=each,
        seed=request.seed,
        listener=request.listener,
    )
    removal = judge_removal(use)
    return LabResult(
        name="context",
        question=question,
        setup={
            "network": f"{model.spec.name} of {place}, {model.shape}",
            "pictures": f"{len(chosen)} of the {len(held)} held-out ones, at the size of the network",
            "pixels": ", ".join(f"{name} {number}" for name, number in use.places.items()),
            "radius": "half of the side of a square less the pixel itself, in pixels of the network's input",
            **{f"note {number}": note for number, note in enumerate(use.notes, 1)},
        },
        table=_table(use),
        findings=(judge_field(use), *((removal,) if removal else ())),
        limits=_LIMITS,
        figures=(_agreement(use), _by_class(use)),
    )


def _needed(curve: ContextCurve, place: int) -> str:
    """The radius from which on a class has nine tenths of its IoU on the whole picture."""
    line, whole = curve.iou[place], curve.iou[place][-1]
    if not math.isfinite(whole) or whole <= 0:
        return "-"
    reached = curve.radii[-1]
    for radius, value in zip(reversed(curve.radii), reversed(line), strict=True):
        if not value >= 0.9 * whole:
            break
        reached = radius
    return str(reached)


def _table(use: ContextUse) -> Table:
    removal = use.removal
    rows = []
    for place, name in enumerate(use.classes):
        whole = use.curves[0].iou[place][-1]
        values = [f"{whole:.3f}" if math.isfinite(whole) else "-"]
        values += [_needed(curve, place) for curve in use.curves]
        if removal is not None:
            values += [_number(removal.iou_with[place]), _number(removal.iou_without[place])]
        rows.append((name, str(use.places[name]), *values))
    silenced = ("IoU", "module silenced") if removal else ()
    return Table(
        caption="Every class: pixels asked, IoU of those on whole pictures, and the radius from which on nine tenths "
        "of it are kept, by what lies beyond"
        + ("; IoU on all pixels, as trained and with the module silenced" * bool(silenced)),
        header=("class", "pixels", "IoU of those", *(f"radius, {curve.fill}" for curve in use.curves), *silenced),
        rows=tuple(rows),
    )


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "-"


def _powers(radii: Sequence[int]) -> tuple[float, ...]:
    return tuple(math.log2(radius) for radius in radii)


_X = "radius that is kept, as a power of two (3 is 8 pixels, 4 is 16)"


def _agreement(use: ContextUse) -> Curves:
    return Curves(
        caption="Answers that stay those on the whole picture while everything beyond a radius is filled",
        x_label=_X,
        y_label="share of the answers that stay",
        lines=tuple(
            Line(label=f"filled: {curve.fill}", x=_powers(curve.radii), y=curve.agreement, dashed=curve.fill != "mean")
            for curve in use.curves
        ),
        y_range=(0.0, 1.0),
    )


def _by_class(use: ContextUse) -> Curves:
    curve = use.curves[0]
    gained = {
        place: line[-1] - line[0]
        for place, line in enumerate(curve.iou)
        if math.isfinite(line[-1]) and use.places[use.classes[place]]
    }
    shown = sorted(sorted(gained, key=lambda place: -gained[place])[:_MOST_LINES])
    return Curves(
        caption=f"The classes that gain most from context: IoU of the sampled pixels (filled: {curve.fill})",
        x_label=_X,
        y_label="IoU",
        lines=tuple(
            Line(label=use.classes[place], x=_powers(curve.radii), y=curve.iou[place], dashed=bool(index % 2))
            for index, place in enumerate(shown)
        ),
        y_range=(0.0, 1.0),
    )
