"""Gradients and activations across depth, from live signals: what GRD001 and GRD002 say about a watched run.

Layers differ in size, so gradients are compared as shares of the weights they would move: |g| / |w| for each layer. In
a sound network these shares lie within a factor of a hundred of one another at any depth.
"""

import math
from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Evidence, Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.live import Live, observed, start_level
from thalweg.diagnosis.remedies import remedy

__all__ = ["exploding_across_depth", "vanishing_across_depth"]

_VANISHED = 1e-3  # AutoTrainer's ratio of first to last layer, here of shares
_EXPLODED = 1e3
_DEEP = 3  # layers with weights: fewer have no depth
_AMPLIFIED = 30.0  # spread of the last hidden activation over that of the input, where both are known
_WILD_START = 3.0  # times the loss of guessing, before anything was learned
_WIDE = 4.0  # gain of a layer as it was made: He's is 1.4
_LITTLE = 0.5  # of the loss at the start is left: nothing was gained that would explain small gradients


def vanishing_across_depth(case: Case) -> Iterator[Finding]:
    """Find gradients that die out on their way to the first layers.

    Args:
        case: A watched run.

    Yields:
        GRD001, naming the layer that gets least.
    """
    live = case.live
    if live is None:
        return
    shares = _shares(live)
    if len(shares) < _DEEP:
        return
    names = list(shares)
    first, head = names[: max(1, len(names) // 4)], names[-1]
    least = min(first, key=lambda name: shares[name])
    # All of the first layers: a shortcut that feeds one of them has brought the gradient past those that get little,
    # as past residual branches that begin closed.
    if not 0 < max(shares[name] for name in first) < _VANISHED * shares[head] or shares[least] <= 0:
        return
    if live.learned is not None and live.learned > 1 - _LITTLE:
        return  # it learns all the same
    curve = live.weighted("batch_gradient_norm")[least]
    ratio = shares[least] / shares[head]
    yield Finding(
        code="GRD001",
        name="vanishing_gradient",
        severity="error",
        confidence=0.9,
        subject=least,
        claim=f"the gradient vanishes on its way back: measured by its weights, {least} gets {ratio:.1e} of what "
        f"{head} gets",
        evidence=(observed(curve, ratio, _VANISHED, f"|gradient| / |weights| over that of {head}", least),),
        alternatives=("saturated_activation", "dying_relu", "frozen_parameters", "learning_rate_too_low"),
        remedies=(
            *map(remedy, ("change_activation", "change_initialisation")),
            *case.raise_rate(),
        ),
    )


def exploding_across_depth(case: Case) -> Iterator[Finding]:
    """Find signals that grow from layer to layer before anything was learned.

    Args:
        case: A watched run.

    Yields:
        GRD002, naming the layer that amplifies most.
    """
    live = case.live
    if live is None:
        return
    evidence: list[Evidence] = []
    wide = {layer.name: layer.gain for layer in live.facts.weighted if layer.gain is not None and layer.gain > _WIDE}
    start, chance = live.value("batch_loss_at_start"), live.value("batch_loss_expected")
    loss = live.run("batch_loss_at_start")
    wild = start is not None and chance is not None and chance > 0 and start > _WILD_START * chance
    grown = _amplification(live)
    shares = _shares(live)
    names = list(shares)
    steep = len(names) >= _DEEP and shares[names[-1]] > 0 and shares[names[0]] > _EXPLODED * shares[names[-1]]
    amplified = grown is not None and grown[0] > _AMPLIFIED
    signs = (wild and (amplified or wide), steep and (wild or wide or amplified), amplified and wide)
    if not any(signs) and not 2 * len(wide) >= len(live.facts.weighted) > 0:
        return
    if loss is not None and start is not None and chance is not None and wild:
        evidence.append(observed(loss, start, _WILD_START * chance, "loss at the start; ln K is that of guessing"))
    if grown is not None and amplified:
        evidence.append(observed(grown[2], grown[0], _AMPLIFIED, "spread of activations over that of inputs", grown[1]))
    for name, gain in list(wide.items())[:3]:
        evidence.append(
            Evidence(
                signal="network",
                window="before training",
                observed=gain,
                threshold=_WIDE,
                source=f"{name}: spread of weights times the root of the fan-in; He et al. 2015 take 1.41",
            )
        )
    subject = grown[1] if grown is not None and amplified else next(iter(wide), "run")
    words = f"the loss begins at {start:.3g}, {start / chance:.3g} times that of guessing: " if start and chance else ""
    yield Finding(
        code="GRD002",
        name="exploding_gradient",
        severity="error" if wild else "warning",
        confidence=0.9 if wild and wide else 0.75,
        subject=subject,
        claim=f"{words if wild else ''}signals grow from layer to layer, most in {subject}: initialised too large",
        evidence=tuple(evidence),
        alternatives=("input_scale", "wrong_head_or_loss", "learning_rate_too_high"),
        remedies=(
            *map(remedy, ("change_initialisation", "clip_gradients", "warm_up")),
            *case.lower_rate(),
        ),
    )


def _shares(live: Live) -> dict[str, float]:
    """Median |g| / |w| of each layer in depth order, layers without a gradient left out."""
    weights = live.weighted("batch_weight_norm")
    found = {}
    for name, curve in live.weighted("batch_gradient_norm").items():
        size = start_level(weights[name]) if name in weights else 1.0
        level = float(np.median(curve.values[: max(3, len(curve) // 2)]))
        if size > 0 and level > 0 and math.isfinite(level / size):
            found[name] = level / size
    return found


def _amplification(live: Live) -> tuple[float, str, Curve] | None:
    """Largest spread of a layer's output over that of the inputs at the start, its layer and curve."""
    spread = live.value("batch_input_std")
    layers = live.layers("batch_activation_std")
    if not layers or spread is None or spread <= 0:
        return None
    worst = max(layers, key=lambda name: start_level(layers[name]))
    return start_level(layers[worst]) / spread, worst, layers[worst]
