"""What one output of one layer depends on: the weights and inputs it reads, and how they are put together.

Positions are counted from 0, as torch and `--at` count them: `x_2_4_6` is channel 2, row 4, column 6 of what the layer
reads, `w_0_2_1_1` the weight for output channel 0, input channel 2, filter row 1, column 1.
"""

from dataclasses import dataclass

from thalweg.core.showing import Showable

__all__ = ["Dependence", "Reads", "Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What is read of one value.

    Args:
        name: The layer or network input that gives it.
        symbol: How it is called in the terms: `x`, or `x1`, `x2` where there are several.
        shape: Its channels and extents.
        channels: First and last channel read.
        ranges: First and last position read on each spatial axis, padding left out.
        step: From one position read to the next, per axis.
    """

    name: str
    symbol: str
    shape: tuple[int, ...]
    channels: tuple[int, int]
    ranges: tuple[tuple[int, int], ...] = ()
    step: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The part of the network's input that the output can see.

    Args:
        ranges: First and last position on each axis; they may lie outside, in padding.
        extents: Size of the input on each axis.
    """

    ranges: tuple[tuple[int, int], ...]
    extents: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence(Showable):
    """The answer of `derive NETWORK --layer NAME --at PLACE`.

    Args:
        network: The network's name.
        layer: The layer's name.
        kind: Its kind.
        at: Channel and position of the output, from 0.
        output_shape: What the layer gives.
        rule: How the output is made, in a sentence.
        combine: `sum`, `max`, `mean`, `same` (one input as it is), `each` (a function of one input) or `all`
            (everything named in `reads` together, not term by term).
        terms: What is put together, in the notation of formulas, such as `w_0_2_1_1*x_2_4_6`; at most 4,096.
        products: How many terms there are, padding left out.
        padding: How many more would be there if they did not meet padding.
        bias: Name of what is added, or None.
        reads: What is read, value by value.
        seen: The part of the network's input behind it; None where it cannot be told.
        weights: The numbers of the terms' weights, in their order; empty where they are not known.
        bias_value: The number of the bias, None where it is not known.
        weight_name: Which entry of the state dict the weights are, such as `conv2.weight`; empty without weights.
        notes: Further sentences.
        note: What was taken as usual because nothing was said; empty when everything was said.
    """

    network: str
    layer: str
    kind: str
    at: tuple[int, ...]
    output_shape: tuple[int, ...]
    rule: str
    combine: str
    terms: tuple[str, ...]
    products: int
    padding: int = 0
    bias: str | None = None
    reads: tuple[Reads, ...] = ()
    seen: Seen | None = None
    weights: tuple[float, ...] = ()
    bias_value: float | None = None
    weight_name: str = ""
    notes: tuple[str, ...] = ()
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """The dependence for `--json`.

        Returns:
            Every field but the note.
        """
        return {name: getattr(self, name) for name in self.__slots__ if name != "note"}
