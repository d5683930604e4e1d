"""From recorded sweeps to a table: labels by the definition in use, and many views of every run.

A run is `about_right` when its deficit (reference - final test accuracy) / (reference - chance) is at most 0.03, too
low or too high by its side of the tuned rate when it is 0.10 or more, and unlabelled between. A view is a run as
somebody might bring it: cut short, without validation, without accuracies, as first batch losses only, or with a loss
that is not a plain cross-entropy.
"""

import gzip
import hashlib
import inspect
import json
import pickle
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thalweg.diagnosis import features as features_module
from thalweg.diagnosis import shape as shape_module
from thalweg.diagnosis.features import measure

HERE = Path(__file__).parent
CLASSES = ("too_low", "about_right", "too_high")
FOUR = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
SUBSETS = (
    FOUR, ("train_loss", "val_loss"), ("train_loss",), ("val_loss",), ("train_loss", "train_accuracy"),
    ("val_loss", "val_accuracy"), ("train_accuracy", "val_accuracy"), ("val_accuracy",), ("train_loss", "val_accuracy"),
    ("train_loss", "val_loss", "val_accuracy"),
)  # fmt: skip

LOSSES = (
    ("train_loss", "val_loss"), ("train_loss", "val_loss"), ("train_loss",), ("val_loss",),
    ("train_loss", "val_loss", "val_accuracy"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run with its labels."""

    problem: str
    family: str
    rate: float
    label: int
    deficit: float
    log_factor: float
    log_of_top: float
    test_accuracy: float
    chance: float
    curves: dict[str, np.ndarray]
    setup: dict[str, object]


def load(path: Path) -> list[Run]:
    """Read runs and label them; problems that no rate learns are left out."""
    by_problem = defaultdict(list)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for line in file:
            if line.endswith("}\n"):
                record = json.loads(line)
                by_problem[record["problem"]].append(record)
    return [run for records in by_problem.values() for run in _labelled(records)]


def _labelled(records: list[dict]) -> list[Run]:
    records = sorted(records, key=lambda r: r["rate"])
    setup = next(r["setup"] for r in records if "setup" in r)
    accuracy = np.array([np.nan if r["test_accuracy"] is None else r["test_accuracy"] for r in records])
    logs = np.log10([r["rate"] for r in records])
    chance = max(1.0 / setup["classes"], records[0]["majority"])
    filled = np.where(np.isfinite(accuracy), accuracy, 0.0)
    smooth = smoothed(filled)
    top = int(np.argmax(np.where(smooth > smooth.max() - 0.005, filled, 0)))
    # the tuned rate's median over seeds: neighbours of the best differ from it as other seeds would
    reference = float(np.median(np.sort(filled[max(0, top - 1) : top + 2])[-2:]))
    if reference - chance < max(0.08, 0.25 * (1 - chance) if setup["label_noise"] == 0 else 0.08):
        return []
    deficit = np.where(np.isfinite(accuracy), (reference - filled) / (reference - chance), 1.0)
    best = middle_of_best(logs, smooth, top, reference - chance)
    single = float(logs[int(np.argmax(filled))])
    runs = []
    for k, record in enumerate(records):
        # a small test set must not decide: a standard error of it may not reach over the border
        error = np.sqrt(max(filled[k] * (1 - filled[k]), 0.01) / record["test"]) / (reference - chance)
        label = (
            1 if deficit[k] <= 0.03 else -1 if deficit[k] < 0.10 + min(error, 0.1) else 0 if logs[k] < logs[top] else 2
        )
        curves = {name: np.array([np.nan if v is None else v for v in record[name]], dtype=float)
                  for name in (*FOUR, "eval_loss", "eval_accuracy", "batch_loss")}  # fmt: skip
        runs.append(
            Run(
                problem=setup["name"], family=setup["family"], rate=record["rate"], label=label,
                deficit=float(deficit[k]), log_factor=float(logs[k] - best), log_of_top=float(logs[k] - single),
                test_accuracy=float(filled[k]), chance=chance,
                curves=curves, setup=setup,
            )
        )  # fmt: skip
    return runs


def smoothed(accuracy: np.ndarray) -> np.ndarray:
    """Average over neighbouring rates."""
    return np.convolve(np.pad(accuracy, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")


def middle_of_best(logs: np.ndarray, smooth: np.ndarray, top: int, height: float) -> float:
    """The middle of the rates that cannot be told from the best: each weighs exp(-deficit / 0.03), as 0.03 is "right".

    The rate of the highest accuracy is not known better than the accuracy: redraw a sweep with its own scatter, and the
    highest lies within 2x of where it lay in half of the cases, the middle in four of five (ceiling.py measures it).
    """
    deficit = (smooth[max(0, top - 1) : top + 2].max() - smooth) / height
    near = np.exp(-np.maximum(deficit, 0) / 0.03) * (np.abs(logs - logs[top]) < 1.3)
    return float((near * logs).sum() / near.sum())


def view(run: Run, *, epochs: int | None, names: tuple[str, ...], batches: int = 0, evaluated: bool = False) -> dict:
    """Show part of a run: its first epochs, some signals, some batch losses."""
    source = {"train_loss": "eval_loss", "train_accuracy": "eval_accuracy"} if evaluated else {}
    shown = {name: run.curves[source.get(name, name)][:epochs] for name in names if epochs != 0}
    if batches:
        shown["batch_loss"] = run.curves["batch_loss"][:batches]
    return shown


def standard_views(run: Run) -> dict[str, dict]:
    """The four views that are scored."""
    n = len(run.curves["train_loss"])
    return {
        "full": view(run, epochs=None, names=FOUR),
        "quarter": view(run, epochs=max(1, -(-n // 4)), names=FOUR),
        "five_epochs": view(run, epochs=5, names=FOUR),
        "batches": view(run, epochs=0, names=(), batches=200),
    }


def other_views(run: Run, rng: np.random.Generator) -> dict[str, dict]:
    """Views to learn from besides, drawn at random."""
    n = len(run.curves["train_loss"])
    pick = lambda: SUBSETS[int(rng.integers(len(SUBSETS)))]  # noqa: E731
    coin = lambda: bool(rng.random() < 0.5)  # noqa: E731
    found = {
        "full_eval": view(run, epochs=None, names=FOUR, evaluated=True),
        "full_batches": view(run, epochs=None, names=FOUR, batches=200, evaluated=coin()),
        "full_some": view(run, epochs=None, names=pick(), evaluated=coin()),
        "full_some2": view(run, epochs=None, names=pick(), evaluated=coin()),
        "quarter_some": view(run, epochs=max(1, -(-n // 4)), names=pick(), evaluated=coin()),
        "five_some": view(run, epochs=5, names=pick(), evaluated=coin(), batches=200 * coin()),
        "any": view(run, epochs=max(1, int(n * rng.uniform(0.1, 1))), names=pick(), evaluated=coin()),
        "any_batches": view(run, epochs=0, names=(), batches=int(rng.integers(60, 201))),
    }
    odd = view(run, epochs=None, names=pick(), evaluated=coin())
    scale, offset = 2.0 ** rng.normal(0, 0.7), rng.choice([0, 0.3, 1.0]) * rng.random()
    found["odd_loss"] = {k: scale * v + offset if k.endswith("loss") else v for k, v in odd.items()}
    # what can never be learned (the entropy of a language, noise of labels) lies under a loss as a floor of any height
    for name, epochs in (("raised", None), ("raised_part", max(1, int(n * rng.uniform(0.15, 1))))):
        low = view(run, epochs=epochs, names=LOSSES[int(rng.integers(len(LOSSES)))], evaluated=coin())
        top = next((float(v[0]) for v in low.values() if len(v) and np.isfinite(v[0])), 1.0)
        floor = min(top, 10.0) * 10 ** rng.uniform(-0.5, 0.7)
        found[name] = {k: v + floor if k.endswith("loss") else v for k, v in low.items()}
    return found


def table(runs: list[Run]) -> list[dict]:
    """Measure all views of all runs; rows are kept beside the temporary files, by the text of the measuring code."""
    text = "".join(
        inspect.getsource(part) for part in (features_module, shape_module, view, standard_views, other_views)
    )
    folder = Path(tempfile.gettempdir()) / "thalweg-sweeps" / hashlib.sha256(text.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    by_problem = defaultdict(list)
    for run in runs:
        by_problem[run.problem].append(run)
    rows = []
    for problem, group in by_problem.items():
        kept = folder / f"{problem}.pickle"
        if not kept.exists():
            kept.write_bytes(pickle.dumps([_measured(run) for run in group]))
        for run, measured in zip(group, pickle.loads(kept.read_bytes()), strict=True):  # noqa: S301 - written above
            rows += [
                {"view": name, "problem": problem, "family": run.family, "kind": run.setup["kind"],
                 "schedule": run.setup["schedule"], "label": run.label, "deficit": run.deficit,
                 "log_factor": run.log_factor, "log_of_top": run.log_of_top, "features": found}
                for name, found in measured.items()
            ]  # fmt: skip
    return rows


def _measured(run: Run) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(int(hashlib.sha256(f"{run.problem}{run.rate}".encode()).hexdigest()[:8], 16))
    return {name: measure(shown) for name, shown in (standard_views(run) | other_views(run, rng)).items()}
