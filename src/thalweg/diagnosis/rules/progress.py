"""CUR006 to CUR009 and CUR011: how fast a loss falls, where it stands still, and whether it had time enough.

These shapes say how, not why: a slow fall is a learning rate too low, or a run too short, or a hard problem. So their
severity follows the verdict on the learning rate, and what curves cannot tell apart is listed as alternatives.
"""

import math
from collections import deque
from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.curvature import noise_against_batch
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_LITTLE = 0.7  # of the first loss is left: less than a third was gained
_STEADY = 0.15  # of the whole fall in the last quarter; an even fall has 0.25, an exponential one that is over 0.02
_GOING_ON = 0.1  # of the whole fall in the last quarter: more epochs will give more
_STILL = 0.02  # of the whole fall: a stretch that moves less stands still
_WIDE = 0.2  # of the whole fall: what moves more does not stand still, however noisy
_STRETCH = 0.2  # of the run: shorter stops are nobody's concern
_DROP = 0.2  # of the whole fall, after a stop: the plateau was left
_FALLING = -1.64  # Mann-Kendall score of a fall, at 95 %
_CLEAR = 4.0  # standard deviations of fluctuation
_LEARNED = 0.9  # accuracy beyond which nothing of this matters
_SURELY = 1.64  # standard errors: 95 % on one side
_REST = 0.1  # of the whole fall: a last third that surely brings less is at rest; CUR009 calls more than that going on
_CAUSES = ("learning_rate_too_low", "saddle_point", "plateau")


def check_slow_convergence(case: Case) -> Iterator[Finding]:
    """CUR006: the training loss falls very slowly, and as fast at the end as before.

    Watches: ``train_loss`` with ``train_accuracy``.
    Fires when: the loss, recorded from the start, falls (Mann-Kendall score below -1.64), keeps 70 % of its first
        value, does 15 % of its fall in the last quarter of the run, and the accuracy is below 90 %. A warning unless
        the learning rate is right.
    Why it hurts: long training without a satisfying result.
    Not to be confused with: CUR005, no fall at all; losses with a high floor, such as those of language models.
    Remedies: raise_learning_rate, adaptive_optimizer, more_epochs.
    References: Zhang et al. 2021, AutoTrainer (slow convergence); Bengio 2012, Practical recommendations, section 3.
    """
    curve = case.train_loss
    if curve is None or len(curve) < 4 or curve.first <= 0 or _learned(case):  # noqa: PLR2004 - a trend
        return
    if not curve.from_start:
        return  # how much a loss kept of its first value says nothing where the first ones are not there
    fall, share = curve.first - curve.final, _late_share(curve)
    if fall <= _CLEAR * curve.noise or curve.final < _LITTLE * curve.first or share < _STEADY:
        return
    if curve.trend >= _FALLING or fall < 0.001 * curve.first:
        return
    yield Finding(
        code="CUR006",
        name="slow_convergence",
        severity="info" if case.estimate.verdict == "about_right" else "warning",
        confidence=0.8,
        subject=curve.name,
        claim=f"{curve.label} falls very slowly: from {curve.first:.4g} to {curve.final:.4g}, "
        f"{share:.0%} of it in the last quarter",
        evidence=(
            curve.evidence(curve.final / curve.first, _LITTLE, "last value over first; a third gained"),
            curve.part(0.75).evidence(share, _STEADY, "share of the fall in the last quarter; an even fall has 0.25"),
        ),
        alternatives=(
            *("learning_rate_too_low", "too_few_epochs", "vanishing_gradient", "wrong_head_or_loss"),
            "excessive_regularization",
        ),
        remedies=(*case.raise_rate(), remedy("adaptive_optimizer"), remedy("more_epochs")),
    )


