"""Fit and score `noise_model.json`, which tells full batch from mini batches.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/fit_noise.py

Curves come from `batch_curves.py` (hard ones: at the edge of stability and far beyond it, batches of half the set),
each whole and cut short, in full or rounded as logs are; from the sweeps of `run.py` (ordinary ones); and from
exponential falls and swings made on the spot, gentle to steep, with and without scatter. Not fitted on, and scored
apart: full batch with dropout, whose noise is real, and up to six batches that return in the same order, which follow a
law. The model is a sum of small trees (`diagnosis/boosted.py`). Scored on whole problems (data set and network) left
out, ten parts; a kind is said from the probability on that `diagnosis/noise.py` asks for. The solar cells that `thalweg
lab batch-size` trains on are in none of these curves.
"""

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from fit import trees_of
from sklearn.ensemble import HistGradientBoostingClassifier
from table import HERE, load

from thalweg.diagnosis.noise import _QUIET, _STEPS, _STILL, measure_noise

ROOT = HERE.parents[1]
MODEL = ROOT / "src/thalweg/diagnosis/noise_model.json"
RESULTS = ROOT / "benchmarks/results/diagnosis-noise.json"
NAMES = ("turns", "first", "turns_low", "bends", "climbs", "slides", "still", "echo", "swing", "lean", "peaks",
         "middle", "unforeseen", "unmapped", "scatter", "early", "calm")  # fmt: skip
RETURNING = 6
APART = ("full batch with dropout", f"up to {RETURNING} batches in the same order")
Row = tuple[dict, bool, str, tuple[str, ...]]
"""Numbers, whether full batch, problem, and the groups it is scored in."""


def rounded(rng: np.random.Generator, losses: np.ndarray) -> np.ndarray:
    """Write losses as logs do: as they are, with four digits, or with three to five decimals."""
    kind = rng.integers(4)
    if kind == 0:
        return losses
    return np.array([float(f"{v:.4g}") for v in losses]) if kind == 1 else np.round(losses, rng.choice([3, 4, 4, 5]))


def curves(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt") as file:
        for number, line in enumerate(file):
            run = json.loads(line)
            rng, losses = np.random.default_rng(number), np.array(run["losses"])
            who = f"{'full' if run['full'] else 'mini'} {run['kind']}"
            past = ("at the edge of stability or beyond",) if run["full"] and (run["edge"] or 0) > 0.9 else ()
            order = () if run["full"] else (f"batches {run['order']}",)
            if run["kind"] == "dropout":
                apart = ("full batch with dropout",)
            else:
                again = run["order"] == "fixed" and run["samples"] // run["batch"] <= RETURNING
                apart = (f"up to {RETURNING} batches in the same order",) if again else ()
            views = [losses] + ([losses[: int(rng.choice([30, 40, 60, 100]))]] if len(losses) > 40 else [])
            for view in views:
                length = next(f"up to {most} steps" for most in (50, 100, 200, 500, 2000) if len(view) <= most)
                found = measure_noise(rounded(rng, view))
                yield found, run["full"], run["problem"], apart or (who, *past, *order, length, "batch_curves")


def ordinary() -> Iterator[Row]:
    for run in load(HERE / "runs.jsonl.gz"):
        full, losses = run.setup["batch"] >= run.setup["train"], run.curves["batch_loss"]
        if full and (run.setup["dropout"] or run.setup["augment"]):
            continue
        found = measure_noise(losses)
        if found and (full or np.nanstd(losses) > 1e-3 * np.nanmean(losses)):
            yield found, full, run.problem, ("sweeps",)


def falls() -> Iterator[Row]:
    """Exponential falls to a floor or without one, half of them with swings by a law; every other one with scatter."""
    for number in range(480):
        rng = np.random.default_rng(10_000 + number)
        steps, pace = int(rng.choice([15, 30, 60, 200])), 10 ** rng.uniform(-3, -0.8)
        losses = rng.choice([0.3, 2, 6]) * np.exp(-pace * np.arange(steps)) + rng.choice([0, 0.05, 0.3])
        if number % 4 > 1:  # as of the edge of stability: a swing that comes and goes, or dies down
            course = np.arange(steps) / rng.uniform(5, 40) + rng.uniform(0, 6)
            size = 1 + np.sin(course) if number % 8 > 3 else 2 * np.exp(-0.3 * course)
            losses *= 1 + 10 ** rng.uniform(-3, -0.7) * size * (-1.0) ** np.arange(steps)
        if number % 2:
            losses *= np.exp(10 ** rng.uniform(-2.3, -0.5) * rng.standard_normal(steps))
        found = measure_noise(rounded(rng, losses))
        yield found, number % 2 == 0, f"fall {number // 8}", ("swings" if number % 4 > 1 else "falls",)


def fitted(x: np.ndarray, y: np.ndarray) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_depth=3, max_iter=150, learning_rate=0.1, min_samples_leaf=15, l2_regularization=5.0, max_features=0.4,
        early_stopping=False, random_state=0,
    ).fit(x, y)  # fmt: skip


