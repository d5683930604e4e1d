"""`thalweg derive`: the gradients of a convolution, written out exactly, checked, and proved against autograd."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from thalweg.core.derivation import AnswerCheck, Derivation
from thalweg.core.errors import PlanError
from thalweg.derivation.answer import check_answer
from thalweg.derivation.case import Size, build_case, names_of
from thalweg.derivation.gradients import Gradients, work_out
from thalweg.derivation.oracle import slow_head
from thalweg.derivation.self_check import check_itself, random_values
from thalweg.derivation.substitution import Point
from thalweg.derivation.writing import write_derivation

__all__ = ["AGREEMENT", "derive"]

AGREEMENT = 1e-12
"""Largest relative difference between an exact entry and float64 autograd that counts as equal."""


def derive(
    kind: str = "conv2d",
    *,
    x: object = "3x3",
    f: object = "2x2",
    bias: object = None,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
    head: str | Sequence[str] | None = None,
    prove: bool = False,
    check: object = None,
) -> Derivation:
    """Differentiate a convolution by hand, entry by entry.

    Args:
        kind: `conv1d`, `conv2d` or `conv3d`.
        x: Input: a size such as `3x3` for symbols x1, x2, ..., nested lists, or their text; numbers, fractions, names.
        f: Filter, likewise; channels and filters stand before the spatial axes.
        bias: None, True for symbols, or one entry per filter.
        stride: Step between two places, one number or one per axis.
        padding: Zeros on both sides, `same`, or `valid`.
        dilation: Distance of neighbouring taps.
        groups: Blocks of channels that do not see each other.
        head: What makes one number O of the output: `mean`, `c*sum`, `relu mean`, `sigmoid squared-error`, ...
        prove: Whether to compare with float64 autograd, which needs torch.
        check: A student's answer: dO/dx as a nested list or text, or a mapping with `dO_dx`, `dO_df`, `y`, ...

    Returns:
        Output, gradients, steps, rule, and what was checked.

    Raises:
        PlanError: An option is out of range.
        SpecError: A tensor, the head or the answer cannot be read, or it is too large to write out.
        ShapeError: Sizes do not fit.

    Example:
        >>> derive("conv2d", x="3x3", f="2x2", head="c*sum").dO_dx[0]
        ('c*f1', 'c*(f1 + f2)', 'c*f2')
        >>> derive("conv1d", x=[1, 2, 3], f=[1, "1/2"], head="mean").dO_df
        ('3/2', '5/2')
    """
    case, notes = build_case(
        kind, x=x, f=f, bias=bias, stride=stride, padding=padding, dilation=dilation, groups=groups, head=head
    )
    found = work_out(case)
    judged: AnswerCheck | None = None if check is None else check_answer(case, found, check)
    answer = write_derivation(case, found, notes, check_itself(case, found))
    if judged is not None:
        answer = replace(answer, check=judged)
    return _proved(answer, found) if prove else answer


def _proved(answer: Derivation, found: Gradients) -> Derivation:
    """Add the comparison with float64 autograd; for symbols at random values."""
    try:
        from thalweg.modules.autograd_proof import autograd_gradients
    except ImportError:
        return replace(answer, proof="torch is not installed, so nothing was proved; pip install torch")
    names = names_of(answer.case)
    values = random_values(answer.case, seed=1, small=True)
    point = Point(values)
    exact: Mapping[str, list[float]] = {
        name: [float(point.digits(entry)) for entry in entries]
        for name, entries in (
            ("y", found.y),
            ("dO_dy", found.dO_dy),
            ("dO_dx", found.dO_dx),
            ("dO_df", found.dO_df),
            ("dO_db", found.dO_db if answer.case.bias is not None else []),
        )
    }
    sides: list[int] = []
    slow_head(answer.case, [point.value(entry) for entry in found.y], values, sides)
    tied = 0 in sides
    theirs = autograd_gradients(
        answer.case, {name: float(value) for name, value in values.items()}, at=exact["y"] if tied else None
    )
    largest, count = 0.0, 0
    for name, entries in exact.items():
        if len(entries) != len(theirs[name]):
            raise PlanError(f"autograd gives {len(theirs[name])} entries of {name} instead of {len(entries)}")
        scale = max([1.0, *map(abs, entries)])
        for one, two in zip(entries, theirs[name], strict=True):
            largest, count = max(largest, abs(one - two) / scale), count + 1
    proved = largest <= AGREEMENT
    where = f" at random values of {len(names)} symbols" if names else ""
    verdict = "equal to" if proved else "DIFFERENT from"
    return replace(
        answer,
        proved=proved,
        max_difference=largest,
        proof=f"{count} entries of y and its gradients are {verdict} torch's float64 autograd{where}; "
        f"largest relative difference {largest:.1e} (allowed: {AGREEMENT:.0e})"
        + ("; at the tie torch was given y rounded from its exact value, or rounding would decide" if tied else ""),
    )
