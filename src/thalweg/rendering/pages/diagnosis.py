"""A diagnosis as a report: verdict, the curves with the evidence marked on them, findings, what was read, how sure."""

import math
import re
from collections.abc import Iterator, Sequence

from thalweg.core.diagnosis_results import DiagnosedRun
from thalweg.core.files import printable
from thalweg.core.finding import Evidence, Finding
from thalweg.core.history import RunHistory
from thalweg.core.remedy import Remedy
from thalweg.core.report import Block, Curves, KeyNumber, Line, Mark, Paragraph, Report, Section, Table
from thalweg.rendering.markup import capitalised
from thalweg.rendering.numerals import significant
from thalweg.rendering.telling_apart import HOW_TO_TELL

__all__ = ["diagnosis_blocks", "diagnosis_report"]

_DRAWN = 40  # runs with a section of their own; the rest stand in the table
_MARKS = 3
_WIDE = 20.0  # a loss that spans more is drawn on a logarithmic axis
_WINDOW = re.compile(r"(?:epoch|step)s? ([\d.e+]+)(?:-([\d.e+]+))?")
_FIGURES = (
    ("Loss", "loss", (("training", "train_loss"), ("validation", "val_loss"))),
    ("Loss of single batches", "loss", (("batch", "batch_loss"),)),
    ("Accuracy", "share of right answers", (("training", "train_accuracy"), ("validation", "val_accuracy"))),
    ("Norm of the gradient", "norm", (("gradient", "gradient_norm"),)),
    ("Learning rate", "learning rate", (("learning rate", "learning_rate"),)),
)
_SHOWN_BEFORE = frozenset({"Loss", "Accuracy", "Learning rate"})
_SURE = (
    "A confidence is a frequency. Of verdicts on the learning rate that are given with 90 %, about 90 % hold on runs "
    "of problems that were left out when the numbers behind them were fitted; the interval of the factor is meant the "
    "same way. Right means: at the best rate, the same network on the same data with the same budget of epochs comes "
    "within 3 % of the way from chance; too high or too low means that it loses 10 % or more. The confidence of the "
    "other findings says how plainly their signs are seen in these curves; what curves alone cannot tell apart is "
    "listed as alternatives."
)


def diagnosis_report(runs: Sequence[DiagnosedRun]) -> Report:
    """Gather diagnosed runs into a report.

    Args:
        runs: The results of `diagnose`.

    Returns:
        The report, ready for `render_html`.

    Example:
        >>> from thalweg.core.learning_rate import LearningRateEstimate
        >>> rate = LearningRateEstimate(verdict="about_right", factor=1, confidence=0.9)
        >>> diagnosis_report([DiagnosedRun(path="log.csv", learning_rate=rate)]).answer[0]
        'Learning rate: about right (90 % sure).'
    """
    read = [run for run in runs if run.error is None]
    if len(runs) == 1:
        title, sections = f"Diagnosis of {_short(runs[0].path)}", tuple(_sections(runs[0]))
    else:
        title = f"Diagnosis of {len(runs):,} runs"
        parts = [Section(title="All runs", blocks=(_overview(runs),))]
        parts += [Section(title=printable(run.path), blocks=diagnosis_blocks(run)) for run in read[:_DRAWN]]
        sections = tuple(parts)
    sure = Section(title="How sure that is", blocks=(Paragraph(text=_SURE),))
    numbers = _numbers(runs[0]) if len(runs) == 1 and runs[0].error is None else ()
    return Report(title=title, answer=_answer(runs), sections=(*sections, sure), numbers=numbers)


def diagnosis_blocks(run: DiagnosedRun, *, beside_training: bool = False) -> tuple[Block, ...]:
    """Show one diagnosed run.

    Args:
        run: With its history.
        beside_training: Whether the page shows loss, accuracy and learning rate already: they are drawn again only
            where something is marked on them, and the list of signals is folded.

    Returns:
        Verdict, marked curves, findings, and what was read.
    """
    return tuple(block for section in _sections(run, beside_training=beside_training) for block in section.blocks)


