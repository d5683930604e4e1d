"""A run that is followed, for the terminal: a few lines that are drawn again each second, or a line an epoch."""

import math
import textwrap
from collections.abc import Mapping, Sequence

from thalweg.core.finding import Finding
from thalweg.core.languages import said, speaker, spoken
from thalweg.core.run_state import Followed, RunState
from thalweg.rendering.columns import columns, fenced, heading, to_left
from thalweg.rendering.markup import shown
from thalweg.rendering.numerals import clock, column_loss
from thalweg.rendering.terminal import Paint, painter
from thalweg.rendering.texts.sparkline import sparkline

__all__ = ["end_lines", "epoch_heading", "epoch_line", "follow_lines"]

_TABLE = (
    *(("epoch", 5), ("train loss", 12), ("accuracy", 9), ("val loss", 10), ("accuracy", 9)),
    *(("learning rate", 15), ("left", 8)),
)

_PHASES = {
    "training": "training",
    "evaluating": "evaluating",
    "finished": "finished",
    "interrupted": "interrupted, saved",
    "stopped": "ended early",
    "failed": "failed",
    "log": "log",
}
_LABEL = 16
_MOST_FINDINGS = 3


def follow_lines(seen: Followed, *, width: int = 80, plain: bool = False, colour: bool = False) -> list[str]:
    r"""Draw a run as it is now.

    Args:
        seen: The look.
        width: Columns there are.
        plain: Whether to use ASCII only.
        colour: Whether the terminal shows colours.

    Returns:
        Lines of at most `width` columns.

    Example:
        >>> state = RunState(path="runs/a", name="a", phase="training", network="small", source="photos", epoch=3,
        ...                  epochs=9, fraction=0.3, train_loss=0.52, images_per_second=250, seconds_left=95)
        >>> print("\n".join(follow_lines(Followed(state=state, losses=(2.0, 1.0, 0.5)), width=60, plain=True)))
        a: small on photos                             training 30 %
        training loss   0.52    @-_
        progress        epoch 3 of 9, 250 images/s, 1:35 left
    """
    paint = painter(colour)
    state = seen.state
    lines = [_title(state, width, paint)]
    room = max(8, width - _LABEL - 9)
    if math.isfinite(state.train_loss):
        losses = seen.losses or _column(seen.rows, "train_loss")
        lines.append(_curve(said("training loss"), f"{state.train_loss:.4g}", losses, room, plain=plain))
    if math.isfinite(state.val_loss):
        curve = _column(seen.rows, "val_loss")
        lines.append(_curve(said("validation loss"), f"{state.val_loss:.4g}", curve, room, plain=plain))
    if math.isfinite(state.val_accuracy):
        curve = _column(seen.rows, "val_accuracy")
        lines.append(_curve(said("right answers"), f"{state.val_accuracy:.1%}", curve, room, plain=plain))
    if math.isfinite(state.learning_rate) or state.verdict_line:
        lines.append(_fit(_labelled(said("learning rate")) + _rate(state), width))
    lines.append(_fit(_labelled(said("progress")) + _progress(state), width))
    wrong = [finding for finding in seen.findings if finding.severity != "info"][:_MOST_FINDINGS]
    lines += [paint(_fit(_finding(finding), width), finding.severity) for finding in wrong]
    if seen.events:
        last = seen.events[-1]
        told = said(f"step {last.get('step')}: {shown(str(last.get('message', '')))}")
        lines.append(paint(_fit(told, width), "dim"))
    return lines


def epoch_heading() -> str:
    """Write the line over `epoch_line`s.

    Returns:
        The names of the columns.

    Example:
        >>> epoch_heading()
        'epoch  train loss accuracy  val loss accuracy  learning rate    left'
    """
    return heading(_TABLE)[0]


def epoch_line(row: Mapping[str, float], seconds_left: float = math.nan) -> str:
    """Write an epoch as a line under `epoch_heading`.

    Args:
        row: A row of `history.csv`.
        seconds_left: Estimate for the rest of the run.

    Returns:
        The line, of at most 70 columns.

    Example:
        >>> epoch_line({"epoch": 3, "train_loss": 0.5, "val_loss": 0.6, "val_accuracy": 0.8, "learning_rate": 1e-3}, 61)
        '    3      0.5000             0.6000    80.0%       1.00e-03    1:01'
    """
    losses = [column_loss(row[name]) if _there(row, name) else "" for name in ("train_loss", "val_loss")]
    shares = [f"{row[name]:.1%}" if _there(row, name) else "" for name in ("train_accuracy", "val_accuracy")]
    rate = f"{row['learning_rate']:.2e}" if _there(row, "learning_rate") else ""
    cells = (f"{int(row['epoch'])}", losses[0], shares[0], losses[1], shares[1], rate, clock(seconds_left))
    number = speaker(spoken()).number
    return "".join(f"{number(cell):>{size}}" for cell, size in zip(cells, heading(_TABLE)[1], strict=True)).rstrip()


