"""A network that somebody wrote, made fit to be trained on a source: its input, where values begin, where it ends.

What people write rarely begins with the rescaling of pixels and often ends in bare scores. Training wants both ends
inside the network, so that it can be counted, saved and exported whole; so they are added where they are missing, and
what was added is said. A wrong number of outputs is the user's to mend.
"""

from dataclasses import replace

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import outputs
from thalweg.networks.spatial import SAMPLES, STANDARDISE

__all__ = ["adapted"]

_PICTURE_AXES = 2


def adapted(spec: NetworkSpec, shape: Shape, classes: int) -> tuple[NetworkSpec, tuple[str, ...]]:
    """Fit a network to samples of a shape and a number of classes.

    Args:
        spec: The network as it was written.
        shape: Channels and size of one sample.
        classes: Number of classes.

    Returns:
        The network that begins with pixels 0..255 (or measured values) and ends in probabilities; and what was changed,
        each in a few words.

    Raises:
        SpecError: It has several inputs or outputs, or gives something else than a score or probability a class.
        ShapeError: Its layers do not fit samples of that shape.

    Example:
        >>> from thalweg.networks.inline import inline_network
        >>> spec, changes = adapted(inline_network("flatten dense(3)", Shape(3, (8, 8))), Shape(3, (16, 16)), 3)
        >>> [layer.kind for layer in spec], changes[2]
        (['rescale', 'flatten', 'linear', 'softmax'], 'a softmax is added at its end')
    """
    if len(spec.inputs) != 1 or len(spec.outputs) != 1:
        raise SpecError(
            f"network {spec.name!r} has {len(spec.inputs)} inputs and {len(spec.outputs)} outputs; "
            "one of each is wanted: a sample in, its classes out"
        )
    ((name, own),) = spec.inputs.items()
    if own.axes != shape.axes:
        raise SpecError(
            f"network {spec.name!r} takes {SAMPLES[own.axes]} ({own}), "
            f"and the source holds {SAMPLES[shape.axes]} of {shape}"
        )
    changes = [f"it is given {shape} in place of {own}"] if own != shape else []
    spec = replace(spec, inputs={name: shape})
    spec, begun = _begun(spec, name, shape.axes)
    try:
        given = output_shapes(spec)[spec.outputs[0]]
    except ShapeError as error:
        raise ShapeError(f"network {spec.name!r} does not fit samples of {shape}: {error}") from None
    _need_scores(spec, given, classes)
    spec, ended = _ended(spec, given.channels)
    return spec, (*changes, *begun, *ended)


def _begun(spec: NetworkSpec, source: str, axes: int) -> tuple[NetworkSpec, tuple[str, ...]]:
    # Pixels are brought to 0..1, measured values to mean 0 and deviation 1, unless the network does so itself.
    first = [layer for layer in spec.layers if source in layer.inputs]
    if axes == _PICTURE_AXES and first and all(layer.kind == "rescale" for layer in first):
        return spec, ()
    if axes != _PICTURE_AXES and spec.layers and spec.layers[0].name == STANDARDISE:
        return spec, ()
    name = _free(spec, "rescale" if axes == _PICTURE_AXES else STANDARDISE)
    settings = {"scale": 1 / 255} if axes == _PICTURE_AXES else {}
    begin = LayerSpec(name=name, kind="rescale", settings=settings, inputs=(source,))
    layers = tuple(
        replace(layer, inputs=tuple(name if each == source else each for each in layer.inputs)) for layer in spec.layers
    )
    ends = tuple(name if each == source else each for each in spec.outputs)
    what = "pixels are divided by 255 first" if axes == _PICTURE_AXES else "values are standardised first"
    return replace(spec, layers=(begin, *layers), outputs=ends), (what,)


def _need_scores(spec: NetworkSpec, given: Shape, classes: int) -> None:
    units = outputs(classes)
    wanted = "1 (with a sigmoid) or 2" if units == 1 else str(units)
    if given.extents:
        raise SpecError(
            f"network {spec.name!r} ends in maps of {given}; "
            f"end it in GlobalAvgPool() or Flatten() and Dense({classes})"
        )
    if given.channels not in {units, classes}:
        raise SpecError(
            f"network {spec.name!r} ends in {given.channels} values, and the source has {classes} classes: "
            f"end it in {wanted}"
        )
    last = spec.layer(spec.outputs[0])
    if last.kind == "softmax" and given.channels == 1:
        raise SpecError(f"network {spec.name!r} ends in a softmax over 1 value, which is always 1: take a sigmoid")
    if last.kind == "sigmoid" and given.channels > 1:
        raise SpecError(
            f"network {spec.name!r} ends in a sigmoid over {given.channels} values, and one sample has one class: "
            "end it in a softmax, or without"
        )


def _ended(spec: NetworkSpec, units: int) -> tuple[NetworkSpec, tuple[str, ...]]:
    last = spec.layer(spec.outputs[0])
    if last.kind in {"softmax", "sigmoid"}:
        return spec, ()
    kind = "sigmoid" if units == 1 else "softmax"
    end = LayerSpec(name=_free(spec, kind), kind=kind, inputs=(last.name,))
    return replace(spec, layers=(*spec.layers, end), outputs=(end.name,)), (f"a {kind} is added at its end",)


def _free(spec: NetworkSpec, stem: str) -> str:
    taken = {*spec.inputs, *(layer.name for layer in spec.layers)}
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name
