"""GRD001 and GRD002: what a recorded norm of the gradient says, and in a watched run the layers it happens in."""

from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.depth import exploding_across_depth, vanishing_across_depth
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_TINY = 1e-7  # DeepDiagnosis calls a gradient below it vanished
_SHRUNK = 1e-3  # last over first: AutoTrainer's ratio
_GROWN = 70.0  # last over first: AutoTrainer's ratio
_BAD = 0.5  # of the first loss is left: nothing was gained that would explain small gradients


def check_vanishing_gradient(case: Case) -> Iterator[Finding]:
    """GRD001: the gradient has become too small to move anything, and the loss is still high.

    Watches: ``gradient_norm`` with ``train_loss``; live, ``batch_gradient_norm`` and ``batch_weight_norm`` by layer.
    Fires when: at the end the norm is below 1e-7, or below a thousandth of its first value, while half of the first
        loss is left. Live also when all layers of the first quarter get less than a thousandth of the last layer's
        gradient, each measured by its weights.
    Why it hurts: weights stand still whatever the learning rate.
    Not to be confused with: the small gradient at the end of a good run; CUR007, a plateau that is left again;
        residual branches that begin closed (their last scale is zero), past which the shortcuts carry the gradient.
    Remedies: change_activation, change_initialisation, rescale_input, raise_learning_rate.
    References: Hochreiter 1991; Glorot and Bengio 2010; Zhang et al. 2021, AutoTrainer; Wardat et al. 2022,
        DeepDiagnosis.
    """
    measured = list(vanishing_across_depth(case))
    yield from measured
    norm, loss = case.gradient_norm, case.loss
    if measured or norm is None or loss is None or len(norm) < 4 or len(loss) < 2 or norm.first <= 0:  # noqa: PLR2004
        return
    limit = max(_TINY, _SHRUNK * norm.first)
    if norm.final >= limit or loss.final < _BAD * loss.first:
        return
    yield Finding(
        code="GRD001",
        name="vanishing_gradient",
        severity="error",
        confidence=0.85,
        subject=norm.name,
        claim=f"the gradient vanishes: its norm is {norm.final:.3g} at the end, while {loss.label} is still "
        f"{loss.final:.4g}",
        evidence=(
            norm.evidence(norm.final, limit, "1e-7 (DeepDiagnosis) or a thousandth of the first (AutoTrainer)"),
            loss.evidence(loss.final, _BAD * loss.first, "half of the first loss", on_curve=True),
        ),
        alternatives=("dying_relu", "saturated_activation", "learning_rate_too_high", "saddle_point"),
        remedies=(
            *map(remedy, ("change_activation", "change_initialisation", "rescale_input")),
            *case.raise_rate(),
        ),
    )


def check_exploding_gradient(case: Case) -> Iterator[Finding]:
    """GRD002: the gradient's norm grows without bound.

    Watches: ``gradient_norm`` with ``train_loss``; live, the loss at the start, ``batch_activation_std`` and the spread
        of weights by layer.
    Fires when: a norm is not finite; or its level at the end is 70 times that of the first tenth, and the loss at the
        end lies above its best by 10 %. Live also when signals grow from layer to layer before anything was learned:
        two of a loss three times that of guessing, activations 30 times as wide as the inputs, and weights with a gain
        above 4; or such weights in half of the layers.
    Why it hurts: steps grow with the gradient and throw the weights away.
    Not to be confused with: a norm that grows slowly in a healthy run while the loss falls, as at the edge of
        stability; single wild batches, which clipping takes care of.
    Remedies: clip_gradients, lower_learning_rate, warm_up, change_initialisation.
    References: Pascanu, Mikolov and Bengio 2013; Zhang et al. 2021, AutoTrainer (ratio 70).
    """
    measured = list(exploding_across_depth(case))
    yield from measured
    norm, loss = case.gradient_norm, case.loss
    if measured or norm is None or len(norm) + len(norm.broken) < 4:  # noqa: PLR2004 - a course
        return
    start = float(np.median(norm.values[: max(1, len(norm) // 10)])) if len(norm) else 0.0
    worse = loss is not None and loss.final > 1.1 * loss.low
    grown = len(norm) > 0 and start > 0 and norm.final > _GROWN * start and worse
    if not (grown or len(norm.broken)):
        return
    if len(norm.broken):
        where = norm.between(float(norm.broken[0]), float(norm.broken[-1]))
        evidence = norm.evidence(len(norm.broken), 0, "norms without a number", where)
        claim = f"{norm.label} is NaN or infinite at {where}"
    else:
        evidence = norm.evidence(norm.final / start, _GROWN, "level at the end over that at the start (AutoTrainer)")
        claim = f"the gradient explodes: its norm grows from {start:.3g} to {norm.final:.3g} while the loss rises"
    yield Finding(
        code="GRD002",
        name="exploding_gradient",
        severity="error" if grown else "warning",
        confidence=0.85 if grown else 0.7,
        subject=norm.name,
        claim=claim,
        evidence=(evidence,),
        alternatives=("learning_rate_too_high", "input_scale", "non_finite"),
        remedies=(
            remedy("clip_gradients"),
            *case.lower_rate(),
            *map(remedy, ("warm_up", "change_initialisation")),
        ),
    )


RULES = (
    Rule(code="GRD001", name="vanishing_gradient", check=check_vanishing_gradient),
    Rule(code="GRD002", name="exploding_gradient", check=check_exploding_gradient),
)
