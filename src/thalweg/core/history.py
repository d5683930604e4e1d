"""What a run left behind: curves and events, the same whoever recorded them."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from thalweg.core.errors import RunError
from thalweg.core.network_facts import NetworkFacts
from thalweg.core.signal import Signal

__all__ = ["EPOCH_COLUMNS", "FURTHER_COLUMNS", "STEPWISE", "Event", "RunHistory"]

STEPWISE = "batch_"
"""How the names of curves begin that are by step; all others are by epoch."""

EPOCH_COLUMNS: Mapping[str, str] = {
    "train_loss": "nats",
    "train_accuracy": "fraction",
    "val_loss": "nats",
    "val_accuracy": "fraction",
    "learning_rate": "1",
    "seconds": "s",
    "images_per_second": "1/s",
}
"""Columns of `history.csv` after `epoch`, with their units; accuracies are fractions from 0 to 1."""
FURTHER_COLUMNS: Mapping[str, str] = {"val_mean_iou": "fraction"}
"""Columns that only some runs have: the mean over classes of intersection over union."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened during a run.

    Args:
        epoch: Epoch counted from 1.
        step: Step counted from 1 over the whole run.
        kind: Such as `best_epoch`, `interrupted`, `resumed`, `early_stop`, `roll_back`.
        message: The sentence to show.
    """

    epoch: int
    step: int
    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """Curves and events of one run.

    Args:
        signals: One curve a quantity; epoch curves have epochs counted from 1 as steps, curves named `batch_...` steps.
        events: What happened, in order.
        plan: The plan as plain data, where it is known.
        environment: Versions and hardware, where they are known.
        network: What is known of the network, where it was watched.
    """

    signals: tuple[Signal, ...] = ()
    events: tuple[Event, ...] = ()
    plan: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, object] = field(default_factory=dict)
    network: NetworkFacts | None = None

    def signal(self, name: str) -> Signal | None:
        """Find a curve by name.

        Args:
            name: Such as `val_loss`.

        Returns:
            The curve, or None where it was not recorded.
        """
        return next((signal for signal in self.signals if signal.name == name), None)

    @property
    def epochs(self) -> int:
        """Number of epochs recorded."""
        by_epoch = [signal for signal in self.signals if signal.steps and not signal.name.startswith(STEPWISE)]
        return max((signal.steps[-1] for signal in by_epoch), default=0)

    @classmethod
    def from_epochs(cls, rows: Sequence[Mapping[str, float]], events: tuple[Event, ...] = ()) -> "RunHistory":
        """Gather rows of `history.csv` into curves.

        Args:
            rows: One mapping an epoch, with `epoch` and any of `EPOCH_COLUMNS`.
            events: What happened.

        Returns:
            The history.

        Example:
            >>> RunHistory.from_epochs([{"epoch": 1, "train_loss": 0.7}]).signal("train_loss").values
            (0.7,)
        """
        steps = tuple(int(row["epoch"]) for row in rows)
        signals = tuple(
            Signal(
                name=name,
                unit=unit,
                steps=steps,
                values=tuple(float(row.get(name, math.nan)) for row in rows),
            )
            for name, unit in (*EPOCH_COLUMNS.items(), *FURTHER_COLUMNS.items())
            if any(name in row for row in rows)
        )
        return cls(signals=signals, events=events)


def epochs_to_csv(rows: Sequence[Mapping[str, float]]) -> str:
    """Write epoch rows as `history.csv`.

    Args:
        rows: One mapping an epoch.

    Returns:
        The file's text; missing values are left empty.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = (*EPOCH_COLUMNS, *(name for name in FURTHER_COLUMNS if any(name in row for row in rows)))
    writer.writerow(("epoch", *columns))
    for row in rows:
        writer.writerow((int(row["epoch"]), *(_cell(row.get(name)) for name in columns)))
    return out.getvalue()


def epochs_from_csv(text: str, place: str) -> list[dict[str, float]]:
    """Read `history.csv` back.

    Args:
        text: The file's text.
        place: Its name, for the error.

    Returns:
        One mapping an epoch, without the empty cells.

    Raises:
        RunError: A cell is not a number, or the header is not ours.
    """
    rows: list[dict[str, float]] = []
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            rows.append({key: float(value) for key, value in row.items() if value not in {"", None}})
            rows[-1]["epoch"] = int(rows[-1]["epoch"])
    except (TypeError, ValueError, KeyError, OverflowError, csv.Error):
        raise RunError(f"{place}: line {reader.line_num} is not a row of numbers with an epoch") from None
    return rows


def _cell(value: float | None) -> str:
    return "" if value is None else format(value, ".10g")
