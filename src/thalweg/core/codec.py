"""One way between frozen values and JSON: `to_plain` and `from_plain`, without loss.

Dataclasses become objects, tuples become arrays, bytes become base64, and non-finite numbers become null, for which
JSON has no word. Reading is strict: an unknown field, a missing one or a wrong type is refused with its place.
"""

import base64
import binascii
import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from thalweg.core.errors import RunError
from thalweg.core.paths import Paths

__all__ = ["dumps", "from_plain", "to_plain"]

T = TypeVar("T")


def to_plain(value: object) -> Any:  # noqa: ANN401, PLR0911 - JSON is dynamic by nature, and each kind answers at once
    """Turn a value into what `json.dumps` accepts.

    Args:
        value: A dataclass, mapping, sequence, numpy scalar or plain value.

    Returns:
        Dictionaries, lists, strings, numbers, booleans and None only.

    Example:
        >>> to_plain({"a": (1, float("nan"))})
        {'a': [1, None]}
    """
    if isinstance(value, float):  # most of what there is, so first
        return value if math.isfinite(value) else None
    if isinstance(value, bool | int | str) or value is None:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | Paths):
        return [to_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return to_plain(value.tolist())
    return str(value)


def dumps(value: object, *, indent: int | None = None) -> str:
    """Write a value as strict JSON; names that are not valid UTF-8 stay readable as escapes.

    Args:
        value: Anything `to_plain` accepts.
        indent: Spaces per level, or None for one line.

    Returns:
        ASCII text without NaN or Infinity.

    Example:
        >>> dumps({"loss": float("inf")})
        '{"loss": null}'
    """
    return json.dumps(to_plain(value), indent=indent, allow_nan=False)


def from_plain(kind: type[T], data: object, place: str = "") -> T:
    """Read a value of the given type from plain JSON data.

    Args:
        kind: A dataclass or a type hint made of dataclasses, tuples, mappings, unions, literals and plain types.
        data: What `json.loads` gave.
        place: Where in the document this is, for the error message.

    Returns:
        An instance of `kind`.

    Raises:
        RunError: The data does not have the type's form.

    Example:
        >>> from_plain(tuple[int, ...], [1, 2])
        (1, 2)
    """
    return typing.cast("T", _read(kind, data, place or getattr(kind, "__name__", str(kind))))


def _read(kind: Any, data: object, place: str) -> object:  # noqa: ANN401 - walks type hints
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, data, place)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return _read_scalar(kind, data, place)
    if origin in {typing.Union, types.UnionType}:
        return _read_union(arguments, data, place)
    if origin is Literal:
        if data not in arguments:
            raise RunError(f"{place}: {data!r} is none of {', '.join(map(repr, arguments))}")
        return data
    if origin in {tuple, Sequence}:
        return _read_tuple(arguments if origin is tuple else (*arguments, ...), data, place)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise RunError(f"{place}: an object is wanted, not {type(data).__name__}")
        return {key: _read(arguments[1], item, f"{place}.{key}") for key, item in data.items()}
    raise RunError(f"{place}: nothing reads {kind}")


def _read_dataclass(kind: Any, data: object, place: str) -> object:  # noqa: ANN401 - any dataclass
    if not isinstance(data, Mapping):
        raise RunError(f"{place}: an object is wanted, not {type(data).__name__}")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in data:
        if name not in fields:
            raise RunError(f"{place}: unknown field {name!r}; known are {', '.join(fields)}")
    for name, field in fields.items():
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if name not in data and not optional:
            raise RunError(f"{place}: field {name!r} is missing")
    return kind(**{name: _read(hints[name], item, f"{place}.{name}") for name, item in data.items()})


def _read_union(options: tuple[Any, ...], data: object, place: str) -> object:
    if data is None and type(None) in options:
        return None
    problems = []
    for option in options:
        if option is type(None):
            continue
        try:
            return _read(option, data, place)
        except RunError as error:
            problems.append(str(error))
    raise RunError(problems[0] if problems else f"{place}: {data!r} is not allowed")


def _read_tuple(arguments: tuple[Any, ...], data: object, place: str) -> tuple[object, ...]:
    if not isinstance(data, list | tuple):
        raise RunError(f"{place}: a list is wanted, not {type(data).__name__}")
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[T, ...]
        return _read_items(arguments[0], data, place)
    if len(arguments) != len(data):
        raise RunError(f"{place}: {len(arguments)} items are wanted, not {len(data)}")
    return tuple(
        _read(kind, item, f"{place}[{index}]") for index, (kind, item) in enumerate(zip(arguments, data, strict=True))
    )


def _read_items(kind: Any, data: Sequence[object], place: str) -> tuple[object, ...]:  # noqa: ANN401 - any item
    # Lists of 70,000 names, labels and parts come by: what is of the type already is taken, and words are read once.
    if kind in {str, int} and all(type(item) is kind for item in data):
        return tuple(data)
    words: dict[object, object] = {}
    items = []
    for index, item in enumerate(data):
        if item is None or isinstance(item, str):
            if item not in words:
                words[item] = _read(kind, item, f"{place}[{index}]")
            items.append(words[item])
        else:
            items.append(_read(kind, item, f"{place}[{index}]"))
    return tuple(items)


def _read_scalar(kind: Any, data: object, place: str) -> object:  # noqa: ANN401 - any plain type
    if kind in {Any, object}:
        return data
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        try:
            return float(data)
        except OverflowError:
            raise RunError(f"{place}: a whole number of {len(str(data)):,} digits is none that can be used") from None
    if kind is float and data is None:
        return math.nan
    if kind is bytes and isinstance(data, str):
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error:
            raise RunError(f"{place}: text is not base64") from None
    if kind is int and isinstance(data, bool):
        raise RunError(f"{place}: a number is wanted, not {data}")
    if isinstance(kind, type) and isinstance(data, kind):
        return data
    raise RunError(f"{place}: {getattr(kind, '__name__', kind)} is wanted, not {data!r}")
