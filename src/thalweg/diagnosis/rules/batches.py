"""CUR013 and CUR014: full-batch descent and mini batches, told apart by the scatter of the loss."""

from collections.abc import Iterator

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.noise import BatchNoise
from thalweg.diagnosis.noise import judge as judge_noise
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_SMOOTH, _ONE_WAY = 0.02, 0.1
"""Fluctuation over level, and share of steps that turn round, below which nobody sees a swing."""


def check_full_batch_like(case: Case) -> Iterator[Finding]:
    """CUR013: a cost curve that follows a law, smooth or in swings, as full-batch descent draws it.

    Watches: ``batch_loss``, or ``train_loss`` without it.
    Fires when: a model fitted on recorded runs gives full batch 60 % or more; it weighs how often steps turn round,
        over all and at the calmest places, how rises go on, whether the curve looks the same read backwards, and how
        much of each step a short linear recurrence foresees. Where single steps are not recorded, 90 %, and the
        recurrence must foresee all but a twentieth of each step over 20 values or more. Always `info`.
    Why it hurts: it does not; each step costs a pass over all data, and its gradient has no noise that helps.
    Not to be confused with: averages over an epoch of many batches, which can be as smooth; a few batches that return
        in the same order, which follow a law as well.
    Remedies: none is needed.
    References: Bottou, Curtis and Nocedal 2018, Optimization methods for large-scale machine learning, section 3; Cohen
        et al. 2021, Gradient descent on neural networks typically occurs at the edge of stability.
    """
    noise, curve = judge_noise(case.history), _course(case)
    if noise.kind == "full_batch_like" and curve is not None:
        also = "" if curve.unit == "step" else ", or as an average over many batches"
        if noise.level < _SMOOTH or noise.turns < _ONE_WAY:
            claim = (
                f"a smooth cost curve: each value of {curve.label} follows from those before, as with the whole data "
                f"set in every step{also}"
            )
        else:
            claim = (
                f"a cost curve that swings, but not by chance: {curve.label} fluctuates by {noise.level:.2%} of its "
                f"level, and each value follows from those before, as with the whole data set in every step{also}"
            )
        yield _finding("CUR013", noise, curve, claim)


def check_mini_batch_like(case: Case) -> Iterator[Finding]:
    """CUR014: a noisy cost curve, as mini batches draw it.

    Watches: ``batch_loss``, or ``train_loss`` without it.
    Fires when: the model of CUR013 gives mini batches 60 % or more, 90 % where single steps are not recorded. Always
        `info`.
    Why it hurts: it does not by itself; the noise falls with the root of the batch size, its floor with the rate.
    Not to be confused with: CUR004, swings of a rate too high, which do not shrink with a larger batch; dropout and
        augmentation on the whole data set, which are drawn anew each step, too.
    Remedies: none is needed.
    References: McCandlish et al. 2018, An empirical model of large-batch training.
    """
    noise, curve = judge_noise(case.history), _course(case)
    if noise.kind == "mini_batch_like" and curve is not None:
        what = "every batch is another sample" if curve.unit == "step" else "few batches make an epoch's average"
        yield _finding(
            "CUR014",
            noise,
            curve,
            f"a noisy cost curve: {curve.label} fluctuates by {noise.level:.2%} of its level; likely reason: {what}",
        )


def _finding(code: str, noise: BatchNoise, curve: Curve, claim: str) -> Finding:
    full = noise.kind == "full_batch_like"
    return Finding(
        code=code,
        name=noise.kind,
        severity="info",
        confidence=min(0.99, noise.probability if full else 1.0 - noise.probability),
        subject=curve.name,
        claim=claim,
        evidence=noise.evidence,
        alternatives=("mini_batch_like",) if full else ("learning_rate_too_high", "label_noise"),
    )


def _course(case: Case) -> Curve | None:
    curve = case.batch_loss if case.batch_loss is not None else case.train_loss
    return curve if curve is not None and len(curve) else None


RULES = (
    Rule(code="CUR013", name="full_batch_like", check=check_full_batch_like),
    Rule(code="CUR014", name="mini_batch_like", check=check_mini_batch_like),
)
