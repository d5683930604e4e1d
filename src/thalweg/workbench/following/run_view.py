"""One run looked at closely, again and again: its curves in few numbers, its events, and what is found in them.

What grows is read on from where it ended; the diagnosis, which reads everything, is made anew only now and then.
"""

import math
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from thalweg.core.codec import from_plain, to_plain
from thalweg.core.errors import RunError, ThalwegError
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.history import epochs_from_csv
from thalweg.core.run_folder import whatever_json
from thalweg.core.run_state import RunState
from thalweg.histories.reading import read
from thalweg.histories.steps_tail import Floats, StepsTail
from thalweg.histories.stretches import stretches
from thalweg.workbench.diagnose import diagnose_history

__all__ = ["RunView"]

_STEP_CHARTS = (
    ("batch_loss", "Loss of every step", "nats", "loss", True),
    ("batch_learning_rate", "Learning rate", "", "learning_rate", True),
    ("batch_gradient_norm", "Gradient norm", "", "gradient_norm", True),
)
_EPOCH_CHARTS = (
    ("loss", "Loss", "nats", ("train_loss", "val_loss")),
    ("accuracy", "Accuracy", "share", ("train_accuracy", "val_accuracy")),
)
_LABELS = {
    "train_loss": "training",
    "val_loss": "validation",
    "train_accuracy": "training",
    "val_accuracy": "validation",
}
_DIAGNOSED_SECONDS = 10.0
_DIAGNOSED_BYTES = 8 << 20
"""A running run with a longer log is diagnosed at its end only."""


class RunView:
    """A run folder under observation.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._steps = StepsTail(folder / "steps.csv", ("step", *(column for _, _, _, column, _ in _STEP_CHARTS)))
        self._found: tuple[Finding, ...] = ()
        self._diagnosed = -math.inf

    def charts(self, *, limit: int = 600, window: tuple[float, float] | None = None) -> list[dict[str, object]]:
        """Draw up its curves.

        Args:
            limit: How many points or stretches a curve may have.
            window: First and last step to show of the curves by step; all by default.

        Returns:
            One chart a quantity: `key, title, unit, by, log, lines`, each line with `label, x, mean, low, high, width,
            missing` (null where there is no number).
        """
        return [*self._by_epoch(limit), *self._by_step(limit, window)]

    def last_loss(self, width: int) -> list[float]:
        """Give the loss of the steps so far as a few means, for a sparkline.

        Args:
            width: How many there may be.

        Returns:
            The means, in order.
        """
        self._steps.refresh()
        return [float(value) for value in stretches(self._steps["step"], self._steps["loss"], width).mean]

    def events(self) -> list[dict[str, object]]:
        """What happened during the run: repairs, interruptions, the best epoch.

        Returns:
            `epoch, step, kind, message` each, in order.
        """
        found = whatever_json(self.folder / "events.json").get("events")
        return [
            {
                "epoch": each.get("epoch"),
                "step": each.get("step"),
                "kind": printable(str(each.get("kind", ""))),
                "message": printable(str(each.get("message", ""))),
            }
            for each in (found if isinstance(found, list) else ())
            if isinstance(each, Mapping)
        ]

    def plan(self) -> dict[str, object]:
        """What decided the run.

        Returns:
            The options of `plan.toml`; nothing where it cannot be read.
        """
        try:
            plan = tomllib.loads((self.folder / "plan.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {printable(name): _shown(value) for name, value in plan.items() if name != "schema"}

    def rows(self) -> list[dict[str, float]]:
        """The epochs so far.

        Returns:
            Rows of `history.csv`; none where it cannot be read.
        """
        try:
            return epochs_from_csv((self.folder / "history.csv").read_text(encoding="utf-8"), "history.csv")
        except (OSError, ValueError, RunError):
            return []

    def findings(self, state: RunState) -> tuple[Finding, ...]:
        """What is wrong with it: as written at its end, or as its curves say so far.

        Args:
            state: Where it is.

        Returns:
            Findings, causes first.
        """
        if state.phase == "finished":
            try:
                stored = whatever_json(self.folder / "findings.json").get("findings", [])
                return from_plain(tuple[Finding, ...], stored, "findings.json")
            except RunError:
                return ()
        if time.monotonic() - self._diagnosed >= _DIAGNOSED_SECONDS:
            self._diagnosed = time.monotonic()
            self._found = _diagnosed(self.folder)
        return self._found

    def _by_epoch(self, limit: int) -> list[dict[str, object]]:
        rows = self.rows()
        if not rows:
            return []
        epochs = np.array([row["epoch"] for row in rows])
        charts = []
        for key, title, unit, names in _EPOCH_CHARTS:
            lines = [
                _line(_LABELS[name], epochs, np.array([row.get(name, math.nan) for row in rows]), limit)
                for name in names
            ]
            charts.append({"key": key, "title": title, "unit": unit, "by": "epoch", "log": False, "lines": lines})
        return charts

    def _by_step(self, limit: int, window: tuple[float, float] | None) -> list[dict[str, object]]:
        charts: list[dict[str, object]] = []
        self._steps.refresh()
        for key, title, unit, column, log in _STEP_CHARTS:
            steps, values = self._steps["step"], self._steps[column]
            if window is not None:
                first, last = np.searchsorted(steps, [window[0], np.nextafter(window[1], np.inf)])
                steps, values = steps[first:last], values[first:last]
            if len(values):
                lines = [_line(column.replace("_", " "), steps, values, limit)]
                charts.append({"key": key, "title": title, "unit": unit, "by": "step", "log": log, "lines": lines})
        return charts


def _diagnosed(folder: Path) -> tuple[Finding, ...]:
    try:
        if (folder / "steps.csv").stat().st_size > _DIAGNOSED_BYTES:
            return ()
        return diagnose_history(read(folder)[0]).findings
    except (OSError, ThalwegError, ValueError, ArithmeticError, LookupError):  # a file may be half written just now
        return ()


def _line(label: str, x: Floats, y: Floats, limit: int) -> dict[str, object]:
    short = stretches(x, y, limit)
    line: dict[str, object] = {"label": label, "x": _plain(short.x), "mean": _plain(short.mean)}
    if short.width > 1:
        line |= {"low": _plain(short.low), "high": _plain(short.high)}
    return {**line, "width": short.width, "missing": short.missing, "points": len(y)}


def _plain(values: Floats) -> list[float | None]:
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()]


def _shown(value: object) -> object:
    return printable(value) if isinstance(value, str) else to_plain(value)