def told(chances: np.ndarray, full: np.ndarray) -> dict[str, float]:
    said = (chances > _STEPS) | (chances < 1 - _STEPS)
    right = (chances >= 0.5) == full
    return {
        "n": len(full), "right_of_all": round(float((right & said).mean()), 4),
        "undecided": round(float(1 - said.mean()), 4), "wrong": round(float((~right & said).mean()), 4),
        "right_of_decided": round(float(right[said].mean()), 4) if said.any() else 0.0,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", type=Path, default=HERE / "batch_curves.jsonl.gz")
    args = parser.parse_args()
    rows: Sequence[Row] = [row for row in (*curves(args.curves), *ordinary(), *falls()) if row[0]]
    x = np.array([[row[0][name] for name in NAMES] for row in rows])
    y, problem = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    apart = np.array([row[3][0] in APART for row in rows])
    chances = np.zeros(len(y))
    shuffled = np.random.default_rng(0).permutation(np.unique(problem))
    for group in np.array_split(shuffled, 10):
        out = np.isin(problem, group)
        chances[out] = fitted(x[~out & ~apart], y[~out & ~apart]).predict_proba(x[out])[:, 1]
    chances[x[:, NAMES.index("still")] > _STILL] = _QUIET  # nearly, as `diagnosis/noise.py` does
    groups = {name for row in rows for name in row[3]}
    low = (0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
    result = {
        "benchmark": "diagnosis-noise", "command": "python benchmarks/sweeps/fit_noise.py",
        "left_out": "whole problems, in ten parts", "said_from": _STEPS, "problems": len(np.unique(problem)),
        "overall": told(chances[~apart], y[~apart]),
        "groups": {g: told(*(v[np.array([g in row[3] for row in rows])] for v in (chances, y)))
                   for g in sorted(groups - set(APART))},
        "apart": {g: {"n": int(m.sum()), "said_mini_batch_like": round(float((chances[m] < 1 - _STEPS).mean()), 4),
                      "said_full_batch_like": round(float((chances[m] > _STEPS).mean()), 4)}
                  for g in APART if (m := np.array([g in row[3] for row in rows])).any()},
        "reliability": [[round(float(chances[m].mean()), 3), round(float(y[m].mean()), 3), int(m.sum())]
                        for a, b in zip(low, (*low[1:], 1.01), strict=True)
                        if (m := (chances >= a) & (chances < b) & ~apart).any()],
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    entry = trees_of(fitted(x[~apart], y[~apart]))
    about = "Sum of small trees for the log-odds of full batch; written by benchmarks/sweeps/fit_noise.py"
    trees = ",\n".join(json.dumps(tree, separators=(",", ":")) for tree in entry["trees"])
    MODEL.write_text(
        f'{{"about":{json.dumps(about)},\n"features":{json.dumps(NAMES)},\n"start":{entry["start"]},\n'
        f'"trees":[\n{trees}\n]}}\n'
    )
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
