"""Signals of the first tenth of constant-rate runs, for the live verdict to be calibrated on.

    python benchmarks/any_learning_rate/live.py --works W1,W2 --out benchmarks/results/any_learning_rate_live.jsonl

One line a run: what the instruments measured of the whole run until then (last value, median), the loss at first and at
last, and the rate. Truth: the best rate of the half-decade grid in `any_learning_rate.jsonl`, on the same workload.
"""

import argparse
import itertools
import json
import math
import statistics
from pathlib import Path

import torch
from workloads import WORKLOADS

import thalweg
from training import batch_loss, make_optimizer, ready

SHARE = 0.1
RATES = {"sgd": [10 ** (e / 2) for e in range(-12, 5)], "adamw": [10 ** (e / 2) for e in range(-14, 3)]}


def measure(name: str, kind: str, rate: float, seed: int) -> dict[str, object]:
    """Train a tenth of a run at a constant rate, watched."""
    work = WORKLOADS[name]
    network, source = ready(work.build(seed)), work.batches(seed)
    optimizer = make_optimizer(network, kind, rate)
    watching = thalweg.watch(network, optimizer)
    losses = []
    for _ in range(round(SHARE * work.steps)):
        loss = batch_loss(network, next(source))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    signals = {}
    for signal in watching.history().signals:
        values = [value for value in signal.values if math.isfinite(value)]
        if signal.subject in {"", "run"} and values:
            signals[signal.name] = [float(f"{value:.4g}") for value in (values[-1], statistics.median(values))]
    verdict = watching.verdict()
    watching.close()
    return {
        "work": name,
        "optimizer": kind,
        "rate": rate,
        "seed": seed,
        "steps": len(losses),
        "signals": signals,
        "batch_loss": [float(f"{value:.4g}") if math.isfinite(value) else None for value in losses],
        "verdict": verdict.verdict,
        "factor": verdict.factor,
    }


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=lambda text: text.split(","), default=["W1", "W2"])
    parser.add_argument("--seeds", type=lambda text: [int(each) for each in text.split(",")], default=[1])
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    lines = args.out.read_text().splitlines() if args.out.exists() else []
    done = {(row["work"], row["optimizer"], f"{row['rate']:.3g}", row["seed"]) for row in map(json.loads, lines)}
    for seed, name, kind in itertools.product(args.seeds, args.works, ("sgd", "adamw")):
        for rate in RATES[kind]:
            if (name, kind, f"{rate:.3g}", seed) not in done:
                row = measure(name, kind, rate, seed)
                with args.out.open("a") as file:
                    file.write(json.dumps(row, separators=(",", ":")) + "\n")
                print(name, kind, f"{rate:.3g}", row["verdict"], row["factor"], flush=True)


if __name__ == "__main__":
    main()
