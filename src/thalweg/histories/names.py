"""What a column's name says: which quantity, on which split, by epoch or by step.

Names are cut into words, so that `valLoss`, `Loss/val`, `val_loss_epoch` and `epoch_val_loss` say the same. What has a
word too many (`box_loss`, `best_val_acc`, `top5_acc`) is not the run's loss or accuracy and keeps its own name.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from thalweg.histories.vocabulary import (
    ACCURACY,
    EPOCHS,
    ERROR,
    FALLS,
    FILLERS,
    GRADIENT,
    LOSS,
    NO_LOSS,
    PER,
    PERPLEXITY,
    RATE,
    SECONDS,
    SPLITS,
    STEPS,
    WHOLE,
)

__all__ = [
    "JUDGED",
    "Meaning",
    "is_epoch",
    "is_step",
    "judges",
    "may_count",
    "meaning",
    "split_of",
    "stand_in",
    "words",
]

JUDGED = frozenset({"loss", "perplexity", "accuracy", "error_rate"})
"""Quantities that tell how a run goes."""

_WORDS = re.compile(r"[^\W\d_]+|\d+")
_UNIT = re.compile(r"\s*(?:\[[^\[\]]{0,12}\]|\((?:nats?|bits?|s|sec|seconds|1)\))\s*$", re.IGNORECASE)
_ELIDED = re.compile(r"\b[dl]['’](?=[^\W\d_]{3})", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOINED = re.compile(
    r"(train|training|valid|validation|val|test|tr|eval)(loss|accuracy|acc|err|error|cost)(?:es)?"
    r"|(training|validierung|test)s?(verlust|genauigkeit)"
    r"|(训练|訓練|学習|验证|驗證|検証|测试|テスト)集?(?:的|の)?(损失|損失|准确率|準確率|正解率|精度)"
)
_COUNTED = {each for each in EPOCHS | STEPS if each.isalpha() and each != "it"}
_COUNTERS = tuple(sorted(each for each in _COUNTED if not any(other in each for other in _COUNTED - {each})))
"""Such as `iter`: with it a text holds `iteration`, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a name says.

    Args:
        quantity: `loss`, `perplexity`, `accuracy`, `error_rate`, `learning_rate`, `gradient_norm`, `seconds`; else
            empty.
        split: `train`, `val`, `test`, or empty where the name does not say.
        per: `step`, `epoch`, or empty where the name does not say.
        plain: How plainly it is said; of two candidates the plainer wins.
    """

    quantity: str
    split: str = ""
    per: str = ""
    plain: int = 0


def words(name: str) -> list[str]:
    """Cut a name into small words.

    Args:
        name: A column's name or a tag.

    Returns:
        The words, digits apart from letters.

    Example:
        >>> words("metrics/accuracy_top1"), words("valLoss")
        (['metrics', 'accuracy', 'top', '1'], ['val', 'loss'])
    """
    spaced = _CAMEL.sub(" ", _ELIDED.sub("", name.strip()))
    found = [word.lower() for word in _WORDS.findall(spaced)]
    parts: list[str] = []
    for word in found[:12]:
        joined = _JOINED.fullmatch(word)
        parts += [part for part in joined.groups() if part] if joined else [word]
    return parts


@functools.lru_cache(maxsize=8192)
def meaning(name: str, split: str = "") -> Meaning:
    """Say what a name means.

    Args:
        name: A column's name or a tag.
        split: The split that the place of the file says already (`train`, `val`, `test`).

    Returns:
        Its meaning; the quantity is empty where it is none that this program knows.

    Example:
        >>> meaning("Loss/val").split, meaning("train_loss_step").per, meaning("box_loss").quantity
        ('val', 'step', '')
    """
    parts = _unnumbered(words(_UNIT.sub("", name)))
    if "on" in parts:  # `Cost on training data`
        parts = [part for part in parts if part not in {"on", "the", "data"}]
    splits = [SPLITS[part] for part in parts if part in SPLITS]
    pers = [PER[part] for part in parts if part in PER]
    rest = " ".join(part for part in parts if part not in SPLITS and part not in PER and part not in FILLERS)
    quantity, plain = _quantity(rest)
    if quantity == "seconds" and name.lower().endswith(("/sec", "/s")):  # TensorFlow's `global_step/sec` is a speed
        quantity = ""
    plain -= "running" in parts or "main" in parts  # Chainer's `main/loss`, beside `loss` another
    if not quantity and not rest:
        return Meaning(quantity="")
    return Meaning(
        quantity=quantity,
        split=splits[0] if splits else split,
        per=pers[0] if pers else "",
        plain=plain,
    )


def _unnumbered(parts: list[str]) -> list[str]:
    """Words without the number of a split, as LightGBM's `valid_0` and CatBoost's `test1` have it."""
    numbered = len(parts) > 2 and parts[0] in SPLITS and parts[1].isdecimal()  # noqa: PLR2004 - split, number, name
    return [parts[0], *parts[2:]] if numbered else parts


def _quantity(rest: str) -> tuple[str, int]:
    group, _, below = rest.partition(" ")
    if group in {"loss", "losses"} and below in LOSS and below.endswith("loss"):
        rest = below  # a group of TensorBoard's: `Loss/total_loss`
    if rest in LOSS:
        return "loss", 3 if rest in WHOLE else 1 + (rest == "loss")
    if rest in ACCURACY:
        return "accuracy", 2 if rest in {"accuracy", "acc"} else 1
    if rest in ERROR or rest in PERPLEXITY:
        return "error_rate" if rest in ERROR else "perplexity", 1
    if RATE.fullmatch(rest):
        return "learning_rate", 2 if rest in {"lr", "learning rate"} else 1
    if GRADIENT.fullmatch(rest):
        return "gradient_norm", 1
    return ("seconds", 1) if rest in SECONDS else ("", 0)


def stand_in(name: str) -> Meaning | None:
    """Say what a name may stand for where a log has neither a loss nor an accuracy by its name.

    Args:
        name: A column's name or a tag.

    Returns:
        Its meaning as an error rate, or as a loss, of a regression or of another name; None for any other.

    Example:
        >>> stand_in("train error").quantity, stand_in("val_dice_loss").quantity, stand_in("speed")
        ('error_rate', 'loss', None)
    """
    if meaning(name).quantity:
        return None
    rate = meaning(f"{name} rate")
    if rate.quantity == "error_rate":
        return rate
    parts = words(name)
    rest = " ".join(part for part in parts if part not in SPLITS and part not in PER and part not in FILLERS)
    if rest not in FALLS and not ("loss" in parts and not NO_LOSS & set(parts)):
        return None
    return meaning(" ".join(["loss", *(part for part in parts if part in SPLITS or part in {"epoch", "step"})]))


def split_of(word: str) -> str:
    """Say which split a single word names.

    Args:
        word: A word.

    Returns:
        `train`, `val` or `test`; empty for any other word.

    Example:
        >>> split_of("Validation"), split_of("box")
        ('val', '')
    """
    return SPLITS.get(word.lower(), "")


def is_epoch(name: str) -> bool:
    """Tell whether a column counts epochs.

    Args:
        name: The column's name.

    Returns:
        True for `epoch` and its spellings.
    """
    return _joined(name) in EPOCHS


def judges(names: Iterable[str]) -> bool:
    """Whether any of some names is that of a loss, a perplexity, an accuracy or an error rate.

    Args:
        names: Names of columns, or what a line prints.

    Returns:
        True where one tells how a run goes.

    Example:
        >>> judges(["epoch", "val_acc"]), judges(["epoch", "lr"])
        (True, False)
    """
    return any(meaning(name).quantity in JUDGED for name in names)


def may_count(text: str) -> bool:
    """Tell quickly whether a line can hold the name of a counter.

    Args:
        text: Any text.

    Returns:
        False where no word of it begins such a name.

    Example:
        >>> may_count("Epoch  Train Loss"), may_count("model  accuracy")
        (True, False)
    """
    small = text.lower()
    return any(each in small for each in _COUNTERS)


def is_step(name: str) -> bool:
    """Tell whether a column counts steps.

    Args:
        name: The column's name.

    Returns:
        True for `step`, `iteration` and their spellings.
    """
    return _joined(name) in STEPS


@functools.lru_cache(maxsize=8192)
def _joined(name: str) -> str:
    """A name's words in one, kept, for a log says the same names again and again."""
    return " ".join(words(name))
