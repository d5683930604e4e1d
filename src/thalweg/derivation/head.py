"""Reading a head: the steps from the convolution's output y to the number O, such as `relu mean` or `c*sum`.

Steps stand one after the other, separated by spaces, commas, `|` or `then`:
`sum`, `mean`, each with a factor if wanted (`c*sum`, `2*mean`, `sum/4`); `dense`, one row of weights w1, w2, ..., or
`dense([1, 2], 1/2)` with weights and bias; `dense(3)`, three rows, or `dense([[1, 2], [0, 1]], [b1, b2])` row by row;
`relu`; `sigmoid`; `tanh`; `maxpool(2)`, `avgpool(2x1, stride=1)`, `globalavgpool`, `globalmaxpool`; `flatten` changes
nothing, and `softmax` stands before a cross-entropy alone, which has it in it;
`squared-error` (targets t1, t2, ...) or `squared-error([1, 0])`, a sum, with a factor if wanted; `mse`, its mean;
`cross-entropy(1)`, the right class counted from 0 as in torch, or with a probability per class;
`binary-cross-entropy([1, 0])`, the mean over probabilities as a sigmoid gives them; `upstream`, with gradients g1,
g2, ... from whatever follows. A head that still has several numbers at its end is summed up.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from thalweg.core.derivation import HeadStage
from thalweg.core.errors import SpecError
from thalweg.core.files import printable
from thalweg.derivation.tensor import read_entry, read_tensor

__all__ = ["read_head"]

_WORDS = {
    "sum": "sum", "add": "sum", "mean": "mean", "average": "mean", "avg": "mean", "upstream": "upstream",
    "gradient": "upstream", "dense": "dense", "denserow": "dense", "linear": "dense", "relu": "relu",
    "sigmoid": "sigmoid", "tanh": "tanh", "maxpool": "max_pool", "maxpooling": "max_pool",
    "averagepool": "average_pool", "averagepooling": "average_pool", "avgpool": "average_pool",
    "avgpooling": "average_pool", "meanpool": "average_pool", "squarederror": "squared_error", "sse": "squared_error",
    "mse": "mean_squared_error", "meansquarederror": "mean_squared_error", "crossentropy": "cross_entropy",
    "softmaxcrossentropy": "cross_entropy", "binarycrossentropy": "binary_cross_entropy", "bce": "binary_cross_entropy",
    "none": "none", "identity": "none", "flatten": "none", "softmax": "softmax", "gap": "average_pool",
    "globalavgpool": "average_pool", "globalaveragepool": "average_pool",
    "globalaveragepooling": "average_pool", "globalmaxpool": "max_pool",
    "globalmaxpooling": "max_pool",
}  # fmt: skip
_KNOWN = (
    "sum, mean, c*sum, dense, dense(3), relu, sigmoid, tanh, maxpool(2), avgpool(2), globalavgpool, squared-error, "
    "mse, cross-entropy(0), upstream"
)
_STAGE = re.compile(
    r"\s*(?:[|,;]|then\b|->)?\s*(?:(?P<factor>-?[A-Za-z0-9_./]+|-?\([^()]*\))\s*\*\s*)?"
    r"(?P<word>mean[-_ ]squared[-_ ]error|(?:softmax|binary)[-_ ]cross[-_ ]entropy|(?:max|avg|average|mean)[-_ ]pool"
    r"(?:ing)?(?:[123]d)?|squared[-_ ]error|cross[-_ ]entropy|dense[-_ ]row|[A-Za-z]\w*(?:-\w+)*)"
    r"\s*(?P<inside>\((?:[^()]|\([^()]*\))*\))?\s*(?P<after>[*/]\s*[A-Za-z0-9_./]+)?",
    re.IGNORECASE | re.ASCII,
)
_LONGEST = 100_000
_STAGES = 8
_MOST_ROWS = 100
_POOLS = {"max_pool", "average_pool"}
_EACH = {"relu", "sigmoid", "tanh"}
_TARGETS = {
    "squared_error": "t", "mean_squared_error": "t", "binary_cross_entropy": "t", "dense": "w", "upstream": "g",
}  # fmt: skip


def read_head(
    given: str | Sequence[str], channels: int, output: tuple[int, ...]
) -> tuple[tuple[HeadStage, ...], list[str]]:
    """Read a head for an output of a known size.

    Args:
        given: Text, or a list of stages.
        channels: Filters, the channels of y.
        output: Spatial sizes of y.

    Returns:
        The stages down to a single number, and a sentence on each thing that was taken as usual.

    Raises:
        SpecError: A stage is unknown, has the wrong number of values, or its window is larger than what it reads.

    Example:
        >>> stages, notes = read_head("relu c*sum", 1, (2, 2))
        >>> [(stage.kind, stage.factor) for stage in stages]
        [('relu', '1'), ('sum', 'c')]
    """
    if not isinstance(given, Sequence):
        raise SpecError(f"--head {printable(str(given))}: text such as 'relu mean' is wanted")
    text = given if isinstance(given, str) else " | ".join(map(str, given))
    if len(text) > _LONGEST:
        raise SpecError(f"--head is a text of {len(text):,} characters; the limit is {_LONGEST:,}")
    stages: list[HeadStage] = []
    notes: list[str] = []
    extents, place = output, 0
    while text[place:].strip():
        found = _STAGE.match(text, place)
        if found is None or len(stages) == _STAGES:
            why = f"at most {_STAGES} stages" if found else "not understood"
            raise SpecError(
                f"--head: {why} near {printable(text[place : place + 30].strip())!r}; possible are {_KNOWN}"
            )
        place = found.end()
        size = channels * math.prod(extents)
        stage = _stage(found, size, extents, notes)
        if stage is None:
            continue
        stage = _renamed(stage, stages)
        stages.append(stage)
        if stage.kind in _POOLS:
            extents = tuple(
                (extent - kernel) // stride + 1
                for extent, kernel, stride in zip(extents, stage.kernel, stage.stride, strict=True)
            )
        elif stage.kind not in _EACH:
            channels, extents = max(len(stage.offsets), 1), (1,) * len(extents)
    if not stages or channels * math.prod(extents) > 1:
        what = "no head was given" if not stages else "the head ends with several numbers"
        notes.append(f"{what}, so O is their sum, as torch differentiates with gradients of ones")
        stages.append(HeadStage(kind="sum", text="sum"))
    return tuple(stages), notes


def _renamed(stage: HeadStage, before: Sequence[HeadStage]) -> HeadStage:
    """Symbols that nobody named get an underscore where an earlier stage has the same: t_1 beside t1."""
    taken = {value for other in before for value in other.values}
    stem = _TARGETS.get(stage.kind, "t")
    own = tuple(f"{stem}{place + 1}" for place in range(len(stage.values)))
    if stage.values == own and taken & set(own):
        return _renamed(replace(stage, values=tuple(f"{stem}_{place + 1}" for place in range(len(own)))), [])
    return stage


def _stage(found: re.Match[str], size: int, extents: tuple[int, ...], notes: list[str]) -> HeadStage | None:
    word = found["word"]
    kind = _WORDS.get(re.sub("[123]d$", "", re.sub("[-_ ]", "", word.lower())))
    if kind is None:
        raise SpecError(f"--head: no stage is called {printable(word)!r}; possible are {_KNOWN}")
    if kind == "softmax":
        _refuse_lone_softmax(found)
        notes.append("the cross-entropy has the softmax in it, as in torch: both together are that one stage")
    if kind in {"none", "softmax"}:
        return None
    inside = (found["inside"] or "")[1:-1].strip()
    factor = _factor(found)
    if factor != "1" and kind in {"upstream", *_EACH, *_POOLS}:
        raise SpecError(f"--head: {printable(word)} takes no factor; write the factor before sum or mean")
    stage = HeadStage(kind=kind, text=printable(found[0].strip(" |,;")), factor=factor)
    if kind in _POOLS and word.lower().startswith("g"):  # global pooling: the window is all that arrives
        return replace(stage, kernel=extents, stride=extents)
    if kind in _POOLS:
        return _pooling(stage, inside, extents)
    if kind in _TARGETS:
        return _with_values(stage, inside, _TARGETS[kind], size)
    if kind == "cross_entropy":
        return _cross_entropy(stage, inside, size, notes)
    if inside.strip() not in {"", "y"}:
        raise SpecError(f"--head: {kind} takes nothing in brackets, {printable(inside[:30])!r} was given")
    return stage


def _refuse_lone_softmax(found: re.Match[str]) -> None:
    rest = found.string[found.end() :]
    if not re.match(r"[\s|,;>-]*(?:then\s+)?(?:softmax[-_ ])?cross[-_ ]?entropy", rest, re.IGNORECASE):
        raise SpecError("--head: softmax alone gives several numbers; crossentropy(0), which has it in it, gives one")


def _factor(found: re.Match[str]) -> str:
    before, after = found["factor"], found["after"]
    if before and after:
        raise SpecError(f"--head: {printable(found[0].strip())} has two factors; write them as one")
    if before:
        text = before.replace("(", "").replace(")", "")
        name = text.lstrip("-")
        if text.startswith("-") and name.isidentifier():
            raise SpecError(f"--head: the factor {printable(text)} is a negative name; take {printable(name)} itself")
        return read_entry(text, "--head: the factor")
    if after:
        text = after[1:].strip()
        return read_entry(f"1/{text}" if after[0] == "/" else text, "--head: the factor")
    return "1"


def _with_values(stage: HeadStage, inside: str, stem: str, size: int) -> HeadStage:
    if stage.kind == "dense" and (found := _rows(stage, inside, size)) is not None:
        return found
    values, offset = inside, "0"
    split = re.fullmatch(r"(\[.*\])\s*,\s*([^\[\],]+)", inside, re.DOTALL)
    if split and stage.kind == "dense":
        values, offset = split[1], read_entry(split[2], "--head: the bias of dense")
    if values in {"", "y", stem}:
        return replace(stage, values=tuple(f"{stem}{place + 1}" for place in range(size)), offset=offset)
    if not values.startswith("["):
        values = f"[{values}]"
    entries = read_tensor(values, f"--head {stage.kind.replace('_', '-')}").entries
    if len(entries) != size:
        raise SpecError(
            f"--head: {stage.kind.replace('_', '-')} was given {len(entries)} values, but {size} numbers arrive there"
        )
    return replace(stage, values=entries, offset=offset)


def _rows(stage: HeadStage, inside: str, size: int) -> HeadStage | None:
    """Several rows, by their number or written out; None for a single row, as `dense([1, 2], 1/2)` is."""
    units = re.fullmatch(r"(?:units\s*=\s*)?([0-9]{1,6})", inside)
    if units and (size > 1 or "units" in inside):
        count, biases = int(units[1]), ("0",) * int(units[1])
        if not 1 <= count <= _MOST_ROWS:
            raise SpecError(f"--head: dense({count}): from 1 to {_MOST_ROWS} rows are written out")
        weights = tuple(f"w{place + 1}" for place in range(count * size))
        return replace(stage, values=weights, offsets=biases)
    written = re.fullmatch(r"(\[\s*\[.*?\]\s*\])\s*(?:,\s*(\[[^\[\]]*\]))?", inside, re.DOTALL)
    if written is None:
        return None
    table = read_tensor(written[1], f"--head {stage.kind.replace('_', '-')}")
    rows = table.shape[0]
    if len(table.shape) != 2 or table.shape[1] != size or rows > _MOST_ROWS:  # noqa: PLR2004 - rows of weights
        shown = "x".join(map(str, table.shape))
        raise SpecError(f"--head: dense was given weights of {shown}; rows of {size}, one weight for each number, fit")
    biases = read_tensor(written[2], "--head: the biases of dense").entries if written[2] else ("0",) * rows
    if len(biases) != rows:
        raise SpecError(f"--head: dense has {rows} rows and was given {len(biases)} biases; one for each row is wanted")
    return replace(stage, values=table.entries, offsets=biases)


def _cross_entropy(stage: HeadStage, inside: str, size: int, notes: list[str]) -> HeadStage:
    if "[" in inside:
        return _with_values(stage, inside, "t", size)
    if size == 1:
        notes.append(
            "cross-entropy reads one number here: its softmax is 1 whatever it is, so every gradient is 0; "
            "let several arrive, as dense(3) gives them"
        )
    if not inside:
        notes.append("no right class was given to cross-entropy, so it is the first: class 0, counted as in torch")
    if inside and not re.fullmatch("[0-9]{1,6}", inside):
        raise SpecError(
            f"--head: cross-entropy({printable(inside[:30])}) needs the number of the right class, or [a list]"
        )
    label = int(inside or 0)
    if label >= size:
        raise SpecError(
            f"--head: class {label} of cross-entropy does not exist; {size} numbers arrive, 0 to {size - 1}"
        )
    return replace(stage, values=tuple("1" if place == label else "0" for place in range(size)))


def _pooling(stage: HeadStage, inside: str, extents: tuple[int, ...]) -> HeadStage:
    found = re.fullmatch(
        r"(?:kernel(?:_size)?\s*=\s*)?([0-9]{1,4}(?:\s*x\s*[0-9]{1,4})*)(?:\s*,\s*(?:stride\s*=\s*)?([0-9]{1,4}(?:\s*x\s*[0-9]{1,4})*))?",
        inside or "2",
    )
    if found is None:
        raise SpecError(f"--head: {stage.kind.replace('_', '-')}({printable(inside[:30])}): write maxpool(2, stride=1)")
    windows = []
    for text in (found[1], found[2] or found[1]):
        sizes = tuple(int(part) for part in text.split("x"))
        sizes *= len(extents) if len(sizes) == 1 else 1
        if len(sizes) != len(extents) or 0 in sizes:
            raise SpecError(f"--head: pooling window {text} does not fit {len(extents)} axes; sizes are from 1")
        windows.append(sizes)
    if any(kernel > extent for kernel, extent in zip(windows[0], extents, strict=True)):
        shown = "x".join(map(str, extents))
        raise SpecError(f"--head: a pooling window of {found[1]} is larger than the {shown} that arrive there")
    return replace(stage, kernel=windows[0], stride=windows[1])
