"""Runs that were resumed from the page: each a process of its own; what it said when it could not is told."""

import subprocess
import threading
from pathlib import Path

from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.workbench.following.run_control import RESUME_LOG, resume_apart

__all__ = ["Resumed"]

_TAIL = 4096


class Resumed:
    """The processes that were started, so that none is left as a zombie."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: dict[Path, subprocess.Popen[bytes]] = {}
        self._told: dict[Path, str] = {}

    def start(self, folder: Path) -> None:
        """Resume a run, once.

        Args:
            folder: The run folder.

        Raises:
            RunError: It cannot go on, or was asked to a moment ago and is still looking at its files.
        """
        with self._lock:
            before = self._started.get(folder)
            if before is not None and before.poll() is None:
                raise RunError(f"{printable(folder)} is being resumed: loading its files takes a moment")
            self._told.pop(folder, None)
            self._started[folder] = resume_apart(folder)

    def notices(self) -> dict[Path, str]:
        """Say what became of them.

        Returns:
            A sentence for each run that is still loading, or that could not be resumed.
        """
        with self._lock:
            for folder, process in list(self._started.items()):
                status = process.poll()
                if status is None:
                    self._told[folder] = "resuming"
                    continue
                del self._started[folder]
                self._told.pop(folder, None)
                if status in {1, 2}:
                    words = _last_words(folder)
                    if words.startswith("thalweg:"):  # status 1 may be a finding of a finished run
                        self._told[folder] = words
            return dict(self._told)


def _last_words(folder: Path) -> str:
    try:
        text = (folder / RESUME_LOG).read_bytes()[-_TAIL:].decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()]
    return printable(lines[-1]) if lines else ""
