"""What short trials know of the rate in use, held against the truth of the sweeps on problems left out.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/trial_score.py

Reads trials.jsonl.gz (trial_rates.py), watched.jsonl.gz and runs.jsonl.gz, and writes
benchmarks/results/diagnosis-trials.json. Every watched run is judged at a tenth of it, in two ways:

`alone`: by log10(rate / chosen rate) between two borders, and by that number shifted for its factor, both fitted on the
other problems. Beside it the same with the true best rate, and with rates that are a median of each optimizer.

`with what is measured inside`: by sums of trees over the numbers of `fit_live.py` and those of the trials. One of them
is the distance to a best rate told from the chosen one, the length of the run and how far the trials came, a line
fitted on all problems but those left out. Differences are given with intervals from drawing problems anew.
"""

import argparse
import gzip
import json
import math
from pathlib import Path

import numpy as np
from fit import COMMON, FAR, NEAR, Data, calibrate, chances_of, fit_verdict
from fit_live import rows
from score import f1
from sklearn.ensemble import HistGradientBoostingRegressor
from table import HERE, load

RESULTS = HERE.parents[1] / "benchmarks/results/diagnosis-trials.json"
NORMALISING = ("adam", "rmsprop", "adagrad")
TWICE, FOURFOLD = math.log10(2), math.log10(4)
SETS = {
    "trials as in a loop": (("loop", 1),),
    "the same, another seed": (("loop", 2),),
    "trials as before a run": (("choose", 1),),
    "five sets of trials": (("loop", 1), ("loop", 2), ("choose", 1), ("choose", 2), ("clipped", 1)),
    "nine trials without clipping": (("free", 1),),
}


def kept(path: Path) -> dict[tuple[str, str, int], dict]:
    """All records by problem, way and seed."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return {(row["problem"], row["way"], row["seed"]): row for row in map(json.loads, file)}


def curve(record: dict) -> tuple[np.ndarray, np.ndarray]:
    """Trials by rate: decimal logarithms of the rates, logarithms of the losses over their start."""
    trials = sorted(record["trials"])
    ends = [min(4.0, (math.inf if loss is None else loss) / start) for _, loss, start, *_ in trials]
    return np.log10([each[0] for each in trials]), np.log(ends)


def lowest(logs: np.ndarray, losses: np.ndarray) -> float:
    """Vertex of the parabola through the best trial and its neighbours."""
    best = int(losses.argmin())
    if 0 < best < len(logs) - 1:
        low, middle, high = losses[best - 1 : best + 2]
        if (bend := low - 2 * middle + high) > 0:
            return float(logs[best] + 0.5 * (low - high) / bend * (logs[1] - logs[0]))
    return float(logs[best])


def numbers(record: dict, rate: float, gone: float) -> dict[str, float]:
    """What trials say of a rate: where it lies beside their best and their edge, and on their curve."""
    logs, losses = curve(record)
    at, least = math.log10(rate), losses.min()
    found = {
        "try_rate": at - lowest(logs, losses), "try_gain": float(least),
        "try_here": float(np.interp(at, logs, losses) - least),
        "try_up": float(np.interp(at + 1, logs, losses) - least),
        "try_down": float(np.interp(at - 1, logs, losses) - least),
    }  # fmt: skip
    broken = [trial[0] for trial in record["trials"] if trial[1] is None or trial[1] > 1.5 * trial[2]]
    if broken:
        found["try_edge"] = at - math.log10(min(broken))
    if not math.isnan(gone):
        found["try_behind"] = -gone - float(least)
    return found


def told_by(record: dict, setup: dict) -> list[float]:
    """What a best rate is told from: kind of optimizer, the trials' best, steps of the run, how far trials came."""
    logs, losses = curve(record)
    kind = setup["optimizer"]
    return [1.0, float(kind.startswith(NORMALISING)), float(kind in {"momentum", "nesterov"}),
            float(np.clip(lowest(logs, losses), -3.0, 1.5)), math.log10(record["steps"]),
            float(np.clip(losses.min(), -2.0, 0.0))]  # fmt: skip


