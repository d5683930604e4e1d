"""`lab context RUN`: how much context the network of a finished run uses, on its own held-out pictures."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from thalweg.core.context_use import ContextCurve, ContextUse
from thalweg.core.errors import PlanError, RunError
from thalweg.core.files import printable
from thalweg.core.lab import LabResult
from thalweg.core.report import Table
from thalweg.experiments.context_claims import judge_control, judge_field, judge_removal, judge_street
from thalweg.experiments.context_control import (
    SHARE,
    ControlData,
    control_radii,
    control_works,
    crops_a_step,
    train_controls,
)
from thalweg.experiments.data import LabPart
from thalweg.experiments.foreseen import foresee
from thalweg.experiments.foreseen import said as in_words
from thalweg.experiments.lab import LabRequest
from thalweg.explanation.context_use import Place, control_curve
from thalweg.workbench.answering.model import TrainedModel, open_model
from thalweg.workbench.context_use import measure_context
from thalweg.workbench.environment import find_source
from thalweg.workbench.loading.loaded import Loaded
from thalweg.workbench.loading.loading import load, same_split
from thalweg.workbench.reporting.context import agreement_figure, class_figure, keep_context

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["context_of_run"]

_MOST_PICTURES = 400
_LIMITS = (
    "Filled pictures are pictures that the network was not trained on: where fills disagree, the fill speaks.",
    "IoU along a curve is that of sampled pixels, as many of each class: it is not the IoU of the split.",
    "Intervals are over pictures; one training was looked into.",
)
_WITHOUT = (
    "What a network uses is not what it would need: one trained on crops may do with less; --control trains such ones."
)
_OF_CONTROLS = (
    "The controls began with the run's weights and learned few steps on crops: more steps may make up for more.",
    "Whatever they kept of what they had learned on whole pictures is not taken away by a few steps.",
)


def context_of_run(request: LabRequest, question: str, *, pictures: int, each: int, steps: int, most: int) -> LabResult:
    """Look into a run's network; what is found is added to the run's report.

    Args:
        request: Its source is the folder.
        question: What the experiment asks.
        pictures: Held-out pictures that are looked at.
        each: Pixels of each class to ask.
        steps: Updates of each control, where they are wanted.
        most: How many controls, that on whole pictures included.

    Returns:
        The answer.

    Raises:
        PlanError: A control is wanted, and pictures are too small or the time does not suffice.
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
    controls = _Controls(request, model, loaded, parts.train, steps=steps, most=most) if request.control else None
    use = measure_context(
        model.module,
        model.spec,
        shown.inputs,
        shown.labels,
        model.summary.classes,
        each=each,
        control=None if controls is None else partial(controls.curve, shown.inputs),
        seed=request.seed,
        listener=request.listener,
    )
    if keep_context(use, model.folder):
        request.listener.say(f"Added to the report: {place}/report.html")
    else:
        request.listener.say(f"Not added to the report of {place}: it is none of this version, or cannot be written")
    further = (judge_removal(use), judge_street(use), judge_control(use))
    return LabResult(
        name="context",
        question=question,
        setup={
            "network": f"{model.spec.name} of {place}, {model.shape}",
            "pictures": f"{len(chosen)} of the {len(held)} held-out ones, at the size of the network",
            "pixels": ", ".join(f"{name} {number}" for name, number in use.places.items()),
            "radius": "half of the side of a square less the pixel itself, in pixels of the network's input",
            **(controls.said() if controls else {}),
            **{f"note {number}": note for number, note in enumerate(use.notes, 1)},
        },
        table=_table(use),
        findings=(judge_field(use), *(finding for finding in further if finding)),
        limits=(*_LIMITS, *(_OF_CONTROLS if controls else (_WITHOUT,))),
        figures=(agreement_figure(use), class_figure(use)),
    )


class _Controls:
    """Networks trained on crops that end at each radius: what they cost, and their curve."""

    def __init__(
        self, request: LabRequest, model: TrainedModel, loaded: Loaded, train: Sequence[int], *, steps: int, most: int
    ) -> None:
        assert loaded.masks is not None and model.summary.masks is not None  # noqa: S101, PT018 - the caller looked
        self.request, self.model, self.steps = request, model, steps
        height, width = model.shape.extents
        self.radii = control_radii(height, width, most)
        if len(self.radii) == 1:
            raise PlanError(f"--control: pictures of {model.shape} are too small to be trained on in crops")
        classes = len(model.summary.classes)
        works = control_works(model.spec.name, model.shape, classes, self.radii, steps)
        self.minutes = foresee("context", works, request)
        some = np.sort(np.random.default_rng((request.seed, 47)).permutation(np.asarray(train))[:_MOST_PICTURES])
        self.data = ControlData(
            part=LabPart(
                values=np.ascontiguousarray(loaded.pictures.pixels[loaded.rows[some]]),
                labels=loaded.masks.pixels[some].astype(np.int64),
            ),
            spec=model.spec,
            plan=model.plan,
            weights=model.module.state_dict(),
            pixels=model.summary.masks.pixels["train"],
            steps=steps,
            seed=request.seed,
        )

    def curve(self, inputs: "Tensor", places: tuple[Place, ...]) -> ContextCurve:
        """Train them and ask them."""
        modules = train_controls(self.data, self.radii, workers=self.request.workers, listener=self.request.listener)
        return control_curve(modules, inputs, places, len(self.model.summary.classes))

    def said(self) -> dict[str, str]:
        """How they were trained."""
        height, width = self.model.shape.extents
        crops = [crops_a_step(radius, height, width) for radius in self.radii]
        return {
            "control": f"{len(self.radii)} copies of the network, each trained {self.steps} steps further from the "
            f"run's weights at {SHARE:g} of its rate, on {len(self.data.part)} training pictures; radii "
            f"{', '.join(map(str, self.radii))} (the last: whole pictures); crops a step "
            f"{', '.join(map(str, crops))}; foreseen {in_words(self.minutes)}"
        }


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


def _curves(use: ContextUse) -> tuple[ContextCurve, ...]:
    return (*use.curves, *((use.control,) if use.control is not None else ()))


def _table(use: ContextUse) -> Table:
    removal = use.removal
    rows = []
    for place, name in enumerate(use.classes):
        whole = use.curves[0].iou[place][-1]
        values = [f"{whole:.3f}" if math.isfinite(whole) else "-"]
        values += [_needed(curve, place) for curve in _curves(use)]
        if removal is not None:
            values += [_number(removal.iou_with[place]), _number(removal.iou_without[place])]
        rows.append((name, str(use.places[name]), *values))
    silenced = ("IoU", "module silenced") if removal else ()
    return Table(
        caption="Every class: pixels asked, IoU of those on whole pictures, and the radius from which on nine tenths "
        "of it are kept, by what lies beyond"
        + ("; IoU on all pixels, as trained and with the module silenced" * bool(silenced)),
        header=("class", "pixels", "IoU of those", *(f"radius, {curve.fill}" for curve in _curves(use)), *silenced),
        rows=tuple(rows),
    )


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "-"
