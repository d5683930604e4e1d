"""What a verb tells while it works: sentences, counts of files done, and training progress, to whoever listens."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from thalweg.core.dataset import DataSummary
from thalweg.core.files import printable
from thalweg.training.progress import Progress

__all__ = ["Listener", "silent", "tell_data", "whoever_is_here"]

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Callbacks of whoever shows progress; the command line draws them, a notebook may ignore them.

    Args:
        say: Called with a sentence.
        count: Called with what is counted, the number done and the number in all.
        train: Called after every step and epoch.
        started: When the command began, as `time.perf_counter()`; None when it begins with the call.
    """

    say: Callable[[str], None]
    count: Callable[[str, int, int], None]
    train: Callable[[Progress], None]
    started: float | None = None

    @property
    def began(self) -> float:
        """When the command began, or now where nobody knows."""
        return time.perf_counter() if self.started is None else self.started


def silent() -> Listener:
    """Somebody who does not listen.

    Returns:
        A listener without effect.
    """
    return Listener(say=_ignore, count=_ignore, train=_ignore)


def whoever_is_here() -> Listener:
    """Find whoever a verb that was called from Python tells what it does.

    Returns:
        A listener that draws in the cell of a notebook; nobody elsewhere.
    """
    if "IPython" not in sys.modules:
        return silent()
    from thalweg.workbench.telling.notebook_progress import notebook_listener

    return notebook_listener() or silent()


def tell_data(summary: DataSummary, listener: Listener) -> None:
    """Say how many samples each part of a split has, what was left out, and what is odd.

    Args:
        summary: What `data.json` will hold.
        listener: Whoever shows progress.
    """
    what = f"{summary.reading.form}s" if summary.reading else "files"
    listener.say(f"Using {len(summary.train)} {what} for training.")
    if summary.validation:
        listener.say(f"Using {len(summary.validation)} {what} for validation.")
    if summary.test:
        listener.say(f"Using {len(summary.test)} {what} for testing.")
    if summary.left_out:
        first = summary.left_out[0]
        listener.say(
            f"Left out {len(summary.left_out)} files, first {printable(first.file)}: {printable(first.reason)}"
        )
    used = {*summary.train, *summary.validation, *summary.test}
    for notice in [each for each in summary.warnings if each.file not in used][:_SHOWN]:  # about folders, not files
        listener.say(f"Note: {printable(notice.file) or 'the source'}: {notice.reason}.")
    if summary.duplicates:
        total = sum(len(group.files) for group in summary.duplicates)
        groups = len(summary.duplicates)
        listener.say(f"{total} files show the same pictures ({groups} groups); each group stays on one side.")


def _ignore(*told: object) -> None:
    del told
