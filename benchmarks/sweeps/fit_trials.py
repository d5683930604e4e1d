"""Fit what a watched run's verdict knows where short trials were made, and measure it on problems that were left out.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/fit_trials.py

Reads watched.jsonl.gz and trials.jsonl.gz (trial_rates.py: those of a loop, seed 1), writes
src/thalweg/diagnosis/live_rate_trials_model.json and puts its scores beside those without trials into
benchmarks/results/diagnosis-live.json. Views and truth are those of fit_live.py.
"""

import argparse
import gzip
import json
import math
from pathlib import Path

import numpy as np
from fit import CLIP, NEAR, Data, factor_models, fit_verdict, ship
from fit_live import VIEWS, history_of, judged, put, rows
from table import HERE, load
from trial_score import kept, line, parts

from thalweg.core.signal import Signal
from thalweg.diagnosis.live import Live
from thalweg.diagnosis.trial_features import LINE, length_told, measure_trials, place_told, trials_of

MODEL = HERE.parents[1] / "src/thalweg/diagnosis/live_rate_trials_model.json"
SHARE = 0.5
"""Of the place told from trials in the factor; trees tell the rest, and are not asked to spell out a straight line."""


def with_trials(history: object, record: dict) -> Live:
    """A watched run as it would be with the trials of its problem."""
    signals = []
    for number, (rate, loss, start, _, steps) in enumerate(record["trials"], 1):
        level = 4.0 if loss is None else min(4.0, loss / start)
        for name, value in (("rate", rate), ("level", level), ("steps", steps)):
            signals.append(Signal(name=f"batch_trial_{name}", unit="1", subject=f"trial {number}",
                                  steps=(32,), values=(float(value),)))  # fmt: skip
    return Live.of(type(history)(signals=(*history.signals, *signals), network=history.network))


def best_rates(records: dict) -> tuple[dict[str, list[float]], dict[str, float]]:
    """What best rates are told from, and the best rates, of all problems with trials."""
    told, best = {}, {}
    for run in load(HERE / "runs.jsonl.gz"):
        if (run.problem, "loop", 1) in records and run.problem not in best:
            kind = run.setup["optimizer"]
            record = records[run.problem, "loop", 1]
            live = with_trials(history_of({"signals": {}, "layers": {}, "seen": 1, "optimizer": kind, "batch": 1}, 1.0),
                               record)  # fmt: skip
            best[run.problem] = math.log10(run.rate) - run.log_factor
            told[run.problem] = place_told(
                *trials_of(live), optimizer=live.facts.optimizer, momentum=live.facts.momentum, steps=record["steps"]
            )
    return told, best


def fit_factor(data: Data, keep: np.ndarray) -> dict:
    """As in fit.py, beside the share of the place."""
    place = SHARE * data.x[:, data.names.index("try_place")]
    models = factor_models()
    for name, model in models.items():
        near = keep & (np.abs(data.log_factor) < (NEAR if name == "middle" else 2 * NEAR))
        weight = 1.0 if name == "middle" else np.where(np.abs(data.log_factor) < NEAR, 1.0, 0.3)[near]
        target = np.clip(data.log_factor, -CLIP, CLIP) - place
        model.fit(data.x[near], target[near], sample_weight=weight * data.kind[near])
    return models


def main() -> None:
    """Fit and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=Path, default=HERE / "trials.jsonl.gz")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--line", action="store_true", help="only print the line for trial_features.py")
    args = parser.parse_args()
    records = kept(args.trials)
    told, best = best_rates(records)
    everybody = line(np.array([*told.values()]), np.array([*best.values()]))
    print(len(best), "problems; LINE =", tuple(float(f"{value:.3g}") for value in everybody), flush=True)
    if args.line:
        return
    with gzip.open(HERE / "watched.jsonl.gz", "rt") as file:
        seen = [json.loads(text) for text in file]
    table = rows(HERE / "watched.jsonl.gz")
    each = len(table) // len(seen)
    steps = np.zeros(len(table))
    for number, row in enumerate(table):
        record = seen[number // each]
        live = with_trials(history_of(record, record["seen_rate"]), records[row["problem"], "loop", 1])
        steps[number] = 10 * VIEWS[row["view"].partition(" ")[0]] * record["steps"]
        row["features"] |= measure_trials(live, record["seen_rate"], steps[number], row["features"].get("bl_fall"))
    data = Data(table)
    place = data.names.index("try_place")
    shipped = data.x[:, place].copy()
    at = shipped + np.array([_told(told[name], steps[k]) @ np.array(LINE) for k, name in enumerate(data.problem)])
    raw, logs = np.zeros((len(table), 3)), np.zeros((len(table), 3))
    for number, part in enumerate(parts(data.problem, args.folds)):
        out, others = np.isin(data.problem, part), [name for name in best if name not in part]
        found = line(np.array([told[name] for name in others]), np.array([best[name] for name in others]))
        data.x[:, place] = at - np.array([_told(told[name], steps[k]) @ found for k, name in enumerate(data.problem)])
        raw[out] = fit_verdict(data, ~out).decision_function(data.x[out])
        models = fit_factor(data, ~out)
        logs[out] = np.stack([each.predict(data.x[out]) for each in models.values()], 1)
        logs[out] += SHARE * data.x[out, place][:, None]
        print("left out", number, flush=True)
    data.x[:, place] = shipped
    scores = judged(raw, logs, data)
    result = scores.views | {"reliability": scores.reliability}
    print(json.dumps(result, indent=1), flush=True)
    put({"with_trials": result})
    everything = np.ones(len(data.label), dtype=bool)
    right = (data.label == 1) & (data.view == "tenth")
    ship(MODEL, "thalweg.diagnosis.live_features and trial_features", "benchmarks/sweeps/fit_trials.py", data, right,
         fit_verdict(data, everything), fit_factor(data, everything), *scores.scale,
         beside={"feature": "try_place", "share": SHARE})  # fmt: skip


def _told(numbers: list[float], steps: float) -> np.ndarray:
    """What a best rate is told from, of a run that is taken to be so long."""
    return np.array([*numbers[:4], length_told(steps), numbers[5]])


if __name__ == "__main__":
    main()
