"""Normalisation (batch, layer, group, local response), dropout, and the fixed rescaling of pixels."""

from collections.abc import Mapping

from thalweg.core.errors import ShapeError
from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.layer_kinds.settings import choice, count, number, number_per_channel, share, switch
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["KINDS"]


def _grouped(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    groups = settings["num_groups"]
    if shapes[0].channels % groups:  # type: ignore[operator]
        raise ShapeError(f"{shapes[0].channels} channels cannot be split into {groups} groups (reads {shapes[0]})")
    return shapes[0]


def _among_neighbours(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del settings
    if not shapes[0].extents:
        raise ShapeError(f"reads {shapes[0]}, which has no spatial axis")
    return shapes[0]


def _rescaled(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    for name in ("scale", "offset"):
        value = settings[name]
        if isinstance(value, tuple) and len(value) != shapes[0].channels:
            raise ShapeError(f"{name} has {len(value)} numbers for {shapes[0].channels} channels (reads {shapes[0]})")
    return shapes[0]


KINDS = (
    LayerKind(
        name="batch_norm",
        stem="batch_norm",
        weighted=True,
        settings={
            "eps": number(1e-5, least=0),
            # PyTorch's sense: the weight of the newest batch in the running statistics; Keras's 0.99 is 0.01 here.
            "momentum": number(0.1, least=0),
            "affine": switch(default=True),
            "zero_init": switch(default=False),
        },
    ),
    LayerKind(
        name="layer_norm",
        stem="layer_norm",
        weighted=True,
        settings={
            "eps": number(1e-5, least=0),
            "affine": switch(default=True),
            # Over the channels of each position (as Keras and ConvNeXt), or over the whole sample.
            "over": choice("channels", "sample"),
        },
    ),
    LayerKind(
        name="group_norm",
        stem="group_norm",
        weighted=True,
        infer=_grouped,
        settings={"num_groups": count(), "eps": number(1e-5, least=0), "affine": switch(default=True)},
    ),
    LayerKind(
        name="local_response_norm",
        stem="local_response_norm",
        infer=_among_neighbours,
        # AlexNet's, which is (5, 1e-4, 0.75, 2); torch divides alpha by the size, the paper does not.
        settings={"size": count(), "alpha": number(1e-4), "beta": number(0.75), "k": number(1.0)},
    ),
    LayerKind(name="dropout", stem="dropout", settings={"p": share(0.5)}),
    LayerKind(
        name="rescale",
        stem="rescale",
        infer=_rescaled,
        settings={"scale": number_per_channel(1.0), "offset": number_per_channel(0.0)},
    ),
)
