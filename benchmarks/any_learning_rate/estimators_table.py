"""What the measurements of `estimators.py` say: regret and spread of each way to tell the best rate.

    python benchmarks/any_learning_rate/estimators_table.py benchmarks/results/any_learning_rate_estimators.jsonl.gz

Each way may multiply its estimate by one constant per optimizer, chosen here to make the mean regret smallest with the
problem at hand left out (regrets above 5 points count as 5 there, lest one problem decide it). Regret: best accuracy of
the sweep minus accuracy at the estimate (linear in the logarithm of the rate between neighbours), in points; it holds
the luck of the sweep's best run, and favours the one rate for all, which lies on the sweep's grid.
"""

# ruff: noqa: ARG005 - every way has the same two arguments

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

SHIFTS = np.arange(-2.5, 1.51, 0.05)
Record = dict[str, object]


def numbers(values: object) -> np.ndarray:
    """With NaN where nothing finite was measured."""
    return np.array([np.nan if value is None else value for value in values], float)


def vertex(rates: np.ndarray, losses: np.ndarray) -> float:
    """Lowest point of a parabola through the best trial and its neighbours."""
    losses = np.minimum(np.where(np.isfinite(losses), losses, 50.0), 50.0)
    best = int(losses.argmin())
    if best in {0, len(losses) - 1}:
        return float(rates[best])
    low, middle, high = np.log(losses[best - 1 : best + 2])
    bend = low - 2 * middle + high
    return float(rates[best] + (rates[1] - rates[0]) * 0.5 * (low - high) / bend)


def edge(test: Record) -> float:
    """Where the smoothed loss of a climbing rate rises clearly above its lowest."""
    losses, rates = numbers(test["losses"]), np.log10(numbers(test["rates"]))
    smooth, lowest = losses[0], losses[0]
    for rate, loss in zip(rates, losses, strict=True):
        smooth = 0.5 * smooth + 0.5 * (loss if np.isfinite(loss) else 1e9)
        lowest = min(lowest, smooth)
        if smooth > max(1.5 * lowest, lowest + 0.35):
            return float(rate)
    return float(rates[-1])


def steepest(test: Record) -> float:
    """Where the smoothed loss of a climbing rate falls most steeply (the finders' suggestion)."""
    losses = np.nan_to_num(numbers(test["losses"]), nan=1e3)
    smooth = np.convolve(losses, np.ones(5) / 5, "valid")
    return float(np.log10(numbers(test["rates"]))[int(np.diff(smooth).argmin()) + 2])


WAYS: dict[str, Callable[[Record, np.ndarray], list[float]]] = {
    "one rate for all": lambda record, rates: [0.0],
    "trials of 30 steps, best": lambda r, x: [float(x[np.nanargmin(numbers(p["held_loss"]))]) for p in r["pilot30"]],
    "trials of 30 steps, vertex": lambda r, x: [vertex(x, numbers(p["held_loss"])) for p in r["pilot30"]],
    "trials of 60 steps, vertex": lambda r, x: [vertex(x, numbers(p["held_loss"])) for p in r["pilot60"]],
    "range test, edge": lambda r, x: [edge(test) for test in r["range"][::2]],
    "range test, edge, clipped": lambda r, x: [edge(test) for test in r["range"][1::2]],
    "range test, steepest": lambda r, x: [steepest(test) for test in r["range"][::2]],
    "critical step, at the start": lambda r, x: [np.log10(v) for ramp, v in r["critical"] if ramp == 0 and v],
    "critical step, after 8 steps": lambda r, x: [np.log10(v) for ramp, v in r["critical"] if ramp and v],
}


def main() -> None:
    """Print a table for each optimizer."""
    path = Path(sys.argv[1])
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        records = [json.loads(line) for line in file]
    for kind in ("momentum", "adamw"):
        part = [record for record in records if record["optimizer"] == kind]
        rates = np.log10(numbers(part[0]["rates"]))
        truths = [100 * numbers(record["full"]["accuracy"]) for record in part]
        print(f"\n{kind}, {len(part)} problems")
        print("| way | regret mean | median | p90 | worst | spread (octaves) | factor |\n|---|---|---|---|---|---|---|")
        for name, way in WAYS.items():
            found = [[value for value in way(record, rates) if np.isfinite(value)] for record in part]
            costs = np.array([  # mean regret of each problem at each shift
                [
                    np.mean([truth.max() - np.interp(value + shift, rates, truth) for value in values or [-9.0]])
                    for shift in SHIFTS
                ]
                for values, truth in zip(found, truths, strict=True)
            ])
            costs = np.minimum(costs, 5.0)
            regrets, offs = [], []
            for number, (values, truth) in enumerate(zip(found, truths, strict=True)):
                shift = SHIFTS[int(np.delete(costs, number, 0).mean(0).argmin())]
                regrets += [truth.max() - np.interp(value + shift, rates, truth) for value in values or [-9.0]]
                offs += [value - np.average(rates, weights=truth >= truth.max() - 1.5) for value in values]
            print(
                f"| {name} | {np.mean(regrets):.2f} | {np.median(regrets):.2f} | {np.percentile(regrets, 90):.2f} "
                f"| {np.max(regrets):.1f} | {np.std(offs) / np.log10(2):.1f} "
                f"| {10 ** SHIFTS[int(costs.mean(0).argmin())]:.2g} |"
            )


if __name__ == "__main__":
    main()
