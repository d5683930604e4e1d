"""How much context a trained segmentation network uses: counted, by gradients, by filling, by silencing its module."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from thalweg.accounting.ledger import receptive_fields
from thalweg.core.context_use import ContextCurve, ContextUse
from thalweg.core.network_spec import NetworkSpec
from thalweg.data.batching.batches import as_tensor
from thalweg.networks.context import context_sources
from thalweg.training.device import Device
from thalweg.workbench.loading.loaded import Loaded
from thalweg.workbench.telling.telling import Listener, whoever_is_here

if TYPE_CHECKING:
    from torch import Tensor, nn

    from thalweg.explanation.context_use import Place

__all__ = ["measure_context", "reach_of_run", "usual_radii"]

_LEAST = 2
_FEW = 5
_PICTURES, _EACH, _BATCH = 4, 1, 8
"""At the end of a run: pictures, pixels of each class, and pixels at a time."""


def usual_radii(height: int, width: int) -> tuple[int, ...]:
    """Radii that double up to the whole picture.

    Args:
        height: Rows of a picture.
        width: Columns of it.

    Returns:
        Pixels on each side, from 2; the last one keeps the whole picture from any place.

    Example:
        >>> usual_radii(60, 80)
        (2, 4, 8, 16, 32, 64, 80)
    """
    found, radius, most = [], _LEAST, max(height, width)
    while radius < most:
        found.append(radius)
        radius *= 2
    return (*found, most)


def measure_context(
    module: "nn.Module",
    spec: NetworkSpec,
    pixels: "Tensor",
    truth: npt.ArrayLike,
    classes: Sequence[str],
    *,
    each: int = 20,
    radii: Sequence[int] | None = None,
    curves: bool = True,
    control: Callable[[tuple["Place", ...]], ContextCurve] | None = None,
    batch: int = 8,
    seed: int = 0,
    listener: Listener | None = None,
) -> ContextUse:
    """Measure how much of the picture around a pixel a network uses.

    Args:
        module: The trained network, giving logits; it is given back as it was.
        spec: Its description, with or without its last softmax.
        pixels: Pictures as the network takes them, `(pictures, channels, height, width)`.
        truth: Class of every pixel of them; anything outside the classes is left out.
        classes: Names of the classes.
        each: Pixels of each class to ask.
        radii: Pixels that stay on each side; doubling from 2 to the whole picture by default.
        curves: Whether to fill what lies beyond radii, which takes most of the time, and to silence the module.
        control: Makes the curve of networks trained on crops, from the pixels that are asked.
        batch: Places whose gradients are computed at a time.
        seed: Which pixels.
        listener: Whoever shows progress.

    Returns:
        Receptive field, reach of gradients, context curves and, where the network has a context module, its worth.

    Raises:
        SpecError: No pixel has a known class, and curves are wanted.
    """
    from thalweg.explanation.context_removal import without_context
    from thalweg.explanation.context_use import context_curves, sample_places
    from thalweg.explanation.gradient_reach import gradient_reach

    listener = listener or whoever_is_here()
    logits, _ = spec.logits()
    fields = receptive_fields(logits)[logits.outputs[0]]
    masks = np.asarray(truth)
    places = sample_places(masks, len(classes), each, seed=seed)
    sources = context_sources(spec)
    found = (
        context_curves(
            module,
            pixels,
            places,
            len(classes),
            radii=usual_radii(*pixels.shape[2:]) if radii is None else radii,
            told=lambda done, of: listener.count("answers on filled pictures", done, of),
        )
        if curves
        else ()
    )
    counts = {name: sum(place.truth == number for place in places) for number, name in enumerate(classes)}
    return ContextUse(
        network=spec.name,
        classes=tuple(classes),
        extents=tuple(pixels.shape[2:]),
        field=tuple(field.size for field in fields),
        whole=any(field.whole for field in fields),
        reach=gradient_reach(module, pixels, places, batch=batch),
        curves=found,
        removal=without_context(module, pixels, masks, classes, sources) if sources and curves else None,
        pictures=len(pixels),
        places=counts,
        notes=_notes(counts) if curves else (),
        control=None if control is None else control(places),
    )


def reach_of_run(
    module: "nn.Module",
    spec: NetworkSpec,
    loaded: Loaded,
    indices: Sequence[int],
    classes: Sequence[str],
    *,
    device: Device,
    batch: int,
    seed: int,
) -> ContextUse | None:
    """What is cheap enough for the end of every run: the receptive field, and how far gradients reach.

    Args:
        module: The trained network, giving logits.
        spec: Its description.
        loaded: Pictures with masks.
        indices: The held-out ones; a few are looked at.
        classes: Names of the classes.
        device: Where the network is.
        batch: Pictures at a time.
        seed: Which pictures and pixels.

    Returns:
        The numbers, without curves; None where no looked-at pixel has a class.
    """
    assert loaded.masks is not None  # noqa: S101 - only such runs come here
    chosen = np.sort(np.random.default_rng((seed, 53)).permutation(np.asarray(indices))[:_PICTURES])
    truth = np.asarray(loaded.masks.pixels[chosen])
    if not (truth < len(classes)).any():
        return None
    pixels = as_tensor(np.asarray(loaded.pictures.pixels[loaded.rows[chosen]]), device=device.kind)
    return measure_context(
        module, spec, pixels, truth, classes, each=_EACH, curves=False, batch=max(1, min(batch, _BATCH)), seed=seed
    )


def _notes(counts: dict[str, int]) -> tuple[str, ...]:
    absent = [name for name, number in counts.items() if not number]
    rare = [f"{name} ({number})" for name, number in counts.items() if 0 < number < _FEW]
    notes = ["IoU along a curve is that of the sampled pixels, as many of each class: it is not the IoU of the split"]
    if absent:
        notes.append(f"the pictures hold no pixel of {', '.join(absent)}: its curve is that of false answers alone")
    if rare:
        notes.append(f"few pixels were found of {', '.join(rare)}: their numbers jump")
    return tuple(notes)
