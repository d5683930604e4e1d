"""What was measured inside a run, from the `signals.jsonl` beside its curves: layers, and the facts of the network.

One JSON object a line: `{"schema": 1}` first, `{"network": ...}` once, else `{"step", "name", "subject", "value"}` with
null for a number that is not finite. A line that is cut or strange is passed over and counted.
"""

import dataclasses
import json
import math
from pathlib import Path

from thalweg.core.codec import from_plain
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.history import STEPWISE
from thalweg.core.network_facts import NetworkFacts
from thalweg.core.run_log import NamedHistory
from thalweg.core.signal import Signal

__all__ = ["SIGNALS_FILE", "measurements_beside", "with_measurements"]

SIGNALS_FILE = "signals.jsonl"
_SCHEMA = 1
_MOST_BYTES = 1 << 28


def measurements_beside(log: Path) -> Path | None:
    """Find the measurements that belong to a log.

    Args:
        log: `history.csv` or `steps.csv` of a run folder, or `NAME.csv` with `NAME.signals.jsonl` beside it.

    Returns:
        The file, or None.
    """
    names = [f"{log.stem}.{SIGNALS_FILE}"]
    if (log.parent / "plan.toml").is_file():
        names.append(SIGNALS_FILE)
    found = (log.parent / name for name in names)
    return next((path for path in found if path.is_file() and path.stat().st_size < _MOST_BYTES), None)


def with_measurements(run: NamedHistory, path: Path) -> NamedHistory:
    """Add what was measured to a run.

    Args:
        run: As its curves tell.
        path: Its `signals.jsonl`.

    Returns:
        The run with signals a layer and facts of the network; with a note where lines were passed over.
    """
    curves: dict[tuple[str, str], tuple[list[int], list[float]]] = {}
    network, passed = run.history.network, 0
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return dataclasses.replace(run, notes=(*run.notes, f"{printable(path.name)} was left out: {error.strerror}"))
    for line in lines:
        try:
            entry = json.loads(line)
            if entry.get("schema", _SCHEMA) != _SCHEMA:
                note = f"{printable(path.name)} is of another version of thalweg and was left out"
                return dataclasses.replace(run, notes=(*run.notes, note))
            if "network" in entry:
                network = from_plain(NetworkFacts, entry["network"], path.name)
            elif "name" in entry:
                name, subject, step = str(entry["name"]), str(entry["subject"]), int(entry["step"])
                value = math.nan if entry["value"] is None else float(entry["value"])
                if name.startswith(STEPWISE):
                    steps, values = curves.setdefault((name, subject), ([], []))
                    steps.append(step)
                    values.append(value)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, RunError):
            passed += 1
    known = {(signal.name, signal.subject): signal for signal in run.history.signals}
    for (name, subject), (steps, values) in curves.items():
        known[name, subject] = Signal(
            name=name, unit="1", subject=printable(subject), steps=tuple(steps), values=tuple(values)
        )
    notes = (*run.notes, f"{passed} lines of {printable(path.name)} were passed over") if passed else run.notes
    history = dataclasses.replace(run.history, signals=tuple(known.values()), network=network)
    return dataclasses.replace(run, history=history, notes=notes)
