"""`thalweg explain`: where a trained network looks, what its stages respond to, whether such maps can be trusted."""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from thalweg.core.dataset import AXES, Notice
from thalweg.core.errors import PlanError, ThalwegError
from thalweg.core.explanation import Album, ExplainResult
from thalweg.core.files import page_to_write, printable, write_atomically
from thalweg.core.report import Block, PictureGrid
from thalweg.explanation.randomisation import weighted_layers
from thalweg.modules.build import build
from thalweg.training.device import move
from thalweg.workbench.answering.model import TrainedModel, open_model
from thalweg.workbench.answering.picture_places import Pictures
from thalweg.workbench.explaining.hierarchy import Searched, first_filters, seen_stages
from thalweg.workbench.explaining.hierarchy import search as search_patches
from thalweg.workbench.explaining.maps import SampleMaps, explained, sanity_checks
from thalweg.workbench.explaining.pictures import overlay, smooth
from thalweg.workbench.explaining.samples import Chosen, chosen_held_out, chosen_named, own_data
from thalweg.workbench.explaining.stages import forgetting, map_layer, places_of
from thalweg.workbench.loading.loading import Loaded
from thalweg.workbench.telling.telling import Listener, whoever_is_here

__all__ = ["explain", "map_pictures"]

SAMPLES, SEARCHED = 6, 384
"""Held-out samples that are explained, and training samples that are searched for patches, by default."""
IN_CHECK = 4
_NAMES = {"grad_cam": "Grad-CAM", "occlusion": "Occlusion", "saliency": "Saliency"}


@dataclass(frozen=True, slots=True)
class _Gathered:
    chosen: list[Chosen]
    loaded: Loaded | None
    left_out: list[Notice]
    notes: list[str]


def explain(
    run: str | os.PathLike[str],
    images: Pictures = (),
    *,
    class_: str | None = None,
    layer: str | None = None,
    head: str | None = None,
    samples: int = SAMPLES,
    search: int = SEARCHED,
    seed: int = 0,
    device: str = "auto",
    html: str | os.PathLike[str] | None = None,
    search_in: int | None = None,
    listener: Listener | None = None,
) -> ExplainResult:
    """Show where a trained network looks, and what its stages respond to.

    Args:
        run: The run folder.
        images: Files to explain, folders of such, or arrays of samples (`.npz`, `.npy`, idx files, CIFAR's batches,
            those of numpy or torch), as `predict` takes them; by default some that the run held out, right and wrong.
        class_: The class to explain; by default the answer, and the true class where the answer is wrong.
        layer: The layer at which class activation is made; by default the last one that has maps.
        head: Which output to explain, by its name or its place from 0, of a network that has several; by default the
            first.
        samples: How many held-out samples, where none is named.
        search: How many training samples to search for what excites each stage; 0 for none.
        seed: Of the choice of samples, of noise, of random orders and of randomised weights.
        device: `auto`, `cpu`, `cuda` or `mps`.
        html: A page to write; nothing is written by default.
        search_in: What `search` was called before.
        listener: Whoever shows progress.

    Returns:
        Maps, agreement, insertion and deletion curves, sanity checks and stages, in numbers.

    Raises:
        PlanError: An option does not fit the run, or nothing is named that could be explained.
        PictureError: None of the named files can be read.
        RunError: There is no finished run.

    Example:
        >>> explain("runs/none")
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    listener = listener or whoever_is_here()
    started = time.perf_counter()
    search = search if search_in is None else search_in
    _check_numbers(samples, search)
    page = page_to_write(html)
    model = open_model(Path(run), device=device)
    if model.summary.masks is not None:
        raise PlanError(
            f"{printable(run)} gives every pixel a class, and maps explain one answer a picture: "
            f"thalweg lab context {printable(run)} tells how much of a picture it uses"
        )
    model = _of_head(model, head)
    target = _class(model, class_)
    places = places_of(model.spec)
    at = map_layer(model.spec, places, layer)
    gathered = _gather(model, images, samples, search, seed, listener)
    notes = gathered.notes
    if at is None:
        notes.append("no layer of this network has maps, so there is no class activation: see occlusion and saliency")
    maps = []
    for number, chosen in enumerate(gathered.chosen, start=1):
        listener.count("samples explained", number, len(gathered.chosen))
        maps.append(explained(model, chosen, at, target=target, seed=seed))
    listener.say("Forgetting what was learned, stage by stage, to see whether the maps change ...")
    checked = [(chosen, each.targets[0]) for chosen, each in zip(gathered.chosen, maps, strict=True)][:IN_CHECK]
    sanity = sanity_checks(model, checked, at, forgetting(model.spec, places, weighted_layers(model.module)))
    searched: Searched | None = None
    if gathered.loaded is not None and search and places:
        listener.say("Looking for what excites each stage ...")
        searched = search_patches(model, gathered.loaded, places, search, seed)
    stages, shown, patches = seen_stages(model, places, gathered.chosen[0], searched) if places else ((), {}, {})
    result = ExplainResult(
        run=str(model.folder.path),
        page=None,
        network=model.plan.network,
        form=next(form for form, axes in AXES.items() if axes == model.shape.axes),
        extents=model.shape.extents,
        classes=model.summary.classes,
        layer=at,
        stages=stages,
        samples=tuple(each.sample for each in maps),
        sanity=sanity,
        searched="" if searched is None else searched.said,
        left_out=tuple(gathered.left_out),
        notes=tuple(notes),
    )
    if page is not None:
        from thalweg.rendering.pages.explanation import explain_report
        from thalweg.rendering.pages.html import render_html

        frames = model.summary.reading is not None and model.summary.reading.kind == "clip"
        pictures = tuple(
            (map_pictures(each, chosen, frames=frames),) for each, chosen in zip(maps, gathered.chosen, strict=True)
        )
        album = Album(
            samples=pictures, filters=first_filters(model, gathered.chosen[0].values), maps=shown, patches=patches
        )
        write_atomically(page, render_html(explain_report(result, album), data=True))
        result = replace(result, page=str(page))
    return replace(result, seconds=time.perf_counter() - started)


def _check_numbers(samples: int, search_in: int) -> None:
    if not 1 <= samples <= 64:  # noqa: PLR2004 - a page of more is not looked through
        raise PlanError(f"--samples {samples}: 1 to 64 are possible")
    if not 0 <= search_in <= 1_000_000:  # noqa: PLR2004 - beyond is a slip of the finger
        raise PlanError(f"--search {search_in}: 0 to 1,000,000 training samples are possible")


def _of_head(model: TrainedModel, head: str | None) -> TrainedModel:
    """The network up to one of its outputs, where it has several."""
    names = model.spec.outputs
    if head is None:
        place: int | None = 0
    elif head in names:
        place = names.index(head)
    else:
        place = int(head) if head.isdecimal() else None
    if place is None or place >= len(names):
        known = ", ".join(f"{number} ({printable(name)})" for number, name in enumerate(names))
        raise PlanError(f"--head {printable(str(head))}: the network of {printable(model.folder.path)} has {known}")
    if len(names) == 1:
        return model
    wanted = {names[place]}
    for layer in reversed(model.spec.layers):
        wanted |= set(layer.inputs) if layer.name in wanted else set()
    layers = tuple(layer for layer in model.spec.layers if layer.name in wanted)
    spec = replace(model.spec, layers=layers, outputs=(names[place],))
    module = build(spec.logits()[0], seed=0)
    learned = model.module.state_dict()
    module.load_state_dict({name: learned[name] for name in module.state_dict()})
    return replace(model, spec=spec, module=move(module, model.device).eval())


def _class(model: TrainedModel, name: str | None) -> int | None:
    if name is None:
        return None
    if name not in model.summary.classes:
        known = ", ".join(map(printable, model.summary.classes[:20]))
        raise PlanError(f"--class {printable(name)}: the run knows {known}")
    return model.summary.classes.index(name)


def _gather(
    model: TrainedModel, images: Pictures, samples: int, search_in: int, seed: int, listener: Listener
) -> _Gathered:
    """The samples to explain, and the run's own data where it is needed and still there."""
    if isinstance(images, list | tuple) and not images:
        loaded = own_data(model, listener)
        chosen = chosen_held_out(model, loaded, samples, seed)
        if not chosen:
            raise PlanError(f"{printable(model.folder.path)} holds no sample out: name some to explain")
        return _Gathered(chosen, loaded, [], [])
    chosen, left_out, notes = chosen_named(model, images)
    if not search_in:
        return _Gathered(chosen, None, left_out, notes)
    try:
        return _Gathered(chosen, own_data(model, listener), left_out, notes)
    except ThalwegError as error:
        notes.append(f"no patches are shown, since the run's own data cannot be read: {error}")
        return _Gathered(chosen, None, left_out, notes)


