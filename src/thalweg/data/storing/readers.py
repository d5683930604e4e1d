"""Processes that read and decode files, where so many are new that one interpreter would be the narrow place.

Of a small photo Pillow's own work, which threads can share, is a third; the rest is Python's, of which one thread runs
at a time. So two threads read 300,000 photos of 64x64 no faster than one; processes do. Each is this interpreter once
more, without torch, and answers through a pipe; it ends by itself when the pipe does, however its parent ended.

What a damaged file does to the decoder it does to that process alone: a file that ends its process twice is left out.
"""

import contextlib
import marshal
import os
import signal
import threading
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.process import another_python, pipes_here
from thalweg.data.decoding.pillow_notes import listening
from thalweg.data.storing.reading import read_entry
from thalweg.data.storing.store_values import Entry

if TYPE_CHECKING:
    import subprocess

__all__ = ["Readers", "serve"]

_READY = b"thalweg reads\n"
_HOPELESS = 20
"""So many files one after another are not left out: each takes two processes, and 300,000 would take days."""
_PATIENCE = 5.0
"""Seconds for a process to end once its pipe is closed."""


class Readers:
    """Processes of one size of picture; as many as threads ask at once.

    Args:
        size: Width and height that pictures are brought to, in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._idle: list[_Reader] = []
        self._usable = True
        self._lost = 0

    def read(self, paths: Sequence[str]) -> list[Entry | str]:
        """Read files in a process of their own; in this one where none can be had.

        Args:
            paths: The files.

        Returns:
            What to record of each, or the reason why it could not be read this time.

        Raises:
            SourceError: File after file ends its process: that is not the files' fault.
        """
        for _ in range(2):
            reader = self._take()
            if reader is None:
                return [read_entry(path, self._size) for path in paths]
            try:
                answers = reader.ask(paths)
            except (OSError, EOFError, ValueError, TypeError):
                ended = reader.end()
                if len(paths) > 1:
                    return [answer for path in paths for answer in self.read([path])]
                continue
            with self._lock:
                self._idle.append(reader)
                self._lost = 0
            return answers
        with self._lock:
            self._lost += 1
        if self._lost >= _HOPELESS:
            raise SourceError(
                f"{self._lost} files one after another ended the process that read them ({ended}), the last was "
                f"{printable(paths[0])}: is there enough memory, and is Pillow whole (pip install --force-reinstall "
                "pillow)?"
            )
        return [f"the process that read it ended twice ({ended})"]

    def __enter__(self) -> Self:
        """Processes are started when they are wanted."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes; none may be reading."""
        for reader in self._idle:
            reader.close()
        for reader in self._idle:
            reader.end()
        self._idle.clear()

    def _take(self) -> "_Reader | None":
        with self._lock:
            if self._idle:
                return self._idle.pop()
        if self._usable:
            with contextlib.suppress(OSError, EOFError):
                return _Reader(self._size)
            self._usable = False  # no process to be had, or it does not find what this one has loaded
        return None


class _Reader:
    """One process and the pipes to it."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._process: subprocess.Popen[bytes] = another_python(
            f"from thalweg.data.storing.readers import serve; serve({size!r})", quiet=True
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - both are pipes
        self._asked, self._answers = self._process.stdin, self._process.stdout
        if self._answers.read(len(_READY)) != _READY:
            self.end()
            raise EOFError

    def ask(self, paths: Sequence[str]) -> list[Entry | str]:
        _send(self._asked, [os.fsencode(path) for path in paths])
        answers = [each if isinstance(each, str) else _entry(each) for each in _received(self._answers)]
        if len(answers) != len(paths):
            raise ValueError(len(answers))
        return answers

    def close(self) -> None:
        """Let it end by itself."""
        with contextlib.suppress(OSError):
            self._asked.close()

    def end(self) -> str:
        """See that it ended; how is told."""
        self.close()
        timely = threading.Timer(_PATIENCE, self._process.kill)
        timely.start()
        status = self._process.wait()
        timely.cancel()
        self._answers.close()
        return f"signal {-status}" if status < 0 else f"status {status}"


def _entry(values: tuple[bytes, str, bytes, bytes | None, tuple[int, ...], tuple[int, int], bytes, str, str]) -> Entry:
    path, state, digest, picture, shape, original, pixels, warning, refused = values
    return Entry(
        path=path,
        state=state,
        digest=digest,
        picture=None if picture is None else np.frombuffer(picture, np.uint8).reshape(shape),
        original_size=original,
        pixels=pixels,
        warning=warning,
        refused=refused,
    )


def serve(size: tuple[int, int]) -> None:
    """What such a process does: files are read as they are asked for, until the pipe ends.

    Args:
        size: Width and height to bring pictures to, in pixels.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    asked, answers = pipes_here()
    with contextlib.suppress(BrokenPipeError), listening():
        answers.write(_READY)
        answers.flush()
        with contextlib.suppress(EOFError):
            while True:
                _send(answers, [_values(read_entry(os.fsdecode(path), size)) for path in _received(asked)])


def _send(pipe: IO[bytes], values: list[Any]) -> None:
    content = marshal.dumps(values)
    pipe.write(len(content).to_bytes(8, "big") + content)
    pipe.flush()


def _received(pipe: IO[bytes]) -> list[Any]:
    length = int.from_bytes(pipe.read(8), "big")
    content = pipe.read(length)
    if not length or len(content) < length:
        raise EOFError
    values: list[Any] = marshal.loads(content)  # noqa: S302 - plain values of our own process, nothing is executed
    return values


def _values(answer: Entry | str) -> object:
    if isinstance(answer, str):
        return answer
    picture = answer.picture
    pixels, shape = (None, ()) if picture is None else (picture.tobytes(), picture.shape)
    told = (answer.original_size, answer.pixels, answer.warning, answer.refused)
    return (answer.path, answer.state, answer.digest, pixels, shape, *told)
