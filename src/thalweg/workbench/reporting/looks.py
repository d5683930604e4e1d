"""The part of a run's report that shows where the network looks; left out where that would take more than seconds."""

import time

import numpy as np
import torch

from thalweg.core.errors import ThalwegError
from thalweg.core.files import printable
from thalweg.core.report import Block, Paragraph, Section
from thalweg.data.batching.batches import as_tensor
from thalweg.explanation.cells import cells_over
from thalweg.explanation.randomisation import weighted_layers
from thalweg.rendering.pages.explanation import agreement_line, sanity_line
from thalweg.workbench.answering.model import TrainedModel
from thalweg.workbench.explain import map_pictures
from thalweg.workbench.explaining.hierarchy import first_filters
from thalweg.workbench.explaining.maps import SampleMaps, explained, sanity_checks
from thalweg.workbench.explaining.samples import Chosen, as_taken, choose_held_out
from thalweg.workbench.explaining.stages import map_layer, places_of
from thalweg.workbench.loading.loading import Loaded

__all__ = ["looks_section"]

SAMPLES = 4
SECONDS, SECONDS_SHORT = 8.0, 1.5
"""What the section may take; the second where the run was to end after so many minutes."""
_SANITY_ANSWERS = 20
"""About as many answers as the sanity check takes a sample: three draws of weights, there and back."""
_LEGEND = (
    "Orange speaks for the class, blue against it. Grad-CAM weights the maps of a layer by how much the class's score "
    "hangs on them; occlusion covers patches and sees how far the score falls."
)


def looks_section(
    model: TrainedModel, loaded: Loaded, files: list[str], probabilities: np.ndarray, labels: np.ndarray
) -> Section:
    """Explain a few held-out samples, right and wrong, within seconds.

    Args:
        model: The trained network.
        loaded: Its data.
        files: Files of the reported split.
        probabilities: The answers, `(files, classes)`.
        labels: True classes.

    Returns:
        The section; where time is short, or nothing can be shown, a sentence why.
    """
    more = f"thalweg explain {printable(model.folder.path)}"
    try:
        blocks = _blocks(model, loaded, files, probabilities, labels)
    except ThalwegError as error:
        blocks = (Paragraph(text=f"Nothing is shown here: {error}.", style="note"),)
    after = (
        Paragraph(text="Curves, saliency, and what each stage responds to are shown by:"),
        Paragraph(text=more, style="command"),
    )
    return Section(title="Where the network looks", blocks=(*blocks, *after))


def _blocks(
    model: TrainedModel, loaded: Loaded, files: list[str], probabilities: np.ndarray, labels: np.ndarray
) -> tuple[Block, ...]:
    row = dict(zip(loaded.files, (int(each) for each in loaded.rows), strict=True))
    chosen = [
        Chosen(
            file=files[at],
            values=as_taken(loaded.pictures.pixels[row[files[at]]], model.shape.channels),
            truth=int(labels[at]),
            truth_from="split",
        )
        for at in choose_held_out(probabilities, labels, SAMPLES, model.plan.seed)
    ]
    allowed = SECONDS if model.plan.minutes is None else SECONDS_SHORT
    answers = len(cells_over(model.shape.extents)) + _SANITY_ANSWERS
    needed = answers * _seconds_an_answer(model, chosen[0])
    affordable = int(allowed / max(needed, 1e-9))
    if affordable < 1:
        return (
            Paragraph(
                text=f"Left out here: on this machine it would have taken about {needed * len(chosen):.0f} s, and the "
                f"report may take {allowed:g}.",
                style="note",
            ),
        )
    if affordable < len(chosen):
        chosen = chosen[-affordable:]  # mistakes come last
    places = places_of(model.spec)
    layer = map_layer(model.spec, places, None)
    maps = [explained(model, each, layer, curves=False, with_saliency=False) for each in chosen]
    return (Paragraph(text=_LEGEND), *_verdicts(model, chosen, maps, layer), *_pictures(model, chosen, maps))


def _verdicts(
    model: TrainedModel, chosen: list[Chosen], maps: list[SampleMaps], layer: str | None
) -> tuple[Paragraph, ...]:
    checked = [(one, each.targets[0]) for one, each in zip(chosen, maps, strict=True)]
    everything = {"all weights": weighted_layers(model.module)}
    checks = sanity_checks(model, checked, layer, everything, methods=("grad_cam",), seeds=(0, 1, 2))
    said = f"{agreement_line([each.sample for each in maps])} {sanity_line(checks)}".strip()
    sound = all(check.verdict == "changes" for check in checks)
    return (Paragraph(text=said, style="plain" if sound else "warning"),) if said else ()


def _pictures(model: TrainedModel, chosen: list[Chosen], maps: list[SampleMaps]) -> tuple[Block, ...]:
    frames = model.summary.reading is not None and model.summary.reading.kind == "clip"
    rows = [map_pictures(each, one, frames=frames) for each, one in zip(maps, chosen, strict=True)]
    filters = first_filters(model, chosen[0].values)
    return (*rows, *([] if filters is None else [filters]))


@torch.no_grad()
def _seconds_an_answer(model: TrainedModel, chosen: Chosen) -> float:
    """How long the network takes a sample, in a batch as occlusion makes them; the second of two goes."""
    block = as_tensor(chosen.values[None]).float().to(model.device.kind)
    model.module(block)
    block = block.repeat(8, *(1,) * (block.ndim - 1))
    began = time.perf_counter()
    model.module(block)
    return (time.perf_counter() - began) / len(block)
