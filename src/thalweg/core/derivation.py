"""What `derive` answers: a convolution's gradients, entry by entry and step by step, as exact text.

Every entry is a string in the notation of `thalweg.core.formula`: `"c*(f1 + f3)"`, `"-7/2"`, `"exp(-y1)/2"`.
Tensors are nested tuples of such strings, shaped as the tensor was given: a plain picture has rows and columns, one
with channels has channels first.
"""

from dataclasses import dataclass
from typing import TypeAlias

from thalweg.core.showing import Showable

__all__ = ["AnswerCheck", "ConvolutionCase", "Derivation", "DerivationStep", "Entries", "HeadStage", "SelfCheck"]

Entries: TypeAlias = "str | tuple[Entries, ...]"
"""Nested tuples of canonical strings; one string for a single number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadStage:
    """One step from the convolution's output y towards the number O.

    Args:
        kind: `sum`, `mean`, `upstream`, `dense`, `relu`, `sigmoid`, `tanh`, `max_pool`, `average_pool`,
            `squared_error`, `mean_squared_error`, `cross_entropy`, `binary_cross_entropy`.
        text: The stage as a person writes it, such as `c*sum` or `maxpool(2)`.
        factor: Canonical number or symbol it is multiplied by, such as `c` or `1`.
        values: Weights of dense rows, targets of an error, or upstream gradients, row by row.
        offset: Bias of a single dense row.
        offsets: Biases of several dense rows, one each; none for a single row.
        kernel: Extents of a pooling window.
        stride: Its steps.
    """

    kind: str
    text: str
    factor: str = "1"
    values: tuple[str, ...] = ()
    offset: str = "0"
    offsets: tuple[str, ...] = ()
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvolutionCase:
    """Everything that decides a derivation.

    Args:
        kind: `conv1d`, `conv2d` or `conv3d`.
        x: Input entries, as given: numbers as fractions, or names.
        f: Filter entries.
        bias: One entry per output channel, or None.
        x_shape: Sizes of x as it was given.
        f_shape: Sizes of f as it was given.
        y_shape: Sizes of y, with a channel axis where f has one.
        in_channels: Channels of x, 1 where none were given.
        out_channels: Filters.
        groups: Blocks of channels that do not see each other.
        extents: Spatial sizes of x.
        kernel: Spatial sizes of f.
        output: Spatial sizes of y.
        stride: Per axis.
        padding: Zeros before and after, per axis.
        dilation: Per axis.
        head: The stages from y to O; a last `sum` that was not asked for is in `notes` of the derivation.
    """

    kind: str
    x: tuple[str, ...]
    f: tuple[str, ...]
    bias: tuple[str, ...] | None
    x_shape: tuple[int, ...]
    f_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    in_channels: int
    out_channels: int
    groups: int
    extents: tuple[int, ...]
    kernel: tuple[int, ...]
    output: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    head: tuple[HeadStage, ...]

    @property
    def axes(self) -> int:
        """Number of spatial axes, 1 to 3."""
        return len(self.extents)


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivationStep:
    """One step of the derivation.

    Args:
        title: A few words.
        reason: Why it holds, in one sentence.
        formulas: Equations in the notation of `thalweg.core.formula`, such as `y1 = x1*f1 + x2*f2`.
    """

    title: str
    reason: str
    formulas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """What the derivation was compared with, without torch.

    Args:
        passed: Whether everything was equal.
        exact: Whether the comparison was exact, without rounding.
        compared: What was compared, in a sentence.
        comparisons: How many numbers were compared.
    """

    passed: bool
    exact: bool
    compared: str
    comparisons: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCheck:
    """What is said of a student's answer.

    Args:
        right: Whether every entry is equivalent to the exact one.
        first_wrong: Where the first wrong entry is and what would be right there, such as
            `dO_dx[0][1] is f1 instead of c*(f1 + f2)`; None when all are right.
        likely_mistake: `unflipped filter`, `forgotten stride`, `transposed`, `forgotten mean factor`,
            `padding left in`, `wrong shape`, ...; None when nothing known explains the answer.
        explanation: The mistake and the way out, in a sentence or two; empty when all is right.
        compared: How many entries were compared.
    """

    right: bool
    first_wrong: str | None = None
    likely_mistake: str | None = None
    explanation: str = ""
    compared: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation(Showable):
    """The answer of `derive`.

    Args:
        case: What was asked.
        O: The number that is differentiated, as an expression of everything given.
        y: The convolution's output.
        forward: Every output entry with its products, `y1 = x1*f1 + x2*f2`; then, where numbers are given, their sum.
        matrix: The matrix M with y = M x (row by row, flattened): Toeplitz, or doubly blocked. It is dy/dx too.
            Empty where it would have too many entries, which a note says.
        dy_df: The matrix of dy/df, an input entry or 0 in each place. Empty likewise.
        dO_dy: Gradient at the convolution's output.
        dO_dx: Gradient at its input.
        dO_df: Gradient at its filter.
        dO_db: Gradient at its bias, per output channel; where it has none, at one of zero.
        steps: The derivation, in order.
        rule: The general rule this is an instance of.
        deviations: Where this case deviates from the plain one, a sentence each.
        notes: Conventions and what was taken as usual, a sentence each.
        self_check: The comparison without torch.
        proved: Whether float64 autograd agrees; None where it was not asked or torch is absent.
        max_difference: Largest relative difference to autograd, None likewise.
        proof: What was compared with autograd, or why not, in a sentence; empty where it was not asked.
        check: What is said of a student's answer; None without one.
    """

    case: ConvolutionCase
    O: str  # noqa: E741 - the textbook's name, as in the interface
    y: Entries
    forward: tuple[str, ...]
    matrix: tuple[tuple[str, ...], ...]
    dy_df: tuple[tuple[str, ...], ...]
    dO_dy: Entries  # noqa: N815 - the name in the interface
    dO_dx: Entries  # noqa: N815 - the name in the interface
    dO_df: Entries  # noqa: N815 - the name in the interface
    dO_db: tuple[str, ...] | None  # noqa: N815 - the name in the interface
    steps: tuple[DerivationStep, ...]
    rule: str
    deviations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    self_check: SelfCheck | None = None
    proved: bool | None = None
    max_difference: float | None = None
    proof: str = ""
    check: AnswerCheck | None = None

    def to_json(self) -> dict[str, object]:
        """The derivation with the field names of the interface.

        Returns:
            Every field; tensors are nested lists of canonical strings.
        """
        return {name: getattr(self, name) for name in self.__slots__}
