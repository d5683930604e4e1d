"""Head, loss and labels held against one another, from facts of a watched network: what NET001 says about it.

softmax twice      the network ends in probabilities p, and cross-entropy takes the softmax of them again: since p
                   lies in 0 to 1, the loss of K classes cannot sink below ln(e + K - 1) - 1, 1.46 for ten
a single output    its softmax is 1 whatever the weights are: loss and gradient are zero from the first step
squeezed scores    behind a sigmoid or a rectifier scores cannot be far apart, or cannot be negative
loss at the start  before anything is learned K classes are equally likely: ln K
"""

import math
from collections.abc import Callable, Iterator

from thalweg.core.finding import Evidence, Finding
from thalweg.core.network_facts import NetworkFacts
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.live import Live, late_level, observed
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules.data import check_input_scale
from thalweg.diagnosis.rules.depth import exploding_across_depth

__all__ = ["head_against_loss"]

_SQUEEZING = {"sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu", "gelu", "silu"}
_NUMBERS = {"mean_squared_error": "mean squared error", "mean_absolute_error": "absolute error"}
_WILD_START = 3.0  # times the loss of guessing
_NOT_SCORES = ("unit_interval", "non_negative")


def head_against_loss(case: Case) -> Iterator[Finding]:
    """Hold the network's head against its loss and its labels.

    Args:
        case: A watched run.

    Yields:
        NET001, at most once.
    """
    live = case.live
    if live is None:
        return
    for question in (_one_output, _probabilities, _squeezed, _likelihood, _sigmoid_twice, _numbers, _binary):
        answer = question(live.facts)
        if answer:
            claim, confidence, fixes = answer
            yield _finding(claim, confidence, fixes, _evidence(live))
            return
    if not any(exploding_across_depth(case)) and not any(check_input_scale(case)):  # they explain a wild start
        yield from _by_loss(live)


Answer = tuple[str, float, tuple[str, ...]] | None
_Question = Callable[[NetworkFacts], Answer]


def _one_output(facts: NetworkFacts) -> Answer:
    if facts.outputs != 1 or facts.loss not in {"cross_entropy", "nll"}:
        return None
    if facts.output_activation == "softmax" or facts.loss == "cross_entropy":
        return (
            "a single output with softmax cross-entropy: its softmax is always 1, so loss and gradient are zero",
            0.97,
            ("fix_head", "fix_loss"),
        )
    return None


def _probabilities(facts: NetworkFacts) -> Answer:
    if facts.loss != "cross_entropy":
        return None
    if facts.output_activation != "softmax" and facts.output_form != "probabilities":
        return None
    classes = facts.outputs or facts.classes or 10
    floor = math.log(math.e + classes - 1) - 1
    return (
        (
            "softmax twice: the network ends in probabilities and cross-entropy takes their softmax again; "
            f"the loss cannot sink below {floor:.3g}"
        ),
        0.95,
        ("fix_head",),
    )


def _squeezed(facts: NetworkFacts) -> Answer:
    if facts.loss != "cross_entropy" or facts.outputs == 1:
        return None
    last = facts.output_activation
    if last in _SQUEEZING or (not last and facts.output_form in _NOT_SCORES):
        words = {"unit_interval": "outputs between 0 and 1", "non_negative": "outputs that are never negative"}
        said = f"{last} on the last layer" if last else words[facts.output_form]
        return (
            f"{said} before softmax cross-entropy: it wants free scores, and cannot become sure of squeezed ones",
            0.9 if last in {"sigmoid", "tanh", "relu"} else 0.7,
            ("fix_head",),
        )
    return None


def _likelihood(facts: NetworkFacts) -> Answer:
    if facts.loss != "nll" or facts.output_form in {"", "log_probabilities"}:
        return None
    return (
        (
            "negative log likelihood of outputs that are no log-probabilities: log_softmax is missing, and the "
            "loss sinks without end while nothing is learned"
        ),
        0.95,
        ("fix_head", "fix_loss"),
    )