def _sections(run: DiagnosedRun, *, beside_training: bool = False) -> Iterator[Section]:
    if run.error is not None:
        yield Section(title="Not read", blocks=(Paragraph(text=run.error, style="warning"),))
        return
    wrong = run.learning_rate.verdict in {"too_low", "too_high"}
    verdict = f"Learning rate: {run.learning_rate}."
    if run.learning_rate.reason and run.learning_rate.verdict != "undetermined":
        verdict += f" {capitalised(run.learning_rate.reason)}"
    figures = _figures(run, marked_only=_SHOWN_BEFORE if beside_training else frozenset())
    yield Section(
        title="Verdict and curves",
        blocks=(
            Paragraph(text=verdict, style="warning" if wrong else "plain"),
            *figures,
        ),
    )
    blocks = [block for finding in run.findings for block in _finding(finding)]
    yield Section(title="Findings", blocks=tuple(blocks) or (Paragraph(text="Nothing else was found."),))
    yield Section(title="What was read", blocks=tuple(_read(run, folded=beside_training)))


def _answer(runs: Sequence[DiagnosedRun]) -> tuple[str, ...]:
    if len(runs) == 1 and runs[0].error is None:
        run = runs[0]
        grave = [finding for finding in run.findings if finding.severity != "info"]
        others = [finding for finding in grave if not finding.code.startswith("LRN")]
        lines = [f"Learning rate: {run.learning_rate}."]
        lines += [capitalised(finding.claim) + "." for finding in others[:2]]
        if len(others) > 2:  # noqa: PLR2004 - the first screen is short
            lines.append(f"{len(others) - 2} more findings of weight below.")
        if grave and grave[0].remedies:
            lines.append(f"Try first: {_what(grave[0].remedies[0])}.")
        elif not grave:
            lines.append("Nothing in these curves asks for a change.")
        return tuple(lines)
    counts: dict[str, int] = {}
    for run in runs:
        word = "not read" if run.error is not None else run.learning_rate.verdict.replace("_", " ")
        counts[word] = counts.get(word, 0) + 1
    told = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items(), key=lambda item: -item[1]))
    return (f"Learning rates: {told}.",)


def _numbers(run: DiagnosedRun) -> tuple[KeyNumber, ...]:
    rate = run.learning_rate
    told = "" if rate.verdict == "undetermined" else f"{rate.confidence:.0%} sure"
    numbers = [KeyNumber(label="Learning rate", value=rate.verdict.replace("_", " "), note=told)]
    if rate.factor is not None:
        low, high = ("open" if end is None else f"{end:.2g}" for end in rate.span)
        where = "interval open at both ends" if rate.span == (None, None) else f"interval {low} to {high}"
        numbers.append(KeyNumber(label="Rate in use over the best", value=f"{rate.factor:.2g} x", note=where))
    grave = [finding for finding in run.findings if finding.severity != "info"]
    numbers.append(
        KeyNumber(
            label="Findings",
            value=f"{len(grave)} of weight",
            note=f"{len(run.findings) - len(grave)} more to know of",
        )
    )
    return tuple(numbers)


def _overview(runs: Sequence[DiagnosedRun]) -> Table:
    rows = tuple(
        (
            printable(run.path),
            "not read" if run.error is not None else str(run.learning_rate),
            run.error or ", ".join(f"{finding.name}" for finding in run.findings if finding.severity != "info"),
        )
        for run in runs
    )
    return Table(caption="Verdicts", header=("run", "learning rate", "findings"), rows=rows)


def _figures(run: DiagnosedRun, *, marked_only: frozenset[str]) -> Iterator[Curves]:
    for caption, y_label, members in _FIGURES:
        lines = tuple(filter(None, (_line(run.history, label, name) for label, name in members)))
        if not any(sum(map(math.isfinite, line.y)) > 1 for line in lines):
            continue
        names = {name for _, name in members}
        marks, limits = _evidence_on(run.findings, names, lines)
        if caption in marked_only and not marks:
            continue
        values = [value for line in (*lines, *limits) for value in line.y if math.isfinite(value)]
        stepwise = names == {"batch_loss"}
        yield Curves(
            caption=caption + (", with what the findings rest on" if marks or limits else ""),
            x_label="step" if stepwise else "epoch",
            y_label=y_label,
            lines=(*lines, *limits),
            marks=marks,
            log_y=min(values) > 0 and max(values) / min(values) > _WIDE,
        )


