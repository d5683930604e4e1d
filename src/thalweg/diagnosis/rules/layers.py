"""NET002 to NET004: layers that do not learn, weights that only decay, and normalisation without a batch."""

from collections.abc import Iterator

import numpy as np

from thalweg.core.finding import Evidence, Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.live import Live, late_level, observed, start_level
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.rule import Rule

__all__ = ["RULES"]

_ALWAYS = 0.95  # of the measurements without a gradient
_ALL_DEAD = 0.99
_FORGETS = 5e-3  # of the weights decay in a step: what was learned 200 steps ago is gone
_SHRUNK = 0.6  # of their first norm is left to the weights
_PULL = 1.0  # of the gradient: beyond it decay decides where weights go
_FEW_LEARNED = 0.3  # of the loss at the start is gone
_ALONE = 2  # samples: variance from fewer than three numbers is hardly one


def check_frozen_parameters(case: Case) -> Iterator[Finding]:
    """NET002: weights that do not take part in training.

    Watches: ``batch_frozen`` layer by layer, with facts of the network: which weights ask for a gradient, which the
        optimizer holds, and whether they lie as an initialisation leaves them.
    Fires when: a layer that asks for a gradient gets none, or none but zeros, in 95 % of the measurements; a layer is
        left out of the optimizer; or a layer is frozen although its weights are still random. A frozen layer whose
        weights have learned something (transfer) is a remark only, and so are a frozen normalisation and a layer that
        the first batch did not pass, such as a head that is not in use.
    Why it hurts: what follows must make do with random features.
    Not to be confused with: GRD001, a gradient that is small but there; ACT001, zeros that come from dead units;
        transfer learning, which freezes what has learned; layers that another optimizer trains or that are unfrozen
        later, whose weights move.
    Remedies: unfreeze.
    References: Glorot and Bengio 2010; Yosinski et al. 2014, How transferable are features in deep neural networks?
    """
    live = case.live
    if live is None:
        return
    moved = {name for name, curve in live.weighted("batch_weight_norm").items() if np.ptp(curve.values) > 0}
    random, silent = _left_out(live, moved)
    unused = {}
    for name in _without_gradient(live):
        known = live.facts.layer(name)
        if known is None and live.facts.layers:
            unused[name] = "no gradient comes to it"
        elif name not in silent and (known is None or (known.trainable and known.optimised)):
            silent[name] = "no gradient comes to it"
    held = [layer.name for layer in live.facts.weighted if not layer.trainable and not layer.fresh]
    found = random | silent
    unused = {name: why for name, why in unused.items() if name not in moved}
    if found:
        yield _frozen(live, found, "error" if len(found) > len(live.facts.weighted) / 2 else "warning", 0.9)
    elif unused or held:
        yield _frozen(live, unused or dict.fromkeys(held, "it is frozen as it came"), "info", 0.6)


