"""What an experiment of `thalweg lab` answers: question, set-up, table, findings, what it does not show, figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from thalweg.core.codec import to_plain
from thalweg.core.report import Curves, Drawing, Table
from thalweg.core.showing import Showable

__all__ = ["LabFinding", "LabResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabFinding:
    """A claim, and what was found about it here.

    Args:
        claim: As it is asserted.
        verdict: `supported`, `contradicted` or `undecided` here.
        observed: The numbers.
        fails: Where it fails, or what it depends on.
    """

    claim: str
    verdict: Literal["supported", "contradicted", "undecided"]
    observed: str
    fails: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabResult(Showable):
    """The answer of `lab`.

    Args:
        name: The experiment's name.
        question: What was asked.
        setup: How it was measured, by name.
        table: The numbers.
        findings: What they say about each claim.
        limits: What they do not show.
        figures: Drawings and curves.
        seconds: Wall time of the whole command.
        page: The page that was written, or None.
    """

    name: str
    question: str
    setup: Mapping[str, str]
    table: Table
    findings: tuple[LabFinding, ...]
    limits: tuple[str, ...]
    figures: tuple[Drawing | Curves, ...] = ()
    seconds: float = 0.0
    page: str | None = field(default=None)

    def to_json(self) -> dict[str, object]:
        """The answer with the field names of the interface.

        Returns:
            `question, setup, table, findings, limits, figures, seconds`, and the experiment's name and page.
        """
        header = self.table.header
        return {
            "lab": self.name,
            "question": self.question,
            "setup": dict(self.setup),
            "table": [dict(zip(header, row, strict=True)) for row in self.table.rows],
            "findings": to_plain(self.findings),
            "limits": list(self.limits),
            "figures": [to_plain(figure) for figure in self.figures],
            "seconds": self.seconds,
            "page": self.page,
        }