def _line(history: RunHistory, label: str, name: str) -> Line | None:
    signal = history.signal(name)
    if signal is None or not signal.values:
        return None
    return Line(label=label, x=tuple(map(float, signal.steps)), y=signal.values, dashed=label == "training")


def _evidence_on(
    findings: Sequence[Finding], names: set[str], lines: Sequence[Line]
) -> tuple[tuple[Mark, ...], tuple[Line, ...]]:
    """Marks and threshold lines of a figure: a mark a finding, and the levels that values were held against."""
    marks: list[Mark] = []
    limits: list[Line] = []
    right = max(x for line in lines for x in line.x)
    for finding in findings:
        here = [item for item in finding.evidence if item.signal in names and _WINDOW.fullmatch(item.window)]
        if not here or (finding.severity == "info" and len(marks) >= _MARKS):
            continue
        spans = [_span(item) for item in here]
        start, stop = min(span[0] for span in spans), max(span[1] for span in spans)
        marks.append(_mark(finding, start, stop))
        level = next((item.threshold for item in here if item.on_curve and item.threshold is not None), None)
        if level is not None and math.isfinite(level):
            label = f"{finding.code}: {level:.4g}"
            limits.append(Line(label=label, x=(start, max(stop, right)), y=(level, level), dashed=True))
    return tuple(marks[:_MARKS]), tuple(limits[:2])


def _mark(finding: Finding, start: float, stop: float) -> Mark:
    label = f"{finding.code} {finding.name}"
    return Mark(x=start, label=label, until=stop if stop > start else None, reason=finding.claim)


def _span(evidence: Evidence) -> tuple[float, float]:
    match = _WINDOW.fullmatch(evidence.window)
    first, last = (match[1], match[2]) if match else ("0", None)
    return float(first), float(last or first)


def _finding(finding: Finding) -> Iterator[Block]:
    head = f"{finding.code} {finding.name} ({finding.severity}, {finding.confidence:.0%} sure)"
    style = "note" if finding.severity == "info" else "warning"
    yield Paragraph(text=f"{head}: {finding.claim}.", style=style)  # type: ignore[arg-type]
    if finding.evidence:
        yield Table(
            caption=f"{finding.code}: what was seen",
            header=("where", "observed", "held against", "what these numbers are"),
            rows=tuple(
                (f"{item.signal}, {item.window}", significant(item.observed), significant(item.threshold), item.source)
                for item in finding.evidence
            ),
        )
    if finding.remedies:
        yield Table(
            caption=f"{finding.code}: what to do, best first",
            header=("remedy", "what to expect", "what it costs"),
            rows=tuple((_what(item), item.expected_effect, item.cost) for item in finding.remedies),
        )
    if finding.alternatives:
        yield Table(
            caption=f"{finding.code}: what would look the same, and how to tell",
            header=("could also be", "how to tell"),
            rows=tuple((name, HOW_TO_TELL.get(name, "")) for name in finding.alternatives),
            folded=True,
        )


def _what(remedy: Remedy) -> str:
    edits = [
        f"learning rate x {value:g}" if name == "learning_rate_factor" else f"{name} = {value}"
        for name, value in remedy.edit.items()
    ]
    return remedy.code.replace("_", " ") + (f" ({', '.join(edits)})" if edits else "")


def _read(run: DiagnosedRun, *, folded: bool) -> Iterator[Block]:
    if run.format:
        yield Paragraph(text=f"{printable(run.path)} was read as: {run.format}.")
    for note in run.notes:
        yield Paragraph(text=capitalised(note), style="note")
    rows = tuple(
        (
            signal.name,
            f"{len(signal.values):,}",
            significant(signal.values[0]),
            significant(signal.values[-1]),
            *_ends(signal.values),
        )
        for signal in run.history.signals
        if signal.values
    )
    header = ("signal", "values", "first", "last", "lowest", "highest")
    yield Table(caption="The curves as read", header=header, rows=rows, folded=folded)


def _ends(values: Sequence[float]) -> tuple[str, str]:
    known = [value for value in values if math.isfinite(value)]
    return (significant(min(known)), significant(max(known))) if known else ("-", "-")


def _short(path: str) -> str:
    """The last part of a path, which is what people call a log."""
    return printable(path.rstrip("/").rpartition("/")[2] or path)
