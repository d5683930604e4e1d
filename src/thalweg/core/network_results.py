"""What `count` and `draw` answer, the same from Python and from `--json`."""

from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.core.layer_cost import LayerCost, Ledger
from thalweg.core.shape import Shape
from thalweg.core.showing import Showable

__all__ = ["CountResult", "CountTotal", "DrawResult", "SolvedSize", "StepMemory", "sizes"]

_LAYER_FIELDS = (
    "name",
    "kind",
    "output_shape",
    "parameters",
    "buffers",
    "trainable",
    "formula",
    "macs",
    "activation_bytes",
    "receptive_field",
    "stride",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTotal:
    """The sums of a count.

    Args:
        parameters: Weights and biases.
        trainable_parameters: Those of them that are trained.
        buffers: Running statistics, counted apart.
        macs: Multiplications for one sample; None when a layer is uncounted.
        activation_bytes_inference: The most that input and activations of one sample take at one time, in float32.
        activation_bytes_training: What one sample keeps for the backward pass, in float32.
        receptive_field: The largest receptive field of any layer, per spatial axis.
    """

    parameters: int
    trainable_parameters: int
    buffers: int
    macs: int | None
    activation_bytes_inference: int
    activation_bytes_training: int
    receptive_field: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedSize:
    """The answer of `--solve`: which input sizes give what was asked for.

    Args:
        question: As it was asked, such as `flatten=59*64`.
        layer: The layer's name.
        wanted: Values it shall give for one sample.
        ranges: First and last size of each run of neighbouring answers, in positions; empty when there is none.
        axes: Spatial axes of the input; all have the same size.
        nearest: What the layer gives instead, just below and just above, where there is no answer.
        per_axis: Where `ranges` is empty and the question names channels and a size for each axis: the sizes of each.
        beyond: Larger sizes than were looked at give it, too.
    """

    question: str
    layer: str
    wanted: int
    ranges: tuple[tuple[int, int], ...]
    axes: int
    nearest: tuple[int, ...] = ()
    per_axis: tuple[tuple[tuple[int, int], ...], ...] = ()
    beyond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMemory:
    """What training needs with one optimizer, in float32.

    Args:
        optimizer: Such as `adam`.
        state_bytes: What the optimizer keeps.
        batch_size: Samples a step.
        peak_bytes: The most that one step takes at one time, weights and everything together.
    """

    optimizer: str
    state_bytes: int
    batch_size: int
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountResult(Showable):
    """The answer of `count`.

    Args:
        ledger: Every layer's row.
        total: The sums.
        solved: The answer to `solve`, or None where nothing was asked.
        memory: What training needs, by optimizer.
        note: What was taken as usual because nothing was said, in a sentence; empty when everything was said.
    """

    ledger: Ledger
    total: CountTotal
    solved: SolvedSize | None = None
    memory: tuple[StepMemory, ...] = ()
    note: str = ""

    @property
    def network(self) -> str:
        """The network's name."""
        return self.ledger.network

    @property
    def convention(self) -> str:
        """What is counted, in words."""
        return self.ledger.convention

    @property
    def input(self) -> "list[int] | dict[str, list[int]]":
        """Sizes of one sample, channels first; by name where there are several inputs."""
        return sizes(self.ledger.input_shapes)

    @property
    def layers(self) -> tuple[LayerCost, ...]:
        """One row a layer, in topological order."""
        return self.ledger.rows

    def to_json(self) -> dict[str, object]:
        """The count with the field names of the interface.

        Returns:
            `convention, input, layers, total, solved`.

        Example:
            >>> total = CountTotal(
            ...     parameters=0, trainable_parameters=0, buffers=0, macs=0, activation_bytes_inference=0,
            ...     activation_bytes_training=0, receptive_field=(),
            ... )
            >>> ledger = Ledger(network="none", input_shapes={"x": Shape(3, (8,))}, rows=())
            >>> CountResult(ledger=ledger, total=total).to_json()["input"]
            [3, 8]
        """
        return {
            "convention": self.convention,
            "input": self.input,
            "layers": [_row(row) for row in self.layers],
            "total": self.total,
            "solved": self.solved,
        }


def _row(row: LayerCost) -> dict[str, object]:
    fields = {name: getattr(row, name) for name in _LAYER_FIELDS}
    return {**fields, "output_shape": row.output_shape.as_tuple()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawResult:
    """The answer of `draw`; its text is the drawing, and a notebook shows an SVG as the picture it is.

    Args:
        network: The network's name.
        input: Sizes of one sample, channels first; by name where there are several inputs.
        format: `svg`, `png`, `text`, `mermaid`, `dot`, `yaml`, `json` or `python`.
        drawing: The drawing itself.
        path: The file it was written to, or None.
        note: What was taken as usual because nothing was said, in a sentence; empty when everything was said.
    """

    network: str
    input: "list[int] | dict[str, list[int]]"
    format: str
    drawing: str
    path: str | None = None
    note: str = ""

    def __str__(self) -> str:
        return self.drawing

    def to_json(self) -> dict[str, object]:
        """The drawing with the field names of the interface.

        Returns:
            `network, input, format, drawing, path`.

        Example:
            >>> list(DrawResult(network="n", input=[3], format="dot", drawing="digraph {}").to_json())
            ['network', 'input', 'format', 'drawing', 'path']
        """
        return {name: getattr(self, name) for name in ("network", "input", "format", "drawing", "path")}

    def _repr_svg_(self) -> str | None:
        """What notebooks look for."""
        return self.drawing if self.format in {"svg", "png"} else None


def sizes(shapes: Mapping[str, Shape]) -> "list[int] | dict[str, list[int]]":
    """Input shapes as numbers.

    Args:
        shapes: By the input's name.

    Returns:
        The sizes of a single input, or those of each by name.

    Example:
        >>> sizes({"x": Shape(3, (8,))}), sizes({"a": Shape(3), "b": Shape(1, (4, 4))})
        ([3, 8], {'a': [3], 'b': [1, 4, 4]})
    """
    plain = {name: list(shape.as_tuple()) for name, shape in shapes.items()}
    return next(iter(plain.values())) if len(plain) == 1 else plain