def _sigmoid_twice(facts: NetworkFacts) -> Answer:
    if facts.loss != "binary_cross_entropy_with_logits":
        return None
    if facts.output_activation in {"sigmoid", "softmax"} or facts.output_form in {"probabilities", "unit_interval"}:
        last = facts.output_activation or "sigmoid"
        return f"{last} and then the sigmoid that belongs to the loss: probabilities taken twice", 0.93, ("fix_head",)
    return None


def _numbers(facts: NetworkFacts) -> Answer:
    if facts.loss not in _NUMBERS:
        return None
    classes = facts.targets in {"one_hot", "binary", "classes"}
    head = facts.output_activation in {"softmax", "sigmoid"} or facts.output_form == "probabilities"
    if classes or (head and facts.targets != "numbers"):
        return (
            (
                f"{_NUMBERS[facts.loss]} for classes: its gradient dies out where the network is surely wrong; "
                "cross-entropy is the loss of classes"
            ),
            0.8,
            ("fix_loss",),
        )
    return None


def _binary(facts: NetworkFacts) -> Answer:
    many = facts.outputs is not None and facts.outputs > 2  # noqa: PLR2004 - classes that exclude one another
    if facts.loss != "binary_cross_entropy":
        return None
    if many and (facts.output_activation == "softmax" or facts.output_form == "probabilities"):
        return (
            "binary cross-entropy on the softmax of several classes: each is judged as if the others were not there",
            0.8,
            ("fix_loss",),
        )
    if facts.outputs == 1 and facts.output_activation == "softmax":
        return "the softmax of a single output is always 1: use a sigmoid", 0.97, ("fix_head",)
    return None


def _by_loss(live: Live) -> Iterator[Finding]:
    """What the numbers of the loss say where facts do not."""
    loss = live.run("batch_loss")
    if loss is None or not len(loss):
        return
    classes = live.facts.targets in {"classes", "one_hot", "binary"}
    if classes and late_level(loss) < 0:
        evidence = (loss.evidence(late_level(loss), 0.0, "no cross-entropy is below zero", on_curve=True),)
        yield _finding("the loss of classes is negative", 0.9, ("fix_loss", "fix_head"), evidence)
        return
    if len(loss) >= 5 and not loss.values.any():  # noqa: PLR2004 - more than chance
        evidence = (loss.evidence(0.0, 0.0, "loss in every step", on_curve=True),)
        yield _finding("the loss is zero from the first step on", 0.9, ("fix_loss", "fix_head"), evidence)
        return
    start, chance = live.run("batch_loss_at_start"), live.value("batch_loss_expected")
    fresh = [layer.fresh for layer in live.facts.weighted]
    if start is None or not chance or not fresh or fresh[-1] is False:
        return
    if start.first > _WILD_START * chance:
        evidence = (observed(start, start.first, _WILD_START * chance, "loss at the start; ln K is that of guessing"),)
        claim = f"the loss begins at {start.first:.3g}, {start.first / chance:.2g} times that of guessing: the network "
        yield _finding(claim + "is sure of wrong answers before it has seen any", 0.6, ("fix_head",), evidence)


def _evidence(live: Live) -> tuple[Evidence, ...]:
    facts = live.facts
    said = f"loss {facts.loss}, last activation {facts.output_activation or 'none'}, outputs look like "
    told = Evidence(
        signal="network",
        window="first batch",
        observed=None if facts.outputs is None else float(facts.outputs),
        source=f"number of outputs; {said}{facts.output_form or 'unknown'}, labels {facts.targets or 'unknown'}",
    )
    start, chance = live.run("batch_loss_at_start"), live.value("batch_loss_expected")
    if start is None or chance is None:
        return (told,)
    return told, observed(start, start.first, chance, "loss at the start, against that of guessing (ln K)")


def _finding(claim: str, confidence: float, fixes: tuple[str, ...], evidence: tuple[Evidence, ...]) -> Finding:
    return Finding(
        code="NET001",
        name="wrong_head_or_loss",
        severity="error" if confidence >= 0.85 else "warning",  # noqa: PLR2004 - a habit of some is no error
        confidence=confidence,
        subject="output",
        claim=claim,
        evidence=evidence,
        alternatives=("input_scale", "exploding_gradient", "saturated_activation"),
        remedies=tuple(map(remedy, fixes)),
    )
