"""The words by which people call the parts of a source that is split already."""

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from thalweg.core.dataset import Part
from thalweg.core.split_words import SPLIT_WORDS

__all__ = ["PART_NAMES", "is_split", "part_of", "part_within", "parts_among", "says_nothing_else"]

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
    parts, others = _spoken(name)
    return next(iter(parts)) if len(parts) == 1 and not others else None


def part_within(name: str) -> Part | None:
    """Tell which part of a split a name speaks of among other words.

    Args:
        name: The name, without an ending.

    Returns:
        The part; None where none or several are spoken of.

    Example:
        >>> part_within("ISIC2018_Task1_Training_GroundTruth"), part_within("train_masks"), part_within("trainer")
        ('train', 'train', None)
    """
    parts, _ = _spoken(name)
    return next(iter(parts)) if len(parts) == 1 else None


def _spoken(name: str) -> tuple[set[Part], tuple[str, ...]]:
    """The parts that a name speaks of, and the words in it that say something else."""
    words = [word for word in re.split(r"[\W\d_]+", name.lower()) if word]
    return {_WORDS[word] for word in words if word in _WORDS}, tuple(
        word for word in words if word not in _WORDS and word not in _AROUND
    )


def parts_among(names: Sequence[str]) -> dict[str, Part]:
    """Tell which folders that lie side by side are parts of a split.

    Args:
        names: The folders' names.

    Returns:
        Name to part, for those that are; words that parts share say nothing about them.

    Example:
        >>> parts_among(["train", "test", "docs"])
        {'train': 'train', 'test': 'test'}
        >>> parts_among(["asl_alphabet_train", "asl_alphabet_test"])
        {'asl_alphabet_train': 'train', 'asl_alphabet_test': 'test'}
        >>> parts_among(["train_station", "test_tube"])
        {}
    """
    alike: dict[tuple[str, ...], dict[str, Part]] = {}
    for name in names:
        parts, others = _spoken(name)
        if len(parts) == 1:
            alike.setdefault(others, {})[name] = next(iter(parts))
    whole = [each for each in alike.values() if is_split(list(each.values()))]
    return whole[0] if len(whole) == 1 else alike.get((), {})


def is_split(parts: Collection[Part]) -> bool:
    """Tell whether parts make up a split: training, and something beside it.

    Args:
        parts: The parts that there are.

    Returns:
        Whether they do.

    Example:
        >>> is_split(["train", "test"]), is_split(["train"]), is_split(["validation", "test"])
        (True, False, False)
    """
    return len(set(parts)) > 1 and "train" in parts


def says_nothing_else(name: str) -> bool:
    """Tell whether a folder's name says only that data lies in it.

    Args:
        name: The name.

    Returns:
        True for `images` and the like.

    Example:
        >>> says_nothing_else("images"), says_nothing_else("cats"), says_nothing_else("train images")
        (True, False, False)
    """
    parts, others = _spoken(name)
    return not parts and not others
