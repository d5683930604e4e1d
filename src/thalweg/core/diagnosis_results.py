"""What `diagnose` and `rule` answer, the same from Python and from `--json`."""

from dataclasses import dataclass

from thalweg.core.finding import Finding
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.showing import Showable

__all__ = ["DiagnoseResult", "DiagnosedRun", "RuleText"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosedRun(Showable):
    """One run and what is wrong with it.

    Args:
        path: Where it was read from; with the run's name inside the file where that holds several.
        learning_rate: The verdict on its learning rate.
        findings: What else was found, causes first.
        history: The curves; empty where nothing could be read.
        format: What wrote the log.
        notes: What was guessed in reading it, in sentences.
        error: Why it could not be read; None where it could.
    """

    path: str
    learning_rate: LearningRateEstimate
    findings: tuple[Finding, ...] = ()
    history: RunHistory = RunHistory()  # noqa: RUF009 - frozen, and empty
    format: str = ""
    notes: tuple[str, ...] = ()
    error: str | None = None

    def to_json(self) -> dict[str, object]:
        """The run with the field names of the interface.

        Returns:
            `path, learning_rate, findings, format, signals, epochs, notes, error`.

        Example:
            >>> nothing = LearningRateEstimate(verdict="undetermined", reason="it could not be read")
            >>> DiagnosedRun(path="a.csv", learning_rate=nothing, error="a.csv is empty").to_json()["error"]
            'a.csv is empty'
        """
        return {
            "path": self.path,
            "learning_rate": self.learning_rate.to_json(),
            "findings": self.findings,
            "format": self.format,
            "signals": [signal.name for signal in self.history.signals],
            "epochs": self.history.epochs,
            "notes": self.notes,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnoseResult(Showable):
    """The answer of `diagnose`.

    Args:
        results: One entry a run, in the order asked for.
        page: The page that was written, or None.
    """

    results: tuple[DiagnosedRun, ...]
    page: str | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of all runs."""
        return tuple(finding for run in self.results for finding in run.findings)

    @property
    def exit_status(self) -> int:
        """2 where nothing could be read, else 1 where a finding is a warning or an error, else 0."""
        if all(run.error is not None for run in self.results):
            return 2
        return int(any(finding.severity != "info" for finding in self.findings))

    def to_json(self) -> dict[str, object]:
        """The answer with the field names of the interface.

        Returns:
            `results, page`.

        Example:
            >>> DiagnoseResult(results=()).to_json()
            {'results': [], 'page': None}
        """
        return {"results": [run.to_json() for run in self.results], "page": self.page}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText(Showable):
    """A rule as `thalweg rule` explains it.

    Args:
        code: Its permanent code, such as `LRN001`.
        name: The name of its finding.
        summary: What it is about, in a sentence.
        text: All it says about itself, under its headings.
    """

    code: str
    name: str
    summary: str
    text: str

    def __str__(self) -> str:
        return self.text
