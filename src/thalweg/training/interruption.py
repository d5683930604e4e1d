"""Ctrl-C, SIGTERM, a closed terminal: finish the step, save, stop. A second Ctrl-C does not wait."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from thalweg.core.interrupts import heard

__all__ = ["Interruption", "listening"]


class Interruption:
    """Whether somebody asked the run to stop, and how: `signum` is None, SIGINT, SIGTERM or SIGHUP."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def __bool__(self) -> bool:
        return self.signum is not None

    @property
    def exit_status(self) -> int:
        """130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
        return 128 + (self.signum or 0)


@contextmanager
def listening() -> Iterator[Interruption]:
    """Listen for SIGINT, SIGTERM and SIGHUP while a run goes on; the former handlers come back afterwards.

    Yields:
        An object that becomes true when a signal has come. Outside the main thread nothing is caught.
    """
    interruption = Interruption()

    def remember(signum: int, frame: FrameType | None) -> None:
        if interruption.signum is not None and signum == signal.SIGINT:
            before = former[signum]
            if callable(before):
                before(signum, frame)
            raise KeyboardInterrupt
        interruption.signum = signum

    with heard(remember) as former:
        yield interruption