def end_lines(seen: Followed, *, width: int = 80) -> list[str]:
    """Say how a run ended, and what to do next.

    Args:
        seen: The last look.
        width: Columns there are; commands and paths are never broken.

    Returns:
        A few lines.

    Example:
        >>> end_lines(Followed(state=RunState(path="runs/a", name="a", phase="interrupted", epoch=3)))
        ['Saved after epoch 3. Go on with: thalweg resume runs/a']
    """
    state, path = seen.state, shown(seen.state.path)
    lines: list[str] = []
    commands = [f"Report: {path}/report.html"] if state.report and state.phase == "finished" else []
    if state.phase == "finished":
        low, high = state.accuracy_interval
        if math.isfinite(state.accuracy):
            spread = f" (95 % interval {low:.1%} to {high:.1%})" if math.isfinite(low) else ""
            lines.append(f"Finished: right on {state.accuracy:.1%} of the {shown(state.split)} files{spread}.")
        if state.verdict_line:
            lines.append(f"Learning rate: {shown(state.verdict_line)}.")
    elif state.phase in {"interrupted", "stopped"}:
        how = f"Saved after epoch {state.epoch}." if state.phase == "interrupted" else "It ended without a word."
        commands.append(f"{how} Go on with: thalweg resume {path}")
    elif state.phase == "failed":
        lines.append(f"Failed: {shown(state.message)}")
    elif state.phase == "log":
        lines.append(f"Nothing new in {path}. The learning rate: {shown(state.verdict_line) or 'not clear'}.")
    lines += [_finding(each) for each in seen.findings if each.severity != "info"]
    wrapped = [
        piece
        for line in map(said, lines)
        for piece in textwrap.wrap(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    ]
    return [*wrapped, *map(said, commands)]


def _title(state: RunState, width: int, paint: Paint) -> str:
    told = " on ".join(part for part in (state.network, state.source) if part) or state.format
    phase = said(_PHASES.get(state.phase, state.phase))
    if state.running and math.isfinite(state.fraction):
        phase += " " + speaker(spoken()).number(f"{state.fraction:.0%}".replace("%", " %"))
    kind = {"failed": "error", "stopped": "warning", "interrupted": "warning"}.get(state.phase, "good")
    room = max(8, width - columns(phase) - 2)
    name = _fit(f"{shown(state.name)}: {said(shown(told))}", room)
    return f"{paint(name, 'name')}{' ' * (width - columns(name) - columns(phase))}{paint(phase, kind)}"


def _curve(label: str, value: str, values: Sequence[float], room: int, *, plain: bool) -> str:
    number = speaker(spoken()).number(value)
    return f"{_labelled(label)}{number:<8}{sparkline(values, room, plain=plain)}".rstrip()


def _labelled(label: str) -> str:
    return fenced(to_left(label, _LABEL))


def _rate(state: RunState) -> str:
    rate = f"{state.learning_rate:.3g}" if math.isfinite(state.learning_rate) else ""
    words = said(shown(state.verdict_line) or "not yet judged")
    return f"{rate}: {words}" if rate else words


def _progress(state: RunState) -> str:
    told = [f"epoch {state.epoch}" + (f" of {state.epochs}" if state.epochs else "")]
    if math.isfinite(state.images_per_second):
        told.append(f"{state.images_per_second:,.0f} images/s")
    if state.phase == "training" and math.isfinite(state.seconds_left):
        told.append(f"{clock(state.seconds_left)} left")
    return said(", ".join(told))


def _finding(finding: Finding) -> str:
    name, claim = finding.name.replace("_", " "), shown(finding.claim)
    told = claim if claim.lower().startswith(name) else f"{name}: {claim}"
    return said(f"{finding.severity}: {told}")


def _column(rows: Sequence[Mapping[str, float]], name: str) -> tuple[float, ...]:
    return tuple(row.get(name, math.nan) for row in rows)


def _there(row: Mapping[str, float], name: str) -> bool:
    return name in row and not math.isnan(row[name])


def _fit(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 3]}..."
