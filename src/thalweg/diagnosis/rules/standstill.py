"""CUR005: neither loss nor accuracy leaves the place where it began, or every answer is the same class."""

from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_ABOVE_START = 1.25  # times the first value, sustained: that is CUR002
_CLEAR = 4.0  # standard deviations of the curve's own fluctuation: less than 1 in 10,000 by chance
_LEARNED = 0.9  # accuracy beyond which a flat loss is a detail
_FLAT = 0.02  # of the first value; DeepLocalize and AutoTrainer call 0.01 to 0.05 no progress
_SETTLES = 0.1  # of the first loss: so far it may sink while the answers do not depend on the input
_UNINFORMED = 1.35  # accuracy over exp(-loss): 1 for even classes and a constant answer, 1.31 for a 3:1 majority
_SURELY = 1.64  # Mann-Kendall score of a trend, at 95 %
_CHANCE = 0.6  # accuracy up to which an answer may be a guess: beyond it one that learns comes near the same, too
_EVEN, _MOST = 0.75, 50.0  # the same at least, and a loss beyond which it overflows
_GUESS = 0.9  # of the entropy of the classes: a network that looks at its input gets below


def check_not_learning(case: Case) -> Iterator[Finding]:
    """CUR005: neither loss nor accuracy leaves the place where it began.

    Watches: ``train_loss`` with ``train_accuracy``; those of validation where training was not recorded.
    Fires when: over at least three values, the first of them from the run's start, the loss never falls by 2 % of its
        first value nor by 4 standard deviations of its fluctuation (by 10 %, where five accuracies are known: so far a
        first loss may sink to that of guessing; where it ends between 0.75 and 1.35 of that, with an accuracy below 60
        %, the first value is left out), the accuracy does not rise by 2 points, and the accuracy is no better than 1.35
        exp(-loss), which is what an answer that ignores its input reaches; from 60 % on, nor is the loss below the
        entropy of that share, nor do both get surely better. A first value of twice the second and more is left out
        where the accuracy is known. Or the accuracy, half or more, is exactly the same number from the second epoch on,
        five times or more, as where every answer is the largest class, and the loss is not below 90 % of what knowing
        that share alone gives.
    Why it hurts: the answers do not depend on the pictures.
    Not to be confused with: LRN002, a loss that falls, only slowly; fine-tuning that begins where it ends, at a good
        accuracy; CUR007, a loss that falls first and stands still later.
    Remedies: fix_head, fix_loss, unfreeze, rescale_input, change_initialisation, class_weights.
    References: Wardat et al. 2021, DeepLocalize; Schoop et al. 2021, UMLAUT; Zhang et al. 2021, AutoTrainer.
    """
    curve, accuracy = case.loss, case.accuracy
    if curve is None or len(curve) < 3 or not curve.from_start:  # noqa: PLR2004 - two values have no course
        return
    if accuracy is not None and _one_class(curve, accuracy):
        yield _largest_class(curve, accuracy)
        return
    if accuracy is not None and len(curve) > 3 and (curve.first > 2 * curve.values[1] or _guesses(curve, accuracy)):  # noqa: PLR2004
        curve = curve.part(1.5 / len(curve))  # thrown up in the first epoch (see CUR003), or settling down in it
    first, final = curve.first, curve.final
    fall = first - min(curve.low, final)
    least = max(_FLAT * abs(first), min(_CLEAR * curve.noise, _SETTLES * abs(first)))
    if first <= 0:
        least = _CLEAR * curve.noise  # a loss below zero may lie near its lowest, and its size says nothing
    if accuracy is not None and len(accuracy) >= 5 and first > 0:  # noqa: PLR2004 - a course
        least = max(least, _SETTLES * abs(first))  # the accuracy says whether anything was learnt
    if fall >= least or final > _ABOVE_START * abs(first):
        return
    evidence = [
        curve.evidence(
            fall,
            least,
            "fall; 2 % of the first value (10 % where accuracies are known), or 4 deviations of the fluctuation",
        )
    ]
    level = float(np.median(curve.part(0.5).values))
    claim = f"it does not learn: {curve.label} stays at {level:.4g}"
    if accuracy is not None:
        gain = accuracy.high - accuracy.first
        informed = accuracy.final > _UNINFORMED * np.exp(-max(final, 0.0)) or _knows(curve, accuracy)
        if gain > max(0.02, 3 * accuracy.noise) or accuracy.final > _LEARNED or informed:
            return
        claim += f" and {accuracy.label} at {accuracy.final:.1%}"
        evidence.append(accuracy.evidence(gain, max(0.02, 3 * accuracy.noise), "gain; two points or 3 deviations"))
    yield Finding(
        code="CUR005",
        name="not_learning",
        severity="warning" if accuracy is None else "error",
        confidence=0.65 if accuracy is None else 0.9 if len(curve) >= 5 else 0.8,  # noqa: PLR2004 - a course
        subject=curve.name,
        claim=claim,
        evidence=tuple(evidence),
        alternatives=(
            *("wrong_head_or_loss", "frozen_parameters", "learning_rate_too_low", "learning_rate_too_high"),
            *(
                "vanishing_gradient",
                "dying_relu",
                "input_scale",
                "saddle_point",
                "label_noise",
                "excessive_regularization",
            ),
        ),
        remedies=tuple(map(remedy, ("fix_head", "fix_loss", "unfreeze", "rescale_input", "change_initialisation"))),
    )


