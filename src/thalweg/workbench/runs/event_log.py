"""A run's numbers as TensorBoard shows them: tags by step, epochs at the step they ended with."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from thalweg.core.curve_tags import BY_EPOCH, BY_STEP, EPOCH
from thalweg.core.history import epochs_from_csv
from thalweg.core.run_folder import RunFolder
from thalweg.exporting.tensorboard import EventWriter
from thalweg.histories.steps_tail import StepsTail

__all__ = ["FOLDER", "EventLog", "write_events"]

FOLDER = "tensorboard"
"""Its presence in a run folder says that a run that goes on writes here, too."""

_STEP_COLUMNS = {"loss": 3, "gradient_norm": 4, "learning_rate": 5}
_STEP = 0
_AT_ONCE = 10_000


class EventLog:
    """Writes the event file of a run under way.

    Args:
        folder: Where the file is made.
        resumed: The step that the run goes on after; None or 0 for a new one.
    """

    def __init__(self, folder: Path, *, resumed: int | None = None) -> None:
        self.writer = EventWriter(folder, resumed=resumed or None)

    @classmethod
    def of(cls, folder: Path, *, resumed: int | None = None) -> "EventLog | None":
        """Open the log of a run that wants one.

        Args:
            folder: The run folder.
            resumed: The step that the run goes on after.

        Returns:
            The log; None where the run has no folder for it.
        """
        return cls(folder / FOLDER, resumed=resumed) if (folder / FOLDER).is_dir() else None

    def steps(self, rows: Sequence[tuple[float, ...]]) -> None:
        """Add steps.

        Args:
            rows: As `steps.csv` has them.
        """
        for row in rows:
            self.writer.add(int(row[_STEP]), {BY_STEP[name]: row[place] for name, place in _STEP_COLUMNS.items()})
        self.writer.flush()

    def epoch(self, row: Mapping[str, float], step: int) -> None:
        """Add an epoch.

        Args:
            row: As `history.csv` has it.
            step: The last step of the epoch.
        """
        values = {tag: row[name] for name, tag in BY_EPOCH.items() if name in row}
        self.writer.add(step, {**values, EPOCH: row["epoch"]})
        self.writer.flush()


def write_events(folder: RunFolder, out: Path | None = None) -> Path:
    """Write the event file of a run from what it left behind.

    Args:
        folder: The run.
        out: Where the folder `tensorboard` shall be; in the run folder by default.

    Returns:
        The folder `tensorboard`; event files that were in it are gone.

    Raises:
        RunError: The run has no history.
    """
    rows = epochs_from_csv(folder.read_text("history.csv"), "history.csv")
    place = (out or folder.path) / FOLDER
    place.mkdir(exist_ok=True)
    for old in place.glob("events.out.tfevents.*"):
        old.unlink()
    names = ("step", "epoch", "loss", "gradient_norm", "learning_rate")
    tail = StepsTail(folder.path / "steps.csv", names)
    tail.refresh()
    log = EventLog(place)
    ends: dict[int, int] = {}
    columns = [tail[name].tolist() for name in names]
    for number, (step, epoch, loss, norm, rate) in enumerate(zip(*columns, strict=True), start=1):
        ends[int(epoch)] = int(step)
        log.writer.add(
            int(step), {BY_STEP["loss"]: loss, BY_STEP["gradient_norm"]: norm, BY_STEP["learning_rate"]: rate}
        )
        if number % _AT_ONCE == 0:
            log.writer.flush()
    for row in rows:
        log.epoch(row, ends.get(int(row["epoch"]), int(row["epoch"])))
    if not any(math.isfinite(value) for row in rows for value in row.values()):
        log.writer.flush()
    return place
