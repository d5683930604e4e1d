"""CUR001 to CUR005: curves of runs that go wrong: not finite, rising, thrown up, swinging, or flat."""

from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.live import observed
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_REGAINED = 0.75  # of what had been gained: beyond it most of the learning is lost, whatever the scale
_ABOVE_START = 1.25  # times the first value, sustained: no constant answer is so bad
_CLEAR = 4.0  # standard deviations of the curve's own fluctuation: less than 1 in 10,000 by chance
_FLAT = 0.02  # of the first value; DeepLocalize and AutoTrainer call 0.01 to 0.05 no progress
_SETTLES = 0.1  # of the first loss: so far it may sink while the answers do not depend on the input
_UNINFORMED = 1.35  # accuracy over exp(-loss): 1 for even classes and a constant answer, 1.31 for a 3:1 majority
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
    Fires when: at the end the loss has regained 75 % of what it had fallen (a jump back to chance level), or lies 1.25
        times above where it began; in either case by more than 4 standard deviations of its own fluctuation,
        and an accuracy, where there is one, does not rise meanwhile.
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
    place = int(curve.smooth().argmin())
    sustained = place < len(curve) - 1 and np.median(curve.values[place + 1 :]) - best > 0.5 * rise
    lost = fall > max(_CLEAR * noise, 0.05 * abs(first)) and rise >= max(_REGAINED * fall, _CLEAR * noise) and sustained
    above = first > 0 and final > _ABOVE_START * first and final - first > _CLEAR * noise
    accuracy = case.train_accuracy
    grown = accuracy is not None and len(accuracy) > 1 and accuracy.final > accuracy.first + 0.05
    if not (lost or above) or (grown and accuracy is not None and accuracy.final > accuracy.high - 0.05):
        return
    bottom, end = float(curve.steps[place]), float(curve.steps[-1])
    back = lost and abs(final - first) < 0.15 * fall
    course = (
        f"jumped back to chance level ({final:.4g}) after it had reached {best:.4g} at {curve.unit} {bottom:.10g}"
        if back
        else f"rose from {best:.4g} at {curve.unit} {bottom:.10g} to {final:.4g} at {curve.unit} {end:.10g}"
    )
    limit = best + _REGAINED * fall if lost else _ABOVE_START * first
    source = "75 % of the fall regained" if lost else "1.25 times the first value"
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


def check_overshooting(case: Case) -> Iterator[Finding]:
    """CUR003: the loss is thrown up and comes down again.

    Watches: ``train_loss`` with ``train_accuracy``.
    Fires when: a value lies above twice its neighbours on both sides, or the first one falls to less than a third at
        the next while the accuracy rises by less than ten points (what is undone there is overconfidence, not
        ignorance); in either case by more than 4 standard deviations of the curve's fluctuation. A warning where it
        happens often or is far, and the learning rate is not known to be right.
    Why it hurts: a step past the valley lands higher on its other side; epochs go into coming back, and units may be
        dead afterwards.
    Not to be confused with: the steep first fall of every healthy run, in which the accuracy rises; one wild batch.
    Remedies: lower_learning_rate, warm_up, clip_gradients.
    References: Lewkowycz et al. 2020, The large learning rate phase of deep learning: the catapult mechanism.
    """
    curve, accuracy = case.train_loss, case.train_accuracy
    if curve is None or len(curve) < 3 or curve.low <= 0:  # noqa: PLR2004 - a peak has two sides
        return
    values, clear = curve.values, _CLEAR * max(curve.noise, case.grain)
    sides = np.maximum(values[:-2], values[2:])
    places = (np.flatnonzero((values[1:-1] > _WRONG_WAY * sides) & (values[1:-1] - sides > clear)) + 1).tolist()
    if accuracy is not None and len(accuracy) > 1 and values[0] > 3 * values[1] and values[0] - values[1] > clear:
        moved = accuracy.values[1] - accuracy.values[0]
        if moved < 0.1 and values[0] > -2 * np.log(max(accuracy.values[0], 1e-3)):  # noqa: PLR2004 - ten points
            places.insert(0, 0)
    if not places:
        return
    limits = {place: 3 * values[1] if place == 0 else _WRONG_WAY * sides[place - 1] for place in places}
    worst = max(places, key=lambda place: values[place] / limits[place])
    often = len(places) >= max(2, 0.1 * len(curve)) or values[worst] > 2 * limits[worst]
    told = ", ".join(f"{curve.steps[place]:.10g}" for place in places[:_LISTED])
    also = f" (such jumps at {curve.unit}s {told})" if len(places) > 1 else ""
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


def check_oscillating(case: Case) -> Iterator[Finding]:
    """CUR004: the training loss swings without decreasing.

    Watches: ``train_loss`` with ``train_accuracy``.
    Fires when: over the second half the loss has no falling trend (Mann-Kendall score above -1.64), turns round at half
        of its values or more, swings by 10 % of its level or more, lies above a third of where it began, and the
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
    level = float(np.median(late.values))
    turns = np.sign(np.diff(late.values))
    turning = float((turns[1:] != turns[:-1]).mean())
    swing, trend = late.noise / level, late.trend
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


def check_not_learning(case: Case) -> Iterator[Finding]:
    """CUR005: neither loss nor accuracy leaves the place where it began.

    Watches: ``train_loss`` with ``train_accuracy``; those of validation where training was not recorded.
    Fires when: over at least three values the loss never falls by 2 % of its first value nor by 4 standard deviations
        of its fluctuation (by 10 %, where five accuracies are known: so far a first loss may sink to that of guessing),
        the accuracy does not rise by 2 points, and the accuracy is no better than 1.35 exp(-loss), which is what an
        answer that ignores its input reaches. A first value of twice the second and more is left out where the accuracy
        is known.
    Why it hurts: the answers do not depend on the pictures.
    Not to be confused with: LRN002, a loss that falls, only slowly; fine-tuning that begins where it ends, at a good
        accuracy; CUR007, a loss that falls first and stands still later.
    Remedies: fix_head, fix_loss, unfreeze, rescale_input, change_initialisation.
    References: Wardat et al. 2021, DeepLocalize; Schoop et al. 2021, UMLAUT; Zhang et al. 2021, AutoTrainer.
    """
    curve, accuracy = case.loss, case.accuracy
    if curve is None or len(curve) < 3:  # noqa: PLR2004 - two values have no course
        return
    if accuracy is not None and len(curve) > 3 and curve.first > 2 * curve.values[1]:  # noqa: PLR2004 - see CUR003
        curve = curve.part(1.5 / len(curve))  # thrown up in the first epoch: what counts is where it fell back to
    first, final = curve.first, curve.final
    fall = first - min(curve.low, final)
    least = max(_FLAT * abs(first), min(_CLEAR * curve.noise, _SETTLES * abs(first)))
    if accuracy is not None and len(accuracy) >= 5:  # noqa: PLR2004 - a course
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
    claim = f"it does not learn: {curve.label} stays at {final:.4g}"
    if accuracy is not None:
        gain = accuracy.high - accuracy.first
        informed = accuracy.final > _UNINFORMED * np.exp(-max(final, 0.0))
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


RULES = (
    Rule(code="CUR001", name="non_finite", check=check_non_finite),
    Rule(code="CUR002", name="diverging", check=check_diverging),
    Rule(code="CUR003", name="overshooting", check=check_overshooting),
    Rule(code="CUR004", name="oscillating", check=check_oscillating),
    Rule(code="CUR005", name="not_learning", check=check_not_learning),
)
