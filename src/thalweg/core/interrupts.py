"""SIGINT and SIGTERM heard for a while: by a training loop that finishes its step, or a command that stops at once."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Handler", "heard"]

Handler = Callable[[int, FrameType | None], object]
"""Called with the number of the signal and where the program was."""


@contextmanager
def heard(handler: Handler) -> Iterator[Mapping[int, Any]]:
    """Let a function hear SIGINT and SIGTERM; the former handlers come back afterwards.

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
    former: dict[int, Any] = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield former
    finally:
        for number, kept in former.items():
            signal.signal(number, kept)
