"""Calls of torch's functions read as our layers, where one does the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from torch import Tensor, nn

from thalweg.core.errors import SpecError
from thalweg.core.network_spec import Setting
from thalweg.modules.reading import read_module

__all__ = ["Call", "Reading", "function_name", "read_call", "read_pieces", "read_weighted", "with_whole_numbers"]

Settings: TypeAlias = dict[str, Setting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a function, as it happened with batches of one.

    Args:
        name: The function's name, without underscores around it.
        args: What it was called with.
        kwargs: What it was called with by name.
        result: What it gave.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Tensor

    def argument(self, place: int, name: str, default: Any = None) -> Any:  # noqa: ANN401 - torch's arguments
        """One argument, by place or name.

        Args:
            place: Its place.
            name: Its name.
            default: What it is when nothing was said.

        Returns:
            Its value.
        """
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A call as one of our layers.

    Args:
        kind: The layer's kind.
        settings: Its settings.
        inputs: The batches it reads, in order.
    """

    kind: str
    settings: Settings
    inputs: tuple[Tensor, ...]


def read_call(call: Call) -> Reading | None:
    """Read a call whose tensors are all batches.

    Args:
        call: The call.

    Returns:
        The layer, or None where none of ours does the same.

    Example:
        >>> import torch
        >>> x = torch.empty(1, 3, 8, 8, device="meta")
        >>> read_call(Call(name="mean", args=(x, (2, 3)), kwargs={}, result=x.mean((2, 3)))).kind
        'global_avg_pool'
    """
    rule = _CALLS.get(call.name)
    try:
        return rule(call) if rule else None
    except (SpecError, TypeError, IndexError):  # an option that no kind of ours has
        return None


