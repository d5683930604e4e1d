"""A diagnosis for the terminal: the verdict first, then each finding with its evidence and what to do about it."""

import textwrap
from collections.abc import Callable, Iterator, Sequence

from thalweg.core.diagnosis_results import DiagnosedRun, DiagnoseResult
from thalweg.core.finding import Evidence, Finding
from thalweg.core.languages import Said, said
from thalweg.core.remedy import Remedy
from thalweg.rendering.markup import capitalised, shown
from thalweg.rendering.numerals import significant
from thalweg.rendering.terminal import Paint, painter
from thalweg.rendering.texts.sparkline import sparkline

__all__ = ["diagnosis_text", "evidence_words", "remedy_words"]

_FULL = 8  # more runs than this get their verdict and the claims only
_DRAWN = (
    ("training loss", ("train_loss", "batch_loss")),
    ("validation loss", ("val_loss",)),
    ("training accuracy", ("train_accuracy",)),
    ("validation accuracy", ("val_accuracy",)),
)
_EVIDENCE = 3
_NARROW = 60  # columns that leave no room for first and last value


def diagnosis_text(result: DiagnoseResult, *, width: int = 80, colour: bool = False, plain: bool = False) -> str:
    """Write a diagnosis.

    Args:
        result: The answer of `diagnose`.
        width: Columns there are.
        colour: Whether the terminal shows colours.
        plain: Whether to use ASCII only.

    Returns:
        Lines of at most `width` characters, commands and paths excepted.

    Example:
        >>> from thalweg.core.learning_rate import LearningRateEstimate
        >>> rate = LearningRateEstimate(verdict="too_high", factor=6, interval=(3, 12), confidence=0.91)
        >>> print(diagnosis_text(DiagnoseResult(results=(DiagnosedRun(path="log.csv", learning_rate=rate),))), end="")
        log.csv
        learning rate: 6x too high (3x to 12x, 91 % sure)
    """
    width = max(width, 40)
    brief = sum(run.error is None for run in result.results) > _FULL
    paint = painter(colour)
    runs = ["\n".join(_run(run, width, paint, plain=plain, brief=brief)) for run in result.results if run.error is None]
    return ("\n" if brief else "\n\n").join(runs) + ("\n" if runs else "")


def _run(run: DiagnosedRun, width: int, paint: Paint, *, plain: bool, brief: bool) -> Iterator[str]:
    epochs = run.history.epochs
    size = f", {epochs:,} epoch{'' if epochs == 1 else 's'}" if epochs else ""
    about = f" ({said(shown(run.format) + size, 'format')})" if run.format else ""
    yield shown(run.path) + (about if len(run.path) + len(about) <= width else "")
    yield from _wrapped(
        f"learning rate: {run.learning_rate}", width, "  ", first="", paint=lambda s: paint(s, "verdict")
    )
    if brief:
        for finding in run.findings:
            if finding.severity != "info":
                told = Said(f"{said(finding.severity)} {finding.code} {said(finding.claim)}")
                yield from _wrapped(told, width, "    ", first="  ")
        return
    if run.learning_rate.reason and run.learning_rate.verdict != "undetermined":
        yield from _wrapped(run.learning_rate.reason, width, "  ")
    yield from _curves(run, width, plain=plain)
    for note in run.notes:
        yield from _wrapped(Said(f"{said('read:')} {said(shown(note))}"), width, "    ", first="  ")
    for finding in run.findings:
        yield ""
        yield from _finding(finding, width, paint)


def _curves(run: DiagnosedRun, width: int, *, plain: bool) -> Iterator[str]:
    for label, names in _DRAWN:
        signal = next(filter(None, map(run.history.signal, names)), None)
        if signal is None or len(signal.values) < 2:  # noqa: PLR2004 - a point is no curve
            continue
        first, last = f"{signal.values[0]:.4g}", f"{signal.values[-1]:.4g}"
        if width < _NARROW:
            yield f"  {said(label):<20}{sparkline(signal.values, width - 22, plain=plain)}"
        else:
            yield f"  {said(label):<20}{first:>9} {sparkline(signal.values, min(40, width - 43), plain=plain)} {last}"


def _finding(finding: Finding, width: int, paint: Paint) -> Iterator[str]:
    head = f"{finding.severity} {finding.code} {finding.name} ({finding.confidence:.0%} sure)"
    yield paint(said(head), finding.severity)
    yield from _wrapped(capitalised(shown(finding.claim)), width, "  ")
    for evidence in finding.evidence[:_EVIDENCE]:
        yield from _wrapped(f"seen: {evidence_words(evidence)}", width, "    ", first="  ")
    if len(finding.evidence) > _EVIDENCE:
        yield said(f"  seen: and {len(finding.evidence) - _EVIDENCE} more like it")
    if finding.alternatives:
        yield from _wrapped(f"could also be: {', '.join(finding.alternatives)}", width, "    ", first="  ")
    for remedy in finding.remedies if finding.severity != "info" else finding.remedies[:1]:
        yield from _wrapped(f"do: {remedy_words(remedy)}", width, "    ", first="  ")


def evidence_words(evidence: Evidence) -> str:
    """Say one piece of evidence in a line.

    Args:
        evidence: Of a finding.

    Returns:
        Signal, place, number, and what it was held against.

    Example:
        >>> evidence_words(Evidence(signal="val_loss", window="epoch 2", observed=25, threshold=1.3, source="2 x best"))
        'val_loss, epoch 2: 25 against 1.3 (2 x best)'
    """
    words = f"{evidence.signal}, {evidence.window}: {significant(evidence.observed)}"
    if evidence.threshold is not None:
        words += f" against {significant(evidence.threshold)}"
    return shown(words + (f" ({evidence.source})" if evidence.source else ""))


def remedy_words(remedy: Remedy) -> str:
    """Say a way out in a line.

    Args:
        remedy: Of a finding.

    Returns:
        Its name, what to set, and what to expect.

    Example:
        >>> remedy_words(Remedy(code="stop_earlier", edit={"epochs": 12}, expected_effect="the best weights are kept"))
        'stop_earlier (epochs = 12): the best weights are kept'
    """
    edits = [
        f"learning rate x {value:g}" if name == "learning_rate_factor" else f"{name} = {_setting(value)}"
        for name, value in remedy.edit.items()
    ]
    told = f" ({', '.join(edits)})" if edits else ""
    return shown(f"{remedy.code}{told}" + (f": {remedy.expected_effect}" if remedy.expected_effect else ""))


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _wrapped(
    text: str, width: int, indent: str, *, first: str | None = None, paint: Callable[[str], str] = str
) -> Sequence[str]:
    lines = textwrap.wrap(
        said(text),
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [paint(line) for line in lines]
