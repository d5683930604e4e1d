"""The kinds of layers a network is made of: their settings, and the shapes they give. No torch here.

`output_shapes` walks a network; `LAYER_KINDS` holds every kind. A new kind is one entry in a family file, a counting
rule in `accounting` and a torch layer in `modules`, which the contract test holds against each other.
"""

from thalweg.core.layer_kinds.inference import (
    LAYER_KINDS,
    complete_settings,
    layer_kind,
    output_shape,
    output_shapes,
)
from thalweg.core.layer_kinds.kind import LayerKind

__all__ = ["LAYER_KINDS", "LayerKind", "complete_settings", "layer_kind", "output_shape", "output_shapes"]
