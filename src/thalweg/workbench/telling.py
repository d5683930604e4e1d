"""What a verb tells while it works: sentences, counts of files done, and training progress, to whoever listens."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from thalweg.training.progress import Progress

__all__ = ["Listener", "silent", "whoever_is_here"]


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
    from thalweg.workbench.notebook_progress import notebook_listener

    return notebook_listener() or silent()


def _ignore(*told: object) -> None:
    del told
