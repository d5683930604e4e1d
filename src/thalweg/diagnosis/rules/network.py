"""NET001: numbers that no sound pairing of head, loss and labels can give."""

from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.head import head_against_loss
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_CLIPPED = {
    16.118: "Keras clips probabilities at 1e-7: -ln(1e-7)",
    15.942: "Keras 2 clips probabilities at 1.19e-7: -ln(1.19e-7)",
    15.425: "float32 rounding of 1 - 1e-7 as older Keras clips it",
    100.0: "torch clips the logarithm in binary cross-entropy at -100",
    27.631: "probabilities clipped at 1e-12: -ln(1e-12)",
    34.539: "probabilities clipped at 1e-15: -ln(1e-15)",
}
_CLOSE = 0.01  # of the number: losses are logged with three figures or more


def check_wrong_head_or_loss(case: Case) -> Iterator[Finding]:
    """NET001: head, loss and labels do not belong together.

    Watches: ``train_loss``, ``train_accuracy``; live, last layer, loss, labels, and the loss at the start.
    Fires when: a loss falls below zero and on where an accuracy is recorded (no cross-entropy is negative: labels lie
        outside 0 to 1); the accuracy is the same number in every epoch while the loss falls by a tenth, and below what
        so few right answers allow (the accuracy does not look at what is learned); or the loss is the share of wrong
        answers times a clip constant of a framework, so that every answer is fully sure (softmax over a single output,
        sums instead of means, inputs far too large); or the loss is exactly zero throughout although answers are wrong.
        Live also when softmax or sigmoid is taken twice or is missing, scores are squeezed, one output has a softmax, a
        loss of numbers is used for classes, or the loss begins at more than three times that of guessing, ln K for K
        classes.
    Why it hurts: the gradient drives the weights somewhere else than to right answers, or is cut off altogether.
    Not to be confused with: losses that may be negative (log-likelihoods, contrastive losses), which come without an
        accuracy; CUR005, whose numbers are sound but do not move.
    Remedies: fix_head, fix_loss, relabel, rescale_input.
    References: Schoop et al. 2021, UMLAUT (missing softmax); Keras and torch sources for their clip constants.
    """
    measured = list(head_against_loss(case))
    yield from measured
    loss, accuracy = case.train_loss, case.accuracy
    if measured or loss is None or accuracy is None or min(len(loss), len(accuracy)) < 2:  # noqa: PLR2004 - once may be chance
        return
    constant = len(accuracy) >= 3 and float(np.ptp(accuracy.values)) == 0.0  # noqa: PLR2004 - thrice the same
    fallen = loss.first - loss.final > 0.1 * abs(loss.first)
    if loss.final < 0 and loss.final < loss.first - 0.1:
        claim = f"{loss.label} falls to {loss.final:.4g}: no cross-entropy is below zero, labels are not 0 or 1"
        evidence, confidence = loss.evidence(loss.final, 0.0, "cross-entropy of probabilities", on_curve=True), 0.9
    elif constant and fallen and accuracy.first < 1 and loss.final < -0.8 * np.log(max(accuracy.first, 1e-3)):
        claim = (
            f"{accuracy.label} is exactly {accuracy.first:.4g} every time while the loss goes from {loss.first:.4g} "
        )
        claim += f"to {loss.final:.4g}: it is not the accuracy of what is learned"
        evidence, confidence = accuracy.evidence(0.0, 0.0, "largest less smallest value"), 0.8
    elif len(loss) >= 3 and not loss.values.any() and accuracy.final < 0.99:  # noqa: PLR2004 - more than rounding
        claim = (
            f"{loss.label} is exactly zero from the first value on while {accuracy.label} is {accuracy.final:.1%}: it "
            "does not see the wrong answers, as with softmax over a single output"
        )
        evidence, confidence = loss.evidence(0.0, 0.0, "largest value of the loss", on_curve=True), 0.9
    else:
        clip = _clip_constant(loss, accuracy)
        if clip is None:
            return
        claim = f"{loss.label} is {clip:g} times the share of wrong answers: every answer is fully sure, right or wrong"
        evidence, confidence = loss.evidence(clip, clip, _CLIPPED[clip]), 0.85
    yield Finding(
        code="NET001",
        name="wrong_head_or_loss",
        severity="error",
        confidence=confidence,
        subject=loss.name,
        claim=claim,
        evidence=(evidence,),
        alternatives=("input_scale", "saturated_activation", "learning_rate_too_high", "dying_relu"),
        remedies=tuple(map(remedy, ("fix_head", "fix_loss", "relabel", "rescale_input"))),
    )


def _clip_constant(loss: Curve, accuracy: Curve) -> float | None:
    """The clip constant that most of the losses are multiples of, if any."""
    if accuracy.name != "train_accuracy" or len(loss) != len(accuracy):
        return None
    wrong = 1.0 - accuracy.values
    usable = wrong > 0.02  # noqa: PLR2004 - a quotient of small numbers proves nothing
    if usable.sum() < 2:  # noqa: PLR2004 - once may be chance
        return None
    quotients = loss.values[usable] / wrong[usable]
    for clip in _CLIPPED:
        if (np.abs(quotients / clip - 1) < _CLOSE).mean() > 0.5:  # noqa: PLR2004 - most
            return clip
    return None


RULES = (Rule(code="NET001", name="wrong_head_or_loss", check=check_wrong_head_or_loss),)
