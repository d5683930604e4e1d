"""The words by which people call the parts of a source that is split already."""

from collections.abc import Mapping
from types import MappingProxyType

from thalweg.core.dataset import Part

__all__ = ["PART_NAMES"]

PART_NAMES: Mapping[str, Part] = MappingProxyType({
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
})
