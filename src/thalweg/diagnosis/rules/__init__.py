"""Rules, one family a file; each is a function from a case to findings whose docstring explains it."""

from thalweg.diagnosis.rules import (
    activations,
    batches,
    curvature,
    curves,
    data,
    gradients,
    layers,
    learning_rate,
    network,
    progress,
    standstill,
    validation,
)
from thalweg.diagnosis.rules.rule import HEADINGS, Rule

__all__ = ["HEADINGS", "RULES", "Rule"]

_FAMILIES = (
    *(learning_rate, curves, standstill, progress, validation, batches, gradients, network),
    *(activations, curvature, data, layers),
)

RULES: tuple[Rule, ...] = tuple(
    sorted((rule for family in _FAMILIES for rule in family.RULES), key=lambda rule: rule.code)
)
"""Every rule, by code."""
