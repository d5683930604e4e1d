"""Steps of other people's modules that none of our layers is: only tracing makes them, and nothing builds them.

What such a step gives and holds was seen while it ran, so that it is recorded instead of inferred. A `step` multiplies
nothing by the convention (moving values, activations, sums, normalisation); a `product` is a matrix product, an
attention, or a layer in a form of its own, with its multiplications; an `opaque` step is one of which they are unknown.
"""

from collections.abc import Mapping

from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.layer_kinds.settings import REQUIRED, amount, positions, switch, word
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["KINDS"]


def _recorded(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del shapes
    sizes = settings["output_shape"]
    channels, *extents = sizes if isinstance(sizes, tuple) else (sizes,)
    return Shape(channels, tuple(extents))  # type: ignore[arg-type]


_SEEN = {"what": word(), "output_shape": positions(), "parameters": amount(0), "buffers": amount(0)}


def _kind(name: str, **settings: object) -> LayerKind:
    forms = {**_SEEN, **settings}
    return LayerKind(name=name, stem=name, settings=forms, most_inputs=None, traced=True, infer=_recorded)  # type: ignore[arg-type]


KINDS = (
    # `local`: a value depends on its own position alone, so that what it can see does not grow.
    _kind("step", local=switch(default=False)),
    _kind("product", macs=amount(REQUIRED)),
    _kind("opaque"),
)
