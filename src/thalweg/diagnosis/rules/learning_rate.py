"""LRN001 and LRN002: the verdict on the learning rate as a finding, in the words that courses use."""

from collections.abc import Iterator

from thalweg.core.finding import Finding
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.remedy import Remedy
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_SURE = 0.9  # so that about 2 % of runs at a good rate are warned, problems left out (benchmarks/sweeps/fit.py)


def check_too_high(case: Case) -> Iterator[Finding]:
    """LRN001: the learning rate is too high.

    Watches: ``train_loss``, ``val_loss``, ``train_accuracy``, ``val_accuracy``, ``batch_loss``; never the rate itself
        but beside short trials (``batch_trial_rate``), since the same number is healthy on one problem and ends in NaN
        on another.
    Fires when: the estimate's verdict is `too_high`: of recorded runs with such curves, most reach a better accuracy at
        a lower rate, by 10 % of the way from chance or more. A warning from 90 % certainty on, else a remark.
    Why it hurts: steps jump over the valley: divergence, overshooting, oscillation without decrease, validation error
        rising or irregular from the start, a jump to chance level, NaN.
    Not to be confused with: exploding gradients at a sound rate (GRD002); inputs that were not rescaled; the noise of
        small batches, which a lower rate lessens, too; a high but stable rate, whose loss trend falls: leave it alone.
    Remedies: lower_learning_rate, warm_up, decay, clip_gradients.
    References: the project's own sweeps (docs/diagnose.md); LeCun et al. 1998, Efficient BackProp; Cohen et al. 2021,
        Gradient descent on neural networks typically occurs at the edge of stability.
    """
    if case.estimate.verdict == "too_high":
        yield _finding(
            case.estimate,
            code="LRN001",
            name="learning_rate_too_high",
            alternatives=(
                "exploding_gradient",
                "input_scale",
                "mini_batch_like",
                "label_noise",
                "excessive_regularization",
            ),
            remedies=(
                *case.lower_rate(),
                *map(remedy, ("warm_up", "decay", "clip_gradients")),
            ),
        )


def check_too_low(case: Case) -> Iterator[Finding]:
    """LRN002: the learning rate is too low.

    Watches: ``train_loss``, ``val_loss``, ``train_accuracy``, ``val_accuracy``, ``batch_loss``; never the rate itself
        but beside short trials (``batch_trial_rate``).
    Fires when: the estimate's verdict is `too_low`: of recorded runs with such curves, most reach a better accuracy at
        a higher rate within the same epochs, by 10 % of the way from chance or more. A warning from 90 % certainty on,
        else a remark.
    Why it hurts: the loss falls very slowly or stays flat, long training gives no satisfying result, the validation
        error stays high; the run may be stuck early, near a saddle, on a plateau or in a poor minimum.
    Not to be confused with: too few epochs at a sound rate (CUR009), from which curves alone cannot always tell it; a
        loss that no rate lowers (CUR005: wrong head or loss, frozen or dead layers); a schedule at its end.
    Remedies: raise_learning_rate, adaptive_optimizer, more_epochs.
    References: the project's own sweeps (docs/diagnose.md); Bengio 2012, Practical recommendations for gradient-based
        training of deep architectures, section 3.
    """
    if case.estimate.verdict == "too_low":
        yield _finding(
            case.estimate,
            code="LRN002",
            name="learning_rate_too_low",
            alternatives=(
                *("too_few_epochs", "plateau", "saddle_point", "vanishing_gradient", "frozen_parameters"),
                *("wrong_head_or_loss", "excessive_regularization"),
            ),
            remedies=(*case.raise_rate(), remedy("adaptive_optimizer"), remedy("more_epochs")),
        )


def _finding(
    estimate: LearningRateEstimate,
    *,
    code: str,
    name: str,
    alternatives: tuple[str, ...],
    remedies: tuple[Remedy, ...],
) -> Finding:
    claim = f"the learning rate is {estimate.distance}"
    return Finding(
        code=code,
        name=name,
        severity="warning" if estimate.confidence >= _SURE else "info",
        confidence=estimate.confidence,
        subject="learning rate",
        claim=f"{claim}: {estimate.reason}" if estimate.reason else claim,
        evidence=estimate.evidence,
        alternatives=alternatives,
        remedies=remedies,
    )


RULES = (
    Rule(code="LRN001", name="learning_rate_too_high", check=check_too_high),
    Rule(code="LRN002", name="learning_rate_too_low", check=check_too_low),
)
