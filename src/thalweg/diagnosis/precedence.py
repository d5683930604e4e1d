"""What explains what, in a watched run: one root first, what follows from it after it, and said so.

Inputs of 0 to 255 make gradients explode, units die and the loss NaN, and any of these alone would be a finding of its
own. A cause further up this list explains what `EXPLAINS` says for it; never the other way round, so that there is no
circle. What is explained keeps its place in the list as a remark, with its root as the first of its alternatives; what
went wrong as a result (NaN, divergence) keeps its severity, after its cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from thalweg.core.finding import Finding

__all__ = ["EXPLAINS", "ROOTS", "causes_first"]

ROOTS = (
    "wrong_head_or_loss",
    "input_scale",
    "batchnorm_mismatch",
    "excessive_regularization",
    "frozen_parameters",
    "exploding_gradient",
    "dying_relu",
    "saturated_activation",
    "vanishing_gradient",
    "learning_rate_too_high",
    "learning_rate_too_low",
    "label_noise",
    "saddle_point",
)
"""Causes, what is nearest to the code first: a later one may follow from an earlier one."""

_STANDSTILL = frozenset((
    *("not_learning", "plateau", "saddle_point", "slow_convergence", "underfitting", "too_few_epochs"),
    *("noise_floor", "full_batch_like"),
))
_WRECK = frozenset(("non_finite", "diverging", "overshooting", "oscillating"))
_RATE = frozenset(("learning_rate_too_high", "learning_rate_too_low"))
_CUT = frozenset(("dying_relu", "saturated_activation", "vanishing_gradient", "frozen_parameters"))

EXPLAINS: Mapping[str, frozenset[str]] = {
    "wrong_head_or_loss": _STANDSTILL | _WRECK | _RATE | _CUT | {"label_noise", "exploding_gradient"},
    "input_scale": _STANDSTILL | _WRECK | _RATE | _CUT | {"label_noise", "exploding_gradient"},
    "batchnorm_mismatch": _STANDSTILL | _WRECK | _RATE | {"label_noise", "dying_relu"},
    "excessive_regularization": _STANDSTILL | _WRECK | _RATE | _CUT | {"label_noise"},
    "frozen_parameters": _STANDSTILL | _RATE | {"label_noise", "vanishing_gradient"},
    "exploding_gradient": _STANDSTILL | _WRECK | _RATE | _CUT | {"label_noise"},
    "dying_relu": _STANDSTILL | _RATE | {"vanishing_gradient", "frozen_parameters", "label_noise"},
    "saturated_activation": _STANDSTILL | _RATE | {"vanishing_gradient", "frozen_parameters", "label_noise"},
    "vanishing_gradient": _STANDSTILL | _RATE | {"frozen_parameters", "label_noise"},
    "learning_rate_too_high": _STANDSTILL | _WRECK | {"label_noise"},
    "learning_rate_too_low": _STANDSTILL | {"label_noise"},
    "label_noise": _STANDSTILL | {"oscillating", "mini_batch_like"},
}
"""What a cause explains when it is found."""
_DROPPED = _STANDSTILL - {"plateau", "not_learning", "saddle_point"}
_ORDER = (
    *ROOTS,
    *("non_finite", "diverging", "overshooting", "oscillating", "not_learning", "validation_irregular"),
    *("overfitting", "slow_convergence", "plateau", "underfitting", "too_few_epochs"),
)


def causes_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Order findings of a watched run: the root first, what it explains as remarks.

    Args:
        findings: What rules found.

    Returns:
        The same findings in order, less what a root makes superfluous to say.

    Example:
        >>> def found(name):
        ...     return Finding(code="X", name=name, severity="warning", confidence=1.0, subject="run", claim="")
        >>> [(each.name, each.severity) for each in causes_first([found("exploding_gradient"), found("input_scale")])]
        [('input_scale', 'warning'), ('exploding_gradient', 'info')]
    """
    names = {finding.name for finding in findings if finding.severity != "info"}
    kept = []
    for finding in findings:
        roots = [root for root in _above(finding.name) if root in names and finding.name in EXPLAINS.get(root, ())]
        if not roots:
            kept.append(finding)
        elif finding.name not in _DROPPED:
            others = tuple(name for name in finding.alternatives if name not in roots)
            severity = finding.severity if finding.name in _WRECK else "info"
            kept.append(replace(finding, severity=severity, alternatives=(*roots, *others)))
    return tuple(sorted(kept, key=_place))


def _above(name: str) -> tuple[str, ...]:
    """Causes that may explain another: those further up the list; what is no cause is explained by any."""
    return ROOTS[: ROOTS.index(name)] if name in ROOTS else ROOTS


def _place(finding: Finding) -> tuple[bool, int]:
    return finding.severity == "info", _ORDER.index(finding.name) if finding.name in _ORDER else len(_ORDER)
