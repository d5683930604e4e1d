"""Measurements on disk: `steps.csv` for the whole run, `signals.jsonl` for layers and the network's facts.

`signals.jsonl` has one JSON object a line: the first says `{"schema": 1}`, one holds `{"network": ...}`, all others
`{"step", "name", "subject", "value"}`; null stands for a number that is not finite.
"""

import json
import math
from pathlib import Path

from thalweg.core.codec import to_plain
from thalweg.core.files import append_durably, write_atomically
from thalweg.core.network_facts import NetworkFacts
from thalweg.monitoring.record import Record

__all__ = ["RUN_COLUMNS", "SignalLog", "TableLog"]

RUN_COLUMNS = {
    "batch_loss": "loss",
    "batch_learning_rate": "learning_rate",
    "batch_gradient_norm": "gradient_norm",
    "batch_critical_step": "critical_step",
    "batch_rate_to_edge": "rate_to_edge",
    "batch_alignment": "alignment",
    "batch_noise_scale": "noise_scale",
    "batch_sharpness": "sharpness",
    "batch_predicted_decrease": "predicted_decrease",
    "batch_actual_decrease": "actual_decrease",
}
"""Signals of the whole run, and the columns of `steps.csv` that hold them."""


class SignalLog:
    """Writes `signals.jsonl`.

    Args:
        path: Where to.
        record: Measurements.
    """

    def __init__(self, path: Path, record: Record) -> None:
        self.path, self.record = path, record
        self._written, self._facts = 0, False

    def cut_after(self, step: int) -> None:
        """Begin the file, or keep its lines up to a step where a run goes on.

        Args:
            step: The last step to keep; 0 makes a new file.
        """
        kept = [json.dumps({"schema": 1})]
        if step and self.path.is_file():
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue  # a kill may have cut the last one
                if isinstance(entry, dict) and "schema" not in entry and entry.get("step", 0) <= step:
                    kept.append(line)
                    self._facts = self._facts or "network" in entry
        self._written = step
        write_atomically(self.path, "\n".join(kept) + "\n")

    def flush(self, facts: NetworkFacts | None = None) -> None:
        """Append what is new.

        Args:
            facts: What is known of the network, written once.
        """
        lines = []
        if facts is not None and not self._facts:
            lines.append(json.dumps({"network": to_plain(facts)}))
            self._facts = True
        for step, name, subject, value in self.record.rows_after(self._written):
            if subject == "run" and name in {"batch_loss", "batch_learning_rate"}:
                continue  # every step: in steps.csv
            number = value if math.isfinite(value) else None
            lines.append(json.dumps({"step": step, "name": name, "subject": subject, "value": number}))
        self._written = max(self._written, self.record.newest)
        if lines:
            append_durably(self.path, "\n".join(lines) + "\n")


class TableLog:
    """Writes a `steps.csv` of a foreign loop.

    Args:
        path: Where to; a file that is there is replaced.
        record: Measurements.
    """

    def __init__(self, path: Path, record: Record) -> None:
        self.path, self.record, self._written = path, record, 0
        write_atomically(path, ",".join(("step", *RUN_COLUMNS.values())) + "\n")

    def flush(self) -> None:
        """Append the steps that are new."""
        rows: dict[int, dict[str, float]] = {}
        for step, name, subject, value in self.record.rows_after(self._written):
            if subject == "run" and name in RUN_COLUMNS:
                rows.setdefault(step, {})[name] = value
        self._written = max(self._written, self.record.newest)
        lines = [
            ",".join((str(step), *(format(row[name], ".7g") if name in row else "" for name in RUN_COLUMNS)))
            for step, row in sorted(rows.items())
        ]
        if lines:
            append_durably(self.path, "\n".join(lines) + "\n")
