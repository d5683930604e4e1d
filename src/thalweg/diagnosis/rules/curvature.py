"""CRV001: a saddle, told from a floor by the sign of the curvature where the gradient is small."""

import math
from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Evidence, Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import rank_trend
from thalweg.diagnosis.live import Live, late_level, observed, start_level
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES", "noise_against_batch"]

_MANY = 0.7  # of the late measurements curve downward
_SMALL = 0.1  # of the largest gradient
_FLAT = -1.64  # Mann-Kendall score: a falling trend has less, at 95 %
_HIGH = 0.7  # of the loss at the start is left
_ENOUGH = 5  # measurements of curvature


def check_saddle_point(case: Case) -> Iterator[Finding]:
    """CRV001: training stands still near a saddle.

    Watches: ``batch_sharpness`` (curvature along the gradient), ``batch_gradient_norm`` corrected for the noise of
        small batches with ``batch_noise_scale``, and ``batch_loss``.
    Fires when: the loss is flat and high, the noise-corrected gradient has fallen to a tenth of its largest, and seven
        of ten late measurements of the curvature along the gradient are negative.
    Why it hurts: steps are short where the gradient is small, although there is a way down.
    Not to be confused with: a minimum or a floor of noise, where curvature is positive; single negative eigenvalues,
        which every healthy run has all along; GRD001 and ACT001, flat because nothing gets through.
    Remedies: perturb, raise_learning_rate, adaptive_optimizer.
    References: Dauphin et al. 2014, Identifying and attacking the saddle point problem in high-dimensional non-convex
        optimization; Jin et al. 2017, How to escape saddle points efficiently.
    """
    live = case.live
    loss = None if live is None else live.run("batch_loss")
    curve = None if live is None else live.run("batch_sharpness")
    norm = None if live is None else live.run("batch_gradient_norm")
    if live is None or loss is None or curve is None or norm is None or len(curve) < _ENOUGH or len(loss) < 20:  # noqa: PLR2004
        return
    late = curve.values[-max(_ENOUGH, len(curve) // 3) :]
    negative = float(np.mean(late < 0))
    size, largest = late_level(norm) * _signal_share(live), float(norm.values.max())
    recent = loss.values[len(loss) // 2 :]
    high = late_level(loss) > _HIGH * start_level(loss)
    if negative < _MANY or size > _SMALL * largest or rank_trend(recent) < _FLAT or not high:
        return
    yield Finding(
        code="CRV001",
        name="saddle_point",
        severity="warning",
        confidence=0.75,
        subject="run",
        claim=f"near a saddle: the loss stays at {late_level(loss):.3g}, the gradient is {size / largest:.1%} of its "
        f"largest, and the loss curves downward along it in {negative:.0%} of the late measurements".replace("%", " %"),
        evidence=(
            observed(curve, negative, _MANY, "share of late curvatures below zero"),
            observed(norm, size, _SMALL * largest, "gradient without its noise, against a tenth of the largest"),
        ),
        alternatives=("plateau", "learning_rate_too_low", "vanishing_gradient"),
        remedies=(remedy("perturb"), *case.raise_rate(), remedy("adaptive_optimizer")),
    )


def noise_against_batch(case: Case) -> tuple[Evidence, ...]:
    """Hold the gradient's noise scale against the batch: far above it, steps are noise.

    Args:
        case: Any run.

    Returns:
        The evidence for a floor of noise; nothing where it was not measured.
    """
    live = case.live
    noise = None if live is None else live.run("batch_noise_scale")
    if live is None or noise is None or not live.facts.batch_size:
        return ()
    limit = 10.0 * live.facts.batch_size
    return (observed(noise, late_level(noise), limit, "gradient noise scale in samples, against ten batches"),)


def _signal_share(live: Live) -> float:
    """Share of a gradient's norm that is no noise: 1 / sqrt(1 + noise scale / batch size)."""
    noise, size = live.run("batch_noise_scale"), live.facts.batch_size
    return 1.0 if noise is None or not size else 1.0 / math.sqrt(1.0 + max(0.0, late_level(noise)) / size)


RULES = (Rule(code="CRV001", name="saddle_point", check=check_saddle_point),)
