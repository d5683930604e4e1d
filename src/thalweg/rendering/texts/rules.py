"""Rules for the terminal: the list of all, and one in full under its headings."""

import textwrap
from collections.abc import Sequence

from thalweg.core.diagnosis_results import RuleText
from thalweg.core.languages import said

__all__ = ["list_rules", "rule_parts", "rule_text"]


def list_rules(rules: Sequence[RuleText], width: int = 80) -> str:
    """List rules with what they are about.

    Args:
        rules: The rules.
        width: Columns there are.

    Returns:
        A line or two a rule.

    Example:
        >>> print(list_rules([RuleText(code="CUR001", name="non_finite", summary="a loss is NaN.", text="")]), end="")
        CUR001 non_finite  a loss is NaN.
    """
    widest = max((len(rule.name) for rule in rules), default=0)
    lines: list[str] = []
    for rule in rules:
        head = f"{rule.code} {rule.name:<{widest}}  "
        lines += textwrap.wrap(head + said(rule.summary, "rule"), width, subsequent_indent=" " * len(head)) or [head]
    return "".join(f"{line}\n" for line in lines)


def rule_text(rule: RuleText, width: int = 80) -> str:
    """Write a rule in full.

    Args:
        rule: The rule.
        width: Columns there are.

    Returns:
        Its summary, and a paragraph under each heading.

    Example:
        >>> text = chr(10).join(("CUR001: a loss is NaN.", "", "Watches: the loss", "    of training."))
        >>> print(rule_text(RuleText(code="CUR001", name="non_finite", summary="", text=text)), end="")
        CUR001 non_finite: a loss is NaN.
        <BLANKLINE>
        Watches: the loss of training.
    """
    first, parts = rule_parts(rule.text)
    lines = [f"{rule.code} {rule.name}: {said(first, 'rule')}", ""]
    lines += [f"{said(heading, 'rule')}: {said(text, 'rule')}" for heading, text in parts.items()]
    wrapped = [
        textwrap.fill(part, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        for part in lines
    ]
    return "".join(f"{part}\n" for part in wrapped)


def rule_parts(text: str) -> tuple[str, dict[str, str]]:
    """Take a rule's text apart, as catalogues list it.

    Args:
        text: As its function's docstring says it.

    Returns:
        What it is about, and the paragraph under each heading.

    Example:
        >>> rule_parts(chr(10).join(("CUR001: a loss is NaN.", "", "Watches: the loss", "    of training.")))
        ('a loss is NaN.', {'Watches': 'the loss of training.'})
    """
    first, _, rest = text.partition("\n")
    parts: dict[str, str] = {}
    heading = ""
    for line in rest.strip().splitlines():
        if line.startswith(" ") and heading:
            parts[heading] += f" {line.strip()}"
        else:
            heading, _, begun = line.partition(": ")
            parts[heading] = begun
    return first.partition(": ")[2], parts
