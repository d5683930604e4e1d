"""The words by which people call the parts of a source that is split already."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from thalweg.core.dataset import Part
from thalweg.core.split_words import SPLIT_WORDS

__all__ = ["PART_NAMES", "part_of"]

PART_NAMES: Mapping[str, Part] = MappingProxyType({
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
})

_WORDS: Mapping[str, Part] = MappingProxyType({
    **PART_NAMES,
    "dev": "validation",
    **SPLIT_WORDS,
    **dict.fromkeys(("trainings", "trainingsdaten", "trainingsdatensatz", "treinamento", "训练集", "訓練集"), "train"),
    **dict.fromkeys(("validierungsdaten", "验证集", "驗證集"), "validation"),
    **dict.fromkeys(("testdaten", "testdatensatz", "prueba", "pruebas", "teste", "测试集", "測試集", "тест"), "test"),
    "آزمایش": "test",
})
_AROUND = {
    "set",
    "data",
    "dataset",
    "datasets",
    "images",
    "image",
    "imgs",
    "img",
    "photos",
    "seg",
    "split",
    "pics",
    "new",
}


def part_of(name: str) -> Part | None:
    """Tell which part of a split a folder's or table's name speaks of.

    Args:
        name: The name, without an ending.

    Returns:
        The part; None where a word says something else, as in `train station`.

    Example:
        >>> part_of("Training"), part_of("seg_test"), part_of("val-images"), part_of("train_station")
        ('train', 'test', 'validation', None)
    """
    parts = [word for word in re.split(r"[\W\d_]+", name.lower()) if word]
    found = {_WORDS[word] for word in parts if word in _WORDS}
    others = [word for word in parts if word not in _WORDS and word not in _AROUND]
    return next(iter(found)) if len(found) == 1 and not others else None
