"""A comparison as a report and as text: what differs, how it ended, which difference is more than chance."""

import math
from collections.abc import Iterator, Sequence

from thalweg.core.comparison import ComparedRun, Comparison, Difference, Measured
from thalweg.core.files import printable
from thalweg.core.languages import said
from thalweg.core.report import Block, Curves, Line, Paragraph, Report, Section, Table

__all__ = ["comparison_report", "comparison_text"]

_CURVES = (
    ("Training loss", "train_loss", "loss, nats", "epoch"),
    ("Validation loss", "val_loss", "loss, nats", "epoch"),
    ("Validation accuracy", "val_accuracy", "share of right answers", "epoch"),
    ("Loss of single batches", "batch_loss", "loss, nats", "step"),
)
_MOST_LINES = 8
_HOW = (
    "Runs that differ in nothing but their seed tell how much chance alone changes a number: their standard deviation, "
    "pooled over all groups of such runs. A difference counts as larger than that where its 95 % interval (Student's, "
    "with the pooled standard deviation) leaves zero out. Without two runs of one plan and different seeds, nothing "
    "can be said, however large a difference looks; the interval beside a single accuracy is about the number of "
    "files it was measured on, not about training again. With many pairs, one in twenty looks larger by chance."
)


def comparison_report(result: Comparison) -> Report:
    """Gather a comparison into a report.

    Args:
        result: The answer of `compare`.

    Returns:
        The report, ready for `render_html`.
    """
    sections = [
        Section(title="How they ended", blocks=tuple(_endings(result))),
        Section(title="Differences", blocks=tuple(_differences(result))),
        Section(title="Curves", blocks=tuple(_curves(result)) or (Paragraph(text="No curve is in two runs."),)),
        Section(title="How chance is told apart", blocks=(Paragraph(text=_HOW),)),
    ]
    return Report(title=f"{len(result.runs)} runs side by side", answer=_answer(result), sections=tuple(sections))


def comparison_text(result: Comparison, width: int = 80) -> str:
    """Write a comparison for a terminal: a block a run, then the differences.

    Args:
        result: The answer of `compare`.
        width: Columns of the terminal.

    Returns:
        Lines with a line break at their end.
    """
    lines = []
    for label, run in zip(_labels(result.runs), result.runs, strict=True):
        seed = "" if run.seed is None else f", seed {run.seed}"
        lines.append(said(f"{label}: {printable(run.path)} (group {run.group}{seed})"))
        lines += [f"   {name} = {_plain(value)}" for name, value in run.plan.items()]
        lines += [f"   {said(name)}: {said(_measured(measured))}" for name, measured in run.metrics.items()]
    lines += ["", *map(said, _answer(result))]
    for each in result.differences:
        if each.metric not in _ASIDE:
            lines.append(f"   {said(_pair(each))}: {said(_verdict(each))}")
    lines += [said(f"Note: {note}.") for note in result.notes[:_NOTES]]
    return "\n".join(line[: max(width, 40)] if width else line for line in lines) + "\n"


_ASIDE = {"epochs", "seconds"}
_NOTES = 20


def _answer(result: Comparison) -> tuple[str, ...]:
    groups = len({run.group for run in result.runs})
    told = [f"{len(result.runs)} runs of {groups} plan{'s' if groups > 1 else ''}"]
    if result.differing:
        told[0] += f"; different are {', '.join(result.differing)}."
    elif len({run.seed for run in result.runs}) > 1:
        told[0] += " that differ by seed alone."
    else:
        told[0] += " that differ in nothing, seed included."
    known = [each for each in result.differences if each.metric not in _ASIDE]
    larger = [each for each in known if each.larger_than_seeds]
    if larger:
        told.append(f"Larger than the seeds' spread: {'; '.join(map(_pair, larger[:3]))}.")
    elif any(each.larger_than_seeds is False for each in known):
        told.append("No difference is larger than the seeds' spread.")
    elif known:
        told.append("No two runs differ by seed alone, so no difference can be told from chance: repeat with --seed.")
    return tuple(told)


def _labels(runs: Sequence[ComparedRun]) -> list[str]:
    return [f"run\u00a0{number}" for number in range(1, len(runs) + 1)]


def _endings(result: Comparison) -> Iterator[Block]:
    names = list(dict.fromkeys(name for run in result.runs for name in run.metrics))
    yield Table(
        caption="Metrics; an interval is 95 %, from the number of files",
        header=("which run", "place", "group", *names),
        rows=tuple(
            (
                label,
                printable(run.path),
                str(run.group),
                *(_measured(run.metrics[name]) if name in run.metrics else "-" for name in names),
            )
            for label, run in zip(_labels(result.runs), result.runs, strict=True)
        ),
    )
    if result.differing:
        yield Table(
            caption="What their plans do not share",
            header=("which run", *result.differing, "seed"),
            rows=tuple(
                (
                    label,
                    *(_plain(run.plan[name]) if name in run.plan else "-" for name in result.differing),
                    "-" if run.seed is None else str(run.seed),
                )
                for label, run in zip(_labels(result.runs), result.runs, strict=True)
            ),
        )
    for note in result.notes[:_NOTES]:
        yield Paragraph(text=note, style="note")


def _differences(result: Comparison) -> Iterator[Block]:
    if not result.differences:
        yield Paragraph(text="All runs are of one plan: there is only the spread over seeds.")
        return
    yield Table(
        caption="Groups of runs with one plan, held against the spread over seeds",
        header=("metric", "groups", "difference", "95 % interval", "seeds' spread", "larger than that"),
        rows=tuple(
            (
                each.metric,
                f"{each.groups[0]} less {each.groups[1]}",
                f"{each.difference:+.4g}",
                "-" if each.interval is None else f"{each.interval[0]:.4g} to {each.interval[1]:.4g}",
                "-" if each.spread is None else f"{each.spread:.3g}",
                {True: "yes", False: "no", None: "not known"}[each.larger_than_seeds],
            )
            for each in result.differences
        ),
    )


def _curves(result: Comparison) -> Iterator[Curves]:
    for caption, name, y_label, x_label in _CURVES:
        lines = []
        for label, run in zip(_labels(result.runs), result.runs, strict=True):
            signal = run.history.history.signal(name)
            if signal is not None and signal.values:
                x = tuple(float(step) for step in signal.steps)
                lines.append(Line(label=f"{label} (group {run.group})", x=x, y=signal.values))
        if len(lines) > 1:
            values = [value for line in lines for value in line.y if math.isfinite(value)]
            wide = bool(values) and min(values) > 0 and max(values) > 20 * min(values)
            left = f" ({len(lines) - _MOST_LINES} more runs are not drawn)" if len(lines) > _MOST_LINES else ""
            yield Curves(
                caption=caption + left,
                x_label=x_label,
                y_label=y_label,
                lines=tuple(lines[:_MOST_LINES]),
                log_y=wide,
            )


def _pair(each: Difference) -> str:
    return f"{each.metric}, group {each.groups[0]} less group {each.groups[1]}: {each.difference:+.4g}"


def _verdict(each: Difference) -> str:
    if each.interval is None:
        return "chance is not known"
    sure = "more than seeds" if each.larger_than_seeds else "within the seeds' spread"
    return f"{sure} ({each.interval[0]:.3g} to {each.interval[1]:.3g})"


def _measured(measured: Measured) -> str:
    if measured.interval is None:
        return f"{measured.value:.4g}"
    return f"{measured.value:.4g} ({measured.interval[0]:.3f} to {measured.interval[1]:.3f})"


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))
