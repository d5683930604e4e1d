"""Putting a case together: sizes, channels, windows and head that fit each other, or one line that says why not."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from thalweg.core.derivation import ConvolutionCase
from thalweg.core.errors import PlanError, ShapeError, SpecError
from thalweg.core.files import printable
from thalweg.core.window import Window, extent_after
from thalweg.derivation.head import read_head
from thalweg.derivation.tensor import Tensor, read_tensor

__all__ = ["MOST_PRODUCTS", "MOST_WRITTEN", "Size", "build_case", "is_number", "names_of"]

Size = int | str | Sequence[int]
"""One number for all axes, one per axis, or a word for padding."""

MOST_PRODUCTS = 20_000
"""Products x*f that one derivation writes out; more would take minutes, and nobody would read them."""

MOST_WRITTEN = 120_000
"""Products x*f that entries repeat, where the gradient at y speaks of y itself; that is some megabytes of text."""


def build_case(
    kind: str,
    *,
    x: object,
    f: object,
    bias: object = None,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
    head: "str | Sequence[str] | None" = None,
) -> tuple[ConvolutionCase, list[str]]:
    """Check what was asked and put it together.

    Args:
        kind: `conv1d`, `conv2d` or `conv3d`.
        x: Input: a size, text or nested lists; spatial axes, before them channels if there are any.
        f: Filter: spatial axes; before them channels, and before those one entry per filter.
        bias: None; True for symbols; or one entry per filter.
        stride: Step between two places.
        padding: Zeros on both sides, `valid` (none), `same` (the output is as large as the input) or `full` (every
            place where filter and input meet).
        dilation: Distance of neighbouring taps.
        groups: Blocks of channels that do not see each other.
        head: Stages from y to O, as `read_head` takes them.

    Returns:
        The case, and a sentence on each thing that was taken as usual.

    Raises:
        PlanError: An option is out of range.
        SpecError: A tensor cannot be read, names clash, or it is too large.
        ShapeError: Sizes do not fit.

    Example:
        >>> build_case("conv2d", x="3x3", f="2x2", stride=1)[0].output
        (2, 2)
    """
    match = re.fullmatch(r"\s*(?:conv(?:olution)?)?[-_ ]?([123])d?\s*", str(kind).lower())
    if match is None:
        raise PlanError(f"{printable(str(kind))!r} is no convolution; conv1d, conv2d or conv3d is wanted")
    axes = int(match[1])
    inputs, filters = read_tensor(x, "x"), read_tensor(f, "f")
    groups = _numbers(groups, 1, "groups", low=1)[0]
    in_channels, out_channels = _channels(inputs, filters, axes, groups)
    extents, kernel = inputs.shape[-axes:], filters.shape[-axes:]
    strides = _numbers(stride, axes, "stride", low=1)
    dilations = _numbers(dilation, axes, "dilation", low=1)
    pads = _padding(padding, kernel, strides, dilations)
    output = _output(extents, kernel, strides, pads, dilations)
    stages, notes = read_head("" if head is None else head, out_channels, output)
    case = ConvolutionCase(
        kind=f"conv{axes}d",
        x=inputs.entries,
        f=filters.entries,
        bias=_bias(bias, out_channels),
        x_shape=inputs.shape,
        f_shape=filters.shape,
        y_shape=_y_shape(inputs, filters, axes, out_channels, output),
        in_channels=in_channels,
        out_channels=out_channels,
        groups=groups,
        extents=extents,
        kernel=kernel,
        output=output,
        stride=strides,
        padding=pads,
        dilation=dilations,
        head=stages,
    )
    _refuse_many(case)
    _refuse_clash(case)
    return case, notes


def is_number(entry: str) -> bool:
    """Tell numbers from names.

    Args:
        entry: Of a tensor that was read.

    Returns:
        Whether it is a number.
    """
    return entry[0] in "-0123456789"


def names_of(case: ConvolutionCase) -> list[str]:
    """List the symbols of a case, each once, in the order of reading.

    Args:
        case: The case.

    Returns:
        Their names.
    """
    entries = [*case.x, *case.f, *(case.bias or ())]
    for stage in case.head:
        entries += [stage.factor, *stage.values, stage.offset, *stage.offsets]
    return list(dict.fromkeys(entry for entry in entries if not is_number(entry)))


def _numbers(given: Size, axes: int, name: str, *, low: int) -> tuple[int, ...]:
    """One whole number per axis."""
    parts: Sequence[object] = [given]
    if isinstance(given, str):
        parts = [part for part in re.split(r"[,x\s\[\]()]+", given.strip()) if part]
    elif isinstance(given, Sequence):
        parts = given
    try:
        sizes = tuple(int(part) if isinstance(part, str) else part for part in parts)
    except ValueError:
        sizes = ()
    if len(sizes) == 1:
        sizes *= axes
    if len(sizes) != axes or any(isinstance(size, bool) or not isinstance(size, int) for size in sizes):
        raise PlanError(f"--{name} {printable(str(given))}: a whole number, or one per axis ({axes}), is wanted")
    for size in sizes:
        if not low <= size <= 1000:  # type: ignore[operator] # noqa: PLR2004 - far beyond what fits on paper
            raise PlanError(f"--{name} {printable(str(given))}: {size} is out of range; from {low} to 1000 is possible")
    return sizes  # type: ignore[return-value]


def _channels(x: Tensor, f: Tensor, axes: int, groups: int) -> tuple[int, int]:
    """Channels of input and output, from the axes that come before the spatial ones."""
    batch = len(x.shape) == axes + 2 and x.shape[0] == 1
    if len(x.shape) not in {axes, axes + 1} and not batch:
        raise ShapeError(
            f"x has {len(x.shape)} axes; conv{axes}d wants {axes}, or {axes + 1} with channels first "
            "(and one sample at a time)"
        )
    if not axes <= len(f.shape) <= axes + 2:
        raise ShapeError(f"f has {len(f.shape)} axes; conv{axes}d wants {axes}, or filters and channels before them")
    in_channels = 1 if len(x.shape) == axes else x.shape[-axes - 1]
    before = f.shape[:-axes]
    if len(before) == 2:  # noqa: PLR2004 - filters and channels
        out_channels, channels = before
    elif len(before) == 1 and len(x.shape) > axes and groups == 1 and before[0] == in_channels:
        out_channels, channels = 1, before[0]
    else:
        out_channels, channels = (before[0] if before else 1), 1
    if in_channels % groups or out_channels % groups:
        raise ShapeError(f"--groups {groups} does not divide {in_channels} input channels and {out_channels} filters")
    if channels * groups != in_channels:
        raise ShapeError(
            f"f reads {channels} channels in each of {groups} groups, but x has {in_channels}: "
            f"{in_channels // groups} are wanted"
        )
    return in_channels, out_channels


def _padding(
    given: Size, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    word = given.strip().lower() if isinstance(given, str) else ""
    if word == "valid":
        return ((0, 0),) * len(kernel)
    if word == "full":
        reaches = [apart * (taps - 1) for taps, apart in zip(kernel, dilation, strict=True)]
        return tuple((reach, reach) for reach in reaches)
    if word == "same":
        if set(stride) != {1}:
            raise PlanError("--padding same goes with stride 1 only, as in torch; with a stride give the number itself")
        totals = [apart * (taps - 1) for taps, apart in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if word and not re.match(r"[-\[(0-9]", word):
        raise PlanError(f"--padding {printable(word)}: a number, one per axis, same, valid or full is wanted")
    return tuple((size, size) for size in _numbers(given, len(kernel), "padding", low=0))


def _output(
    extents: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
) -> tuple[int, ...]:
    found = []
    for axis, (extent, taps, step, (before, after), apart) in enumerate(
        zip(extents, kernel, stride, padding, dilation, strict=True), start=1
    ):
        window = Window(kernel=taps, stride=step, padding=before, padding_end=after, dilation=apart)
        if window.reach > extent + before + after:
            padded = f" (with padding {extent + before + after})" if before + after else ""
            spread = f" spread over {window.reach}" if apart > 1 else ""
            raise ShapeError(
                f"the filter is larger than the input on axis {axis}: {taps} entries{spread} against {extent}{padded}; "
                "take a larger x, a smaller f, or padding"
            )
        found.append(extent_after(extent, window))
    return tuple(found)


def _bias(given: object, out_channels: int) -> tuple[str, ...] | None:
    if given is None or given is False or (isinstance(given, str) and given.strip().lower() in {"", "none", "false"}):
        return None
    if given is True or (isinstance(given, str) and given.strip() in {"b", "true", "yes"}):
        return ("b",) if out_channels == 1 else tuple(f"b{place + 1}" for place in range(out_channels))
    is_list = hasattr(given, "tolist") or isinstance(given, Sequence)
    if isinstance(given, str) and given.strip()[0] != "[":
        given = f"[{given}]"
    elif not is_list:
        given = [given]
    entries = read_tensor(given, "bias").entries
    if len(entries) != out_channels:
        raise ShapeError(f"bias has {len(entries)} entries, but there are {out_channels} filters")
    return entries


def _y_shape(x: Tensor, f: Tensor, axes: int, out_channels: int, output: tuple[int, ...]) -> tuple[int, ...]:
    has_filters = len(f.shape) == axes + 2 or (len(f.shape) == axes + 1 and len(x.shape) == axes) or out_channels > 1
    batch = (1,) if len(x.shape) == axes + 2 else ()
    return (*batch, *((out_channels,) if has_filters or batch else ()), *output)


def _refuse_many(case: ConvolutionCase) -> None:
    """Refuse what would take minutes: products, and with a curved head the symbols that every entry repeats."""
    entries = case.out_channels * math.prod(case.output)
    taps = case.in_channels // case.groups * math.prod(case.kernel)
    count = entries * taps
    if count > MOST_PRODUCTS:
        raise SpecError(
            f"this derivation would write out {count:,} products and take minutes; the limit is {MOST_PRODUCTS:,}: "
            "take a smaller input, the rule is the same"
        )
    kinds = {stage.kind for stage in case.head} - {"sum", "mean", "dense", "upstream", "average_pool"}
    if not kinds or not names_of(replace(case, head=())):
        return
    window = max([math.prod(stage.kernel) for stage in case.head if stage.kind == "max_pool"], default=1)
    rows = max([len(stage.offsets) for stage in case.head] + [1])
    written = count * taps * window * rows + ("cross_entropy" in kinds) * count * (len(case.x) + len(case.f)) // 3
    if written > MOST_WRITTEN:
        raise SpecError(
            f"with symbols and this head the entries would repeat about {written:,} products; the limit is "
            f"{MOST_WRITTEN:,}: take a smaller input, give numbers, or a linear head such as mean"
        )


def _refuse_clash(case: ConvolutionCase) -> None:
    owners: dict[str, str] = {"O": "the result"}
    groups = [("x", case.x), ("f", case.f), ("bias", case.bias or ())]
    for stage in case.head:
        groups += [(f"head {stage.text}", (stage.factor, *stage.values, stage.offset, *stage.offsets))]
    for owner, entries in groups:
        for entry in dict.fromkeys(entries):
            if is_number(entry):
                continue
            if entry in owners:
                raise SpecError(f"the name {entry} stands for two things, {owners[entry]} and {owner}: rename one")
        owners.update((entry, owner) for entry in entries if not is_number(entry))
