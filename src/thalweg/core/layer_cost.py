"""What a layer costs: the rows of a ledger, and their sums, with formulas and the convention."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thalweg.core.shape import Shape
from thalweg.core.showing import Showable

__all__ = ["CONVENTION", "LayerCost", "Ledger"]

CONVENTION = (
    "parameters are weights and biases (torch's sum of p.numel()); buffers are running statistics, counted apart; "
    "MACs are multiplications of convolution and dense layers and of attention products, "
    "without bias additions and without normalisation"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCost:
    """One row of a ledger.

    Args:
        name: The layer's name in the spec.
        kind: The layer's kind, such as `conv2d`.
        input_shapes: Shapes coming in, one sample.
        output_shape: Shape going out, one sample.
        parameters: Weights and biases; 0 for a layer that shares another's.
        buffers: Running statistics (mean and variance; the step counter is not counted).
        trainable: Whether the parameters are trained.
        formula: The arithmetic, such as `(3*7 + 1)*16 = 352`; empty where there is nothing to compute.
        macs: Multiplications for one sample; None where no rule is known, never silently 0.
        activation_bytes: Bytes of the output for one sample in float32.
        receptive_field: Input positions one output sees, per spatial axis; empty without spatial axes.
        stride: Input positions between two neighbouring outputs, per spatial axis; below 1 after enlarging.
    """

    name: str
    kind: str
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    parameters: int
    buffers: int = 0
    trainable: bool = True
    formula: str = ""
    macs: int | None = 0
    activation_bytes: int = 0
    receptive_field: tuple[int, ...] = ()
    stride: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Showable):
    """Every row of a network, with the convention it was counted in.

    Args:
        network: The network's name.
        input_shapes: Shape of each input, by name.
        rows: One row a layer, in topological order.
        convention: What is counted, in words.
    """

    network: str
    input_shapes: Mapping[str, Shape]
    rows: tuple[LayerCost, ...]
    convention: str = field(default=CONVENTION)

    @property
    def parameters(self) -> int:
        """Weights and biases of the whole network."""
        return sum(row.parameters for row in self.rows)

    @property
    def trainable_parameters(self) -> int:
        """Weights and biases that are trained."""
        return sum(row.parameters for row in self.rows if row.trainable)

    @property
    def buffers(self) -> int:
        """Running statistics of the whole network."""
        return sum(row.buffers for row in self.rows)

    @property
    def macs(self) -> int | None:
        """Multiplications for one sample; None when a row is uncounted."""
        counted = [row.macs for row in self.rows]
        return None if None in counted else sum(value for value in counted if value is not None)

    @property
    def activation_bytes(self) -> int:
        """Bytes of all layers' outputs together, one sample in float32."""
        return sum(row.activation_bytes for row in self.rows)

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """What an output sees, per spatial axis; the largest of any row where the last has no axis left."""
        if self.rows and self.rows[-1].receptive_field:  # a map, as in segmentation, which may see everything
            return self.rows[-1].receptive_field
        return max((row.receptive_field for row in self.rows), default=(), key=lambda field: (len(field), field))
