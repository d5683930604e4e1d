"""What scaling initial weights is worth: deep plain networks as people write them, at good rates, without it and with.

    python benchmarks/any_learning_rate/initial_scale.py --seeds 1,2

The pictures and the budget of W4 (10,000 of CIFAR-10 at 16 x 16, 1,000 steps of batch 32); eight convolutions without
normalisation with PyTorch's own initial weights, or twice too large ones. Without: warm-up, cosine and clipping at the
best of three rates half a decade apart, by validation. With: `search_well_scaled`, as `thalweg train` begins. A network
with batch normalisation, which needs none of it, must stay as it is. Resumable.
"""

import argparse
import dataclasses
import json
import os
import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean

import torch
from torch import nn
from workloads import WORKLOADS, deep

from thalweg.monitoring.initial_scale import find_rescaling
from training import batch_loss, ready, run_given, run_plain

RESULTS = Path(__file__).resolve().parents[1] / "results" / "initial_scale.json"
RATES = {"sgd": (0.03, 0.1, 0.3), "adamw": (0.001, 0.003, 0.01)}
WIDTHS = (16, 16, 24, 24, 32, 32, 48, 48)


def default(activation: Callable[[], nn.Module], *, norm: bool = False) -> nn.Module:
    """Eight convolutions with the initial weights that PyTorch gives."""
    layers, inp = [], 3
    for level, width in enumerate(WIDTHS):
        layers += [nn.Conv2d(inp, width, 3, stride=2 if level in {0, 2, 4} else 1, padding=1)]
        layers += [nn.BatchNorm2d(width)] if norm else []
        layers += [activation()]
        inp = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inp, 10))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "ReLU, PyTorch's weights": partial(default, nn.ReLU),
    "GELU, PyTorch's weights": partial(default, nn.GELU),
    "tanh, PyTorch's weights": partial(default, nn.Tanh),
    "sigmoid, PyTorch's weights": partial(default, nn.Sigmoid),
    "ReLU, twice He's weights (W4)": deep,
    "ReLU and batch normalisation": partial(default, nn.ReLU, norm=True),
}


def main() -> None:
    """Run what is missing and sum up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=lambda text: [int(each) for each in text.split(",")], default=[1, 2])
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rows = json.loads(args.out.read_text())["runs"] if args.out.exists() else []
    done = {(row["network"], row["optimizer"], row["way"], row["rate"], row["seed"]) for row in rows}
    for seed in args.seeds:
        for name, make in NETWORKS.items():
            work = dataclasses.replace(WORKLOADS["W4"], network=make)
            for kind, rates in RATES.items():
                for way, rate in [*(("without", rate) for rate in rates), ("with", 1e-6)]:
                    if (name, kind, way, rate, seed) in done:
                        continue
                    if way == "with":
                        found = run_given(work, kind, rate, seed)
                    else:
                        found = run_plain(work, kind, rate, seed, decay=True, clip=True)
                    kept = ("validation", "accuracy", "cpu_seconds", "peak", "scaled")
                    rows.append({"network": name, "optimizer": kind, "way": way, "rate": rate, "seed": seed,
                                 **{key: found[key] for key in kept if key in found}})  # fmt: skip
                    print(rows[-1], flush=True)
                    args.out.write_text(json.dumps(summed(rows), indent=1) + "\n")


def summed(rows: list[dict]) -> dict[str, object]:
    """Mean accuracies, and what was measured of the initial weights."""
    table = []
    for name, make in NETWORKS.items():
        work = dataclasses.replace(WORKLOADS["W4"], network=make)
        network, batch = ready(work.build(1)), next(work.batches(1001))
        seen = find_rescaling(network, lambda network=network, batch=batch: batch_loss(network, batch))
        for kind, rates in RATES.items():
            mine = [row for row in rows if (row["network"], row["optimizer"]) == (name, kind)]
            tuned = {rate: [row for row in mine if row["way"] == "without" and row["rate"] == rate] for rate in rates}
            if not all(tuned.values()) or not any(row["way"] == "with" for row in mine):
                continue
            best = max(rates, key=lambda rate: mean(row["validation"] for row in tuned[rate]))
            with_it = [row for row in mine if row["way"] == "with"]
            table.append({
                "network": name, "optimizer": kind, "seeds": len(with_it),
                "loss_before": round(seen.before, 2), "loss_after": round(seen.after, 2),
                "spread": float(f"{seen.spread:.2g}"),
                "best_rate_without": best, "accuracy_without": round(mean(row["accuracy"] for row in tuned[best]), 4),
                "accuracy_with": round(mean(row["accuracy"] for row in with_it), 4),
                "scaled": sum("scaled" in row for row in with_it),
            })  # fmt: skip
    return {"benchmark": "initial_scale", "torch": torch.__version__, "python": platform.python_version(),
            "machine": f"{platform.machine()} {os.cpu_count()} cores", "table": table, "runs": rows}  # fmt: skip


if __name__ == "__main__":
    main()