def check_plateau(case: Case) -> Iterator[Finding]:
    """CUR007: the training loss stands still, far from where it could be.

    Watches: ``train_loss`` with ``learning_rate``.
    Fires when: for a fifth of the run or more the smoothed loss moves by less than 2 % of its whole fall (or by less
        than two deviations of its fluctuation, up to 20 %) and is not thrown up in between, and then falls by 20 % of
        it (the plateau was left), or the run ends there with half of the first loss (stuck early). No finding where a
        recorded learning rate falls at that moment: that is a schedule. A warning only for a run that ends there with
        an accuracy below 90 %, and whose learning rate is not right. Without an accuracy nobody knows how low a loss
        can be (that of a language model rests at the entropy of its text): there a run that ends at rest is told as a
        remark, and only where its learning rate is known not to be right.
    Why it hurts: epochs pass without gain; what looks like the end of learning may be the neighbourhood of a saddle.
    Not to be confused with: the end of a good run; a schedule whose rate is not in the log, which looks the same.
    Remedies: raise_learning_rate, perturb, decay, change_initialisation.
    References: Dauphin et al. 2014, Identifying and attacking the saddle point problem; Saxe et al. 2014, Exact
        solutions to the nonlinear dynamics of learning in deep linear networks.
    """
    curve = case.train_loss
    if curve is None or len(curve) < 8 or curve.first <= 0:  # noqa: PLR2004 - a fifth must be more than one value
        return
    fall = curve.first - min(curve.low, curve.final)
    if fall < max(_CLEAR * curve.noise, 0.05 * curve.first):
        return
    start, stop = _longest_stop(curve.smooth(), max(_STILL * fall, min(2 * curve.noise, _WIDE * fall)))
    if stop - start + 1 < max(4, _STRETCH * len(curve)):
        return
    first, last = float(curve.steps[start]), float(curve.steps[stop])
    level = float(np.median(curve.values[start : stop + 1]))
    if curve.values[start : stop + 1].max() > level + 0.5 * fall:
        return  # thrown up in between (CUR003), which running medians hide
    after = level - float(np.min(curve.values[stop:]))
    left = after > max(_DROP * fall, _CLEAR * curve.noise)
    stuck = not left and stop >= len(curve) - 2 and level > 0.5 * curve.first and not _learned(case)
    stuck = stuck and curve.from_start
    if any(last <= drop <= last + 0.1 * len(curve) + 1 for drop in case.rate_drops()) or not (left or stuck):
        return
    where = curve.between(first, last)
    known = case.accuracy is not None
    how = "and does not leave it: stuck early" if known else "and does not leave it: stuck early, or at its floor"
    how = "and falls again afterwards" if left else how
    if stuck and not known and case.estimate.verdict in {"about_right", "undetermined"}:
        return
    raised = case.raise_rate()
    yield Finding(
        code="CUR007",
        name="plateau",
        severity="warning" if stuck and known and case.estimate.verdict != "about_right" else "info",
        confidence=0.75,
        subject=curve.name,
        claim=f"{curve.label} stands still at {level:.4g} in {where} {how}",
        evidence=(
            curve.evidence(
                stop - start + 1,
                _STRETCH * len(curve),
                "values that move by less than 2 % of the fall or 2 deviations",
                where,
            ),
            curve.evidence(after, _DROP * fall, "fall afterwards; a fifth of the whole", where),
        ),
        alternatives=(
            *("saddle_point", "learning_rate_too_low", "noise_floor", "vanishing_gradient"),
            "excessive_regularization",
        ),
        # a rate known to be too low is raised, one that may be either is not also brought down in the same breath
        remedies=(*raised, *map(remedy, ("perturb", *(() if raised else ("decay",)), "change_initialisation"))),
    )


