"""Fit what a watched run's verdict knows of learning rates, and measure it on problems that were left out.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/fit_live.py

Reads watched.jsonl.gz (see watched.py), writes src/thalweg/diagnosis/live_rate_model.json and
benchmarks/results/diagnosis-live.json, beside what fit_trials.py put there (`with_trials`). The scored view is the
first tenth of each run, and nothing of its end.
"""

import argparse
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fit import Data, calibrate, chances_of, fit_factor, fit_verdict, left_out, ship, widths
from score import f1, factor_score, per_problem, reliability, verdict_score
from table import HERE, load, table

from thalweg.core.history import RunHistory
from thalweg.core.network_facts import NetworkFacts
from thalweg.core.signal import Signal
from thalweg.diagnosis.live import Live
from thalweg.diagnosis.live_features import FIRST, measure_live

ROOT = HERE.parents[1]
MODEL = ROOT / "src/thalweg/diagnosis/live_rate_model.json"
CURVES = ROOT / "src/thalweg/diagnosis/learning_rate_model.json"
RESULTS = ROOT / "benchmarks/results/diagnosis-live.json"
VIEWS = {"tenth": 0.1, "twentieth": 0.05, "fifth": 0.2}
GROUPS = ("edge_", "kept_", "noise_", "turn_", "moved_", "grown_", "bl_")
"""What may be missing in somebody's loop: a loss that cannot be seen, a compiled network."""


