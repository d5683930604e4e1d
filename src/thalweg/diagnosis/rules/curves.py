"""CUR001 to CUR004: curves of runs that go wrong: not finite, rising, thrown up, or swinging."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve, rank_trend
from thalweg.diagnosis.live import observed
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_REGAINED = 0.75  # of what had been gained: beyond it most of the learning is lost, whatever the scale
_CLIMBED = 0.5  # of what had been gained, where the loss surely climbs on: it is on its way out
_CLIMBS = 2.33  # Mann-Kendall score of a rise, at 99 %
_ABOVE_START = 1.25  # times the first value, sustained: no constant answer is so bad
_CLEAR = 4.0  # standard deviations of the curve's own fluctuation: less than 1 in 10,000 by chance
_HALF = 0.5  # of what had been gained: a collapse, if it is made good again
_SHORT = 0.25  # of the run: a longer one is no excursion
_CONFIDENT = 5.0  # nats for every wrong answer: the right class was given less than a hundredth
_WRONG_WAY = 2.0  # times the loss of both neighbours: doubled surprise
_SWING = 0.1  # standard deviation from value to value over the level
_NO_FALL = -1.64  # Mann-Kendall score: a falling trend has less, at 95 %
_LEARNED = 0.9  # accuracy beyond which a flat or swinging loss is a detail
_LISTED = 5


def check_non_finite(case: Case) -> Iterator[Finding]:
    """CUR001: a loss became NaN or infinite.

    Watches: ``train_loss``, ``batch_loss``, ``val_loss``; live, ``batch_non_finite``: which layer made the first.
    Fires when: a recorded value is no finite number, or a layer put one out.
    Why it hurts: one NaN in a gradient makes every weight NaN at the next step; nothing after it is training.
    Not to be confused with: values that were not recorded, which are no values; CUR002, a rise that stays finite.
    Remedies: lower_learning_rate, clip_gradients, roll_back, rescale_input, fix_loss.
    References: Goodfellow, Bengio and Courville 2016, Deep Learning, section 10.11.1.
    """
    origin = _origin(case)
    if origin is not None and not any(
        curve is not None and len(curve.broken) for curve in (case.train_loss, case.batch_loss, case.val_loss)
    ):
        yield _from_a_layer(case, *origin)
        return
    for curve in (case.train_loss, case.batch_loss, case.val_loss):
        if curve is None or not len(curve.broken):
            continue
        first, stop = float(curve.broken[0]), float(curve.broken[-1])
        lasting = not len(curve) or stop > curve.steps[-1]
        claim = f"{curve.label} is NaN or infinite at {curve.between(first, stop)}"
        yield Finding(
            code="CUR001",
            name="non_finite",
            severity="error" if lasting and curve is not case.val_loss else "warning",
            confidence=0.99,
            subject=curve.name,
            claim=(claim if lasting else f"{claim}, and finite again afterwards") + _told(origin),
            evidence=(
                curve.evidence(len(curve.broken), 0, "values that are no number", curve.between(first, stop)),
                *(() if origin is None else (observed(origin[1], 1, 0, "made the first one", origin[0]),)),
            ),
            alternatives=("exploding_gradient", "learning_rate_too_high", "input_scale", "wrong_head_or_loss"),
            remedies=(
                *case.lower_rate(),
                *map(remedy, ("clip_gradients", "roll_back", "rescale_input", "fix_loss")),
            ),
        )
        return


def _origin(case: Case) -> tuple[str, Curve] | None:
    """The layer that put out the first value that is no number, in a watched run."""
    found = {} if case.live is None else case.live.layers("batch_non_finite")
    hit = {name: curve for name, curve in found.items() if curve.values.max() > 0}
    if not hit:
        return None
    first = min(hit, key=lambda name: float(hit[name].steps[int(np.argmax(hit[name].values > 0))]))
    return first, hit[first]


def _told(origin: tuple[str, Curve] | None) -> str:
    if origin is None:
        return ""
    name, curve = origin
    return f"; the first came out of {name} in step {curve.steps[int(np.argmax(curve.values > 0))]:.10g}"


def _from_a_layer(case: Case, name: str, curve: Curve) -> Finding:
    return Finding(
        code="CUR001",
        name="non_finite",
        severity="error",
        confidence=0.95,
        subject=name,
        claim=f"a value is NaN or infinite{_told((name, curve))}",
        evidence=(observed(curve, 1, 0, "made the first value that is no number", name),),
        alternatives=("exploding_gradient", "learning_rate_too_high", "input_scale", "wrong_head_or_loss"),
        remedies=(*case.lower_rate(), *map(remedy, ("clip_gradients", "roll_back", "rescale_input", "fix_loss"))),
    )


def check_diverging(case: Case) -> Iterator[Finding]:
    """CUR002: the training loss rises and stays up.

    Watches: ``train_loss``; ``batch_loss`` where a log has nothing else; ``train_accuracy``.
    Fires when: at the end the loss has regained 75 % of what it had fallen (a jump back to chance level), or half of it
        and has climbed ever since its best (Mann-Kendall score above 2.33 over five values or more; three without a
        step back, if it had only fallen before), or lies 1.25 times above where it began; in either case by more than 4
        standard deviations of its own fluctuation, or, for a loss that has left the valley is wild, with every value of
        the last third above every one of the first (of five values or more), or, in short runs, with two values or more
        that stay up after a fall without any rise; and an accuracy, where there is one, does not rise meanwhile.
    Why it hurts: what had been learned is lost; steps overshoot the valley, and each lands higher than the one before.
    Not to be confused with: CUR003, a rise that is made good again; CUR010, where only the validation loss rises; a
        restart of a cosine schedule, which is made good as well.
    Remedies: lower_learning_rate, warm_up, clip_gradients, roll_back.
    References: LeCun, Bottou, Orr and Mueller 1998, Efficient BackProp, section 5.
    """
    curve = case.train_loss if case.train_loss is not None else case.batch_loss
    if curve is None or len(curve) < 3:  # noqa: PLR2004 - down and up again
        return
    best, final, first, noise = curve.low, curve.final, curve.first, max(curve.calm, case.grain)
    fall, rise = first - best, final - best
    (bottom, lowest), end = curve.bottom(), float(curve.steps[-1])
    turn = int(np.flatnonzero(curve.steps == bottom)[0])
    climbs = _climbs(curve, turn, noise) and rise > _CLIMBED * fall
    lost = (climbs or _stays_up(curve, turn, noise)) and fall > 0.05 * abs(first)
    early, late = curve.part(0, 1 / 3).values, curve.part(2 / 3).values
    every = min(len(early), len(late)) >= 5 and late.min() > early.max()  # noqa: PLR2004 - by chance 1 in 252
    above = first > 0 and final > _ABOVE_START * first and (final - first > _CLEAR * noise or every)
    accuracy = case.train_accuracy
    grown = accuracy is not None and len(accuracy) > 1 and accuracy.final > accuracy.first + 0.05
    if not (lost or above) or (grown and accuracy is not None and accuracy.final > accuracy.high - 0.05):
        return
    at_once = turn < len(curve) - 1 and float(np.diff(curve.values[turn:]).max()) > 0.5 * rise
    back = lost and at_once and abs(final - first) < 0.15 * fall
    course = (
        f"jumped back to chance level ({final:.4g}) after it had reached {lowest:.4g} at {curve.unit} {bottom:.10g}"
        if back
        else f"rose from {lowest:.4g} at {curve.unit} {bottom:.10g} to {final:.4g} in the end"
    )
    limit, source = _ABOVE_START * first, "1.25 times the first value"
    if lost:
        limit, source = best + _REGAINED * fall, "75 % of the fall regained"
    if climbs and final < limit:
        limit, source = best + _CLIMBED * fall, "half of the fall regained, and climbing"
    yield Finding(
        code="CUR002",
        name="diverging",
        severity="error",
        confidence=0.95 if rise > 2 * _CLEAR * noise else 0.8,
        subject=curve.name,
        claim=f"divergence: {curve.label} {course}",
        evidence=(curve.evidence(final, limit, source, curve.between(bottom, end), on_curve=True),),
        alternatives=("exploding_gradient", "learning_rate_too_high", "input_scale"),
        remedies=(
            *case.lower_rate(),
            *map(remedy, ("warm_up", "clip_gradients", "roll_back")),
        ),
    )


def _stays_up(curve: Curve, turn: int, noise: float) -> bool:
    """Whether three quarters of the fall are regained for good, beyond the fluctuation."""
    best, final, after = curve.low, curve.final, curve.values[turn + 1 :]
    fall, rise = curve.first - best, final - best
    if _only_falls(curve, turn) and len(after) >= 2 and after.min() >= best + _REGAINED * fall:  # noqa: PLR2004 - it lasts
        return True  # what only fell until its best has shown no fluctuation that a lasting rise could be mistaken for
    place = int(curve.smooth().argmin())
    sustained = place < len(curve) - 1 and float(np.median(curve.values[place + 1 :])) - best > 0.5 * rise
    return sustained and fall > _CLEAR * noise and rise >= max(_REGAINED * fall, _CLEAR * noise)


def _climbs(curve: Curve, turn: int, noise: float) -> bool:
    """Whether a curve has risen ever since its best: by its trend, or in short runs without a step back."""
    after, best = curve.values[turn + 1 :], curve.low
    if len(after) >= 5 and rank_trend(after) > _CLIMBS:  # noqa: PLR2004 - values that have a trend
        return min(curve.final, curve.first) - best > _CLEAR * noise
    return len(after) >= 3 and _only_falls(curve, turn) and bool(np.all(np.diff(curve.values[turn:]) > 0))  # noqa: PLR2004


def _only_falls(curve: Curve, turn: int) -> bool:
    """Whether an average over epochs fell at every step until its best, twice at least; single batches do by chance."""
    return curve.unit == "epoch" and turn >= 2 and bool(np.all(np.diff(curve.values[: turn + 1]) < 0))  # noqa: PLR2004


def check_overshooting(case: Case) -> Iterator[Finding]:
    """CUR003: the loss is thrown up and comes down again.

    Watches: ``train_loss`` with ``train_accuracy``.
    Fires when: a value lies above twice its neighbours on both sides, or the first one falls to less than a third at
        the next while the accuracy rises by less than ten points, from a loss above 5 nats for every wrong answer (what
        is undone there is overconfidence, not ignorance); in either case by more than 4 standard deviations of the
        curve's fluctuation, peaks left out, lest they hide one another. Or half of what had been gained, or more, is
        lost for several epochs, a quarter of the run at most, and made good. A warning where it happens often or is
        far, and the learning rate is not known to be right.
    Why it hurts: a step past the valley lands higher on its other side; epochs go into coming back, and units may be
        dead afterwards.
    Not to be confused with: the steep first fall of every healthy run, in which the accuracy rises; one wild batch.
    Remedies: lower_learning_rate, warm_up, clip_gradients.
    References: Lewkowycz et al. 2020, The large learning rate phase of deep learning: the catapult mechanism.
    """
    curve, accuracy = case.train_loss, case.train_accuracy
    if curve is None or len(curve) < 3 or curve.low <= 0:  # noqa: PLR2004 - a peak has two sides
        return
    values = curve.values
    sides = np.maximum(values[:-2], values[2:])
    peaks = np.flatnonzero(values[1:-1] > _WRONG_WAY * sides) + 1
    calm = replace(curve, values=np.delete(values, peaks), steps=np.delete(curve.steps, peaks))
    clear = _CLEAR * max(min(curve.noise, calm.noise), case.grain)
    places = [place for place in peaks.tolist() if values[place] - sides[place - 1] > clear]
    if accuracy is not None and len(accuracy) > 1 and values[0] > 3 * values[1] and values[0] - values[1] > clear:
        wrong, moved = 1.0 - accuracy.values[0], accuracy.values[1] - accuracy.values[0]
        if moved < 0.1 and values[0] > _CONFIDENT * wrong:  # noqa: PLR2004 - ten points
            places.insert(0, 0)
    if not places:
        yield from _collapsed(case, curve, clear)
        return
    limits = {place: 3 * values[1] if place == 0 else _WRONG_WAY * sides[place - 1] for place in places}
    worst = max(places, key=lambda place: values[place] / limits[place])
    often = len(places) >= max(2, 0.1 * len(curve)) or values[worst] > 2 * limits[worst]
    told = ", ".join(f"{curve.steps[place]:.10g}" for place in places[:_LISTED])
    also = f" (such jumps at {curve.unit}s {told})" if len(places) > 1 else ""
    if len(places) > _LISTED:
        also = f" (such jumps at {curve.unit}s {told} and {len(places) - _LISTED} more)"
    yield Finding(
        code="CUR003",
        name="overshooting",
        severity="warning" if often and case.estimate.verdict in {"too_high", "undetermined"} else "info",
        confidence=0.85 if often else 0.7,
        subject=curve.name,
        claim=f"overshooting: {curve.label} is thrown up to {values[worst]:.4g} at {curve.unit} "
        f"{curve.steps[worst]:.10g} and falls back to {values[worst + 1]:.4g} at the next{also}",
        evidence=tuple(
            curve.evidence(
                values[place],
                limits[place],
                "3 times the value that follows" if place == 0 else "twice both neighbours",
                f"{curve.unit} {curve.steps[place]:.10g}",
                on_curve=True,
            )
            for place in places[:_LISTED]
        ),
        alternatives=("learning_rate_too_high", "input_scale", "exploding_gradient"),
        remedies=(*case.lower_rate(), remedy("warm_up"), remedy("clip_gradients")),
    )


def _collapsed(case: Case, curve: Curve, clear: float) -> Iterator[Finding]:
    """A stretch of epochs in which half of what had been gained is lost, with better ones before and after."""
    values = curve.values
    before = np.minimum.accumulate(curve.smooth())
    after = np.minimum.accumulate(values[::-1])[::-1]
    level = np.maximum(before, after)
    lost = (values - level > _HALF * (curve.first - level)) & (values > level + clear) & (level < curve.first)
    high = np.flatnonzero(lost)
    if len(high) < 2 or len(high) > _SHORT * len(curve) or np.any(np.diff(high) > 1):  # noqa: PLR2004 - one is a peak
        return
    first, last = int(high[0]), int(high[-1])
    jump = float(values[first] - values[first - 1])
    if first == 0 or jump < _HALF * (values[high].max() - level[first]):
        return  # no jump, but a slow climb and descent
    worst = first + int(values[first : last + 1].argmax())
    where = curve.between(curve.steps[first], curve.steps[last])
    yield Finding(
        code="CUR003",
        name="overshooting",
        severity="warning" if case.estimate.verdict in {"too_high", "undetermined"} else "info",
        confidence=0.8,
        subject=curve.name,
        claim=f"overshooting: {curve.label} is thrown up from {values[first - 1]:.4g} to {values[worst]:.4g} "
        f"in {where} and comes back to {values[last + 1]:.4g}",
        evidence=(
            curve.evidence(
                values[worst],
                level[worst] + _HALF * (curve.first - level[worst]),
                "half of what had been gained lost again",
                where,
                on_curve=True,
            ),
        ),
        alternatives=("learning_rate_too_high", "input_scale", "exploding_gradient"),
        remedies=(*case.lower_rate(), remedy("warm_up"), remedy("clip_gradients")),
    )


def check_oscillating(case: Case) -> Iterator[Finding]:
    """CUR004: the training loss swings without decreasing.

    Watches: ``train_loss`` with ``train_accuracy``.
    Fires when: over the second half the loss has no falling trend (Mann-Kendall score above -1.64), turns round at half
        of its values or more, swings by 10 % of its mean or more, lies above a third of where it began, and the
        training accuracy is not above 90 %. A warning unless the learning rate is right.
    Why it hurts: steps go from wall to wall of the valley; none goes along it.
    Not to be confused with: CUR008, small fluctuation around a floor that is low; the noise of single batches (CUR014).
    Remedies: lower_learning_rate, decay, larger_batch.
    References: Zhang et al. 2021, AutoTrainer (fluctuating loss); LeCun et al. 1998, Efficient BackProp, section 5.
    """
    curve, accuracy = case.train_loss, case.train_accuracy
    if curve is None or len(curve) < 8 or curve.low <= 0:  # noqa: PLR2004 - a half of four values has no trend
        return
    late = curve.part(0.5)
    level = float(late.values.mean())  # swings between two levels have no value in their middle
    turns = np.sign(np.diff(late.values))
    turned = turns[1:] != turns[:-1]
    turning = float(turned.mean()) if turned.sum() > 1 else 0.0  # one turn is a rise or a fall, no swing
    # second differences take swings that alternate for 1.6 times what they are, the plain deviation a bend for noise
    swing, trend = min(late.noise / level, float((late.values / level).std(ddof=1))), late.trend
    learned = level < curve.first / 3 or (accuracy is not None and len(accuracy) and accuracy.final > _LEARNED)
    if learned or trend < _NO_FALL or turning < 0.5 or swing < _SWING:  # noqa: PLR2004 - white noise turns at two thirds
        return
    yield Finding(
        code="CUR004",
        name="oscillating",
        severity="info" if case.estimate.verdict == "about_right" else "warning",
        confidence=0.85 if len(late) >= 8 else 0.7,  # noqa: PLR2004 - eight values make a trend test strong
        subject=curve.name,
        claim=f"oscillation without decrease: {curve.label} swings by {100 * swing:.0f} % around {level:.4g}",
        evidence=(
            late.evidence(swing, _SWING, "standard deviation from value to value over the level"),
            late.evidence(trend, _NO_FALL, "Mann-Kendall score; a fall has less, at 95 %"),
        ),
        alternatives=("learning_rate_too_high", "noise_floor", "mini_batch_like", "label_noise"),
        remedies=(*case.lower_rate(), remedy("decay"), remedy("larger_batch")),
    )


RULES = (
    Rule(code="CUR001", name="non_finite", check=check_non_finite),
    Rule(code="CUR002", name="diverging", check=check_diverging),
    Rule(code="CUR003", name="overshooting", check=check_overshooting),
    Rule(code="CUR004", name="oscillating", check=check_oscillating),
)
