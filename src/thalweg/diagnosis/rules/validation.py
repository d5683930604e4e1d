"""CUR010 and CUR012: what the held-out curves say beside those of training."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from thalweg.core.finding import Evidence, Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve, Numbers
from thalweg.diagnosis.overfitting import judge as judge_overfitting
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_LIKELY = 0.5  # probability
_RISING = 1.64  # Mann-Kendall score of a rise, at 95 %
_HALF_A_POINT = 0.005
_LOST = 0.1  # of what training had gained
_EXCURSION = 2.0  # times the training loss, and times what the validation loss comes back to
_RISEN = 1.1  # times the lowest before
_OFTEN = 0.1  # of the epochs
_MUCH = 0.2  # of the epochs
_FAR = 5.0  # times the best, by the median: no schedule and no small split does that
_MATTERS = 0.1  # of the first loss: smaller jumps change no answer
_AT_ONCE = 3.0  # times the training loss, before anything can be known by heart
_FAR_APART, _SURE = 10.0, 10.0  # times the training loss; nats for a wrong answer: the right class had 1 in 20,000
_APART = 0.3  # between training and validation accuracy


def check_overfitting(case: Case) -> Iterator[Finding]:
    """CUR010: the validation loss rises while the training loss falls on.

    Watches: ``val_loss`` against ``train_loss``; without losses the errors, 1 less ``val_accuracy`` and
        ``train_accuracy``.
    Fires when: a logistic function, fitted on recorded runs, says overfitting is likelier than not; it weighs how far
        validation ends above its best, that rise in units of its own scatter, how steadily it rises, what training
        gained meanwhile, and the gap at the end. Besides, four values or more after the best must have a rising trend
        (Mann-Kendall score above 1.64): the best of many noisy values is always lower than the rest; of fewer, the rise
        must be twice any earlier one from one value to the next. And training must not have lost a tenth of its own
        gain meanwhile: where both rise, it is no learning by heart. A warning where validation ends a tenth above its
        best, else a remark.
    Why it hurts: the network learns its training pictures by heart; what it adds no longer holds for others.
    Not to be confused with: CUR012, a validation loss that jumps and comes back; CUR002, where training rises, too; an
        accuracy that goes on rising while the loss does (overconfidence): said in the claim where it is so.
    Remedies: stop_earlier, augment, regularise.
    References: Prechelt 1998, Early stopping - but when?; Li et al. 2024, OverfitGuard.
    """
    found = judge_overfitting(case.history)
    if found.probability <= _LIKELY or found.best_epoch is None:
        return
    held = case.val_loss if case.val_loss is not None else _error(case.val_accuracy)
    train = case.train_loss if case.val_loss is not None else _error(case.train_accuracy)
    if held is None or not len(held):
        return
    after = replace(held, values=held.values[held.steps >= found.best_epoch])
    if len(after) >= 4 and after.trend < _RISING:  # noqa: PLR2004 - three values have no trend
        return
    if len(after) < 4 and _jumped(held, found.best_epoch) > 0.5 * (held.final - held.low):  # noqa: PLR2004 - as above
        return
    at, best = held.lowest_near(int(np.abs(held.steps - found.best_epoch).argmin()))
    if held.final <= best:
        return  # averages rise where the end lies among values from before the best: it falls still
    claim = f"overfitting: {held.label} rises from {best:.4g} at {held.unit} {at:.10g} to {held.final:.4g}"
    if train is not None and len(train):
        before = float(np.interp(at, train.steps, train.smooth()))
        if train.final - before > _LOST * (train.first - train.low):
            return
        claim += f", while {train.label} goes from {before:.4g} to {train.final:.4g}"
    told = case.val_accuracy
    if told is not None and len(told) and case.val_loss is not None:
        learned = told.high - told.first > 4 * _HALF_A_POINT  # a level that never rose cannot suffer
        if learned and told.final >= told.high - max(_HALF_A_POINT, told.noise):
            claim += "; the accuracy does not suffer yet"
    window = held.between(at, float(held.steps[-1]))
    # of a run whose first epoch was its best there is nothing to keep
    stop = (remedy("stop_earlier", {"epochs": round(at)}),) if at > held.steps[0] else ()
    yield Finding(
        code="CUR010",
        name="overfitting",
        severity="warning" if found.rise >= math.log(_RISEN) else "info",
        confidence=min(found.probability, 0.99),
        subject=held.name,
        claim=claim,
        evidence=(held.evidence(held.final, best, "end against best", window, on_curve=True), *found.evidence),
        alternatives=("label_noise", "split_leakage", "validation_irregular"),
        remedies=(*stop, remedy("augment"), remedy("regularise")),
    )


def _jumped(held: Curve, best_epoch: float) -> float:
    """The largest rise from one value to the next before the best: what a single rise after it is held against."""
    earlier = held.values[held.steps <= best_epoch]
    return max(0.0, float(np.diff(earlier).max())) if len(earlier) > 1 else 0.0


def _error(accuracy: Curve | None) -> Curve | None:
    """The share of wrong answers, where the share of right ones is known."""
    if accuracy is None:
        return None
    name = accuracy.name.replace("accuracy", "error")
    return replace(accuracy, name=name, values=1.0 - accuracy.values)


def check_validation_irregular(case: Case) -> Iterator[Finding]:
    """CUR012: the validation loss jumps, or stays at chance, while training goes well.

    Watches: ``val_loss`` and ``val_accuracy`` against ``train_loss`` and ``train_accuracy``.
    Fires when: in 10 % of the epochs, and in two at least, the validation loss lies above twice the training loss of
        the same epoch, above twice its own best, and above twice what it comes back to later; one of them lies a tenth
        above the epoch before (a slow hill, as of double descent, is no jump). Or it never falls nor its accuracy rises
        although the training accuracy ends 30 points above. Or already in epochs 2 to 4 it is three times the training
        loss and its accuracy 15 points below, or ten times it and ten nats for every wrong answer. Jumps are a warning
        where a fifth of the epochs are so or they begin at once, unless the learning rate is right; also then where
        half of them reach five times the best.
    Why it hurts: no single epoch's number means anything; early stopping and the best checkpoint follow noise.
    Not to be confused with: CUR010, a steady rise that does not come back; the small fluctuation of a small validation
        split; running averages of batch normalisation that lag behind fast weights, which is the likeliest cause.
    Remedies: lower_learning_rate, normalisation_mode, larger_batch, rescale_input, regroup_split, relabel.
    References: Ioffe and Szegedy 2015, Batch normalization; Ioffe 2017, Batch renormalization; Wu and Johnson 2021,
        Rethinking "batch" in BatchNorm.
    """
    train, held = case.train_loss, case.val_loss
    if train is None or held is None or min(len(train), len(held)) < 4 or min(train.low, held.low) <= 0:  # noqa: PLR2004
        return
    places = _excursions(
        held, np.interp(held.steps, train.steps, train.values), _MATTERS * min(train.first, held.first)
    )
    if len(places) >= max(2, _OFTEN * len(held)):
        yield from _jumping(case, held, places)
    else:
        yield from _at_chance(case, train, held)
        yield from _apart_at_once(case, train, held)


def _excursions(held: Curve, beside: Numbers, least: float) -> list[int]:
    """Places of a validation loss that is far above training, and comes back, if it jumped up to one of them.

    One that only falls, later than that of training, is no jump: averaged weights do so. Nor is a slow hill.
    """
    values = held.values
    before = np.insert(values[:-1], 0, np.inf)
    later = np.append(np.minimum.accumulate(values[::-1])[::-1][1:], np.inf)  # the lowest value after each place
    base = np.maximum(np.maximum(beside, held.low), later)
    far = (values > _EXCURSION * base) & (values > least)
    if not (far & (values >= _RISEN * before)).any():
        return []
    return [int(place) for place in np.flatnonzero(far)]


def _stretches(places: list[int]) -> list[tuple[int, int]]:
    """Neighbouring places as stretches, the longest first."""
    found: list[tuple[int, int]] = []
    for place in places:
        if found and place == found[-1][1] + 1:
            found[-1] = (found[-1][0], place)
        else:
            found.append((place, place))
    return sorted(found, key=lambda stretch: stretch[0] - stretch[1])


def _jumping(case: Case, held: Curve, places: list[int]) -> Iterator[Finding]:
    worst = max(places, key=lambda place: held.values[place])
    share, early = len(places) / len(held), places[0] < max(2, 0.2 * len(held))
    start = "from the start" if early else f"from {held.unit} {held.steps[places[0]]:.10g} on"
    much = share >= _MUCH
    grave = (much and np.median(held.values[places]) > _FAR * held.low) or (
        (much or early) and case.estimate.verdict != "about_right"
    )
    yield Finding(
        code="CUR012",
        name="validation_irregular",
        severity="warning" if grave else "info",
        confidence=0.9 if much else 0.75,
        subject=held.name,
        claim=f"the validation loss is irregular {start}: up to {held.values[worst]:.4g} at {held.unit} "
        f"{held.steps[worst]:.10g}, more than twice the training loss in {len(places)} of {len(held)} {held.unit}s"
        + _sunk(case, held.steps[places]),
        evidence=tuple(
            held.evidence(
                held.values[first : last + 1].max(),
                _EXCURSION * max(held.low, held.values[last + 1 :].min()),
                "highest, against twice its best and twice what it comes back to",
                held.between(held.steps[first], held.steps[last]),
                on_curve=True,
            )
            for first, last in _stretches(places)[:5]
        ),
        alternatives=("batchnorm_mismatch", "learning_rate_too_high", "input_scale"),
        remedies=(
            *case.lower_rate(),
            *map(remedy, ("normalisation_mode", "larger_batch", "rescale_input")),
        ),
    )


def _sunk(case: Case, steps: Numbers) -> str:
    """What the validation accuracy does there, where it sinks below its start by more than five points."""
    told = case.val_accuracy
    if told is None or not len(told):
        return ""
    lowest = float(np.interp(steps, told.steps, told.values).min())
    return f"; its accuracy sinks to {lowest:.1%}" if lowest < told.first - 0.05 else ""


def _at_chance(case: Case, train: Curve, held: Curve) -> Iterator[Finding]:
    known, told = case.train_accuracy, case.val_accuracy
    if known is None or told is None or min(len(known), len(told)) < 4:  # noqa: PLR2004 - a course
        return
    gain, apart = told.high - told.first, known.final - told.high
    low, high = float(told.values.min()), float(told.values.max())
    fallen = held.first - held.low > 0.02 * held.first
    if gain > max(0.02, 3 * told.noise) or apart < _APART or fallen or train.final > 0.8 * train.first:
        return
    if high - low < 0.1:  # noqa: PLR2004 - ten points
        claim = (
            f"training reaches an accuracy of {known.final:.1%}, validation never leaves {told.final:.1%}: what is "
            "learned does not hold for the validation data at all"
        )
    else:
        claim = (
            f"training reaches an accuracy of {known.final:.1%}, validation goes up and down between {low:.1%} and "
            f"{high:.1%} without rising: what is learned hardly holds for the validation data"
        )
    yield Finding(
        code="CUR012",
        name="validation_irregular",
        severity="warning",
        confidence=0.85,
        subject=told.name,
        claim=claim,
        evidence=(
            told.evidence(gain, 0.02, "gain of the validation accuracy; two points"),
            known.evidence(apart, _APART, "training accuracy above validation accuracy; thirty points"),
        ),
        alternatives=("batchnorm_mismatch", "overfitting", "label_noise", "input_scale", "wrong_head_or_loss"),
        remedies=tuple(map(remedy, ("normalisation_mode", "rescale_input", "regroup_split", "relabel"))),
    )


def _apart_at_once(case: Case, train: Curve, held: Curve) -> Iterator[Finding]:
    known, told = case.train_accuracy, case.val_accuracy
    if known is None or told is None or min(map(len, (train, held, known, told))) < 4:  # noqa: PLR2004 - epochs 2 to 4
        return
    with np.errstate(over="ignore"):  # of a training loss of next to nothing any is infinitely far
        ratio = float((held.values[1:4] / train.values[1:4]).min())
    gap = float((known.values[1:4] - told.values[1:4]).min())
    nats = float((held.values[1:4] / np.maximum(1.0 - told.values[1:4], 1e-3)).min())
    where = held.between(held.steps[1], held.steps[3])
    compared = held.evidence(ratio, _AT_ONCE, "validation loss over training loss, the least of three epochs", where)
    if ratio >= _FAR_APART and nats >= _SURE:
        yield _apart(
            held,
            f"validation is far from training at once: in {where} its loss is {ratio:.3g} times that of training, "
            f"{nats:.3g} nats for every wrong answer: inputs that are scaled differently make a network so sure",
            (compared, told.evidence(nats, _SURE, "validation loss over the share of wrong answers", where)),
            ("input_scale", "batchnorm_mismatch", "overfitting", "split_leakage"),
        )
    elif ratio >= _AT_ONCE and gap >= 0.15 and told.high - told.first >= 0.02:  # noqa: PLR2004 - as the docstring; at chance
        yield _apart(
            held,
            f"validation is far from training at once: in {where} its loss is {ratio:.3g} times that of training and "
            f"its accuracy {100 * gap:.0f} points below, too early for learning by heart",
            (
                compared,
                told.evidence(
                    gap, 0.15, "training accuracy less validation accuracy, the least of three epochs", where
                ),
            ),
            ("batchnorm_mismatch", "overfitting", "input_scale", "split_leakage"),
        )


def _apart(held: Curve, claim: str, evidence: tuple[Evidence, ...], alternatives: tuple[str, ...]) -> Finding:
    ways = ("rescale_input", "normalisation_mode", "regroup_split")
    return Finding(
        code="CUR012",
        name="validation_irregular",
        severity="warning",
        confidence=0.75,
        subject=held.name,
        claim=claim,
        evidence=evidence,
        alternatives=alternatives,
        remedies=tuple(map(remedy, ways if alternatives[0] == "input_scale" else (ways[1], ways[0], ways[2]))),
    )


RULES = (
    Rule(code="CUR010", name="overfitting", check=check_overfitting),
    Rule(code="CUR012", name="validation_irregular", check=check_validation_irregular),
)