def line(told: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Least absolute distances, nearly."""
    weight = np.ones(len(best))
    for _ in range(20):
        left = told * weight[:, None]
        found = np.linalg.solve(left.T @ told + 0.01 * np.eye(told.shape[1]), left.T @ best)
        weight = 1 / np.maximum(np.abs(best - told @ found), 0.15)
    return found


def borders(position: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """The two with the best macro-F1."""
    grid = np.linspace(-2.0, 2.0, 81)
    said = position[:, None] > grid
    pairs = [(f1(label, said[:, i].astype(int) + said[:, j]), i, j) for i in range(81) for j in range(i, 81)]
    _, low, high = max(pairs)
    return float(grid[low]), float(grid[high])


def parts(names: np.ndarray, folds: int) -> list[np.ndarray]:
    """Problems to leave out in turn."""
    names = np.unique(names)
    np.random.default_rng(0).shuffle(names)
    return np.array_split(names, folds)


def alone(position: np.ndarray, data: Data, folds: int) -> tuple[np.ndarray, np.ndarray]:
    """Verdicts and factors by one number."""
    said, log = np.full(len(position), 3), np.full(len(position), np.nan)
    for part in parts(data.problem, folds):
        out = np.isin(data.problem, part)
        labelled, near = ~out & (data.label >= 0), ~out & (np.abs(data.log_factor) < FAR)
        low, high = borders(position[labelled], data.label[labelled])
        said[out] = (position[out] > low).astype(int) + (position[out] > high)
        log[out] = position[out] + np.median((data.log_factor - position)[near])
    return said, log


def by_trees(data: Data, places: list[np.ndarray] | None, folds: int) -> tuple[np.ndarray, np.ndarray]:
    """Verdicts and factors by sums of trees; with places, a factor is also told as the place and what trees add."""
    raw, log = np.zeros((len(data.label), 3)), np.zeros(len(data.label))
    x = data.x
    for number, part in enumerate(parts(data.problem, folds)):
        out = np.isin(data.problem, part)
        offset = np.zeros(len(log)) if places is None else places[number]
        data.x = x if places is None else np.column_stack((x, offset))
        raw[out] = fit_verdict(data, ~out).decision_function(data.x[out])
        near, ways = ~out & (np.abs(data.log_factor) < NEAR), [np.zeros(len(log))]
        ways += [] if places is None else [offset]
        for base in ways:
            model = HistGradientBoostingRegressor(
                loss="absolute_error", max_depth=4, max_iter=90, **COMMON | {"max_features": 0.2}
            ).fit(data.x[near], (data.log_factor - base)[near], sample_weight=data.kind[near])
            log[out] += (base[out] + model.predict(data.x[out])) / len(ways)
    data.x = x
    known = data.label >= 0
    chances = chances_of(raw, *calibrate(raw[known], data.label[known], np.ones(known.sum())))
    return chances.argmax(1), log


def scored(said: np.ndarray, log: np.ndarray, data: Data, rows: np.ndarray | None = None) -> dict[str, float]:
    """Macro-F1 and how near factors come, of all runs or of some."""
    rows = np.arange(len(said)) if rows is None else rows
    label, truth = data.label[rows], data.log_factor[rows]
    near = np.abs(truth) < FAR
    error = np.abs(np.clip(log[rows], -FAR, FAR) - truth)[near]
    return {
        "macro_f1": f1(label[label >= 0], said[rows][label >= 0]),
        "factor_within_2x": float((error <= TWICE).mean()), "factor_within_4x": float((error <= FOURFOLD).mean()),
    }  # fmt: skip


def told(said: np.ndarray, log: np.ndarray, data: Data) -> dict[str, object]:
    """Scores and recalls."""
    found: dict[str, object] = {name: round(value, 3) for name, value in scored(said, log, data).items()}
    return found | {"recall": [round(float((said == k)[data.label == k].mean()), 3) for k in range(3)]}


def gained(one: tuple, two: tuple, data: Data, draws: int = 400) -> dict[str, list[float]]:
    """95 % intervals of the second's scores less the first's, problems drawn anew."""
    rng, names = np.random.default_rng(0), np.unique(data.problem)
    groups = [np.flatnonzero(data.problem == name) for name in names]
    found: dict[str, list[float]] = {}
    for _ in range(draws):
        drawn = np.concatenate([groups[k] for k in rng.integers(len(names), size=len(names))])
        before, after = scored(*one, data, drawn), scored(*two, data, drawn)
        for name, value in after.items():
            found.setdefault(name, []).append(value - before[name])
    return {name: [round(float(q), 3) for q in np.quantile(each, (0.025, 0.975))] for name, each in found.items()}


def main() -> None:
    """Score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=Path, default=HERE / "trials.jsonl.gz")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="one number alone; no trees")
    args = parser.parse_args()
    records, runs = kept(args.trials), load(HERE / "runs.jsonl.gz")
    best = {run.problem: math.log10(run.rate) - run.log_factor for run in runs}
    setup = {run.problem: run.setup for run in runs}
    with gzip.open(HERE / "watched.jsonl.gz", "rt") as file:
        seen = [json.loads(text) for text in file]
    table = [row for row in rows(HERE / "watched.jsonl.gz") if row["view"] == "tenth"]
    data, rates = Data(table), np.array([each["rate"] for each in seen])
    lengths = np.log10([each["steps"] for each in seen])
    names = np.unique(data.problem)
    result: dict[str, object] = {"problems": len(names), "runs": len(seen), "alone": {}, "inside": {}}
    kinds = {name: each["optimizer"] for name, each in setup.items()}
    usual = {
        name: np.median([best[each] for each in best if each != name and kinds[each] == kinds[name]]) for name in names
    }
    for title, chosen in {"the true best rate": best, "the usual best rate of the optimizer": usual}.items():
        position = np.array([math.log10(rate) - chosen[name] for name, rate in zip(data.problem, rates, strict=True)])
        result["alone"][title] = told(*alone(position, data, args.folds), data)
    sets = {title: ways for title, ways in SETS.items() if all((p, *way) in records for p in names for way in ways)}
    for title, ways in sets.items():
        if len(ways) == 1 and "rate" in records[names[0], *ways[0]]:
            chosen = {name: math.log10(records[name, *ways[0]]["rate"]) for name in names}
            position = np.array([math.log10(r) - chosen[p] for p, r in zip(data.problem, rates, strict=True)])
            off = np.array([chosen[name] - best[name] for name in names])
            spent = [records[name, *ways[0]]["spent"] for name in names]
            result["alone"][title] = told(*alone(position, data, args.folds), data) | {
                "decades_above_best": [round(float(q), 2) for q in np.quantile(off, (0.05, 0.25, 0.5, 0.75, 0.95))],
                "spent_in_updates": [round(float(q)) for q in np.quantile(spent, (0.05, 0.5, 0.95))],
            }
    print(json.dumps(result, indent=1), flush=True)
    if args.quick:
        return
    first = by_trees(data, None, args.folds)
    result["inside"]["signals"] = told(*first, data)
    longer = Data([row | {"features": row["features"] | {"steps": steps}}
                   for row, steps in zip(table, lengths, strict=True)])  # fmt: skip
    second = by_trees(longer, None, args.folds)
    gain = {"gained": gained(first, second, data)}
    result["inside"]["signals and the length of the run"] = told(*second, data) | gain
    for title, ways in sets.items():
        found = with_trials(table, rates, records, ways, (best, setup), args.folds)
        result["inside"][f"signals and {title}"] = told(*found, data) | {"gained": gained(first, found, data)}
        print(title, json.dumps(result["inside"][f"signals and {title}"]), flush=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def with_trials(
    table: list[dict], rates: np.ndarray, records: dict, ways: tuple, truth: tuple[dict, dict], folds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Verdicts and factors from signals and trials together."""
    best, setup = truth
    more = []
    for row, rate in zip(table, rates, strict=True):
        gone = row["features"].get("bl_fall", math.nan)
        each = [numbers(records[row["problem"], *way], rate, gone) for way in ways]
        said = {name: float(np.mean([one[name] for one in each if name in one])) for name in set().union(*each)}
        more.append(row | {"features": row["features"] | said})
    data = Data(more)
    everybody = sorted(name for name in best if all((name, *way) in records for way in ways))
    known = {name: np.mean([told_by(records[name, *way], setup[name]) for way in ways], 0) for name in everybody}
    places = []
    for part in parts(data.problem, folds):
        others = [name for name in everybody if name not in part]
        fitted = line(np.array([known[name] for name in others]), np.array([best[name] for name in others]))
        places.append(np.log10(rates) - np.array([known[name] @ fitted for name in data.problem]))
    return by_trees(data, places, folds)


if __name__ == "__main__":
    main()
