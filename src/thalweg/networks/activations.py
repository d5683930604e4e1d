"""Activations, as they are written in a network."""

from dataclasses import dataclass
from typing import ClassVar

from thalweg.networks.writing import Layer

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "Identity",
    "LeakyReLU",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]


class ReLU(Layer):
    """max(x, 0)."""

    kind: ClassVar[str] = "relu"


class ReLU6(Layer):
    """min(max(x, 0), 6)."""

    kind: ClassVar[str] = "relu6"


@dataclass(frozen=True, eq=False)
class LeakyReLU(Layer):
    """x where positive, otherwise x times `negative_slope`."""

    kind: ClassVar[str] = "leaky_relu"
    negative_slope: float = 0.01


@dataclass(frozen=True, eq=False)
class PReLU(Layer):
    """x where positive, otherwise x times a learned slope: one for all channels, or `num_parameters`, one for each."""

    kind: ClassVar[str] = "prelu"
    num_parameters: int = 1


class ELU(Layer):
    """x where positive, otherwise exp(x) - 1."""

    kind: ClassVar[str] = "elu"


class SELU(Layer):
    """ELU scaled so that means and variances stay."""

    kind: ClassVar[str] = "selu"


class GELU(Layer):
    """x times the normal distribution function of x."""

    kind: ClassVar[str] = "gelu"


class SiLU(Layer):
    """x sigmoid(x), also called swish."""

    kind: ClassVar[str] = "silu"


class Mish(Layer):
    """x tanh(softplus(x))."""

    kind: ClassVar[str] = "mish"


class Hardswish(Layer):
    """x relu6(x + 3) / 6."""

    kind: ClassVar[str] = "hardswish"


class Hardsigmoid(Layer):
    """relu6(x + 3) / 6."""

    kind: ClassVar[str] = "hardsigmoid"


class Softplus(Layer):
    """log(1 + exp(x))."""

    kind: ClassVar[str] = "softplus"


class Sigmoid(Layer):
    """1 / (1 + exp(-x))."""

    kind: ClassVar[str] = "sigmoid"


class Tanh(Layer):
    """The hyperbolic tangent."""

    kind: ClassVar[str] = "tanh"


class Softmax(Layer):
    """Softmax over the channels of each position."""

    kind: ClassVar[str] = "softmax"


class Identity(Layer):
    """What comes in goes out."""

    kind: ClassVar[str] = "identity"
