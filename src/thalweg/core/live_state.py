"""What a run says of itself while it goes on, and how it is asked to stop: two small files in its folder.

`progress.json` is replaced about once a second by whoever trains; `stop-request` is an empty file that anybody may put
there, on this machine or across a shared disk: the run then saves and stops as after SIGTERM.
"""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from thalweg.core.codec import from_plain
from thalweg.core.errors import RunError

__all__ = ["PROGRESS_FILE", "STOP_FILE", "LiveState", "Phase", "read_live_state"]

PROGRESS_FILE = "progress.json"
STOP_FILE = "stop-request"

Phase: TypeAlias = Literal["training", "evaluating", "finished", "interrupted", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """Where a run is.

    Args:
        phase: What it is doing, or how it ended.
        updated: When this was written, in seconds since 1970.
        host: The machine it runs on.
        process: Its process there.
        epoch: The epoch under way, from 1.
        epochs: Epochs planned, or None where the plan is in minutes.
        step: Steps done in this epoch.
        steps: Steps an epoch.
        fraction: Share of the whole run done, 0 to 1.
        loss: Mean training loss of the epoch so far, in nats.
        accuracy: Training accuracy of the epoch so far.
        learning_rate: The rate in force.
        images_per_second: Training speed.
        seconds_left: Estimate for the rest of the run.
        monitor: How the learning rate stands, in a line.
        estimate: The verdict on the learning rate: `verdict, factor, interval, confidence, reason`.
        message: Why it failed, in a sentence.
    """

    phase: Phase
    updated: float
    host: str = ""
    process: int = 0
    epoch: int = 0
    epochs: int | None = None
    step: int = 0
    steps: int = 0
    fraction: float = 0.0
    loss: float = math.nan
    accuracy: float = math.nan
    learning_rate: float = math.nan
    images_per_second: float = math.nan
    seconds_left: float = math.nan
    monitor: str = ""
    estimate: Mapping[str, object] | None = None
    message: str = ""

    @property
    def age(self) -> float:
        """Seconds since it was written, by this machine's clock.

        Example:
            >>> LiveState(phase="training", updated=time.time()).age < 60
            True
        """
        return max(0.0, time.time() - self.updated)


def read_live_state(folder: Path) -> LiveState | None:
    """Read what a run last said of itself.

    Args:
        folder: The run folder.

    Returns:
        The state; None where the run never said anything, or nothing that can be read.

    Example:
        >>> read_live_state(Path("no", "such", "run")) is None
        True
    """
    try:
        data = json.loads((folder / PROGRESS_FILE).read_bytes())
        fields = {name: value for name, value in data.items() if name != "schema"} if isinstance(data, dict) else None
        return from_plain(LiveState, fields, PROGRESS_FILE)
    except (OSError, ValueError, RecursionError, RunError):
        return None
