"""Whether a run's learning rate was too low, about right or too high, and by what factor, from its curves alone.

The curves are measured (`features.py`), and a fitted model (`rate_model.py`, `learning_rate_model.json`) turns the
numbers into a verdict; it was fitted on the sweeps under `benchmarks/sweeps/` by `benchmarks/sweeps/fit.py`.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from thalweg.core.finding import Finding
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate, Verdict
from thalweg.diagnosis.features import curves_of, measure
from thalweg.diagnosis.rate_model import FAR, Opinion, RateModel
from thalweg.diagnosis.wording import course

__all__ = ["estimate", "with_findings"]

_RISEN, _NEVER_FELL = 0.1, 0.02  # ln of the training loss at the end over its start; of its start over its lowest
_BELOW_ZERO = 1e-3  # more than rounding
_TWO, _SURE_OF_TWO = 2, 0.65
"""Of the sweeps' logs of two epochs (the first quarters of short runs), verdicts of too low given with less held in 89
of 131; with more, in 160 of 182, and 5 of 146 right rates were called too low instead of 16."""
_USUAL = 1.17  # decimal logarithm of the factor of such runs: the median of those within 30x in the sweeps


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
    curves = curves_of(history)
    positive = {name: values for name, values in curves.items() if not _goes_below_zero(name, values)}
    found = measure(positive)
    told = [name for name in found if not name.endswith("_broken")] or [n for n in found if found[n] > 0]
    if not told and positive != curves:
        reason = "the loss goes below zero, and how far a rate is off was learned from losses above it"
        return LearningRateEstimate(verdict="undetermined", reason=reason)
    if not told:
        return LearningRateEstimate(verdict="undetermined", reason="no loss and no accuracy is recorded")
    points = _points(history)
    if points == 1:
        return LearningRateEstimate(verdict="undetermined", reason="one epoch shows a place and no course")
    loss = _training_loss(curves)
    if loss is not None and not loss.any():
        reason = "the loss is zero from its first value on: no rate can lower it, and perhaps no label reaches it"
        return LearningRateEstimate(verdict="undetermined", reason=reason)
    model = RateModel.named("learning_rate_model")
    opinion = _obey(model.weigh(found), found, ends=loss is None or bool(np.isfinite(loss[-1])))
    if loss is not None and not np.isfinite(loss[-1]):
        opinion = replace(opinion, factor=_beyond(opinion.factor, loss))
    rate = opinion.conclude(course(found), model.evidence(found, opinion.verdict, history))
    if points == _TWO and rate.verdict == "too_low" and rate.confidence < _SURE_OF_TWO:
        why = "two epochs show one change, in which a rate too low and a good start look alike"
        return replace(rate, verdict="undetermined", factor=None, interval=None, reason=why)
    return rate


def with_findings(rate: LearningRateEstimate, findings: tuple[Finding, ...]) -> LearningRateEstimate:
    """Take a verdict back that a finding contradicts: what ends where guessing began was trained well by no rate.

    All 16 runs of the sweeps whose loss rises and stays up are too high and called so, so that nothing changes there;
    curves of other kinds (sums of losses of a detector, single batches) are beyond what the model was fitted on.

    Args:
        rate: The verdict by the fitted model.
        findings: What rules found.

    Returns:
        The same, or undetermined with the reason.
    """
    lost = any(finding.name == "diverging" and finding.severity == "error" for finding in findings)
    if not lost or rate.verdict not in {"about_right", "too_low"}:
        return rate
    if rate.verdict == "too_low":
        why = "its numbers look like those of a rate too low, but it diverges, which such runs do not"
    else:
        why = "its numbers look like those of a rate about right, but it diverges, which such runs do not"
    return replace(rate, verdict="undetermined", factor=None, interval=None, reason=why)


def _goes_below_zero(name: str, values: npt.NDArray[np.float64]) -> bool:
    """Whether a loss has no logarithm, as those of overlap or likelihood may; the model asks for levels."""
    return name.endswith("loss") and bool((values < -_BELOW_ZERO).any())


def _training_loss(curves: Mapping[str, npt.NDArray[np.float64]]) -> npt.NDArray[np.float64] | None:
    """The training loss, or what stands in for it."""
    return next((curves[name] for name in ("train_loss", "batch_loss", "val_loss") if name in curves), None)


def _beyond(factor: tuple[float, float, float], loss: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """How far off a rate is whose training loss ends without a number: beyond what curves tell, unless it was learning.

    Of 148 such runs of the sweeps, 129 lay beyond 30x, half of them beyond 255x, and none within 4x. Only two of them
    had fallen before, from losses that had exploded in the first epoch: of a run that learns for a while and then ends
    in NaN the sweeps know nothing but that its rate was not too low.

    Returns:
        Decimal logarithms of the factor: low end, middle, high end.
    """
    low, middle, high = factor
    numbers = loss[np.isfinite(loss)]
    if len(numbers) > 1 and numbers[-1] < numbers[0] * (1 - _NEVER_FELL):
        return max(low, 0.0), max(middle, 0.0), max(high, FAR + 1)
    return FAR, FAR, max(high, FAR + 1)


def _obey(opinion: Opinion, found: Mapping[str, float], *, ends: bool = True) -> Opinion:
    """Rule out what cannot be: small steps along the gradient do not raise the loss that they follow, nor end in NaN.

    Of 127 runs of the sweeps whose training loss ends without a number, every one was too high, 107 of them from the
    first epoch on; the model knows few that began well.

    A training loss that ends above its start is rare, so that the model knows few and takes smooth ones for slow ones.
    Of 168 views of the sweeps' runs, whole or cut short, whose training loss ended a tenth above its start, none was
    too low and one in eight about right; nor was one of 63 that ended a twentieth above it and never fell by 2 %.

    Returns:
        The opinion, with no chance left for too low where that cannot be.
    """
    risen = -found.get("tl_fall", 0.0)
    if ends and risen < _RISEN and (risen < _RISEN / 2 or found.get("tl_best", 1.0) > _NEVER_FELL):
        return opinion
    chances: dict[Verdict, float] = dict(opinion.chances)
    chances["too_high"] += chances["too_low"]
    chances["too_low"] = 0.0
    low, middle, high = opinion.factor
    beyond = max(0.0, _USUAL - middle) if opinion.verdict == "too_low" else 0.0
    return replace(opinion, chances=chances, factor=(low, middle + beyond, high + beyond))


def _points(history: RunHistory) -> int:
    """How many points the longest curve has; 0 for one that is no number, which tells more than a place."""
    # Of a single one the model would answer from how common each verdict was in the sweeps.
    curves = [signal.values for signal in history.signals if signal.name.endswith(("_loss", "_accuracy"))]
    longest = max(map(len, curves), default=1)
    return 0 if longest == 1 and not all(math.isfinite(value) for values in curves for value in values) else longest
