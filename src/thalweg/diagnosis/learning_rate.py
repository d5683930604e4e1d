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
from thalweg.diagnosis.rate_model import Opinion, RateModel
from thalweg.diagnosis.wording import course

__all__ = ["estimate", "with_findings"]

_RISEN, _NEVER_FELL = 0.1, 0.02  # ln of the training loss at the end over its start; of its start over its lowest
_BELOW_ZERO = 1e-3  # more than rounding
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
    if _is_one_moment(history):
        return LearningRateEstimate(verdict="undetermined", reason="one epoch shows a place and no course")
    model = RateModel.named("learning_rate_model")
    opinion = _obey(model.weigh(found), found, ends=_ends(curves))
    return opinion.conclude(course(found), model.evidence(found, opinion.verdict, history))


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


def _ends(curves: Mapping[str, npt.NDArray[np.float64]]) -> bool:
    """Whether the training loss, or what stands in for it, ends with a number; True where none is recorded."""
    losses = [curves[name] for name in ("train_loss", "batch_loss", "val_loss") if name in curves]
    return not losses or bool(np.isfinite(losses[0][-1]))


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


def _is_one_moment(history: RunHistory) -> bool:
    """Whether no curve has a second point: the model would answer from how common each verdict was in the sweeps."""
    curves = [signal.values for signal in history.signals if signal.name.endswith(("_loss", "_accuracy"))]
    return all(len(values) < 2 and all(map(math.isfinite, values)) for values in curves)  # noqa: PLR2004 - a course
