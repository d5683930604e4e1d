"""The runs that the page shows, each under a name that is no path: what is not in the table cannot be asked for."""

import hashlib
import threading
from pathlib import Path

from thalweg.core.run_state import RunState
from thalweg.workbench.following.run_states import RunShelf
from thalweg.workbench.following.run_view import RunView

__all__ = ["Shelf"]

_MOST_VIEWS = 24
"""So many runs are kept open; a million steps hold 32 MB."""


class Shelf:
    """Runs by their key; may be asked from several threads.

    Args:
        root: The folder of runs.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._runs = RunShelf(root)
        self._lock = threading.Lock()
        self._folders: dict[str, Path] = {}
        self._views: dict[str, RunView] = {}
        self._busy: dict[str, threading.Lock] = {}

    def states(self) -> dict[str, RunState]:
        """Look at every run.

        Returns:
            States by key, in the order of their names.
        """
        with self._lock:
            found = {_key(Path(state.path)): state for state in self._runs.states()}
            self._folders = {key: Path(state.path) for key, state in found.items()}
            return found

    def state(self, key: str) -> RunState | None:
        """Look at one run.

        Args:
            key: Its key.

        Returns:
            Its state; None where there is no such run.
        """
        folder = self.folder(key)
        if folder is None:
            return None
        with self._lock:
            return self._runs.state(folder)

    def folder(self, key: str) -> Path | None:
        """Find a run's folder.

        Args:
            key: Its key.

        Returns:
            The folder; None where there is no such run.
        """
        if not self._folders:
            self.states()
        return self._folders.get(key)

    def view(self, key: str) -> "tuple[RunView, threading.Lock] | None":
        """Open a run.

        Args:
            key: Its key.

        Returns:
            The run, and the lock under which it must be looked at; None where there is no such run.
        """
        folder = self.folder(key)
        if folder is None:
            return None
        with self._lock:
            view = self._views.pop(key, None) or RunView(folder)
            self._views[key] = view  # the last one used stands last
            while len(self._views) > _MOST_VIEWS:
                self._views.pop(next(iter(self._views)))
            return view, self._busy.setdefault(key, threading.Lock())


def _key(folder: Path) -> str:
    return hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:16]
