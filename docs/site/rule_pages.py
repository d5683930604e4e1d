"""A page a rule, from what `thalweg rule CODE` says."""

import re

from thalweg.core.diagnosis_results import RuleText
from thalweg.rendering.texts.rules import rule_text
from thalweg.workbench.rules import rules

__all__ = ["rule_pages", "with_rule_links"]

FAMILIES = {
    "LRN": "Learning rate",
    "CUR": "Shapes of curves",
    "GRD": "Gradients",
    "ACT": "Activations",
    "CRV": "Curvature",
    "DAT": "Data",
    "NET": "Network and loss",
}
ONE_LINE = 1_000_000


def rule_pages() -> dict[str, str]:
    """Write the overview of rules, and each rule's page.

    Returns:
        Markdown by the page's name in the site; the overview first.
    """
    known = rules()
    return {"rules/index.md": _overview(known)} | {f"rules/{rule.code}.md": _page(rule, known) for rule in known}


def with_rule_links(markdown: str) -> str:
    """Let the names of findings in a page of `docs/` lead to their rules.

    Args:
        markdown: The page.

    Returns:
        The page, with a link for each name that stands as code by itself.
    """
    pages = {rule.name: f"rules/{rule.code}.md" for rule in rules()}
    return re.sub(r"`(\w+)`", lambda name: f"[{name[0]}]({pages[name[1]]})" if name[1] in pages else name[0], markdown)


def _overview(known: tuple[RuleText, ...]) -> str:
    lead = (
        f"{len(known)} things that can be wrong with a training run, or just so. Each finding of `thalweg diagnose` "
        "and `thalweg train` carries the code of its rule. Codes are permanent; `thalweg rule CODE` prints the text."
    )
    lines = ["# Rules", "", lead, ""]
    unknown = {rule.code[:3] for rule in known} - FAMILIES.keys()
    if unknown:
        raise KeyError(f"docs/site/rule_pages.py has no words for the family {', '.join(sorted(unknown))}")
    for family, title in FAMILIES.items():
        lines += [f"## {title}", "", "| code | finding | what it says |", "| --- | --- | --- |"]
        lines += [
            f"| [{rule.code}]({rule.code}.md) | `{rule.name}` | {_prose(rule.summary, rule.code, known)} |"
            for rule in known
            if rule.code.startswith(family)
        ]
        lines.append("")
    return "\n".join(lines)


def _page(rule: RuleText, known: tuple[RuleText, ...]) -> str:
    first, *parts = [line for line in rule_text(rule, ONE_LINE).splitlines() if line]
    del first  # the heading says it
    lines = [f"# {rule.code} {rule.name}", "", f"*{rule.summary[:1].upper()}{rule.summary[1:]}*", ""]
    for part in parts:
        heading, colon, words = part.partition(": ")
        if colon and len(heading) < 40:  # noqa: PLR2004 - longer is a sentence that has a colon
            lines += [f"## {heading}", ""]
        else:
            words = part
        if heading == "Remedies":  # codes stay as they are written
            words = re.sub(r"\b([a-z]+(?:_[a-z]+)+)\b(?!`)", r"`\1`", words)
        lines += [_prose(words[:1].upper() + words[1:], rule.code, known), ""]
    lines += ["```", f"thalweg rule {rule.code}", "```", ""]
    return "\n".join(lines)


def _prose(words: str, here: str, known: tuple[RuleText, ...]) -> str:
    """Words as Markdown: other rules become links, what looks like markup stays what it is."""
    words = words.replace("<", "&lt;").replace("|", "\\|")
    others = {rule.code for rule in known} - {here}
    link = lambda code: f"[{code[0]}]({code[0]}.md)" if code[0] in others else code[0]  # noqa: E731 - used once
    return re.sub(r"\b[A-Z]{3}\d{3}\b", link, words)
