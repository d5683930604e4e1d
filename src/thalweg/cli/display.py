"""What a person sees while a verb works: sentences, a bar, a line an epoch; all on standard error."""

import math
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from thalweg.cli.settings import Settings
from thalweg.core.languages import said, speaker, spoken
from thalweg.rendering.columns import heading
from thalweg.rendering.numerals import clock, column_loss

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from thalweg.training.progress import Progress
    from thalweg.workbench.telling.telling import Listener

__all__ = ["Display"]

WIDE_TABLE = (
    *(("epoch", 5), ("train loss", 12), ("accuracy", 9), ("val loss", 10), ("accuracy", 9)),
    *(("learning rate", 15), ("images/s", 9), ("left", 8)),
)
NARROW_TABLE = (("epoch", 5), ("train", 8), ("right", 7), ("val", 8), ("right", 7))
WIDE = 120
"""From this width on the live line on the learning rate fits beside the bar."""
COUNTS_PER_SECOND = 4
"""Without a terminal, counting is silent; with one, the bar is redrawn this often."""


class Display:
    """Shows progress with rich on a terminal, and as plain lines elsewhere.

    Args:
        settings: The global options; `quiet` shows nothing.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._bar: Bar | None = None
        self._task: int | None = None
        self._what = ""
        self._heading = False

    def __enter__(self) -> Self:
        if not self.settings.quiet:
            from rich.console import Console

            self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def listener(self) -> "Listener":
        """Callbacks for the workbench.

        Returns:
            A listener that draws here, or one without effect under `--quiet`.
        """
        from thalweg.workbench.telling.telling import Listener, silent

        if self.settings.quiet:
            return replace(silent(), started=self.settings.started)
        return Listener(say=self.say, count=self.count, train=self.train, started=self.settings.started)

    def say(self, text: str) -> None:
        """Show a sentence above the bar; nothing under `--quiet`.

        Args:
            text: The sentence.
        """
        if not self.settings.quiet:
            self.console.print(said(text), markup=False)

    def count(self, what: str, done: int, total: int) -> None:
        """Move the bar of something that is counted.

        Args:
            what: What is counted.
            done: How many are done.
            total: How many there are.
        """
        if self.console.is_terminal:
            self._move(said(what), done, total, "")
            if done >= total:
                self._close()

    def train(self, progress: "Progress") -> None:
        """Show where training is, and a line for every finished epoch.

        Args:
            progress: Where it is.
        """
        if progress.row is not None:
            self._epoch_line(progress)
        if self.console.is_terminal:
            told = [] if math.isnan(progress.seconds_left) else [said(f"{clock(progress.seconds_left)} left")]
            if not self._narrow and not math.isnan(progress.images_per_second):
                told.append(said(f"{progress.images_per_second:,.0f} images/s"))
            if progress.row is None:
                told.append(said(f"loss {progress.loss:.3f}"))
            if progress.row is None and not self._narrow:
                told.append(said(f"accuracy {progress.accuracy:.1%}"))
                if progress.monitor and self.console.width >= WIDE:
                    told.append(f"| {said(progress.monitor)}")
            of = f"/{progress.epochs}" if progress.epochs else ""
            self._move(said(f"epoch {progress.epoch}{of}"), int(progress.fraction * 1000), 1000, " ".join(told))
            if progress.fraction >= 1 and progress.row is not None:
                self._close()

    @property
    def _narrow(self) -> bool:
        """Whether the table of epochs would not fit on a line of the terminal; files and pipes take any width."""
        return self.console.is_terminal and self.console.width < sum(heading(WIDE_TABLE)[1])

    def _epoch_line(self, progress: "Progress") -> None:
        row = progress.row
        assert row is not None  # noqa: S101 - the caller looked
        head, sizes = heading(NARROW_TABLE if self._narrow else WIDE_TABLE)
        if not self._heading:
            self._heading = True
            self._line(head)
        losses = [column_loss(row[name]) for name in ("train_loss", "val_loss")]
        shares = [f"{row[name]:.1%}" for name in ("train_accuracy", "val_accuracy")]
        cells = [f"{progress.epoch}", losses[0], shares[0], losses[1], shares[1], f"{row['learning_rate']:.2e}"]
        cells += [f"{row['images_per_second']:,.0f}", clock(progress.seconds_left)]
        number = speaker(spoken()).number
        self._line("".join(f"{number(cell):>{size}}" for cell, size in zip(cells, sizes, strict=False)))

    def _line(self, text: str) -> None:
        """A line of the table, numbers as they are."""
        if not self.settings.quiet:
            self.console.print(text, markup=False)

    def _move(self, what: str, done: int, total: int, text: str) -> None:
        if self._bar is None:
            from rich.progress import BarColumn, Progress, TextColumn
            from rich.table import Column

            self._bar = Progress(
                TextColumn("{task.description}", table_column=Column(no_wrap=True)),
                *(() if self._narrow else (BarColumn(bar_width=16),)),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.fields[text]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
                console=self.console,
                transient=True,
                refresh_per_second=COUNTS_PER_SECOND,
            )
            self._bar.start()
            self._task = self._bar.add_task(what, total=total, text=text)
        assert self._task is not None  # noqa: S101 - made with the bar
        self._bar.update(self._task, description=what, completed=done, total=total, text=text)  # type: ignore[arg-type]

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
