"""The stages of a network: what works at one resolution, where its maps are looked at, and how far they see."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.accounting.ledger import count, receptive_fields
from thalweg.accounting.receptive_field import Field
from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.core.layer_cost import LayerCost
from thalweg.core.layer_kinds import layer_kind
from thalweg.core.network_spec import NetworkSpec

__all__ = ["Place", "forgetting", "map_layer", "places_of"]

_NARROWER = 0.7  # a map at most this share as wide as its stage's first one begins the next stage, as for backbones
_FINE = 5
_PASSED_OVER = ("pool", "dropout", "pad", "rescale", "identity", "flatten")
"""Kinds whose own maps show nothing new, by a part of their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a stage is looked at.

    Args:
        number: From 0 at the input.
        row: The stage's last layer that computes something.
        fields: What its values see of the input, along each axis.
        depth: Its place among all layers.
    """

    number: int
    row: LayerCost
    fields: tuple[Field, ...]
    depth: int

    @property
    def layer(self) -> str:
        """The layer's name."""
        return self.row.name

    @property
    def extents(self) -> tuple[int, ...]:
        """Positions along each axis."""
        return self.row.output_shape.extents


def places_of(spec: NetworkSpec) -> tuple[Place, ...]:
    """Find the stages; the first convolution has one for itself, since its filters can be seen.

    Args:
        spec: The network.

    Returns:
        The stages, from the input on; none where no layer has maps.

    Example:
        >>> from thalweg.core.shape import Shape
        >>> from thalweg.networks.catalogue import network
        >>> [(place.layer, place.extents) for place in places_of(network("lenet", Shape(3, (32, 32)), 2))]
        [('tanh1', (32, 32)), ('tanh2', (12, 12))]
    """
    rows = count(spec).rows
    fields = receptive_fields(spec)
    axes = next(iter(spec.inputs.values())).axes
    weighted = {layer.name for layer in spec.layers if layer_kind(layer.kind).weighted}
    begins: list[int] = []
    ends: dict[int, int] = {}
    first_end, convolutions = None, 0
    for depth, row in enumerate(rows):
        extents = row.output_shape.extents
        if len(extents) != axes or math.prod(extents) < 2:  # noqa: PLR2004 - one place is no map
            continue
        width = max(extents)
        if row.name in weighted and row.kind.startswith("conv"):
            convolutions += 1
        if row.name in weighted and (not begins or width <= _NARROWER * begins[-1]):
            begins.append(width)
        if not begins or any(part in row.kind for part in _PASSED_OVER) or spec.layer(row.name).shared is not None:
            continue
        stage = max(0, sum(width <= begin for begin in begins) - 1)
        ends[stage] = depth
        if convolutions == 1:
            first_end = depth
    chosen = sorted({*ends.values(), *([] if first_end is None else [first_end])})
    return tuple(
        Place(number=number, row=rows[depth], fields=fields[rows[depth].name], depth=depth)
        for number, depth in enumerate(chosen)
    )


def map_layer(spec: NetworkSpec, places: tuple[Place, ...], wanted: str | None) -> str | None:
    """Choose the layer at which class activation is made: deep, but not so deep that nearly no places are left.

    Args:
        spec: The network.
        places: Its stages.
        wanted: A layer that the user named, or None.

    Returns:
        The wanted one; or that of the last stage with at least five positions along an axis, of the last one where
        there is none; None where no layer has maps.

    Raises:
        PlanError: There is no such layer, or it has no maps.
    """
    if wanted is None:
        fine = [place for place in places if max(place.extents) >= _FINE] or list(places)
        return fine[-1].layer if fine else None
    axes = next(iter(spec.inputs.values())).axes
    maps = {row.name for row in count(spec).rows if len(row.output_shape.extents) == axes}
    owners = {layer.name for layer in spec.layers if layer.shared is None}
    if wanted not in maps & owners:
        what = "has no spatial axes" if wanted in {row.name for row in spec.layers} else "is no layer of this network"
        some = ", ".join(place.layer for place in places) or "none has maps"
        raise PlanError(f"--layer {printable(wanted)} {what}: the stages end in {some}")
    return wanted


def forgetting(spec: NetworkSpec, places: tuple[Place, ...], weighted: list[str]) -> Mapping[str, list[str]]:
    """The order in which a network forgets what it learned: from the answer down to the input, stage by stage.

    Args:
        spec: The network.
        places: Its stages.
        weighted: Its layers with weights.

    Returns:
        Layers by what they are called together, those nearest to the answer first.
    """
    depth = {layer.name: number for number, layer in enumerate(spec.layers)}
    last = places[-1].depth if places else -1
    groups: dict[str, list[str]] = {"the classifier": [name for name in weighted if depth[name] > last]}
    befores = [-1, *(place.depth for place in places[:-1])][: len(places)]
    for place, before in reversed(list(zip(places, befores, strict=True))):
        inside = [name for name in weighted if before < depth[name] <= place.depth]
        groups[f"stage {place.number}"] = inside
    return {name: layers for name, layers in groups.items() if layers}
