"""Whether a run's learning rate was too low, about right or too high, and by what factor, from its curves alone.

The curves are measured (`features.py`), and a fitted model (`rate_model.py`, `learning_rate_model.json`) turns the
numbers into a verdict; it was fitted on the sweeps under `benchmarks/sweeps/` by `benchmarks/sweeps/fit.py`.
"""

import math

from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.diagnosis.features import features
from thalweg.diagnosis.rate_model import RateModel
from thalweg.diagnosis.wording import course

__all__ = ["estimate"]


def estimate(history: RunHistory) -> LearningRateEstimate:
    """Judge the learning rate of a run by its curves; the recorded rate itself is not looked at.

    Args:
        history: The run.

    Returns:
        Verdict, factor (rate in use over the best one) with its 95 % interval, confidence and evidence; `undetermined`
        where nothing was recorded or no verdict is likely enough.

    Example:
        >>> rows = [{"epoch": n, "train_loss": 2.303 - 0.002 * n, "val_loss": 2.303 - 0.002 * n} for n in range(1, 21)]
        >>> estimate(RunHistory.from_epochs(rows)).verdict
        'too_low'
    """
    found = features(history)
    told = [name for name in found if not name.endswith("_broken")] or [n for n in found if found[n] > 0]
    if not told:
        return LearningRateEstimate(verdict="undetermined", reason="no loss and no accuracy is recorded")
    if _is_one_moment(history):
        return LearningRateEstimate(verdict="undetermined", reason="one epoch shows a place and no course")
    model = RateModel.named("learning_rate_model")
    opinion = model.weigh(found)
    return opinion.conclude(course(found), model.evidence(found, opinion.verdict, history))


def _is_one_moment(history: RunHistory) -> bool:
    """Whether no curve has a second point: the model would answer from how common each verdict was in the sweeps."""
    curves = [signal.values for signal in history.signals if signal.name.endswith(("_loss", "_accuracy"))]
    return all(len(values) < 2 and all(map(math.isfinite, values)) for values in curves)  # noqa: PLR2004 - a course
