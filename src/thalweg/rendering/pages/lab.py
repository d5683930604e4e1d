"""An experiment as a report and as text."""

import textwrap
from collections.abc import Sequence

from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.languages import said
from thalweg.core.report import Block, Paragraph, Report, Section, Table

__all__ = ["lab_report", "lab_text"]

_ROOM = 4


def lab_report(result: LabResult) -> Report:
    """Gather an experiment into a report.

    Args:
        result: The answer of `lab`.

    Returns:
        The report, ready for `render_html`.
    """
    findings = Table(
        caption="Claims, and what was found about them here",
        header=("claim, and whether it holds here", "numbers", "where it fails"),
        rows=tuple((f"{each.claim}: {each.verdict}", each.observed, each.fails) for each in result.findings),
    )
    figures: tuple[Block, ...] = result.figures or (Paragraph(text="There is no figure."),)
    sections = (
        Section(title="What was found", blocks=(findings,)),
        Section(title="Figures", blocks=figures),
        Section(title="Numbers", blocks=(result.table,)),
        Section(
            title="Set-up",
            blocks=(
                Table(caption="How it was measured", header=("what", "how"), rows=tuple(dict(result.setup).items())),
            ),
        ),
        Section(
            title="What this does not show",
            blocks=tuple(Paragraph(text=limit, style="note") for limit in result.limits),
        ),
    )
    return Report(
        title=f"Lab: {result.name}",
        answer=(result.question, *map(_line, _foremost(result.findings))),
        sections=sections,
        provenance={"command": f"thalweg lab {result.name}", "seconds": f"{result.seconds:.1f}"},
    )


def lab_text(result: LabResult, width: int = 80) -> str:
    """Write an experiment for a terminal.

    Args:
        result: The answer of `lab`.
        width: Columns of the terminal.

    Returns:
        Lines with a line break at their end.
    """
    lines = [*textwrap.wrap(said(result.question), width), ""]
    for each in result.findings:
        lines += textwrap.wrap(said(f"{each.verdict}: {each.claim}"), width)
        lines += textwrap.wrap(said(each.observed), width, initial_indent="   ", subsequent_indent="   ")
        if each.fails:
            lines += textwrap.wrap(said(f"fails: {each.fails}"), width, initial_indent="   ", subsequent_indent="   ")
    lines.append("")
    for limit in result.limits:
        lines += textwrap.wrap(said(f"Not shown: {limit}"), width)
    return "\n".join(lines) + "\n"


def _foremost(findings: Sequence[LabFinding]) -> list[LabFinding]:
    """What a first screen has room for: what was decided goes before what was not."""
    return sorted(findings, key=lambda each: each.verdict == "undecided")[:_ROOM]


def _line(finding: LabFinding) -> str:
    return f"{finding.verdict.capitalize()}: {finding.claim}"
