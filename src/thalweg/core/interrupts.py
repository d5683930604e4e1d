"""SIGINT, SIGTERM and SIGHUP heard for a while: by a training loop that finishes its step, or a command that stops."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["HANG_UP", "Handler", "heard"]

Handler = Callable[[int, FrameType | None], object]
"""Called with the number of the signal and where the program was."""
HANG_UP: int | None = getattr(signal, "SIGHUP", None)
"""What comes when the terminal is closed or the connection to the machine is lost; None on Windows, which has none."""


@contextmanager
def heard(handler: Handler) -> Iterator[Mapping[int, Any]]:
    """Let a function hear SIGINT, SIGTERM and SIGHUP; the former handlers come back afterwards.

    A SIGHUP that is ignored stays so: `nohup` was asked to let the work outlive its terminal.

    Args:
        handler: Who is told.

    Yields:
        The former handler of each signal; none outside the main thread, where nothing can be heard.

    Example:
        >>> told = []
        >>> with heard(lambda number, _: told.append(signal.Signals(number).name)):
        ...     signal.raise_signal(signal.SIGTERM)
        >>> told
        ['SIGTERM']
    """
    if threading.current_thread() is not threading.main_thread():
        yield {}
        return
    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    if HANG_UP is not None and signal.getsignal(HANG_UP) is not signal.SIG_IGN:
        numbers.append(HANG_UP)
    former: dict[int, Any] = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield former
    finally:
        for number, kept in former.items():
            signal.signal(number, kept)
