"""Phrases of printed lines that say a counter or a name in another place than beside its number, put plainly.

`Cost after epoch 3: 0.64` is of epoch 3, `E012 train_loss=0.5` of epoch 12, `Train loss 100 0.51` of step 100, `Score
at iteration 100 is 0.52` DL4J's loss, and what stands in brackets as a word is a remark, but for a split or a mean:
`Epoch(val)`, `loss (avg)`. `Epoch 3: 9129 / 10000`, as Nielsen's book prints it, counts right answers.
"""

import re

from thalweg.histories.names import split_of, words

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
_IS = re.compile(r"\b(loss|cost|error|accuracy|acc|perplexity|rate) (?:is|was|of) (?=[-+.\d]|nan|inf)", re.IGNORECASE)
_HASH = re.compile(r"\b(epoch|iteration|iter|step|batch)\s?#\s?:?\s?(?=\d)", re.IGNORECASE)
_VERBS = (" is ", " was ", " of ")
_TWO_NUMBERS = re.compile(r"[a-zA-Z] \d{1,9}:?\s+[-+]?(?:\d*\.\d|nan|inf)")
_BETWEEN = re.compile(
    r"\b((?:[a-z]+ )?(?:loss|cost|error|accuracy|acc)) (\d{1,9}):?\s+"
    r"(?=(?:[-+]?\d*\.\d+(?:e[-+]?\d+)?|nan|inf)(?:[\s,;]|$))",
    re.IGNORECASE,
)
_HELD_OUT = re.compile(r"\bCV Batch\b")  # WeNet's cross-validation
_LOGGED = re.compile(r"(?<=\] )\[(\d{1,9})\] (?=[\w/]+=)")  # clu's, of Flax and T5X, behind glog's `file:line] `
_SCORED = re.compile(r" <\w+>(?==)")  # SageMaker's `train accuracy <score>=0.5`
_RIGHT = re.compile(r"(\s*Epoch \d{1,9}\s?:) (\d{1,12} ?/ ?\d{1,12})\s*", re.IGNORECASE)
_VALUE = re.compile(r"(\s*iter\s+\d{1,9}) value (?=[-\d])")  # of R's optimizers, such as nnet's
_PLACE = re.compile(r"(?<![\w.])[\w.<>]+:([\w<>]+):\d+ - ")  # loguru's `module:function:line - `
_DIGIT_AFTER = re.compile(r"(?:poch|iter|Iter|tep)_?\d")
_JOINED = re.compile(r"\b(epoch|iter|step)_?(\d{1,9})(?=[:,\s|()\]]|/\d|$)", re.IGNORECASE)  # `Epoch3/10`
_N = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)"
_BOTH = re.compile(  # `train/val loss: 2.3/2.1`
    r"\b(train\w*)\s?/\s?(val\w*|test\w*|eval\w*|dev) ([a-z]+)\s?[:=]?\s*"
    rf"({_N}\s?%?)\s?/\s?({_N}(?:\s?%)?)(?![\w./])",
    re.IGNORECASE,
)
_BOTH_OF = re.compile(  # `loss (train/val): 2.3/2.1`, `loss: train=2.3 val=2.1`
    r"\b(loss|acc|accuracy|error|ppl|perplexity)(?:\s?[:=]|(?=\s?\())\s?\(?(train\w*)"
    rf"(?:\s?/\s?(val\w*|test\w*|eval\w*|dev)\)\s?[:=]?\s*({_N})\s?/\s?({_N})"
    rf"|\s?[:=]\s*({_N})[\s,;|/]+(val\w*|test\w*|eval\w*|dev)\s?[:=]\s*({_N})\)?)(?![\w./])",
    re.IGNORECASE,
)
_TIMED = re.compile(  # `train 12.3s loss 2.3 val 2.1s loss 2.1`
    r"\b(train\w*|val\w*|test\w*|eval\w*):?\s*\(?\d+(?:\.\d+)?\s?(?:s|sec|secs|seconds|m|min|ms)\b\)?[\s:,|-]+"
    r"(?=(?:loss|cost|acc|error|ppl|perplexity)\w*\b)",
    re.IGNORECASE,
)
_UPDATES = re.compile(r"(?<=: )Up\. (?=\d)")  # Marian counts `Ep. 1 : Up. 1000`
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
    if glued := _GLUED.match(piece):
        piece = f" epoch {int(glued[1])}: {piece[glued.end() :]}"
    if right := _RIGHT.fullmatch(piece):
        piece = f"{right[1]} accuracy: {right[2]}"
    if len({found[1].lower() for found in _TIMED.finditer(piece)}) > 1:
        piece = _TIMED.sub(r"\1 ", piece)
    for marks, pattern, plain in _PHRASES:
        if any(mark in piece for mark in marks):
            piece = pattern.sub(plain, piece)
    if _DIGIT_AFTER.search(piece):
        piece = _JOINED.sub(r"\1 \2", piece)
    if _TWO_NUMBERS.search(piece):
        piece = _BETWEEN.sub(r"step \2 \1: ", piece)
    return _OF.sub(" ", _IN_BRACKETS.sub(_kept, piece))


def _function(found: re.Match[str]) -> str:
    """Of the place in the program only that its function evaluates: `train` may print what it likes."""
    splits = [split_of(word) for word in words(found[1])]
    return "" if "train" in splits else f"{next(filter(None, splits), '')} "


def _of_both(found: re.Match[str]) -> str:
    """A quantity of two splits, each beside its number."""
    name, trained, one, first, second, third, other, fourth = found.groups()
    return f"{trained} {name}: {first or third}, {one or other} {name}: {second or fourth}"


def _kept(found: re.Match[str]) -> str:
    """Words in brackets go, but for a split or a mean: `lr(LinearWarmup)`, `Epoch(val)`, `loss (avg)`."""
    if found[1].strip().lower() in {"nan", "inf", "infinity"}:
        return found[0]
    return f" {found[1]} " if split_of(found[1].strip()) or found[1].strip().lower() in _MEANS else " "


_PHRASES = (
    (("metric '",), _METRIC, ""),
    (_PLACES, _SCORE, "loss "),
    (_PLACES, _AFTER, r"\2 \3 \1: "),
    ((" - ",), _PLACE, _function),
    (("#",), _HASH, r"\1 "),
    ((" <",), _SCORED, ""),
    (("] [",), _LOGGED, r"step \1: "),
    (("Up.",), _UPDATES, "update "),
    (("CV Batch",), _HELD_OUT, "val Batch"),
    (("/",), _BOTH, r"\1 \3: \4, \2 \3: \5"),
    (("rain",), _BOTH_OF, _of_both),
    (_VERBS, _IS, r"\1: "),
    ((" value ",), _VALUE, r"\1 loss "),
    (("第",), _CHINESE, r" epoch \1 "),
)
"""What a line must hold for a phrase to be in it, the phrase, and what it says plainly; in their order."""
