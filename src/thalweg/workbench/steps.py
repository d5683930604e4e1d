"""`steps.csv`: one row a step, appended as checkpoints are written, cut back to the checkpoint when a run goes on."""

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
        kept = [",".join(STEP_COLUMNS)]
        if step and self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines()[1:]
            kept += [line for line in lines if line.split(",")[0].isdigit() and int(line.split(",")[0]) <= step]
        write_atomically(self.path, "\n".join(kept) + "\n")

    def append(self, rows: list[tuple[float, ...]]) -> None:
        """Add rows.

        Args:
            rows: Values in the order of `STEP_COLUMNS`.
        """
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(",".join(format(value, ".7g") for value in row) + "\n" for row in rows)
