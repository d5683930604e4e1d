"""Experiments that are written for pictures, on signals and volumes: their words, and their maps to look at."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from thalweg.core.lab import LabResult

__all__ = ["as_tile", "in_words_of", "sentence_of"]

_WINDOW = re.compile(r"(?<![\dx])(\d+)x\1(?![\dx])")
"""A square window such as 3x3, and not 3x3x3 or the map 32x16."""
_WINDOWS: Mapping[int, str] = MappingProxyType({1: r"window-\1", 3: r"\1x\1x\1"})
_WORDS: Mapping[int, Mapping[str, str]] = MappingProxyType({
    1: MappingProxyType({
        "up, down, left and right": "to and fro",
        "four directions": "both directions",
        "side of the square": "length of the stretch",
        "pictures": "signals",
        "picture": "signal",
        "pixels": "steps",
        "pixel": "step",
    }),
    3: MappingProxyType({
        "up, down, left and right": "along each axis, both ways",
        "four directions": "six directions",
        "side of the square": "side of the cube",
        "pictures": "volumes",
        "picture": "volume",
        "pixels": "voxels",
        "pixel": "voxel",
    }),
})
_AS_NAMED = "data"
"""The line of the set-up that names the user's source."""
_THICK = 2


def in_words_of(result: LabResult, axes: int) -> LabResult:
    """Write an answer that was written for pictures in the words of its samples.

    Args:
        result: The answer.
        axes: Spatial axes of the samples.

    Returns:
        The same numbers; pixels are steps or voxels, and 3x3 windows are what they are along one or three axes.
    """
    if axes not in _WORDS:
        return result
    changed: LabResult = _changed(result, axes)
    kept = {name: words for name, words in result.setup.items() if name == _AS_NAMED}
    return replace(changed, setup={**changed.setup, **kept})


def sentence_of(text: str, axes: int) -> str:
    """Write a sentence about pictures in the words of other samples; catalogues hold it in these words, too.

    Args:
        text: The sentence.
        axes: Spatial axes of the samples, 1 or 3.

    Returns:
        The sentence.

    Example:
        >>> sentence_of("Pictures moved by one pixel under a 3x3 window", 3)
        'Volumes moved by one voxel under a 3x3x3 window'
    """
    for word, other in _WORDS[axes].items():
        text = re.sub(rf"\b{word}\b", other, text)
        text = re.sub(rf"\b{word.capitalize()}\b", other.capitalize(), text)
    return _WINDOW.sub(_WINDOWS[axes], text)


def _changed(value: Any, axes: int) -> Any:  # noqa: ANN401 - whatever an answer holds
    if isinstance(value, str):
        return sentence_of(value, axes)
    if isinstance(value, tuple):
        return tuple(_changed(each, axes) for each in value)
    if isinstance(value, Mapping):
        return {_changed(name, axes): _changed(each, axes) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _changed(getattr(value, each.name), axes) for each in fields(value)})
    return value


def as_tile(values: np.ndarray) -> np.ndarray:
    """Bring a map of any dimension into a plane, to be drawn.

    Args:
        values: `(steps,)`, `(height, width)` or `(depth, height, width)`.

    Returns:
        A strip half as high as it is long, the map itself, or its middle slice.

    Example:
        >>> [as_tile(np.zeros(sizes)).shape for sizes in ((80,), (4, 6), (5, 4, 6))]
        [(40, 80), (4, 6), (4, 6)]
    """
    if values.ndim == 1:
        return np.tile(values, (max(1, len(values) // _THICK), 1))
    return values if values.ndim == 2 else values[len(values) // 2]  # noqa: PLR2004 - a plane
