"""What trials and the usual rate are worth, alone and together, on problems whose best rates are known.

    python benchmarks/sweeps/usual_rate.py

Reads trials.jsonl.gz (trial_rates.py: the rate that trials choose before a run, with no share of the usual one) and
runs.jsonl.gz (whole runs at twenty and more rates each), writes benchmarks/results/usual-rate.json. A rate costs the
deficit of the sweep there, linear in the logarithm of the rate: (reference - accuracy) / (reference - chance).
Decision 0047 rests on it.
"""

import gzip
import json
import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from table import HERE, load

from thalweg.monitoring.rate_search import WHOLE_RUN

RESULTS = HERE.parents[1] / "benchmarks/results/usual-rate.json"
KINDS = {"momentum": "momentum", "nesterov": "momentum", "sgd": "sgd", "adam": "adam", "adamw": "adam", "nadam": "adam",
         "rmsprop": "rmsprop"}  # fmt: skip
USUAL = {"momentum": WHOLE_RUN["plain"], "sgd": 10 * WHOLE_RUN["plain"], "adam": WHOLE_RUN["normalising"],
         "rmsprop": WHOLE_RUN["normalising"]}  # fmt: skip
FEWEST = 8


def ways(usual: float) -> dict[str, Callable[[float], float]]:
    """Decimal logarithm of the rate used, from that of the rate that trials chose."""

    def stands(times: float) -> Callable[[float], float]:
        return lambda tried: usual if abs(tried - usual) <= math.log10(times) else tried

    return {
        "trials alone": lambda tried: tried,
        "usual alone": lambda _: usual,
        "a third of the usual": lambda tried: (usual + 2 * tried) / 3,
        "half-way": lambda tried: (usual + tried) / 2,
        "two thirds of the usual": lambda tried: (2 * usual + tried) / 3,
        "half-way within a decade": lambda tried: (usual + tried) / 2 if abs(tried - usual) < 1 else tried,
        "usual where trials agree within 2x": stands(2),
        "usual where trials agree within 4x": stands(4),
        "usual where trials agree within 8x": stands(8),
    }


def costs(way: Callable[[float], float], part: list[tuple]) -> dict[str, float]:
    """Deficits at the rates of a way, in percent."""
    found = 100 * np.array([np.interp(way(rate), logs, deficits) for rate, _, logs, deficits in part])
    return {"mean": round(float(found.mean()), 1), "p90": round(float(np.percentile(found, 90)), 1)}


def main() -> None:
    """Compare."""
    runs = defaultdict(list)
    for run in load(HERE / "runs.jsonl.gz"):
        runs[run.problem].append(run)
    problems = defaultdict(list)
    with gzip.open(HERE / "trials.jsonl.gz", "rt") as file:
        for row in map(json.loads, file):
            if (row["way"], row["seed"]) != ("choose", 1) or row["problem"] not in runs:
                continue
            sweep = sorted(runs[row["problem"]], key=lambda run: run.rate)
            logs, deficits = np.log10([run.rate for run in sweep]), np.clip([run.deficit for run in sweep], 0, 1)
            best = float(np.median([math.log10(run.rate) - run.log_factor for run in sweep]))
            kind = KINDS.get(sweep[0].setup["optimizer"])
            problems[kind].append((math.log10(row["rate"]), best, logs, deficits))
    found = {}
    for kind, part in problems.items():
        if kind is None or len(part) < FEWEST:
            continue
        tried, best = (np.array([each[place] for each in part]) for place in (0, 1))
        median = float(np.median(best))
        found[kind] = {
            "problems": len(part), "usual": USUAL[kind], "median_of_best": float(f"{10**median:.2g}"),
            "correlation_of_trials_and_best": round(float(np.corrcoef(tried, best)[0, 1]), 2),
            "scatter_of_trials_in_decades": round(float(np.std(tried - best)), 2),
            "scatter_of_best_in_decades": round(float(np.std(best)), 2),
            "deficit_in_percent": {
                named: {name: costs(way, part) for name, way in ways(usual).items()}
                for named, usual in (("usual", math.log10(USUAL[kind])), ("median", median))
            },
        }  # fmt: skip
        print(kind, json.dumps(found[kind], indent=1))
    Path(RESULTS).write_text(json.dumps({"benchmark": "usual_rate", "optimizers": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