def _knows(curve: Curve, accuracy: Curve) -> bool:
    """Whether answers depend on the input, where many are right: fine-tuning begins where others end.

    Answers that do not cost the entropy of the classes or more, and that is at least the entropy of the share of right
    ones. Nor do loss and accuracy both get surely better by chance.
    """
    share = accuracy.final
    if not _CHANCE <= share < 1.0:
        return False
    if curve.final < _entropy(share):
        return True
    return curve.trend < -_SURELY and accuracy.trend > _SURELY


def _entropy(share: float) -> float:
    """What knowing only the share of the largest class costs, in nats, if all others are one class."""
    return float(-share * np.log(share) - (1 - share) * np.log(1 - share))


def _guesses(curve: Curve, accuracy: Curve) -> bool:
    """Whether loss and accuracy end where answers do that hold all classes equally likely."""
    ratio = accuracy.final * np.exp(min(curve.final, _MOST))
    return len(accuracy) >= 5 and accuracy.final < _CHANCE and bool(_EVEN <= ratio <= _UNINFORMED)  # noqa: PLR2004


def _one_class(curve: Curve, accuracy: Curve) -> bool:
    """Whether every answer is the largest class: one share of right answers, and a loss that knows no more than it."""
    share, later = float(accuracy.values[-1]), accuracy.values[1:]  # the first is an average over the start
    same = len(later) >= 5 and float(np.ptp(later)) == 0.0  # noqa: PLR2004 - more than chance
    if not same or not 0.5 <= share < 1.0:  # noqa: PLR2004 - below it the loss of guessing depends on the other classes
        return False
    return _GUESS * _entropy(share) <= curve.final <= 3 * _entropy(share)


def _largest_class(curve: Curve, accuracy: Curve) -> Finding:
    share = float(accuracy.values[-1])
    guess = _entropy(share)
    return Finding(
        code="CUR005",
        name="not_learning",
        severity="error",
        confidence=0.8,
        subject=curve.name,
        claim=f"it does not learn: {accuracy.label} is exactly {share:.4g} every time, as when every answer is the "
        f"largest class, and {curve.label} ends at {curve.final:.4g}, where knowing that share alone gives {guess:.4g}",
        evidence=(
            accuracy.evidence(0.0, 0.0, "largest less smallest value"),
            curve.evidence(curve.final, _GUESS * guess, "90 % of the entropy of that share", on_curve=True),
        ),
        alternatives=("class_imbalance", "learning_rate_too_low", "wrong_head_or_loss", "dying_relu", "input_scale"),
        remedies=tuple(map(remedy, ("class_weights", "rescale_input", "fix_head", "fix_loss"))),
    )


RULES = (Rule(code="CUR005", name="not_learning", check=check_not_learning),)