def _left_out(live: Live, moved: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Layers that were frozen while random, and those that the optimizer did not hold, by name with the reason.

    At the first batch, that is: whatever moves since was unfrozen, or belongs to another optimizer.
    """
    random, silent = {}, {}
    for layer in live.facts.weighted:
        if layer.name not in moved and not layer.trainable and layer.fresh:
            random[layer.name] = "it is frozen, and its weights are still random"
        elif layer.name not in moved and layer.trainable and not layer.optimised:
            silent[layer.name] = "the optimizer does not hold it"
    return random, silent


def _without_gradient(live: Live) -> list[str]:
    """Layers that no gradient came to in nearly all measurements."""
    if any(late_level(curve) >= _ALL_DEAD for curve in live.layers("batch_dead_fraction").values()):
        return []  # behind dead units no gradient can come through: ACT001 says so
    # One measurement tells nothing: a residual block that begins as the identity gets no gradient at the first step.
    still = {name: curve for name, curve in live.weighted("batch_frozen").items() if len(curve) > 1}
    return [name for name, curve in still.items() if float(np.mean(curve.values > 0)) >= _ALWAYS]


def _frozen(live: Live, found: dict[str, str], severity: str, confidence: float) -> Finding:
    first = next(iter(found))
    moves, many = live.weighted("batch_frozen"), len(live.facts.weighted)
    evidence = [
        observed(moves[name], float(np.mean(moves[name].values > 0)), _ALWAYS, "share of steps without a change", name)
        for name in list(found)[:4]
        if name in moves
    ]
    if not evidence:
        evidence = [Evidence(signal="network", window="first batch", observed=float(len(found)), source="layers held")]
    count = f"{len(found)} of {many} layers do not learn" if many else f"{len(found)} layers do not learn"
    return Finding(
        code="NET002",
        name="frozen_parameters",
        severity="info" if severity == "info" else "error" if severity == "error" else "warning",
        confidence=confidence,
        subject=first,
        claim=f"{count if len(found) > 1 else f'{first} does not learn'}: {first}: {found[first]}",
        evidence=tuple(evidence),
        alternatives=("dying_relu", "vanishing_gradient", "wrong_head_or_loss"),
        remedies=(remedy("unfreeze"),),
    )


def check_excessive_regularization(case: Case) -> Iterator[Finding]:
    """NET003: weight decay that pulls harder than the gradient.

    Watches: ``batch_weight_norm``, ``batch_gradient_norm``, ``batch_loss``, with the optimizer's weight decay.
    Fires when: the median layer has lost 40 % of its norm, or decay times weights is larger than the gradient in the
        median layer at the start, and either less than 30 % of the loss is gone, or decay alone takes 0.5 % of the
        weights away in each step; never without weight decay.
    Why it hurts: weights go to zero whatever the data say; outputs become those of guessing.
    Not to be confused with: the slow shrinking of healthy weight decay, during which the loss falls; GRD001, which
        small weights bring about.
    Remedies: regularise, lower_learning_rate.
    References: Krogh and Hertz 1992, A simple weight decay can improve generalization; Loshchilov and Hutter 2019,
        Decoupled weight decay regularization.
    """
    live = case.live
    if live is None or live.facts.weight_decay <= 0:
        return
    norms, decay = live.weighted("batch_weight_norm"), live.facts.weight_decay
    learned = live.learned
    forgets = (live.facts.learning_rate or 0.0) * decay >= _FORGETS
    if not norms or (learned is not None and learned > _FEW_LEARNED and not forgets):
        return
    shrunk = {name: late_level(curve) / curve.first for name, curve in norms.items() if curve.first > 0}
    left = float(np.median(list(shrunk.values()))) if shrunk else 1.0
    pulls = _pulls(live, decay)
    pull = float(np.median(pulls)) if pulls else 0.0
    rate = live.facts.learning_rate or 0.0
    strong = pull > _PULL and (not live.facts.decoupled_decay or rate * decay > 1e-3)  # noqa: PLR2004 - 1,000 steps
    if not (left < _SHRUNK or (strong and (left < 0.95 or live.steps <= 20))):  # noqa: PLR2004 - on its way
        return
    if left >= _SHRUNK and not strong:
        return
    worst = min(shrunk, key=lambda name: shrunk[name])
    evidence = [observed(norms[worst], shrunk[worst], _SHRUNK, "share of its first norm that is left", worst)]
    evidence.append(
        Evidence(
            signal="network",
            window="first steps",
            observed=pull,
            threshold=_PULL,
            source=f"weight decay {decay:g} times weights, over the gradient; median layer",
        )
    )
    yield Finding(
        code="NET003",
        name="excessive_regularization",
        severity="error" if left < _SHRUNK else "warning",
        confidence=0.9 if strong and left < _SHRUNK else 0.75,
        subject="weight decay",
        claim=f"weight decay {decay:g} pulls {pull:.2g} times as hard as the gradient: {left:.0%} of the weights' norm "
        f"is left, and {'what is learned is soon forgotten' if forgets else 'the loss does not fall'}".replace(
            "%", " %"
        ),
        evidence=tuple(evidence),
        alternatives=("vanishing_gradient", "learning_rate_too_high"),
        remedies=(remedy("regularise", {"weight_decay": min(5e-4, decay / 100)}), *case.lower_rate()),
    )


def _pulls(live: Live, decay: float) -> list[float]:
    """Decay times weights over the gradient at the start, a layer each."""
    weights, gradients = live.weighted("batch_weight_norm"), live.weighted("batch_gradient_norm")
    return [
        decay * weights[name].first / start_level(gradients[name])
        for name in weights
        if name in gradients and start_level(gradients[name]) > 0
    ]


def check_batchnorm_mismatch(case: Case) -> Iterator[Finding]:
    """NET004: batch normalisation without a batch.

    Watches: facts of the network: batch size, processes that share it, layers of batch normalisation, their mode.
    Fires when: one or two samples are all that batch normalisation takes its statistics from: the batch, or a
        process's part of it where the layer does not add up over all of them.
    Why it hurts: the mean of one sample is the sample itself, so that what tells pictures apart is taken away; in
        evaluation the running statistics are others than those the weights have learned with.
    Not to be confused with: normalisations that need no batch (layer, group, instance); batch normalisation in
        evaluation mode while the rest is fine-tuned; CUR012, a validation loss far off for this reason.
    Remedies: larger_batch, normalisation_mode.
    References: Ioffe and Szegedy 2015, Batch normalization; Wu and He 2018, Group normalization (batch of 2: error
        rates 10 points higher).
    """
    live = case.live
    if live is None or live.facts.batch_size is None:
        return
    training = [layer for layer in live.facts.layers if layer.batch_normalises and layer.training]
    found = {layer.name: samples for layer in training if (samples := live.facts.samples(layer) or 0) <= _ALONE}
    if not found:
        return
    layers, size = list(found), min(found.values())
    yield Finding(
        code="NET004",
        name="batchnorm_mismatch",
        severity="error" if size == 1 else "warning",
        confidence=0.95 if size == 1 else 0.8,
        subject=layers[0],
        claim=f"batch normalisation ({len(layers)} layers) with {'a batch of 1' if size == 1 else 'batches of 2'}: "
        "the statistics are those of single samples",
        evidence=(
            Evidence(
                signal="network",
                window="first batch",
                observed=float(size),
                threshold=float(_ALONE),
                source="samples in a batch; Wu and He 2018",
            ),
        ),
        alternatives=("learning_rate_too_high", "mini_batch_like"),
        remedies=(remedy("larger_batch", {"batch_size": 32}), remedy("normalisation_mode")),
    )


RULES = (
    Rule(code="NET002", name="frozen_parameters", check=check_frozen_parameters),
    Rule(code="NET003", name="excessive_regularization", check=check_excessive_regularization),
    Rule(code="NET004", name="batchnorm_mismatch", check=check_batchnorm_mismatch),
)