def check_noise_floor(case: Case) -> Iterator[Finding]:
    """CUR008: the training loss no longer falls and fluctuates around its floor.

    Watches: ``train_loss``; ``batch_loss`` where a log has nothing else; live, ``batch_noise_scale``.
    Fires when: after a fall of a fifth of the first loss, the last third shows no trend (Mann-Kendall score between
        -1.64 and 1.64), at 95 % certainty brings less than 10 % of the whole fall (few values without a clear trend are
        no sign of rest), and fluctuates by more than 1 % of its level. Always `info`.
    Why it hurts: it does not by itself; at this rate and batch size nothing more is to be had.
    Not to be confused with: CUR004, swings without any fall before; CUR007, a still stretch with a fall after it.
    Remedies: decay, larger_batch, stop_earlier.
    References: McCandlish et al. 2018, An empirical model of large-batch training; Bottou, Curtis and Nocedal 2018,
        Optimization methods for large-scale machine learning, section 4.
    """
    curve = case.train_loss if case.train_loss is not None else case.batch_loss
    if curve is None or len(curve) < 12 or curve.low <= 0:  # noqa: PLR2004 - a third of four values
        return
    late = curve.part(0.67)
    level = float(np.median(late.values))
    swing, trend = late.noise / level, late.trend
    if curve.first - level < 0.2 * curve.first or trend < _FALLING or trend > -_FALLING or swing < 0.01:  # noqa: PLR2004 - above
        return
    if _at_most(late) > _REST * (curve.first - level):
        return
    yield Finding(
        code="CUR008",
        name="noise_floor",
        severity="info",
        confidence=0.8,
        subject=curve.name,
        claim=f"{curve.label} has reached its floor: it fluctuates by {swing:.1%} around {level:.4g} and falls no more",
        evidence=(
            late.evidence(trend, _FALLING, "Mann-Kendall score; a fall has less, at 95 %"),
            late.evidence(swing, 0.01, "standard deviation from value to value over the level"),
            *noise_against_batch(case),
        ),
        alternatives=("mini_batch_like", "learning_rate_too_high", "label_noise"),
        remedies=tuple(map(remedy, ("decay", "larger_batch", "stop_earlier"))),
    )


def check_too_few_epochs(case: Case) -> Iterator[Finding]:
    """CUR009: the run ends while it is still getting better.

    Watches: ``val_loss``, or ``train_loss`` without it; ``learning_rate``.
    Fires when: the last quarter does 10 % of the whole fall or more, the second half falls (Mann-Kendall score below
        -1.64), and a recorded learning rate has not been brought down for the end. Always `info`.
    Why it hurts: accuracy is left lying about.
    Not to be confused with: LRN002, a rate too low, of which this is a sign, too; the last gain of a schedule.
    Remedies: more_epochs, raise_learning_rate.
    References: Prechelt 1998, Early stopping - but when?
    """
    curve = case.val_loss if case.val_loss is not None and len(case.val_loss) else case.train_loss
    if curve is None or len(curve) < 8 or _learned(case, 0.98) or case.scheduled:  # noqa: PLR2004 - half must have a trend
        return
    fall, share, late = curve.first - curve.low, _late_share(curve), curve.part(0.5)
    if fall <= _CLEAR * curve.noise or share < _GOING_ON or late.trend >= _FALLING:
        return
    yield Finding(
        code="CUR009",
        name="too_few_epochs",
        severity="info",
        confidence=0.75,
        subject=curve.name,
        claim=f"the run ends while {curve.label} still falls: {share:.0%} of its fall came in the last quarter",
        evidence=(
            curve.part(0.75).evidence(share, _GOING_ON, "share of the fall in the last quarter"),
            late.evidence(late.trend, _FALLING, "Mann-Kendall score; a fall has less, at 95 %"),
        ),
        alternatives=("learning_rate_too_low", "slow_convergence"),
        remedies=(remedy("more_epochs", {"epochs": 2 * case.history.epochs} if case.history.epochs else None),),
    )


