"""DAT003 and DAT004: what goes into the network: the scale of its inputs, and whether its labels say anything.

DAT001 and DAT002 are found in files before any training (`thalweg check`).
"""

import math
from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import rank_trend
from thalweg.diagnosis.live import Live, late_level, observed, start_level
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_LARGE = 10.0  # root mean square: standardised data has 1, pictures from 0 to 255 about 100
_SMALL = 0.02  # standard deviation: pictures from 0 to 1 have 0.2 or more, divided by 255 twice 0.001
_SHIFTED = 10.0  # standard deviations from zero
_CHANCE = 0.12  # of the loss of guessing: so far around it nothing is learned
_MOVED = 0.3  # sum of relative updates: a healthy run has learned something after a tenth of its weights moved
_ENOUGH, _SAMPLES = 100, 1000  # steps, and samples in them
_NOISY = 5.0  # noise scale over batch size: less than a sixth of a step's length is signal
_ALIGNED = 0.2  # cosine of successive gradients: less, and batches have nothing in common


def check_input_scale(case: Case) -> Iterator[Finding]:
    """DAT003: inputs far too large, far too small, or far from zero.

    Watches: ``batch_input_mean``, ``batch_input_std``, ``batch_input_min``, ``batch_input_max`` of the first batches.
    Fires when: the root mean square is above 10, the standard deviation is below 0.02, or the mean lies 10 standard
        deviations from zero; not for whole numbers that an embedding looks up, and not where the network begins with a
        normalisation of its own.
    Why it hurts: the gradient of the first layer grows with its input, its curvature with the square: a rate that suits
        the other layers throws it away, and units die or saturate at once.
    Not to be confused with: GRD002, an initialisation that makes good inputs large; LRN001, the rate itself.
    Remedies: rescale_input, lower_learning_rate.
    References: LeCun, Bottou, Orr and Mueller 1998, Efficient BackProp, section 4.3; Schoop et al. 2021, UMLAUT.
    """
    live = case.live
    if live is None or live.facts.input_kind == "whole" or _normalised_inside(live):
        return
    mean, spread = live.value("batch_input_mean"), live.value("batch_input_std")
    curve = live.run("batch_input_std")
    if mean is None or spread is None or curve is None:
        return
    size = math.hypot(mean, spread)
    low, high = live.value("batch_input_min"), live.value("batch_input_max")
    course = "" if low is None or high is None else f" from {low:.4g} to {high:.4g},"
    if size > _LARGE:
        evidence = observed(curve, size, _LARGE, "root mean square of the inputs; 1 is wanted")
        claim = f"inputs are far too large:{course} mean {mean:.3g}, standard deviation {spread:.3g}"
    elif spread < _SMALL:
        evidence = observed(curve, spread, _SMALL, "standard deviation of the inputs; 1 is wanted")
        claim = f"inputs are far too small:{course} standard deviation {spread:.3g}"
    elif abs(mean) > _SHIFTED * spread:
        evidence = observed(curve, abs(mean) / spread, _SHIFTED, "mean of the inputs in standard deviations")
        claim = f"inputs lie far from zero: mean {mean:.3g}, standard deviation {spread:.3g}"
    else:
        return
    hidden = any(layer.normalises for layer in live.facts.layers[:3])
    yield Finding(
        code="DAT003",
        name="input_scale",
        severity="warning",
        confidence=0.75 if hidden else 0.95,
        subject="inputs",
        claim=claim + ("; a normalisation behind the first layer makes up for some of it" if hidden else ""),
        evidence=(evidence,),
        alternatives=("exploding_gradient", "learning_rate_too_high") if size > _LARGE else ("vanishing_gradient",),
        remedies=(remedy("rescale_input", {"input_scale": float(f"{1 / max(spread, 1e-30):.2g}")}),),
    )


