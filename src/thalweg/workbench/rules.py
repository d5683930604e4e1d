"""`thalweg rule`: what a rule watches, when it fires, why that hurts, and what to do."""

import difflib
import inspect
from typing import overload

from thalweg.core.diagnosis_results import RuleText
from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.diagnosis.rules import RULES

__all__ = ["rule", "rules"]


@overload
def rule(code: str) -> RuleText: ...


@overload
def rule(code: None = None) -> tuple[RuleText, ...]: ...


def rule(code: str | None = None) -> RuleText | tuple[RuleText, ...]:
    """Explain a rule; without a name, list them.

    Args:
        code: Its code or the name of its finding, in capitals or not.

    Returns:
        The rule's text, printing which shows it; or those of all rules.

    Raises:
        PlanError: No rule is called that; the message names the nearest.

    Example:
        >>> rule("learning_rate_too_high").code
        'LRN001'
    """
    if code is None:
        return rules()
    wanted = code.strip().lower().replace("-", "_").replace(" ", "_")
    known = {name: text for text in rules() for name in (text.code.lower(), text.name)}
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
        names = [name.upper() if known[name].code.lower() == name else name for name in near]
        hint = f"did you mean {' or '.join(names)}?" if names else "thalweg rule lists all"
        raise PlanError(f"no rule is called {printable(code)!r}; {hint}")
    return known[wanted]


def rules() -> tuple[RuleText, ...]:
    """List every rule.

    Returns:
        The rules by code.

    Example:
        >>> rules()[-1].code
        'NET004'
    """
    from thalweg.data.health.health import imbalance, leakage

    texts = [(each.code, each.name, each.text) for each in RULES]
    for name, function in (("class_imbalance", imbalance), ("split_leakage", leakage)):  # of check and train
        text = (inspect.getdoc(function) or "").partition("\n\nArgs:")[0]
        texts.append((text[:6], name, text))
    return tuple(
        RuleText(code=code, name=name, summary=text.partition("\n")[0].partition(": ")[2], text=text)
        for code, name, text in sorted(texts)
    )