def check_underfitting(case: Case) -> Iterator[Finding]:
    """CUR011: training and validation loss have both come to rest at a high level.

    Watches: ``train_loss``, ``val_loss``, ``train_accuracy``.
    Fires when: the last quarter does less than 5 % of the training loss's fall, and the last third at 95 % certainty
        less than 10 % of it or 2 % of its level; half of the first loss is left, the validation loss is within 15 % of
        it, and the training accuracy is known and below 90 %. A warning only where 80 % of the first loss is left and
        the learning rate is not right.
    Why it hurts: the network does not even know the pictures it was trained on.
    Not to be confused with: CUR009, a loss that still falls; labels so noisy that nothing better exists.
    Remedies: raise_learning_rate, more_epochs, relabel, rescale_input.
    References: Goodfellow, Bengio and Courville 2016, Deep Learning, section 5.2.
    """
    train, held = case.train_loss, case.val_loss
    if train is None or held is None or case.train_accuracy is None or _learned(case):
        return
    if min(len(train), len(held)) < 8 or train.first <= 0 or not train.from_start:  # noqa: PLR2004 - a quarter of two
        return
    left, share, gap = train.final / train.first, _late_share(train), abs(held.final / max(train.final, 1e-12) - 1)
    if not 0.5 <= left <= 1.1 or share > 0.05 or gap > 0.15:  # noqa: PLR2004 - the docstring says them
        return
    if _at_most(train.part(0.67)) > max(_REST * (train.first - train.low), _STILL * train.final):
        return
    yield Finding(
        code="CUR011",
        name="underfitting",
        severity="warning" if left > 0.8 and case.estimate.verdict != "about_right" else "info",  # noqa: PLR2004
        confidence=0.6,
        subject=train.name,
        claim=f"training and validation loss rest at {train.final:.4g} and {held.final:.4g}, "
        f"{left:.0%} of where training began",
        evidence=(
            train.evidence(left, 0.5, "last value over first"),
            held.evidence(gap, 0.15, "distance of the validation loss, over the training loss"),
        ),
        alternatives=("label_noise", "excessive_regularization", "wrong_head_or_loss", "input_scale", *_CAUSES),
        remedies=(*case.raise_rate(), *map(remedy, ("more_epochs", "relabel", "rescale_input"))),
    )


def _learned(case: Case, enough: float = _LEARNED) -> bool:
    return case.accuracy is not None and case.accuracy.final > enough


def _at_most(late: Curve) -> float:
    """How far a stretch may have fallen from its start to its end, at 95 %: its slope, and what noise hides of it."""
    size = len(late)
    if size < 4:  # noqa: PLR2004 - a slope and its error
        return math.inf
    scale = float(np.abs(late.values).max()) or 1.0  # squares of huge losses have no number
    x, y = np.arange(size) - (size - 1) / 2, late.values / scale
    across = float(x @ x)
    slope = float(x @ y) / across
    rest = y - y.mean() - slope * x
    error = math.sqrt(float(rest @ rest) / (size - 2) / across)
    return scale * (size - 1) * max(-slope + _SURELY * error, 0.0)


def _late_share(curve: Curve) -> float:
    """Share of the whole fall that the last quarter does."""
    smooth = curve.smooth()
    whole = smooth[0] - smooth.min()
    quarter = max(1, len(smooth) // 4)
    before = float(np.median(smooth[-quarter - 1 : -quarter + 1 or None][:2]))
    return float((before - curve.final) / whole) if whole > 0 else 0.0


def _longest_stop(smooth: np.ndarray, still: float) -> tuple[int, int]:
    """First and last place of the longest stretch whose values all lie within `still` of one another."""
    values = smooth.tolist()  # plain numbers are compared five times as fast
    best, start = (0, 0), 0
    low, high = deque([0]), deque([0])  # places of candidates for the minimum and the maximum of the stretch, in order
    for place in range(1, len(values)):
        while low and values[low[-1]] >= values[place]:
            low.pop()
        while high and values[high[-1]] <= values[place]:
            high.pop()
        low.append(place)
        high.append(place)
        while values[high[0]] - values[low[0]] > still:
            start += 1
            if low[0] < start:
                low.popleft()
            if high[0] < start:
                high.popleft()
        if place - start > best[1] - best[0]:
            best = (start, place)
    return best


RULES = (
    Rule(code="CUR006", name="slow_convergence", check=check_slow_convergence),
    Rule(code="CUR007", name="plateau", check=check_plateau),
    Rule(code="CUR008", name="noise_floor", check=check_noise_floor),
    Rule(code="CUR009", name="too_few_epochs", check=check_too_few_epochs),
    Rule(code="CUR011", name="underfitting", check=check_underfitting),
)
