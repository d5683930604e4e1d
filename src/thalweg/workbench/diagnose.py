"""`thalweg diagnose`: recorded curves of any framework to a verdict on the learning rate, and findings."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from thalweg.core.diagnosis_results import DiagnosedRun, DiagnoseResult
from thalweg.core.errors import LogError, PlanError, ThalwegError
from thalweg.core.files import page_to_write, printable, write_atomically
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.run_log import NamedHistory
from thalweg.diagnosis.case import open_case
from thalweg.diagnosis.judge import judge
from thalweg.diagnosis.learning_rate import estimate, with_findings
from thalweg.diagnosis.live_rate import live_estimate
from thalweg.histories.reading import read, read_mapping, read_stream

__all__ = ["Recorded", "diagnose", "diagnose_history", "diagnose_run", "rate_of"]

Recorded: TypeAlias = "str | os.PathLike[str] | RunHistory | NamedHistory | Mapping[str, object] | object"
"""A path, an open file, a history, a mapping of names to lists, or an object whose `history` is one (as Keras's is)."""


def diagnose(
    *runs: Recorded,
    columns: Mapping[str, str] | str | None = None,
    html: str | os.PathLike[str] | None = None,
) -> DiagnoseResult:
    """Say what is wrong with recorded runs: above all whether the learning rate is right, and by what factor not.

    Args:
        runs: Log files, folders of them, run folders, open files (`sys.stdin`, `io.StringIO(pasted)`), mappings such as
            `History.history`, or Keras's `History` itself.
        columns: Which column is what, where the guess is wrong: `{"train_loss": "foo"}` or `train_loss=foo,...`.
        html: A page to write, with the curves and the evidence marked on them.

    Returns:
        For every run a verdict, findings and what was read; an `error` for what could not be read.

    Raises:
        PlanError: Nothing was asked for, or `columns` is not understood.

    Example:
        >>> answer = diagnose({"loss": [0.69, 0.70, 1.5, 4.0, 9.1, 25.0], "val_loss": [0.7, 0.8, 1.9, 5.0, 11.0, 30.0]})
        >>> "diverging" in [finding.name for finding in answer.results[0].findings]
        True
    """
    if not runs:
        raise PlanError("name a log, a folder of logs or a run folder")
    wanted = _columns(columns)
    page = page_to_write(html)
    results = tuple(result for number, run in enumerate(runs, 1) for result in _results(run, wanted, number))
    if page is not None:
        from thalweg.rendering.pages.diagnosis import diagnosis_report
        from thalweg.rendering.pages.html import render_html

        write_atomically(page, render_html(diagnosis_report(results), data=True))
    return DiagnoseResult(results=results, page=None if page is None else str(page))


def diagnose_history(run: NamedHistory) -> DiagnosedRun:
    """Judge one run.

    Args:
        run: Its curves, and where they come from.

    Returns:
        Verdict and findings.
    """
    rate = rate_of(run.history)
    findings = judge(open_case(run.history, rate))
    if (settled := with_findings(rate, findings)) != rate:
        rate, findings = settled, judge(open_case(run.history, settled))
    return DiagnosedRun(
        path=run.place,
        learning_rate=rate,
        findings=findings,
        history=run.history,
        format=run.format,
        notes=run.notes,
    )


def rate_of(history: RunHistory) -> LearningRateEstimate:
    """Judge a learning rate: by what was measured inside the run where it was watched, else by its curves.

    Args:
        history: The run.

    Returns:
        The verdict.
    """
    return live_estimate(history) or estimate(history)


def diagnose_run(folder: Path, *, say: Callable[[str], None]) -> DiagnosedRun | None:
    """Judge a run of our own at its end; whatever goes wrong here, the run itself is not touched.

    Args:
        folder: The run folder, with `history.csv` and `steps.csv`.
        say: Called with a sentence when it cannot be done.

    Returns:
        Verdict and findings; None where the curves cannot be judged.
    """
    try:
        return diagnose_history(read(folder)[0])
    except Exception as error:  # noqa: BLE001 - a trained network is worth more than a remark about it
        say(f"The curves could not be judged: {type(error).__name__}: {printable(str(error))}.")
        return None


def _results(run: Recorded, columns: Mapping[str, str], number: int) -> Iterable[DiagnosedRun]:
    place = _place(run, number)
    try:
        histories = _histories(run, columns, place)
    except ThalwegError as error:
        nothing = LearningRateEstimate(verdict="undetermined", reason="it could not be read")
        return [DiagnosedRun(path=place, learning_rate=nothing, error=str(error))]
    return [diagnose_history(named) for named in histories]


def _place(run: Recorded, number: int) -> str:
    """What a source is called; open files know their names, of which those in angle brackets are no paths."""
    if callable(getattr(run, "read", None)):
        name = getattr(run, "name", None)
        if name in {"<stdin>", 0}:
            return "standard input"
        run = name if isinstance(name, str) else None
    return printable(run) if isinstance(run, str | os.PathLike) else f"history {number}"


def _histories(run: Recorded, columns: Mapping[str, str], place: str) -> tuple[NamedHistory, ...]:
    if isinstance(run, str | os.PathLike):
        return read(run, columns=columns)
    if callable(getattr(run, "read", None)):  # temporary files and the like are no IOBase
        return read_stream(run, place=place, columns=columns)  # type: ignore[arg-type]
    if isinstance(run, NamedHistory):
        return (run,)
    if isinstance(run, RunHistory):
        return (NamedHistory(place=place, format="a history in memory", history=run),)
    recorded = run if isinstance(run, Mapping) else getattr(run, "history", None)
    if isinstance(recorded, RunHistory):
        return (NamedHistory(place=place, format="a history in memory", history=recorded),)
    if not isinstance(recorded, Mapping):
        raise LogError(f"{place}: {type(run).__name__} is neither a path nor a mapping of names to lists of numbers")
    return (read_mapping(recorded, place=place, columns=columns),)


def _columns(columns: Mapping[str, str] | str | None) -> dict[str, str]:
    if not isinstance(columns, str):
        return dict(columns or {})
    pairs = [part.partition("=") for part in columns.split(",") if part.strip()]
    if not pairs or not all(sign and name.strip() and column.strip() for name, sign, column in pairs):
        raise PlanError(f"--columns {printable(columns)}: write it as train_loss=NAME,val_loss=NAME")
    return {name.strip(): column.strip() for name, _, column in pairs}