def check_label_noise(case: Case) -> Iterator[Finding]:
    """DAT004: labels that have nothing to do with their pictures, as after a shuffle.

    Watches: ``batch_loss`` against ``batch_loss_expected``, with ``batch_update_ratio``, ``batch_alignment`` and
        ``batch_noise_scale``.
    Fires when: after 100 steps or more and 1,000 samples or more, in which the weights moved by a third of their own
        size, the loss still lies within 12 % of that of guessing, and successive gradients have nothing in common
        (cosine below 0.2, or a noise scale five times the batch), although every layer gets a gradient and no other
        rule explains it.
    Why it hurts: each batch pulls another way; all that can be learned is each single picture by heart.
    Not to be confused with: LRN002, a rate so low that weights have hardly moved; LRN001; NET001; pictures that do not
        show what the labels name, which looks the same: labels of a few percent noise cannot be seen here.
    Remedies: relabel, fix_loss.
    References: Zhang, Bengio, Hardt, Recht and Vinyals 2017, Understanding deep learning requires rethinking
        generalization; McCandlish et al. 2018, An empirical model of large-batch training.
    """
    live = case.live
    loss = None if live is None else live.run("batch_loss")
    chance = None if live is None else live.value("batch_loss_expected")
    if live is None or loss is None or chance is None or len(loss) < 20 or live.steps < _ENOUGH:  # noqa: PLR2004
        return
    if live.steps * (live.facts.batch_size or _ENOUGH) < _SAMPLES:
        return  # few have been seen, and single samples pull in unrelated directions whatever their labels
    level = late_level(loss)
    if abs(level / chance - 1) > _CHANCE or start_level(loss) > 2 * chance:
        return
    moved = path_length(live)
    if moved is None or moved < _MOVED:
        return
    evidence = [loss.evidence(level, (1 - _CHANCE) * chance, "loss of guessing, less 12 %", on_curve=True)]
    aligned, noise = live.run("batch_alignment"), live.run("batch_noise_scale")
    apart = aligned is not None and late_level(aligned) < _ALIGNED
    noisy = noise is not None and live.facts.batch_size and late_level(noise) > _NOISY * live.facts.batch_size
    if not (apart or noisy):
        return
    if aligned is not None:
        evidence.append(observed(aligned, late_level(aligned), _ALIGNED, "cosine of successive gradients"))
    if noise is not None and live.facts.batch_size:
        limit = _NOISY * live.facts.batch_size
        evidence.append(observed(noise, late_level(noise), limit, "gradient noise scale in samples (McCandlish 2018)"))
    by_heart = rank_trend(loss.values[len(loss) // 4 :]) < -1.64  # noqa: PLR2004 - a fall, at 95 %
    trend = "; it sinks slowly, as pictures are learned by heart" if by_heart else ""
    yield Finding(
        code="DAT004",
        name="label_noise",
        severity="warning",
        confidence=0.8 if by_heart else 0.7,
        subject="labels",
        claim=f"labels say nothing about the pictures: after {live.steps} healthy steps the loss is {level:.3g}, "
        f"that of guessing {chance:.3g}, and batches pull in unrelated directions{trend}",
        evidence=tuple(evidence),
        alternatives=("not_learning", "wrong_head_or_loss", "learning_rate_too_high", "saddle_point"),
        remedies=(remedy("relabel"), remedy("fix_loss")),
    )


def path_length(live: Live) -> float | None:
    """Add up how far the weights moved, in units of their own size.

    Args:
        live: Measurements of a run.

    Returns:
        The median layer's relative update times the number of steps; None where it was not measured.
    """
    ratios = [float(np.median(curve.values)) for curve in live.weighted("batch_update_ratio").values()]
    return float(np.median(ratios)) * live.steps if ratios else None


def _normalised_inside(live: Live) -> bool:
    first = next((layer for layer in live.facts.layers if layer.parameters or layer.normalises), None)
    return first is not None and first.normalises


RULES = (
    Rule(code="DAT003", name="input_scale", check=check_input_scale),
    Rule(code="DAT004", name="label_noise", check=check_label_noise),
)
