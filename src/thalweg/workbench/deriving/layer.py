"""`thalweg derive NETWORK --layer NAME --at 0,3,5`: which weights and inputs one output of a network depends on."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from thalweg.accounting.ledger import receptive_fields
from thalweg.core.dependence import Dependence, Reads, Seen
from thalweg.core.errors import PlanError, RunError, SpecError
from thalweg.core.files import printable
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.derivation.dependence import dependence_of
from thalweg.derivation.reading import Found, Term
from thalweg.workbench.describing.describing import InputSizes, describe

if TYPE_CHECKING:
    from torch import nn

__all__ = ["derive_layer"]

_NEAR = 5
_Numbers: TypeAlias = tuple[tuple[float, ...], float | None, tuple[str, ...]]


def derive_layer(
    network: "str | Path | NetworkSpec | nn.Module",
    *,
    layer: str,
    at: str | Sequence[int] | None = None,
    input: InputSizes = None,  # noqa: A002 - the word of the option
    classes: int | None = None,
) -> Dependence:
    """Explain one output of one layer.

    Args:
        network: As for `count`; the weights of a run folder are read too.
        layer: The layer's name.
        at: Channel and position of the output, from 0, such as `0,3,5`; the middle of channel 0 by default.
        input: Channels and size of one sample, such as `3,224,224`; what is usual, or stands in the file, by default.
        classes: Number of classes of a network of the catalogue or of timm; what is usual by default.

    Returns:
        The weights and inputs it depends on, and the part of the network's input behind it.

    Raises:
        SpecError: There is no such layer or place, or the layer cannot be explained.
        PlanError: `at` is no list of numbers, or the input is missing.
        ShapeError: A layer does not fit what it reads.
        RunError: The run folder, or its file of weights, is damaged.
        MissingExtraError: timm is not installed.

    Example:
        >>> answer = derive_layer("conv2d(4,3,padding=same) relu", layer="conv1", at="0,0,0", input="2,8,8")
        >>> answer.products, answer.padding, answer.terms[0], answer.seen.ranges
        (8, 10, 'w_0_0_1_1*x_0_0_0', ((0, 1), (0, 1)))
    """
    described = describe(network, input=input, classes=classes)
    spec = described.spec
    chosen = _layer(spec, layer)
    shapes = output_shapes(spec)
    output = shapes[chosen.name]
    middle = (0, *((size - 1) // 2 for size in output.extents))
    place = middle if at is None else _place(at)
    found = dependence_of(chosen, [shapes[name] for name in chosen.inputs], output, place)
    symbols = ["x"] if len(chosen.inputs) == 1 else [f"x{number}" for number in range(1, len(chosen.inputs) + 1)]
    weights, bias, notes = _numbers(network, chosen, found)
    return Dependence(
        network=spec.name,
        layer=chosen.name,
        kind=chosen.kind,
        at=place,
        output_shape=output.as_tuple(),
        rule=found.rule,
        combine=found.combine,
        terms=tuple(_term(term, symbols) for term in found.terms),
        products=found.products,
        padding=found.padding,
        bias=None if found.bias is None else _named("b", found.bias),
        reads=found.reads,
        seen=_seen(spec, found.reads),
        weights=weights,
        bias_value=bias,
        weight_name=f"{chosen.shared or chosen.name}.weight" if any(term.weight for term in found.terms) else "",
        notes=(*found.notes, *notes),
        note=" ".join(filter(None, (described.note, "" if at else f"Taken: --at {','.join(map(str, place))}."))),
    )


def _layer(spec: NetworkSpec, name: str) -> LayerSpec:
    names = [layer.name for layer in spec.layers]
    if name in names:
        return spec.layer(name)
    near = difflib.get_close_matches(name, names, n=_NEAR, cutoff=0.5)
    near += [each for each in names if each not in near and name and name.lower() in each.lower()]
    hint = f"near are {', '.join(near[:_NEAR])}" if near else f"it has {', '.join(names[: 2 * _NEAR])}"
    more = "" if near or len(names) <= 2 * _NEAR else f" and {len(names) - 2 * _NEAR} more"
    raise SpecError(
        f"--layer {printable(name)}: network {spec.name!r} has no such layer; {printable(hint)}{more} (thalweg count "
        "lists all)"
    )


def _place(at: str | Sequence[int]) -> tuple[int, ...]:
    if isinstance(at, str):
        if not re.fullmatch(r"\s*[(\[]?\s*\d{1,9}(\s*[,،x ]\s*\d{1,9}){0,3}\s*[)\]]?\s*", at):
            raise PlanError(f"--at {printable(at)}: channel and position are wanted, counted from 0, such as 0,3,5")
        return tuple(map(int, re.findall(r"\d+", at)))
    return tuple(int(part) for part in at)


def _named(stem: str, place: tuple[int, ...]) -> str:
    return stem + "_" + "_".join(map(str, place))


def _term(term: Term, symbols: Sequence[str]) -> str:
    read = _named(symbols[term.source], term.at)
    return read if term.weight is None else f"{_named('w', term.weight)}*{read}"


def _seen(spec: NetworkSpec, reads: Sequence[Reads]) -> Seen | None:
    """The union of what the values read can see, or None where axes were lost on the way."""
    extents = {shape.extents for shape in spec.inputs.values()}
    if len(extents) > 1 or not reads:
        return None
    size = extents.pop()
    fields = receptive_fields(spec)
    ends: list[list[tuple[int, int]]] = [[] for _ in size]
    for read in reads:
        seen = fields[read.name]
        if len(seen) != len(size):  # after flatten and global pooling: everything, where anything is read
            return Seen(ranges=tuple((0, each - 1) for each in size), extents=size) if size else None
        for axis, field in enumerate(seen):
            ends[axis] += filter(None, map(field.at, read.ranges[axis]))
    if not all(ends):
        return None
    return Seen(ranges=tuple((min(a for a, _ in axis), max(b for _, b in axis)) for axis in ends), extents=size)


def _numbers(network: object, layer: LayerSpec, found: Found) -> _Numbers:
    """The trained numbers of the weights, where `network` is a run with some; only the entries needed are read."""
    if not isinstance(network, str | Path) or not any(term.weight for term in found.terms):
        return (), None, ()
    folder = Path(network)
    try:
        path = (folder if folder.is_dir() else folder.parent) / "model.safetensors"
        there = path.is_file() and folder.exists() and (folder.is_dir() or folder.name == "network.json")
    except (OSError, ValueError):  # a line of layers can be too long for a file's name
        return (), None, ()
    if not there:
        return (), None, ()
    from safetensors import SafetensorError, safe_open

    owner = layer.shared or layer.name
    try:
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
            if f"{owner}.weight" not in names:
                return (), None, (f"{printable(path)} has no {owner}.weight, so that no numbers are shown.",)
            weights = _picked(file.get_slice(f"{owner}.weight"), [term.weight for term in found.terms if term.weight])
            bias = None
            if found.bias is not None and f"{owner}.bias" in names:
                bias = float(file.get_tensor(f"{owner}.bias")[found.bias])
    except (SafetensorError, OSError, IndexError) as error:
        raise RunError(f"{printable(path)} does not hold the weights of {owner!r}: {error}") from None
    return weights, bias, ()


def _picked(stored: Any, places: Sequence[tuple[int, ...]]) -> tuple[float, ...]:  # noqa: ANN401 - a slice of safetensors
    """Read the rows that hold the places, and nothing else of a matrix that may be gigabytes."""
    rows: dict[int, Any] = {}
    for row in sorted({place[0] for place in places}):
        rows[row] = stored[row]
    shape = tuple(stored.get_shape())
    if any(len(place) != len(shape) or any(a >= b for a, b in zip(place, shape, strict=True)) for place in places):
        raise IndexError(f"it has shape {'x'.join(map(str, shape))}")
    return tuple(float(rows[place[0]][place[1:]]) for place in places)
