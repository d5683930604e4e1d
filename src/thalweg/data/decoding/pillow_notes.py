"""Pillow's warnings, caught per thread: they belong to the picture being decoded, not on the terminal.

What libtiff below it would write goes nowhere meanwhile (`tiff_lines`).

`warnings.catch_warnings` changes the whole process and is not safe among threads, so the filter and the hook are put
in place by the first decoder that enters and taken away by the last that leaves; each thread collects its own.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO

from thalweg.data.decoding.tiff_lines import silent_tiff

__all__ = ["listening"]

_own = threading.local()
_guard = threading.Lock()
_inside: dict[str, object] = {"count": 0, "catcher": None}


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what Pillow warns about in this thread.

    Yields:
        A list that fills with one sentence a warning; huge pictures are not among them, `decode` has its own limit.
    """
    notes: list[str] = []
    outer = getattr(_own, "notes", None)
    _enter()
    _own.notes = notes
    try:
        yield notes
    finally:
        _own.notes = outer
        _leave()


def _enter() -> None:
    with _guard:
        if _inside["count"] == 0:
            catcher = ExitStack()
            catcher.enter_context(silent_tiff())
            catcher.enter_context(warnings.catch_warnings())
            before = warnings.showwarning
            warnings.filterwarnings("always", module=r"PIL(\.|$)")
            warnings.showwarning = _hook(before)
            _inside["catcher"] = catcher
        _inside["count"] = int(str(_inside["count"])) + 1


def _leave() -> None:
    with _guard:
        _inside["count"] = int(str(_inside["count"])) - 1
        catcher = _inside["catcher"]
        if _inside["count"] == 0 and isinstance(catcher, ExitStack):
            catcher.close()
            _inside["catcher"] = None


def _hook(before: Callable[..., None]) -> Callable[..., None]:
    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        notes = getattr(_own, "notes", None)
        if notes is None:
            before(message, category, filename, lineno, file, line)
        elif category.__name__ != "DecompressionBombWarning":
            notes.append(" ".join(str(message).split())[:200])

    return show
