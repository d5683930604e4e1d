"""`serve` and `follow`: looking at runs while they go on, in a browser or a terminal."""

import math
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.stopping import Stopped
from thalweg.cli.terminal import can_show, columns, emit_text
from thalweg.core.languages import said

if TYPE_CHECKING:
    from thalweg.core.run_state import Followed

__all__ = ["follow", "serve"]

_LINE_SECONDS = 1.0
"""Without a terminal, at most one line an epoch and a second."""


def serve(
    context: typer.Context,
    runs: Annotated[Path, typer.Argument(help="The folder that holds your runs.")] = Path("runs"),
    port: Annotated[int | None, typer.Option(help="Where to listen.", show_default="the first free from 8765")] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; another lets other machines in.")] = "127.0.0.1",
    token: Annotated[str | None, typer.Option(help="What visitors must have.", show_default="drawn anew")] = None,
) -> int:
    """Watch, compare, stop and resume runs on a live page in your browser."""
    settings: Settings = context.obj
    import thalweg

    shown: list[str] = []

    def say(line: str) -> None:
        address = line.startswith("http://")
        if settings.json and address:
            emit_json({"url": line, "runs": str(runs)})
            shown.append(line)
        elif address:
            typer.echo(line)
        elif not settings.quiet or line.startswith("Warning"):
            typer.echo(said(line), err=settings.json or line.startswith("Warning"))
        sys.stdout.flush()

    try:
        thalweg.serve(runs, port=port, host=host, token=token, say=say)
    except Stopped as stop:
        if not (settings.json and shown):
            raise
        return 128 + stop.signum  # the address was the one object; a server ends no other way
    return 0


def follow(
    context: typer.Context,
    run: Annotated[
        Path | None, typer.Argument(help="A run folder, or anybody's training log.", show_default="the newest in runs")
    ] = None,
    idle: Annotated[float, typer.Option(help="A foreign log ends after so many seconds without anything new.")] = 300.0,
) -> int:
    """Follow a run in the terminal until it ends."""
    settings: Settings = context.obj
    from thalweg.workbench.follow import follow as work

    if settings.json or settings.quiet:
        seen = work(run, idle=idle)
        if settings.json:
            emit_json(seen.to_json())
            return seen.exit_status
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        with _Screen() as screen:
            seen = work(run, idle=idle, show=screen.show)
    else:
        seen = work(run, idle=idle, show=_Lines().show)
    from thalweg.rendering.texts.following import end_lines

    width = max(30, min(80, columns()))
    emit_text("".join(f"{line}\n" for line in end_lines(seen, width=width)))
    return seen.exit_status


class _Lines:
    """A line an epoch, for files, pipes and screen readers."""

    def __init__(self) -> None:
        self._told, self._at, self._headed = 0, -math.inf, False

    def show(self, seen: "Followed") -> None:
        from thalweg.rendering.texts.following import epoch_heading, epoch_line, follow_lines

        if not self._headed:
            self._headed = True
            emit_text(follow_lines(seen, plain=True)[0] + "\n")
            if seen.state.running or seen.rows:
                emit_text(epoch_heading() + "\n")
        new = seen.rows[self._told :]
        if not new or (seen.state.running and time.monotonic() - self._at < _LINE_SECONDS):
            return
        self._at = time.monotonic()
        if self._told and len(new) > 1 and seen.state.running:
            new = new[-1:]  # epochs faster than lines
        left = seen.state.seconds_left
        emit_text("".join(f"{epoch_line(row, left if row is seen.rows[-1] else math.nan)}\n" for row in new))
        self._told = len(seen.rows)


class _Screen:
    """A few lines of a terminal, drawn again with every look."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, seen: "Followed") -> None:
        from rich.text import Text

        from thalweg.rendering.texts.following import follow_lines

        width = max(40, min(120, shutil.get_terminal_size((80, 24)).columns - 1))
        colour = not os.environ.get("NO_COLOR")
        lines = follow_lines(seen, width=width, plain=not can_show("▁█"), colour=colour)
        self._live.update(Text.from_ansi("\n".join(lines)), refresh=True)
