"""All rules over one case: causes first, one verdict on the learning rate, nothing said twice or against itself."""

from collections.abc import Sequence
from dataclasses import replace

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case
from thalweg.diagnosis.precedence import causes_first
from thalweg.diagnosis.rules import RULES

__all__ = ["judge"]

_ORDER = (
    *("NET001", "LRN001", "LRN002", "GRD002", "GRD001"),  # causes
    *("CUR001", "CUR002", "CUR003", "CUR004", "CUR005", "CUR012"),  # what went wrong
    *("CUR010", "CUR006", "CUR007", "CUR011", "CUR009"),  # how far it got
    *("CUR008", "CUR014", "CUR013"),  # what else is seen
)
_CONSEQUENCES = {
    "learning_rate_too_high": {"slow_convergence", "too_few_epochs", "underfitting", "noise_floor", "plateau"},
    "learning_rate_too_low": {"too_few_epochs", "underfitting", "noise_floor"},
    "wrong_head_or_loss": {
        *("not_learning", "underfitting", "slow_convergence", "full_batch_like"),
        *("plateau", "too_few_epochs", "noise_floor"),  # more of a loss that measures the wrong thing helps nobody
    },
    "non_finite": {"not_learning", "plateau", "too_few_epochs", "underfitting", "noise_floor", "full_batch_like"},
    "diverging": {
        *("not_learning", "noise_floor", "oscillating", "too_few_epochs", "plateau"),
        *("underfitting", "slow_convergence", "full_batch_like"),
    },
    "not_learning": {"underfitting", "plateau", "slow_convergence", "noise_floor", "full_batch_like", "too_few_epochs"},
    "oscillating": {"noise_floor", "mini_batch_like"},
    "plateau": {"underfitting"},
    "overfitting": {"too_few_epochs", "underfitting"},
    "slow_convergence": {"too_few_epochs", "underfitting"},
    "underfitting": {"noise_floor"},  # both say that the loss rests, this one that it rests too high
    "too_few_epochs": {"noise_floor"},
}
"""What a finding explains, so that saying it again would only make the list longer."""
_YOUNG = 60
"""Steps before which a watched run is not judged by how its loss goes."""
_AGAINST = {
    "learning_rate_too_low": {"oscillating", "overshooting"},
    "learning_rate_too_high": set[str](),
}
"""What speaks against a verdict: still worth knowing, no longer a warning."""


def judge(case: Case) -> tuple[Finding, ...]:
    """Ask every rule about a case.

    Args:
        case: The run.

    Returns:
        Findings, causes first and remarks last; none where all is well.

    Example:
        >>> from thalweg.core.history import RunHistory
        >>> from thalweg.core.learning_rate import LearningRateEstimate
        >>> from thalweg.diagnosis.case import open_case
        >>> history = RunHistory.from_epochs([{"epoch": 1 + n, "train_loss": 0.7 + n} for n in range(5)])
        >>> [finding.name for finding in judge(open_case(history, LearningRateEstimate(verdict="undetermined")))]
        ['diverging']
    """
    found = [finding for rule in RULES for finding in rule.check(case)]
    if case.live is not None:
        return causes_first([_hold_back(each) for each in found] if case.live.steps < _YOUNG else found)
    names = {finding.name for finding in found}
    folded = set().union(*(_CONSEQUENCES.get(name, ()) for name in names))
    against = set().union(*(_AGAINST.get(name, ()) for name in names))
    kept = [
        replace(finding, severity="info") if finding.name in against else finding
        for finding in found
        if finding.name not in folded
    ]
    return tuple(sorted(_without(kept, "more_epochs") if "overfitting" in names else kept, key=_place))


def _without(findings: Sequence[Finding], code: str) -> list[Finding]:
    """Take a way out from all findings: more epochs of a run that gets worse on held-out data would harm it."""
    return [
        replace(finding, remedies=tuple(each for each in finding.remedies if each.code != code)) for finding in findings
    ]


def _hold_back(finding: Finding) -> Finding:
    """In the first steps of a watched run its course says nothing yet; what is broken or measured does."""
    course = finding.code.startswith("CUR") and finding.name != "non_finite"
    return replace(finding, severity="info") if course or finding.name == "learning_rate_too_low" else finding


def _place(finding: Finding) -> tuple[bool, int]:
    order: Sequence[str] = _ORDER
    return finding.severity == "info", order.index(finding.code) if finding.code in order else len(order)
