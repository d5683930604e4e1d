"""What a column's name says: which quantity, on which split, by epoch or by step.

Names are cut into words, so that `valLoss`, `Loss/val`, `val_loss_epoch` and `epoch_val_loss` say the same. What has a
word too many (`box_loss`, `best_val_acc`, `top5_acc`) is not the run's loss or accuracy and keeps its own name.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from thalweg.core.split_words import SPLIT_WORDS

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

_SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev", "vl", "evaluate"), "val"),
    **dict.fromkeys(("vali", "vld", "va"), "val"),
    **dict.fromkeys(("validating", "validate", "evaluating"), "val"),
    **dict.fromkeys(("test", "tst", "te", "testing", "heldout"), "test"),
    **{word: {"validation": "val"}.get(part, part) for word, part in SPLIT_WORDS.items()},
    "驗證": "val",
    **dict.fromkeys(("обучение", "обучения", "обучении", "обучающая"), "train"),
    **dict.fromkeys(("валидация", "валидации", "валидационная"), "val"),
    **dict.fromkeys(("тест", "теста", "тесте"), "test"),
}
_PER = {
    **dict.fromkeys(("step", "batch", "iter", "iteration", "it", "minibatch", "smoothed"), "step"),
    **dict.fromkeys(("epoch", "avg", "avr", "average", "mean"), "epoch"),
}
_FILLERS = {"metrics", "metric", "running", "global", "history", "stats", "scalar", "scalars", "value", "log", "logs"}
_FILLERS |= {"mini", "over", "set", "main", "de", "di", "на", "current", "reduced", "curve", "curves"}
_LOSS = {
    *("loss", "total loss", "loss total", "tot loss", "overall loss", "cost", "objective", "nll", "nll loss", "ce", "ce loss", "loss ce", "celoss", "closs"),
    *(
        "cross entropy",
        "crossentropy",
        "cross entropy loss",
        "crossentropy loss",
        "crossentropyloss",
        "xent",
        "logloss",
    ),
    *("bce", "bce loss", "binary crossentropy", "categorical crossentropy", "sparse categorical crossentropy"),
    *("mse", "mse loss", "log loss", "criterion", "loss value", "losses", "cls loss", "classification loss"),
    *("verlust", "perte", "pérdida", "perdida", "perda", "perdita", "потери", "损失", "損失", "زیان", "هزینه"),
    *("bpc", "bpb", "bits per character", "bits per byte", "lm loss", "loss cls", "loss classification", "mlogloss", "multi logloss", "binary logloss"),
}
_WHOLE = {"total loss", "loss total", "tot loss", "overall loss"}
_ACCURACY = {
    *("acc", "accu", "accuray", "a acc", "instance accuracy", "accuracy", "top 1", "acc 1", "accuracy 1", "top 1 acc", "top 1 accuracy", "accuracy top 1", "acc top 1"),
    *(
        "accuracy 01",
        "prec 1",
        "binary accuracy",
        "binary acc",
        "categorical accuracy",
        "sparse categorical accuracy",
        "cls acc",
    ),
    *("sparse categorical acc", "categorical acc", "multiclass accuracy", "multiclassaccuracy", "binaryaccuracy"),
    *("accuracy score", "class accuracy", "cls accuracy", "classification accuracy", "overall accuracy", "total acc"),
    *("genauigkeit", "exactitude", "exactitud", "acurácia", "acuracia", "accuratezza", "точность", "准确率", "準確率"),
    *("正解率", "精度", "دقت"),
    *("total accuracy", "accs", "accuracies", "metric top 1", "accuracy multi"),
}
_PERPLEXITY = {"ppl", "perplexity", "pplx"}
_ERROR = {
    *("error rate", "err rate", "top 1 error", "top 1 err", "classification error", "misclassification"),
    *("misclassification rate", "error top 1", "err 1", "err top 1", "classification error rate"),
}
_FALLS = {
    *("rmse", "mae", "mape", "smape", "msle", "rmsle", "huber", "logcosh", "l 1", "l 2", "squared error"),
    *("absolute error", "root squared error", "absolute percentage error", "squared logarithmic error"),
}
"""Measures of a regression, without `mean`: they stand for the loss where it is not told."""

_NO_LOSS = {"best", "min", "max", "lowest", "std", "var", "delta", "diff", "scale", "weight", "coef", "lambda", "ratio"}
_RATE = re.compile(
    r"(?:lrs?|learning rates?|learningrate|learn rate|base learn rate)(?: (?:pg )?0| [a-z]+)?(?: pg 1)?"
    r"|(?:base|current) (?:lr|learning rate)"
    r"|lernrate|taux apprentissage|tasa aprendizaje|taxa aprendizado|tasso apprendimento"
    r"|скорость обучения|学习率|學習率|学習率|نرخ یادگیری"
)
_GRADIENT = re.compile(r"(?:total )?(?:grad|gradient|gradients)(?: 2(?: 0)?)? norm(?: total)?|gnorm|gradnorm")
_SECONDS = {"seconds", "elapsed seconds", "seconds elapsed", "time seconds", "time s", "sec", "secs"}
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_UNIT = re.compile(r"\s*(?:\[[^\[\]]{0,12}\]|\((?:nats?|bits?|s|sec|seconds|1)\))\s*$", re.IGNORECASE)
_ELIDED = re.compile(r"\b[dl]['’](?=[^\W\d_]{3})", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOINED = re.compile(
    r"(train|training|valid|validation|val|test|tr|eval)(loss|accuracy|acc|err|error|cost)(?:es)?"
    r"|(training|validierung|test)s?(verlust|genauigkeit)"
    r"|(训练|訓練|学習|验证|驗證|検証|测试|テスト)集?(?:的|の)?(损失|損失|准确率|準確率|正解率|精度)"
)
_EPOCHS = {"epoch", "epochs", "ep", "current epoch", "epoch num", "epoch number", "trainer epoch", "train epoch"}
_EPOCHS |= {"epoches"}
_EPOCHS |= {"epoche", "époque", "epoque", "época", "epoca", "эпоха", "轮次", "エポック", "دوره"}
_STEPS = {
    *("step", "steps", "global step", "iteration", "iter", "iters", "iterations", "it", "batch", "train global step"),
    *("trainer global step", "batches", "update", "updates", "num updates", "num steps", "train step", "batch idx"),
    *("batch index", "training iteration", "n iter", "niter", "iter num", "training step", "minibatch"),
}
_COUNTERS = tuple(sorted(each for each in _EPOCHS | _STEPS if each.isalpha() and each not in {"it", "epochs", "steps"}))


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
    splits = [_SPLITS[part] for part in parts if part in _SPLITS]
    pers = [_PER[part] for part in parts if part in _PER]
    rest = " ".join(part for part in parts if part not in _SPLITS and part not in _PER and part not in _FILLERS)
    quantity, plain = _quantity(rest)
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
    numbered = len(parts) > 2 and parts[0] in _SPLITS and parts[1].isdecimal()  # noqa: PLR2004 - split, number, name
    return [parts[0], *parts[2:]] if numbered else parts


def _quantity(rest: str) -> tuple[str, int]:
    group, _, below = rest.partition(" ")
    if group in {"loss", "losses"} and below in _LOSS and below.endswith("loss"):
        rest = below  # a group of TensorBoard's: `Loss/total_loss`
    if rest in _LOSS:
        return "loss", 3 if rest in _WHOLE else 1 + (rest == "loss")
    if rest in _ACCURACY:
        return "accuracy", 2 if rest in {"accuracy", "acc"} else 1
    if rest in _ERROR or rest in _PERPLEXITY:
        return "error_rate" if rest in _ERROR else "perplexity", 1
    if _RATE.fullmatch(rest):
        return "learning_rate", 2 if rest in {"lr", "learning rate"} else 1
    if _GRADIENT.fullmatch(rest):
        return "gradient_norm", 1
    return ("seconds", 1) if rest in _SECONDS else ("", 0)


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
    rest = " ".join(part for part in parts if part not in _SPLITS and part not in _PER and part not in _FILLERS)
    if rest not in _FALLS and not ("loss" in parts and not _NO_LOSS & set(parts)):
        return None
    return meaning(" ".join(["loss", *(part for part in parts if part in _SPLITS or part in {"epoch", "step"})]))


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
    return _SPLITS.get(word.lower(), "")


def is_epoch(name: str) -> bool:
    """Tell whether a column counts epochs.

    Args:
        name: The column's name.

    Returns:
        True for `epoch` and its spellings.
    """
    return " ".join(words(name)) in _EPOCHS


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
    return " ".join(words(name)) in _STEPS