def history_of(record: dict, rate: float) -> RunHistory:
    """The record as `thalweg.watch` would give it."""
    signals = [
        Signal(name=name, unit="1", subject="run", steps=tuple(steps), values=tuple(_number(v) for v in values))
        for name, (steps, values) in record["signals"].items()
    ]
    for name, layers in record["layers"].items():
        signals += [
            Signal(name=name, unit="1", subject=layer, steps=tuple(steps), values=tuple(_number(v) for v in values))
            for layer, (steps, values) in layers.items()
        ]
    steps = tuple(range(1, record["seen"] + 1))
    signals.append(
        Signal(name="batch_learning_rate", unit="1", subject="run", steps=steps, values=(rate,) * len(steps))
    )
    kind = {"sgd": "SGD", "momentum": "SGD", "nesterov": "SGD"}.get(record["optimizer"], record["optimizer"])
    momentum = 0.9 if record["optimizer"] in {"momentum", "nesterov"} else 0.0
    facts = NetworkFacts(optimizer=kind, batch_size=record["batch"], momentum=momentum)
    return RunHistory(signals=tuple(signals), network=facts)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def rows(path: Path) -> list[dict]:
    """Every view of every run, labelled."""
    truth = {(run.problem, run.rate): run for run in load(HERE / "runs.jsonl.gz")}
    found = []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        records = [json.loads(line) for line in file]
    rng = np.random.default_rng(0)
    for record in records:
        run = truth[record["problem"], record["rate"]]
        live = Live.of(history_of(record, record["seen_rate"]))
        common = {"problem": run.problem, "family": run.family, "kind": run.setup["kind"], "label": run.label,
                  "deficit": run.deficit, "log_factor": run.log_factor}  # fmt: skip
        for view, share in VIEWS.items():
            until = min(FIRST, max(20, round(share * record["steps"])))
            numbers = measure_live(live, until=until)
            found.append(common | {"view": view, "features": numbers})
            gone = tuple(group for group in GROUPS if rng.random() < 0.35)
            fewer = {name: value for name, value in numbers.items() if not gone or not name.startswith(gone)}
            found.append(common | {"view": f"{view} in part", "features": fewer})
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What models said of runs that were left out, brought to scale, and the numbers that bring it there."""

    chances: np.ndarray
    sharpness: float
    shift: np.ndarray
    widen: float
    below: float
    views: dict[str, dict]
    reliability: object

    @property
    def scale(self) -> tuple:
        """What is shipped, in the order that `ship` takes it."""
        return self.sharpness, self.shift, self.below, self.widen


def judged(raw: np.ndarray, logs: np.ndarray, data: Data) -> Judged:
    """Calibrate chances and intervals on the views, and score them view by view."""
    known = np.isin(data.view, tuple(VIEWS)) & (data.label >= 0)
    sharpness, shift = calibrate(raw[known], data.label[known], np.ones(known.sum()))
    chances = chances_of(raw, sharpness, shift)
    near = np.isin(data.view, tuple(VIEWS)) & (np.abs(data.log_factor) < 1.48)
    widen = widths(logs[near], data.log_factor[near])
    below = float(f"{max(0.4, np.quantile(chances[known].max(1), 0.04)):.3g}")
    views = {
        view: verdict_score(chances, data, data.view == view, below)
        | factor_score(logs, chances, data, data.view == view, widen)
        for view in (*VIEWS, "tenth in part")
    }
    return Judged(chances=chances, sharpness=sharpness, shift=shift, widen=widen, below=below, views=views,
                  reliability=reliability(chances, data.label, known))  # fmt: skip


def with_curves(data: Data, chances: np.ndarray, folds: int) -> dict[str, float]:
    """Macro-F1 of the first tenth, of the whole curves, and of both (geometric mean), each left out in turn."""
    curves = Data(table(load(HERE / "runs.jsonl.gz")))
    raw, _ = left_out(curves, curves.problem, folds, factors=False)
    shipped = json.loads(CURVES.read_text())["verdict"]
    theirs = chances_of(raw, shipped["sharpness"], shipped["shift"])
    whole = curves.view == "full"
    known = {
        (problem, round(factor, 4)): row
        for problem, factor, row in zip(curves.problem[whole], curves.log_factor[whole], theirs[whole], strict=True)
    }
    rows = (data.view == "tenth") & (data.label >= 0)
    inside, truth = chances[rows], data.label[rows]
    outside = np.array([
        known[problem, round(factor, 4)]
        for problem, factor in zip(data.problem[rows], data.log_factor[rows], strict=True)
    ])
    both = np.sqrt(np.maximum(inside, 1e-6) * np.maximum(outside, 1e-6))
    both /= both.sum(1, keepdims=True)
    confusion = [[int(((truth == a) & (both.argmax(1) == b)).sum()) for b in range(3)] for a in range(3)]
    return {
        "macro_f1_tenth": round(f1(truth, inside.argmax(1)), 3),
        "macro_f1_curves": round(f1(truth, outside.argmax(1)), 3),
        "macro_f1_both": round(f1(truth, both.argmax(1)), 3),
        "false_alarms_on_about_right": round(float((both.argmax(1)[truth == 1] != 1).mean()), 3),
        "confusion_rows_truth": confusion,
        "reliability": reliability(both, truth, np.ones(len(truth), dtype=bool)),
    }


def put(scores: dict) -> None:
    """Put scores into the results; what the other of fit_live.py and fit_trials.py found stays."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(known | scores, indent=1) + "\n")


def main() -> None:
    """Fit and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=HERE / "watched.jsonl.gz")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--look", action="store_true", help="score only, write nothing")
    args = parser.parse_args()
    data = Data(rows(args.runs))
    raw, logs = left_out(data, data.problem, args.folds, factors=True)
    found = judged(raw, logs, data)
    result = {
        "problems": len(np.unique(data.problem)), "runs": int((data.view == "tenth").sum()),
        "undetermined_below": found.below, "left_out_problems": found.views, "reliability": found.reliability,
        "confusion_per_problem": per_problem(found.chances, data, data.view == "tenth"),
    }  # fmt: skip
    result["whole_runs"] = with_curves(data, found.chances, 5)
    print(json.dumps({k: v for k, v in result.items() if k != "confusion_per_problem"}, indent=1), flush=True)
    if args.look:
        return
    put(result)
    everything = np.ones(len(data.label), dtype=bool)
    right = (data.label == 1) & (data.view == "tenth")
    ship(MODEL, "thalweg.diagnosis.live_features", "benchmarks/sweeps/fit_live.py", data, right,
         fit_verdict(data, everything), fit_factor(data, everything), *found.scale)  # fmt: skip


if __name__ == "__main__":
    main()
