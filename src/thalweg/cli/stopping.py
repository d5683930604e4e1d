"""Ctrl-C, SIGTERM and a closed terminal where no training listens: stop at once, tidy up, one line, 130, 143 or 129."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from thalweg.core.interrupts import HANG_UP, heard

__all__ = ["Request", "Stopped", "stoppable"]


class Stopped(BaseException):
    """Raised by the signal itself.

    No KeyboardInterrupt: the command line's framework would turn that into a silent exit status.

    Args:
        signum: Which signal; 128 more is the exit status.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class Request:
    """Which signal has come: None, SIGINT, SIGTERM or SIGHUP."""

    def __init__(self) -> None:
        self.signum: int | None = None

    @property
    def answer(self) -> tuple[str, int]:
        """The line to show, and the exit status."""
        told = {signal.SIGTERM: "terminated", HANG_UP: "the terminal was closed"}
        return told.get(self.signum, "interrupted"), 128 + (self.signum or signal.SIGINT)


@contextmanager
def stoppable() -> Iterator[Request]:
    """Let SIGINT, SIGTERM and SIGHUP raise `Stopped`; the former handlers come back afterwards.

    Yields:
        What came: an import that is interrupted may turn the signal's exception into another one. Outside the main
        thread nothing is caught.
    """
    request = Request()

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a handler
        request.signum = signum
        raise Stopped(signum)

    with heard(stop):
        yield request
