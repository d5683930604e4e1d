"""The run's side of being watched and stopped from outside: `progress.json` each second, `stop-request` looked for.

Nothing here may end a training: a disk that takes no more is the checkpoints' business, which say so.
"""

import contextlib
import math
import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

from thalweg.core.codec import dumps
from thalweg.core.files import WRITING
from thalweg.core.history import epochs_to_csv
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.live_state import PROGRESS_FILE, STOP_FILE, LiveState, Phase
from thalweg.core.run_folder import RunFolder
from thalweg.training.interruption import Interruption
from thalweg.training.loop import Trainer
from thalweg.training.progress import Progress
from thalweg.workbench.runs.event_log import EventLog
from thalweg.workbench.runs.monitor import Monitor
from thalweg.workbench.runs.steps import StepLog
from thalweg.workbench.telling.telling import Listener

__all__ = ["LiveFile", "Onlooker"]

SECONDS = 1.0
"""The files for onlookers are written at most so often."""


class LiveFile:
    """Says where a run is.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = LiveState(phase="training", updated=time.time(), host=socket.gethostname(), process=os.getpid())
        self._written = 0.0

    @property
    def due(self) -> bool:
        """Whether the last word is old enough for the next."""
        return time.monotonic() - self._written >= SECONDS

    def tell(self, progress: Progress, estimate: LearningRateEstimate | None = None) -> None:
        """Say where training is.

        Args:
            progress: What the loop tells.
            estimate: The verdict on the learning rate.
        """
        self.state = replace(
            self.state,
            epoch=progress.epoch,
            epochs=progress.epochs,
            step=progress.step,
            steps=progress.steps,
            fraction=progress.fraction,
            loss=progress.loss,
            accuracy=progress.accuracy,
            learning_rate=progress.learning_rate,
            images_per_second=progress.images_per_second,
            seconds_left=progress.seconds_left,
            monitor=progress.monitor,
            estimate=None if estimate is None else estimate.to_json(),
        )
        self.enter("training")

    def enter(self, phase: Phase, message: str = "") -> None:
        """Say what the run does now, or how it ended.

        Args:
            phase: What.
            message: Why it failed.
        """
        self._written = time.monotonic()
        self.state = replace(self.state, phase=phase, updated=time.time(), message=message)
        aside = self.folder / f"{WRITING}progress-{os.getpid()}"
        try:
            aside.write_text(dumps({"schema": 1, **_plain(self.state)}) + "\n", encoding="utf-8")
            aside.replace(self.folder / PROGRESS_FILE)  # nobody counts on it after a power cut: not flushed
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)

    def take_request(self) -> bool:
        """Look whether somebody wants the run to stop, and take the request away.

        Returns:
            True once for each request.
        """
        try:
            (self.folder / STOP_FILE).unlink()
        except OSError:
            return False
        return True


def _plain(state: LiveState) -> dict[str, object]:
    return {name: getattr(state, name) for name in LiveState.__slots__}


class Onlooker:
    """Passes progress on, and keeps the folder's files up to date for whoever looks on, about once a second.

    Args:
        folder: The run folder.
        live: Where the run says where it is.
        steps: The file of steps.
        listener: Whoever shows progress.
    """

    def __init__(self, folder: RunFolder, live: LiveFile, steps: StepLog, listener: Listener) -> None:
        self.folder, self.live, self.steps, self.listener = folder, live, steps, listener
        self.interruption: Interruption | None = None
        self.events: EventLog | None = None
        self._written, self._events = -math.inf, 0

    def __call__(self, trainer: Trainer, monitor: Monitor, progress: Progress) -> None:
        """Be told after every step and epoch.

        Args:
            trainer: Whose steps and rows are shown.
            monitor: Who judges the learning rate.
            progress: Where the run is.
        """
        if progress.row is not None and time.perf_counter() - self._written >= SECONDS:
            self.folder.write_text("history.csv", epochs_to_csv(trainer.state.rows))
            self._written = time.perf_counter()
        if progress.row is not None and self.events is not None:
            self.events.epoch(progress.row, trainer.state.step)
        if self.live.due:
            trainer.log_unlogged(self.steps.show)
            if len(trainer.state.events) != self._events:
                self._events = len(trainer.state.events)
                self.folder.write_json("events.json", {"events": trainer.state.events})
            self.live.tell(progress, monitor.estimate)
            if self.interruption is not None and not self.interruption and self.live.take_request():
                self.interruption.signum = signal.SIGTERM
        self.listener.train(progress)