def read_weighted(call: Call, weights: int) -> Reading | None:
    """Read a call of a convolution or dense layer on weights that nobody has used yet.

    Args:
        call: The call.
        weights: How many of its tensors are such weights.

    Returns:
        The layer, or None where none of ours does the same.
    """
    x, weight, bias = call.argument(0, "input"), call.argument(1, "weight"), call.argument(2, "bias")
    if weights != 1 + (bias is not None) or not isinstance(weight, Tensor):
        return None
    if call.name == "linear":
        return Reading(kind="linear", settings={"out_features": weight.shape[0], "bias": bias is not None}, inputs=(x,))
    if call.name not in {"conv1d", "conv2d", "conv3d"} or x.ndim != weight.ndim:
        return None
    settings: Settings = {"out_channels": weight.shape[0], "kernel_size": _short(weight.shape[2:])}
    for place, (name, default) in enumerate((("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1)), 3):
        settings[name] = _short(call.argument(place, name, default))
    return Reading(kind=call.name, settings={**settings, "bias": bias is not None}, inputs=(x,))


def read_pieces(call: Call, results: Sequence[Tensor]) -> list[Reading | None]:
    """Read a value taken apart along an axis as one crop for each piece.

    Args:
        call: The call.
        results: The pieces, in order.

    Returns:
        A crop for each; nothing where the call is of another kind.
    """
    x = call.argument(0, "input", call.kwargs.get("tensor"))
    dim = call.argument(2, "dim", 0)
    if call.name not in _SPLITS or not isinstance(x, Tensor) or not isinstance(dim, int):
        return []
    found, start = [], 0
    for each in results:
        size = each.shape[dim]
        bounds = [(0, extent) for extent in x.shape]
        bounds[dim % x.ndim] = (start, start + size)
        found.append(_crop(x, bounds))
        start += size
    return found


def function_name(func: Any) -> str:  # noqa: ANN401 - functions, methods and properties of several kinds
    """What a function of torch is called, without underscores around it.

    Args:
        func: The function.

    Returns:
        Its name; of a property, such as `x.T`, the property's.
    """
    name = getattr(func, "__name__", None) or str(func)
    if name == "__get__":
        name = getattr(func.__self__, "__name__", name)
    return str(name).strip("_").partition(".")[0]


def with_whole_numbers(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with which a function is run: an embedding looks up whole numbers, whatever type a batch has.

    Args:
        name: The function's name.
        args: Its arguments.

    Returns:
        The same, or with its indices as whole numbers.
    """
    return (args[0].long(), *args[1:]) if name == "embedding" and args[0].is_floating_point() else args


def _short(value: Any) -> Setting:  # noqa: ANN401 - torch's numbers, tuples and words
    if isinstance(value, list | tuple):
        numbers = tuple(value)
        return numbers[0] if len(set(numbers)) == 1 else numbers
    return value  # type: ignore[no-any-return]


_Rule: TypeAlias = Callable[[Call], Reading | None]


def _one(call: Call, kind: str, **settings: Setting) -> Reading:
    return Reading(kind=kind, settings=settings, inputs=(call.argument(0, "input"),))


def _elementwise(call: Call) -> Reading | None:
    usual = len(call.args) <= 1 and set(call.kwargs) <= {"inplace", "input"}  # other slopes are other functions
    return _one(call, call.name) if usual else None


def _arithmetic(kind: str, *, scale: bool, inverse: bool = False) -> _Rule:
    def read(call: Call) -> Reading | None:
        operands = call.args[:2]
        values = tuple(each for each in operands if isinstance(each, Tensor))
        numbers = [each for each in operands if isinstance(each, int | float)]
        if call.kwargs:  # alpha, rounding_mode
            return None
        if len(values) == 2 and not inverse:  # noqa: PLR2004 - both operands
            return Reading(kind=kind, settings={}, inputs=values)
        if len(values) == 1 and len(numbers) == 1 and (values[0] is operands[0] or not inverse):
            number = (1 / numbers[0] if scale else -numbers[0]) if inverse else numbers[0]
            return Reading(kind="rescale", settings={"scale" if scale else "offset": float(number)}, inputs=values)
        return None

    return read


def _viewed(call: Call) -> Reading | None:
    flat = call.result.shape == (1, call.args[0].numel())
    return _one(call, "flatten") if flat else None


def _mean(call: Call) -> Reading | None:
    x = call.argument(0, "input")
    said = call.argument(1, "dim", ())
    dims = {each % x.ndim for each in (said if isinstance(said, list | tuple) else [said])}
    axes = x.ndim - 2
    if axes < 1 or dims != set(range(2, x.ndim)):
        return None
    if call.argument(2, "keepdim", default=False):
        return _one(call, f"adaptive_avg_pool{axes}d", output_size=1)
    return _one(call, "global_avg_pool")


def _stacked(call: Call) -> Reading | None:
    values, dim = call.argument(0, "tensors"), call.argument(1, "dim", 0)
    at_channels = dim % call.result.ndim == 1
    return Reading(kind="concatenate", settings={}, inputs=tuple(values)) if at_channels else None


def _softmax(call: Call) -> Reading | None:
    dim = call.argument(1, "dim")
    return _one(call, "softmax") if dim in {1, 1 - call.result.ndim} else None


def _dropout(call: Call) -> Reading:
    return _one(call, "dropout", p=call.argument(1, "p", 0.5))


def _through(make: Callable[..., nn.Module]) -> _Rule:
    """A function that has a module with the same arguments is read as that module."""

    def read(call: Call) -> Reading:
        words = {key: value for key, value in call.kwargs.items() if key not in {"training", "inplace"}}
        kind, settings = read_module(make(*call.args[1:], **words))
        return _one(call, kind, **settings)

    return read


def _crop(x: Tensor, bounds: Sequence[tuple[int, int]]) -> Reading | None:
    sides = [(start, size - stop) for (start, stop), size in zip(bounds, x.shape, strict=True)]
    if sides[0] != (0, 0):
        return None
    return Reading(kind="crop", settings={"cropping": tuple(sides[2:]) or 0, "channels": sides[1]}, inputs=(x,))


def _taken(call: Call) -> Reading | None:
    """`x[:, :, 2:-2]` is a crop, `x[..., ::2]` leaves out every second position."""
    x, said = call.args[0], call.args[1]
    items = list(said) if isinstance(said, tuple) else [said]
    if Ellipsis in items:
        at = items.index(Ellipsis)
        items[at : at + 1] = [slice(None)] * (x.ndim - len(items) + 1)
    items += [slice(None)] * (x.ndim - len(items))
    if len(items) != x.ndim or not all(isinstance(each, slice) for each in items):
        return None
    found = [each.indices(size) for each, size in zip(items, x.shape, strict=True)]
    steps = [step for _, _, step in found]
    if set(steps) == {1}:
        return _crop(x, [(start, stop) for start, stop, _ in found])
    whole = all(start == 0 and stop == size for (start, stop, _), size in zip(found, x.shape, strict=True))
    return _one(call, "subsample", stride=tuple(steps[2:])) if whole and steps[:2] == [1, 1] else None


def _padded(call: Call) -> Reading | None:
    """Zeros around, or with negative numbers less: torch names the last axis first."""
    x, flat = call.argument(0, "input"), list(call.argument(1, "pad"))
    value = call.argument(3, "value")
    sides = list(zip(flat[::2], flat[1::2], strict=True))[::-1]
    sides = [(0, 0)] * (x.ndim - len(sides)) + sides
    if call.argument(2, "mode", "constant") != "constant" or value not in {None, 0} or sides[0] != (0, 0):
        return None
    if max(map(max, sides)) <= 0:
        return _crop(x, [(-before, size + after) for (before, after), size in zip(sides, x.shape, strict=True)])
    settings: Settings = {"padding": tuple(sides[2:]) or 0, "channels": sides[1]}
    return Reading(kind="pad", settings=settings, inputs=(x,)) if min(map(min, sides)) >= 0 else None


_SPLITS = {"chunk", "split", "split_with_sizes", "tensor_split"}
_CALLS: Mapping[str, _Rule] = MappingProxyType({
    **dict.fromkeys(("relu", "relu6", "gelu", "silu", "mish", "hardswish", "hardsigmoid"), _elementwise),
    **dict.fromkeys(("elu", "selu", "softplus", "sigmoid", "tanh"), _elementwise),
    **dict.fromkeys(("add", "iadd", "radd"), _arithmetic("add", scale=False)),
    **dict.fromkeys(("mul", "imul", "rmul"), _arithmetic("multiply", scale=True)),
    **dict.fromkeys(("sub", "isub"), _arithmetic("", scale=False, inverse=True)),
    **dict.fromkeys(("truediv", "itruediv", "div"), _arithmetic("", scale=True, inverse=True)),
    **dict.fromkeys(("flatten", "view", "reshape", "squeeze"), _viewed),
    "mean": _mean,
    **dict.fromkeys(("cat", "concat"), _stacked),
    "softmax": _softmax,
    "dropout": _dropout,
    "leaky_relu": _through(nn.LeakyReLU),
    **{f"max_pool{n}d": _through(getattr(nn, f"MaxPool{n}d")) for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _through(getattr(nn, f"AvgPool{n}d")) for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": _through(getattr(nn, f"AdaptiveAvgPool{n}d")) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _through(getattr(nn, f"AdaptiveMaxPool{n}d")) for n in (1, 2, 3)},
    "interpolate": _through(nn.Upsample),
    "local_response_norm": _through(nn.LocalResponseNorm),
    "channel_shuffle": _through(nn.ChannelShuffle),
    "pixel_shuffle": _through(nn.PixelShuffle),
    "getitem": _taken,
    "pad": _padded,
})
