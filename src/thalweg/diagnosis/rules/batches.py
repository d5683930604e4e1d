"""CUR013 and CUR014: a smooth monotone cost curve and a noisy one, and what makes them so."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_SMOOTH = 0.002  # fluctuation over level: gradient descent on a fixed loss has none but that of rounding
_NOISY = 0.02  # a batch of 1,000 pictures with a spread of the loss as large as its level has 0.03
_MONOTONE = 0.98  # share of values below the one before
_LEAST = 10
_TINY = 1e-300


def check_full_batch_like(case: Case) -> Iterator[Finding]:
    """CUR013: a smooth and monotone cost curve, as full-batch descent draws it.

    Watches: ``batch_loss``, or ``train_loss`` without it.
    Fires when: of ten values or more 98 % lie below the one before, and the fluctuation is under 0.2 % of the level.
        Always `info`.
    Why it hurts: it does not; each step costs a pass over all data, and its gradient has no noise that helps.
    Not to be confused with: averages over an epoch of many batches, which can be as smooth: less sure without a log of
        steps.
    Remedies: none is needed.
    References: Bottou, Curtis and Nocedal 2018, Optimization methods for large-scale machine learning, section 3.
    """
    curve = _course(case)
    if curve is None:
        return
    falling = float((np.diff(curve.values) < 0).mean())
    noise = _relative_noise(curve)
    if falling < _MONOTONE or noise > _SMOOTH:
        return
    stepwise = curve.unit == "step"
    yield Finding(
        code="CUR013",
        name="full_batch_like",
        severity="info",
        confidence=0.85 if stepwise else 0.5,
        subject=curve.name,
        claim=f"a smooth cost curve: {curve.label} falls at {falling:.0%} of its {curve.unit}s and fluctuates by "
        f"{noise:.2%}, as with the whole data set in every step"
        + ("" if stepwise else ", or as an average over many batches"),
        evidence=(
            curve.evidence(falling, _MONOTONE, "share of values below the one before"),
            curve.evidence(noise, _SMOOTH, "standard deviation from value to value over the level"),
        ),
        alternatives=() if stepwise else ("mini_batch_like",),
    )


def check_mini_batch_like(case: Case) -> Iterator[Finding]:
    """CUR014: a noisy cost curve, as mini batches draw it.

    Watches: ``batch_loss``, or ``train_loss`` without it.
    Fires when: over ten values or more the fluctuation is 2 % of the level or more, and a fifth of the values rise.
        Always `info`.
    Why it hurts: it does not by itself; the noise falls with the root of the batch size, its floor with the rate.
    Not to be confused with: CUR004, swings of a rate too high, which do not shrink with a larger batch.
    Remedies: none is needed.
    References: McCandlish et al. 2018, An empirical model of large-batch training.
    """
    curve = _course(case)
    if curve is None:
        return
    rising, noise = float((np.diff(curve.values) > 0).mean()), _relative_noise(curve)
    if noise < _NOISY or rising < 0.2:  # noqa: PLR2004 - the docstring says it
        return
    what = "every batch is another sample" if curve.unit == "step" else "few batches make an epoch's average"
    yield Finding(
        code="CUR014",
        name="mini_batch_like",
        severity="info",
        confidence=0.85 if curve.unit == "step" else 0.6,
        subject=curve.name,
        claim=f"a noisy cost curve: {curve.label} fluctuates by {noise:.1%} of its level; the likely reason: {what}",
        evidence=(
            curve.evidence(noise, _NOISY, "standard deviation from value to value over the level"),
            curve.evidence(rising, 0.2, "share of values above the one before; noise alone has 0.5"),
        ),
        alternatives=("learning_rate_too_high", "label_noise"),
    )


def _course(case: Case) -> Curve | None:
    curve = case.batch_loss if case.batch_loss is not None else case.train_loss
    return curve if curve is not None and len(curve) >= _LEAST and curve.low > 0 else None


def _relative_noise(curve: Curve) -> float:
    """Fluctuation over level, whatever the level does: the noise of the logarithm."""
    return replace(curve, values=np.log(np.maximum(curve.values, _TINY))).noise


RULES = (
    Rule(code="CUR013", name="full_batch_like", check=check_full_batch_like),
    Rule(code="CUR014", name="mini_batch_like", check=check_mini_batch_like),
)
