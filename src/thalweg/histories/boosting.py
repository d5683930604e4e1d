"""Boosted trees: what their libraries call metrics and data sets, and how their logs give themselves away.

XGBoost, LightGBM, CatBoost and scikit-learn write an iteration where networks write an epoch, and their metrics have
names that nobody else uses (`mlogloss`, `binary_logloss`). Verdicts on a learning rate were learned from networks:
wherever a log is one of trees, that is said.
"""

import re
from collections.abc import Iterable, Sequence

from thalweg.histories.names import JUDGED, meaning

__all__ = ["ADDS_TREES", "adds_trees", "error_of", "loss_of", "only_boosting_says"]

ADDS_TREES = "each iteration adds a tree and is taken as an epoch; verdicts were learned from networks"
"""The note of every log of boosted trees."""

_SAMPLED = 1 << 16
_OWN = r"mlogloss|merror|binary_logloss|binary_error|multi_logloss|multi_error"
_NAME = re.compile(
    rf"(?:.*[\W_])?(?:{_OWN})(?:[\W_](?:mean|stdv?))?"
    r"|[^\W_]\w*[-/](?-i:logloss|aucpr)(?:-(?:mean|std))?"  # MXNet's is `Validation-LogLoss`
    r"|[^\W_]\w*-(?:rmse|mae|mape|auc|map|ndcg|error)-(?:mean|std)"  # xgboost.cv's
    r"|(?:validation|valid)_\d+[-/ '].+"
    r"|number_of_trees",
    re.IGNORECASE,
)
_TEXT = re.compile(
    r"\b\d+ trees?, \d+ leaves\b"  # scikit-learn's HistGradientBoosting
    r"|^\s*Iter\s+Train Loss\b.*\bRemaining Time\b"  # its GradientBoosting
    r"|^\[iter \d+\] loss=\S+ val_loss=\S+ scale="  # NGBoost
    r"|\[LightGBM\]"
    r"|^\W*iter\W+\w*?_(?:logloss|mlogloss|error|merror|rmse|auc)\b",  # R's evaluation_log
    re.MULTILINE,
)
_ONLY_HERE = re.compile(
    rf"{_OWN}|logloss|aucpr|auc_mu|l1|l2|rmsle|mphe|(?:ndcg|map)@\d+.*|.*-nloglik.*|.*-deviance|error@.+",
    re.IGNORECASE,
)
_LESS = {
    *("rmse", "mae", "mape", "mphe", "rmsle", "l1", "l2", "quantile", "poisson", "huber", "fair", "gamma", "tweedie"),
    *("multiclass", "multiclassonevsall", "expectile", "logcosh", "xentropy", "cross_entropy", "kullback_leibler"),
    *("poisson-nloglik", "gamma-nloglik", "gamma-deviance", "cox-nloglik", "aft-nloglik"),
}
"""Metrics of which less is better, where none is the loss by its name."""

_ERRORS = {"error", "merror", "binary_error", "multi_error"}


def adds_trees(names: Iterable[str], text: str = "") -> bool:
    """Tell whether a log is one of boosted trees, by names that only they use or by the look of its lines.

    Args:
        names: What the log calls its curves.
        text: Its text, where it is one.

    Returns:
        True where it is.

    Example:
        >>> adds_trees(["train-mlogloss"]), adds_trees(["val_logloss"]), adds_trees(["loss"], "[1/9] 1 tree, 31 leaves")
        (True, False, True)
    """
    return any(map(_NAME.fullmatch, names)) or _TEXT.search(text[:_SAMPLED]) is not None


def only_boosting_says(metric: str) -> bool:
    """Tell whether a metric has a name that only libraries of boosted trees give.

    Args:
        metric: Its name without the data set.

    Returns:
        True for `mlogloss`; False for `rmse`, which a network may have as well.
    """
    return _ONLY_HERE.fullmatch(metric) is not None


def loss_of(metrics: Sequence[str], *, less: bool = False) -> str:
    """Choose the metric that stands for the loss: one that is so called, else the first of which less is better.

    Args:
        metrics: Names without the data set, in the order of the log.
        less: The log says of all of them that less is better.

    Returns:
        One of them; empty where none is a loss.

    Example:
        >>> loss_of(["merror", "mlogloss"]), loss_of(["auc", "rmse"]), loss_of(["auc"])
        ('mlogloss', 'rmse', '')
    """
    named = [metric for metric in metrics if meaning(metric).quantity == "loss"]
    falls = [
        metric for metric in metrics if (less or _plain(metric) in _LESS) and meaning(metric).quantity not in JUDGED
    ]
    return next(iter(named or falls), "")


def error_of(metrics: Sequence[str]) -> str:
    """Choose the metric that is the share of wrong answers.

    Args:
        metrics: Names without the data set.

    Returns:
        One of them, or nothing.
    """
    return next((metric for metric in metrics if _plain(metric) in _ERRORS), "")


def _plain(metric: str) -> str:
    return metric.partition(":")[0].lower()  # CatBoost writes settings behind a colon
