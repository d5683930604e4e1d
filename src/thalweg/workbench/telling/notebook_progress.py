"""Progress in a notebook: one line or picture in the cell that is drawn again, never a flood of lines.

The notebook's front end may be slow or far away: it is told at most twice a second, and once at the end.
"""

import math
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

from thalweg.core.files import printable
from thalweg.core.languages import said, speaker, spoken
from thalweg.core.report import Curves, Line
from thalweg.rendering.figures.curves import draw_curves
from thalweg.rendering.pages.notebook import cell
from thalweg.rendering.translated import translated_block
from thalweg.training.progress import Progress
from thalweg.workbench.telling.telling import Listener

__all__ = ["CellProgress", "notebook_listener"]

_SECONDS = 0.5


class Handle(Protocol):
    """What IPython's `display(..., display_id=True)` gives."""

    def update(self, shown: object, *, raw: bool) -> None:
        """Replace what is shown."""


class CellProgress:
    """Draws the progress of a verb in a cell.

    Args:
        display: IPython's `display`.
    """

    def __init__(self, display: Any) -> None:  # noqa: ANN401 - IPython is not installed everywhere
        self._display = display
        self._handle: Handle | None = None
        self._rows: list[Mapping[str, float]] = []
        self._at = -math.inf

    def say(self, text: str) -> None:
        """Show a sentence.

        Args:
            text: The sentence.
        """
        sys.stdout.write(f"{said(printable(text))}\n")

    def count(self, what: str, done: int, total: int) -> None:
        """Show how far something is that is counted.

        Args:
            what: What.
            done: How many are done.
            total: How many there are.
        """
        if self._due(last=done >= total):
            text = f"{what}: {done:,} of {total:,}"
            self._show(said(text), cell("", (text,)))
        if done >= total:
            self._handle = None  # what comes next is something else

    def train(self, progress: Progress) -> None:
        """Show where training is.

        Args:
            progress: Where.
        """
        if progress.row is not None:
            self._rows.append(progress.row)
        if self._due(last=progress.fraction >= 1):
            text = _words(progress)
            self._show(said(text), cell("", (text, *([progress.monitor] if progress.monitor else [])), self._figure()))

    def _due(self, *, last: bool) -> bool:
        if not last and time.monotonic() - self._at < _SECONDS:
            return False
        self._at = time.monotonic()
        return True

    def _show(self, text: str, html: str) -> None:
        bundle = {"text/plain": text, "text/html": html}
        if self._handle is None:
            self._handle = self._display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def _figure(self) -> list[str]:
        epochs = tuple(row["epoch"] for row in self._rows)
        if len(epochs) < 2:  # noqa: PLR2004 - a point is no curve
            return []
        lines = tuple(
            Line(label=label, x=epochs, y=tuple(row[name] for row in self._rows))
            for label, name in (("training", "train_loss"), ("validation", "val_loss"))
        )
        figure = Curves(caption="Loss so far", x_label="epoch", y_label="cross-entropy, nats", lines=lines)
        drawn = draw_curves(
            translated_block(figure, spoken()), width=560, height=220, voice=speaker(spoken(), isolated=True)
        )
        return [f"<figure>{drawn}</figure>"]


def notebook_listener() -> Listener | None:
    """Find out whether this is a notebook.

    Returns:
        A listener that draws in its cell; None elsewhere.

    Example:
        >>> notebook_listener() is None
        True
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or getattr(shell, "kernel", None) is None:  # IPython in a terminal has no kernel
        return None
    from IPython.display import display  # type: ignore[import-not-found]

    shown = CellProgress(display)
    return Listener(say=shown.say, count=shown.count, train=shown.train)


def _words(progress: Progress) -> str:
    of = f" of {progress.epochs}" if progress.epochs else ""
    told = [f"epoch {progress.epoch}{of}, {progress.fraction:.0%} done", f"loss {progress.loss:.4g}"]
    if progress.row is not None:
        told.append(f"validation {progress.row['val_loss']:.4g}, {progress.row['val_accuracy']:.1%} right")
    if math.isfinite(progress.images_per_second):
        told.append(f"{progress.images_per_second:,.0f} images/s")
    if math.isfinite(progress.seconds_left):
        told.append(f"{progress.seconds_left:,.0f} s left")
    return ", ".join(told)
