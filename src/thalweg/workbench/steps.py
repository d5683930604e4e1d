"""`steps.csv`: one row a step, appended as checkpoints are written, cut back to the checkpoint when a run goes on."""

import os
from pathlib import Path

from thalweg.core.files import write_atomically

__all__ = ["STEP_COLUMNS", "StepLog"]

STEP_COLUMNS = ("step", "epoch", "objective", "loss", "gradient_norm", "learning_rate", "seconds")
"""`objective` is what is minimised (with class weights and smoothing), `loss` the plain cross-entropy in nats."""


class StepLog:
    """The file of steps of one run.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

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
        """Add rows.

        Args:
            rows: Values in the order of `STEP_COLUMNS`.
        """
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(",".join(format(value, ".7g") for value in row) + "\n" for row in rows)
            file.flush()
            os.fsync(file.fileno())  # the checkpoint that follows counts on these rows
