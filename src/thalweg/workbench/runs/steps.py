"""`steps.csv`: one row a step, appended as checkpoints are written, cut back to the checkpoint when a run goes on."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from thalweg.core.files import append_durably, write_atomically

__all__ = ["MEASURED", "STEP_COLUMNS", "StepLog"]

MEASURED = {
    "critical_step": "batch_critical_step",
    "rate_to_edge": "batch_rate_to_edge",
    "alignment": "batch_alignment",
    "noise_scale": "batch_noise_scale",
    "sharpness": "batch_sharpness",
    "predicted_decrease": "batch_predicted_decrease",
    "actual_decrease": "batch_actual_decrease",
}
"""Columns that the monitor fills at the steps it samples, and the signals they hold; empty at all others."""

STEP_COLUMNS = ("step", "epoch", "objective", "loss", "gradient_norm", "learning_rate", "seconds", *MEASURED)
"""`objective` is what is minimised (with class weights and smoothing), `loss` the plain cross-entropy in nats."""


class StepLog:
    """The file of steps of one run.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.also: Callable[[Sequence[tuple[float, ...]]], None] | None = None
        """Whoever is told the rows as well."""

    def cut_after(self, step: int) -> None:
        """Keep the header and the rows up to a step.

        Args:
            step: The last step to keep; 0 makes a new file.
        """
        kept, last = [",".join(STEP_COLUMNS)], 0
        if step and self.path.is_file():
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)[1:]:
                cells = line.split(",")
                whole = line.endswith("\n") and len(cells) == len(STEP_COLUMNS) and cells[0].isdigit()
                if whole and last < int(cells[0]) <= step:  # a kill or a full disk may have cut the last one
                    kept.append(line.rstrip("\n"))
                    last = int(cells[0])
        write_atomically(self.path, "\n".join(kept) + "\n")

    def append(self, rows: list[tuple[float, ...]]) -> None:
        """Add rows for good.

        Args:
            rows: Values in the order of `STEP_COLUMNS`; what is missing at the end, or nan, is left empty.
        """
        append_durably(self.path, "".join(_line(row) for row in rows))  # the checkpoint that follows counts on them
        if self.also is not None:
            self.also(rows)

    def show(self, rows: list[tuple[float, ...]]) -> None:
        """Add rows for whoever looks on; a later `append` makes them safe from a power cut.

        Args:
            rows: As for `append`.
        """
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.writelines(_line(row) for row in rows)
        if self.also is not None:
            self.also(rows)


def _line(row: tuple[float, ...]) -> str:
    plain = len(STEP_COLUMNS) - len(MEASURED)  # of these, nan is a value
    cells = [format(value, ".7g") for value in row[:plain]]
    cells += ["" if math.isnan(value) else format(value, ".7g") for value in row[plain:]]
    return ",".join(cells + [""] * (len(STEP_COLUMNS) - len(cells))) + "\n"
