"""ACT001 and ACT002: units that are cut off, seen in what layers put out while training runs."""

from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.live import late_level, observed
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.depth import vanishing_across_depth
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_DEAD = 0.8  # of a layer's units: with fewer alive than one in five, width is no longer what limits
_SATURATED = 0.7  # of a layer's outputs
_LATER = 0.3  # below it at the start, units were cut off by training, not by how the network was made


def check_dying_relu(case: Case) -> Iterator[Finding]:
    """ACT001: rectified units that never fire.

    Watches: ``batch_dead_fraction`` layer by layer: share of units that are zero for every sample of a batch.
    Fires when: in the last third of what was measured the median share of a layer is 80 % or more. An error where a
        layer is all dead: nothing before it learns any more.
    Why it hurts: the gradient of a dead unit is exactly zero, so that it stays dead; a layer of them cuts the network.
    Not to be confused with: sparse activity, each unit silent for most pictures but not for all; a small batch, which
        shows too few pictures to tell; LRN001, a rate so high that its steps kill units that were alive at the start.
    Remedies: change_activation, change_initialisation, lower_learning_rate, normalisation_mode.
    References: Lu, Shin, Su and Karniadakis 2019, Dying ReLU and initialization; Zhang et al. 2021, AutoTrainer (60 to
        70 % zero gradients).
    """
    yield from _cut_off(
        case,
        signal="batch_dead_fraction",
        limit=_DEAD,
        code="ACT001",
        name="dying_relu",
        what="of its units are zero for every sample",
        remedies=("change_activation", "change_initialisation"),
        alternatives=("learning_rate_too_high", "input_scale", "exploding_gradient", "vanishing_gradient"),
    )


def check_saturated_activation(case: Case) -> Iterator[Finding]:
    """ACT002: sigmoid or tanh outputs that stick to the ends of their range.

    Watches: ``batch_saturated_fraction`` layer by layer: share of outputs within 5 % of either end.
    Fires when: in the last third of what was measured the median share of a layer is 70 % or more.
    Why it hurts: the slope there is below a tenth of the steepest, so that hardly any gradient passes.
    Not to be confused with: the outputs of the last layer, which are meant to be sure; a gate that is meant to be shut;
        GRD001, a stack of sigmoids that are not saturated and still let only a quarter of the gradient through each.
    Remedies: change_activation, change_initialisation, rescale_input, lower_learning_rate.
    References: Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.
    """
    yield from _cut_off(
        case,
        signal="batch_saturated_fraction",
        limit=_SATURATED,
        code="ACT002",
        name="saturated_activation",
        what="of its outputs lie at the ends of their range",
        remedies=("change_activation", "change_initialisation", "rescale_input"),
        alternatives=("input_scale", "exploding_gradient", "learning_rate_too_high", "vanishing_gradient"),
    )


def _cut_off(
    case: Case,
    *,
    signal: str,
    limit: float,
    code: str,
    name: str,
    what: str,
    remedies: tuple[str, ...],
    alternatives: tuple[str, ...],
) -> Iterator[Finding]:
    if case.live is None:
        return
    levels = {layer: (curve, late_level(curve)) for layer, curve in case.live.layers(signal).items()}
    hit = {layer: found for layer, found in levels.items() if found[1] >= limit}
    if not hit:
        return
    worst = max(hit, key=lambda layer: hit[layer][1])
    curve, share = hit[worst]
    grown = curve.first < _LATER
    caused = grown and (case.estimate.verdict == "too_high" or any(vanishing_across_depth(case)))
    others = f", as in {len(hit) - 1} other layers" if len(hit) > 1 else ""
    since = f" since step {_since(curve, limit):.10g}" if grown else " from the start"
    yield Finding(
        code=code,
        name=name,
        severity="error" if share >= 0.99 and not caused else "info" if caused else "warning",  # noqa: PLR2004
        confidence=0.9 if share >= 0.95 else 0.8,  # noqa: PLR2004 - nearly all
        subject=worst,
        claim=f"{worst}: {share:.0%} {what} of a batch{others}{since}".replace("%", " %"),
        evidence=tuple(
            observed(curve, share, limit, "share of the layer, median of the last third", layer)
            for layer, (curve, share) in list(hit.items())[:4]
        ),
        alternatives=alternatives,
        remedies=(
            *map(remedy, remedies),
            *(case.lower_rate() if grown else ()),
        ),
    )


def _since(curve: Curve, limit: float) -> float:
    return float(curve.steps[int(np.argmax(curve.values >= limit))])


RULES = (
    Rule(code="ACT001", name="dying_relu", check=check_dying_relu),
    Rule(code="ACT002", name="saturated_activation", check=check_saturated_activation),
)
