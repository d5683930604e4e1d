"""What one counting rule says about one layer, before it becomes a row of the ledger."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from thalweg.core.shape import Shape

__all__ = ["Cost", "CountingRule", "arithmetic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Parameters, their arithmetic, running statistics and multiplications (None: unknown) of a layer, one sample."""

    parameters: int = 0
    formula: str = ""
    buffers: int = 0
    macs: int | None = 0


# From complete (checked) settings, the shapes that come in and the shape that goes out.
CountingRule: TypeAlias = Callable[[Mapping[str, Any], tuple[Shape, ...], Shape], Cost]


def arithmetic(factors: Sequence[int], outputs: int, *, bias: bool) -> tuple[int, str]:
    """Weights of a layer whose every output has the same number of them, and one bias or none.

    Args:
        factors: Numbers whose product is the weights of one output, such as channels and kernel.
        outputs: Number of outputs.
        bias: Whether each has a bias.

    Returns:
        The parameters, and how they are computed.

    Example:
        >>> arithmetic([3, 7], 16, bias=True)
        (352, '(3*7 + 1)*16 = 352')
        >>> arithmetic([64, 1, 1], 16, bias=False)
        (1024, '64*1*1*16 = 1024')
    """
    product = "*".join(map(str, factors))
    parameters = (math.prod(factors) + bias) * outputs
    return parameters, f"({product} + 1)*{outputs} = {parameters}" if bias else f"{product}*{outputs} = {parameters}"
