"""Phrases of printed lines that say a counter or a name in another place than beside its number, put plainly.

`Cost after epoch 3: 0.64` is of epoch 3, `E012 train_loss=0.5` of epoch 12, `Score at iteration 100 is 0.52` DL4J's
loss, and what stands in brackets as a word is a remark, but for a split or a mean: `Epoch(val)`, `loss (avg)`.
"""

import re

from thalweg.histories.names import split_of

__all__ = ["plainly"]

_IN_BRACKETS = re.compile(r"\s?\(\s*([A-Za-z_][A-Za-z_ -]{0,30})\)")
_OF = re.compile(r"'s ")  # LightGBM: `valid_0's binary_logloss`
_CHINESE = re.compile(r"第\s*(\d+)\s*(?:个|個)?(?:轮|輪|回|エポック|epoch)", re.IGNORECASE)
_METRIC = re.compile(r"\b[Ee]valuation metric (?=')")  # GluonTS calls so what it measures in training
_SCORE = re.compile(r"\bScore (?=at iteration \d+ is )")  # DL4J's word for its loss
_MEANS = {"avg", "average", "mean"}
_AFTER = re.compile(
    r"\b([A-Za-z][A-Za-z ]{2,30}?) (?:after|at|in|for|of) (epoch|iteration|step) #?(\d{1,9})"
    r"\s*(?::|=|is\b)\s*(?=[-+.\d]|nan|inf)",
    re.IGNORECASE,
)
_PLACES = (" after ", " at ", " in ", " for ", " of ")
_GLUED = re.compile(r"\W*(?:e|ep|epoch)_?(\d{1,6})(?=[:,\s|])", re.IGNORECASE)  # `E012 train_loss=0.5`


def plainly(piece: str) -> str:
    """Put what a line says plainly.

    Args:
        piece: The line.

    Returns:
        The line with each counter and name beside its number.

    Example:
        >>> plainly("Cost after epoch 3: 0.64"), plainly("lr(LinearWarmup): 0.1"), plainly("E012 loss=0.5")
        ('epoch 3 Cost: 0.64', 'lr : 0.1', ' epoch 12:  loss=0.5')
    """
    if "metric '" in piece:
        piece = _METRIC.sub("", piece)
    if glued := _GLUED.match(piece):
        piece = f" epoch {int(glued[1])}: {piece[glued.end() :]}"
    if any(word in piece for word in _PLACES):
        piece = _SCORE.sub("loss ", piece)
        piece = _AFTER.sub(r"\2 \3 \1: ", piece)
    return _CHINESE.sub(r" epoch \1 ", _OF.sub(" ", _IN_BRACKETS.sub(_kept, piece)))


def _kept(found: re.Match[str]) -> str:
    """Words in brackets go, but for a split or a mean: `lr(LinearWarmup)`, `Epoch(val)`, `loss (avg)`."""
    if found[1].strip().lower() in {"nan", "inf", "infinity"}:
        return found[0]
    return f" {found[1]} " if split_of(found[1].strip()) or found[1].strip().lower() in _MEANS else " "
