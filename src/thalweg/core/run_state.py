"""A run as whoever looks on sees it: what it is, where it is, how good it is, and whether something is wrong."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from thalweg.core.codec import to_plain
from thalweg.core.finding import Finding

__all__ = ["Followed", "RunPhase", "RunState"]

RunPhase: TypeAlias = Literal["training", "evaluating", "finished", "interrupted", "stopped", "failed", "log"]
"""`interrupted` saved and ended on request; `stopped` was killed; both go on with resume. `log` is a foreign log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run, from its files alone.

    Args:
        path: The run folder, or the log.
        name: How to call it: the path below the folder that was asked for.
        phase: What it does, or how it ended.
        network: The network's name.
        source: What it trains on.
        format: What wrote its curves.
        updated: When it last changed, in seconds since 1970.
        epoch: The last epoch begun.
        epochs: Epochs planned, or None.
        fraction: Share of the run done, 0 to 1.
        steps: Steps an epoch; 0 where not known.
        trail: Validation losses of the epochs so far, thinned, for a small curve.
        train_loss: The last one, in nats.
        val_loss: The last one, in nats.
        val_accuracy: The last one, as a fraction.
        best_accuracy: The best validation accuracy of any epoch.
        best_epoch: When that was.
        accuracy: The reported accuracy; nan until the run is finished.
        accuracy_interval: Its 95 % interval.
        split: The split it is on.
        learning_rate: The rate in force, or the peak rate of a finished run.
        verdict: `too_low, about_right, too_high, undetermined`, or empty where nothing judged it yet.
        verdict_line: The verdict in words.
        monitor: How the learning rate stands, by the run itself, in a line.
        images_per_second: Training speed.
        seconds: Seconds trained so far; the whole command's for a finished run.
        seconds_left: Estimate for the rest; nan where the run does not go on.
        warnings: Findings of severity `warning` or `error`, by name.
        report: Whether there is a report.
        message: Why it failed.
    """

    path: str
    name: str
    phase: RunPhase
    network: str = ""
    source: str = ""
    format: str = "thalweg run"
    updated: float = 0.0
    epoch: int = 0
    epochs: int | None = None
    fraction: float = math.nan
    steps: int = 0
    trail: tuple[float, ...] = ()
    train_loss: float = math.nan
    val_loss: float = math.nan
    val_accuracy: float = math.nan
    best_accuracy: float = math.nan
    best_epoch: int = 0
    accuracy: float = math.nan
    accuracy_interval: tuple[float, float] = (math.nan, math.nan)
    split: str = ""
    learning_rate: float = math.nan
    verdict: str = ""
    verdict_line: str = ""
    monitor: str = ""
    images_per_second: float = math.nan
    seconds: float = math.nan
    seconds_left: float = math.nan
    warnings: tuple[str, ...] = ()
    report: bool = False
    message: str = ""

    @property
    def running(self) -> bool:
        """Whether a process is working on it now."""
        return self.phase in {"training", "evaluating"}

    @property
    def resumable(self) -> bool:
        """Whether `thalweg resume` would go on with it."""
        return self.phase in {"interrupted", "stopped"}

    def to_json(self) -> dict[str, object]:
        """The state as plain data.

        Returns:
            Every field, `running` and `resumable`.

        Example:
            >>> RunState(path="runs/a", name="a", phase="training").to_json()["running"]
            True
        """
        plain: dict[str, object] = {name: to_plain(getattr(self, name)) for name in self.__slots__}
        return {**plain, "running": self.running, "resumable": self.resumable}


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A run that is followed, at one look; the answer of `follow` is the last one.

    Args:
        state: Where it is.
        rows: The epochs so far, as in `history.csv`.
        losses: The loss of its steps as a few means, in order.
        events: What happened: `epoch, step, kind, message`.
        findings: What is wrong with it so far, causes first.
    """

    state: RunState
    rows: tuple[Mapping[str, float], ...] = ()
    losses: tuple[float, ...] = ()
    events: tuple[Mapping[str, object], ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def exit_status(self) -> int:
        """1 for a failed run or a finding of severity `warning` or `error`, else 0."""
        return int(self.state.phase == "failed" or any(each.severity != "info" for each in self.findings))

    def to_json(self) -> dict[str, object]:
        """The answer with the field names of the interface.

        Returns:
            `run, events, findings`, and the fields of the state.
        """
        return {
            "run": self.state.path,
            **self.state.to_json(),
            "events": to_plain(self.events),
            "findings": to_plain(self.findings),
        }