def map_pictures(maps: SampleMaps, chosen: Chosen, *, frames: bool = False) -> Block:
    """A sample beside its maps.

    Args:
        maps: Its maps.
        chosen: The sample.
        frames: Whether the first axis of a volume is time.

    Returns:
        A row of pictures.
    """
    sample = maps.sample
    wrong = sample.truth is not None and sample.truth != sample.answer
    strongest = next(iter(maps.full.values()), None)
    at = None
    if strongest is not None and strongest.ndim == 3 and not frames:  # noqa: PLR2004 - a volume: the same slices for all
        import numpy as np

        at = tuple(int(each) for each in np.unravel_index(int(abs(strongest).argmax()), strongest.shape))
    first = overlay(
        chosen.values,
        None,
        "" if sample.truth is None else f"is {printable(sample.truth)}",
        file=sample.file,
        badge="wrong" if wrong else "",
        frames=frames,
        at=at,
    )
    layers: dict[tuple[str, str], str | None] = {}
    for each in sample.importances:
        layers[each.method, each.target] = each.layer
    others = []
    for (method, target), map_ in maps.full.items():
        place = layers.get((method, target))
        caption = f"{_NAMES[method]} for {printable(target)}" + (f", at {place}" if place else "")
        others.append(
            overlay(
                chosen.values,
                smooth(map_) if method == "saliency" else map_,
                caption,
                frames=frames,
                heat=method == "saliency",
                at=at,
            )
        )
    agreed = next((each for each in sample.agreements), None)
    told = f"Answer {printable(sample.answer)} ({sample.probability:.0%})"
    if sample.truth is not None:
        told += f"; in truth {printable(sample.truth)}" if wrong else ", and that is right"
    if agreed is not None and agreed.verdict == "agree":
        told += f"; Grad-CAM and occlusion agree ({agreed.correlation:.2f})"
    elif agreed is not None and agreed.verdict == "do not agree":
        told += f"; Grad-CAM and occlusion do not agree ({agreed.correlation:.2f}): do not read much into either"
    return PictureGrid(caption=told, pictures=(first, *others))
