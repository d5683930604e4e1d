"""What every callback does: begin to watch at the start of a training, tell findings at its end."""

import importlib
import logging
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from thalweg.core.errors import PlanError
from thalweg.core.finding import Finding

__all__ = ["Watching", "loaded"]

_LOG = logging.getLogger("thalweg")


class Watching:
    """Options of a callback and the watch it begins.

    Args:
        repair: Whether to set the learning rate right where it is wrong.
        log: A CSV file to write, with the columns of `steps.csv`.
        every: Norms are measured every so many steps.
        trials: Whether to try rates beside the training, as of `thalweg.watch`.
        say: Called with a line for each finding at the end; `print` by default.

    Attributes:
        watch: The watch, once training has begun.
    """

    def __init__(
        self,
        *,
        repair: bool = False,
        log: str | os.PathLike[str] | None = None,
        every: int | None = None,
        trials: bool = False,
        say: Callable[[str], object] = print,
    ) -> None:
        self._options: dict[str, Any] = {
            "repair": repair,
            "log": log,
            "every": every,
            "trials": trials,
        }  # `log` is Lightning's own name for a method
        self.say = say
        self.watch: Any = None

    def begin(self, model: Any, optimizer: Any, *, steps: int | None = None) -> None:  # noqa: ANN401 - foreign objects
        """Begin to watch; whatever is wrong with that, training goes on.

        Args:
            model: The network.
            optimizer: What updates it.
            steps: Updates of the whole training, where known.
        """
        import thalweg

        try:
            self.watch = thalweg.watch(model, optimizer, steps=steps, **self._options)
        except Exception as error:  # noqa: BLE001 - the monitor never ends a training
            _LOG.warning("thalweg cannot watch this training: %s: %s", type(error).__name__, error)

    def end(self) -> None:
        """Stop watching and tell what was found."""
        if self.watch is None:
            return
        self.watch.close()
        for finding in self.findings():
            if finding.severity != "info":
                self.say(f"thalweg: {finding.severity} {finding.name}: {finding.claim}")

    def findings(self) -> tuple[Finding, ...]:
        """What is wrong so far, causes first.

        Returns:
            Findings; none before training has begun.
        """
        try:
            return () if self.watch is None else tuple(self.watch.findings())
        except Exception as error:  # noqa: BLE001 - the monitor never ends a training
            _LOG.warning("thalweg cannot judge this training: %s: %s", type(error).__name__, error)
            return ()


def loaded(*names: str, install: str) -> ModuleType:
    """Import the first library that is installed.

    Args:
        names: Modules, the one wanted most first.
        install: What to install, as `pip` calls it.

    Returns:
        The module.

    Raises:
        PlanError: None is installed.
        ModuleNotFoundError: One is installed, and lacks something else.

    Example:
        >>> loaded("json", install="json").__name__
        'json'
    """
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "") not in {name, name.partition(".")[0]}:
                raise
    raise PlanError(f"{names[0].partition('.')[0]} is not installed: pip install {install}")
