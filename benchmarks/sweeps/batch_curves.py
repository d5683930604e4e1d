"""Losses of single steps, on all samples and on mini batches: the curves that `diagnosis/noise.py` learnt from.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/batch_curves.py --minutes 20 --out benchmarks/sweeps/batch_curves.jsonl

A problem is a small data set with a small network, both drawn from its number. On each, thirteen runs: full batch below
the edge of stability, at it and beyond it (rate times starting sharpness over 2 from 0.02 to 12, momentum and Adam
besides), mini batches of 1 to half the set by the same optimizers, drawn anew each pass, in a fixed order, or with
replacement; and full batch with dropout, which is a noise of its own. A run that is lost goes on at half its rate.
One JSON line a run, losses with 5 significant digits; a second call goes on after the last complete problem.
"""

import argparse
import gzip
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from data import pool, source

FAMILIES = {  # family: classes to choose from; the photos of solar cells are left to the test in `thalweg lab`
    "digits": (2, 5, 10), "fashion": (2, 3, 10), "cifar": (2, 3, 10), "ecg": (2, 5), "cancer": (2,),
    "spirals": (2, 3), "blobs": (2, 5, 20), "teacher": (6,),
}  # fmt: skip
PICTURES = ("digits", "fashion", "cifar")
NETWORKS = ("tanh", "relu", "tanh relu", "gelu", "deep linear", "logistic", "conv tanh", "conv relu", "conv norm")
FULL = ("below", "edge", "beyond", "beyond", "momentum", "adam", "dropout")
MINI = ("sgd", "sgd", "sgd", "large", "momentum", "adam")
LENGTHS = (40, 60, 80, 100, 120, 150, 200, 200, 250, 300, 300, 400, 600, 1000)


def examples(rng: np.random.Generator, family: str, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw 48 to 600 samples with mean 0 and deviation 1, some labels wrong."""
    x, y = source(family, classes)
    if family == "cifar":
        x = pool(x, 1 if rng.random() < 0.5 else 2)
    chosen = rng.permutation(len(x))[: int(np.exp(rng.uniform(np.log(48), np.log(600))))]
    x, y = x[chosen].astype(np.float32), y[chosen].copy()
    if family == "cancer":
        x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    wrong = rng.random(len(y)) < rng.choice([0, 0, 0.05, 0.2])
    y[wrong] = rng.integers(0, classes, wrong.sum())
    return torch.from_numpy((x - x.mean()) / (x.std() + 1e-6)), torch.from_numpy(y)


def network(kind: str, x: torch.Tensor, outputs: int, width: int, dropout: float) -> nn.Module:
    """Build one of the kinds; every call draws other weights."""
    inputs, channels = int(np.prod(x.shape[1:])), x.shape[1]
    acts = {"tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU, "norm": nn.ReLU}
    act = acts.get(kind.rsplit(maxsplit=1)[-1], nn.Identity)
    drop = [nn.Dropout(dropout)] if dropout else []
    if kind == "logistic":
        return nn.Sequential(nn.Flatten(), *drop, nn.Linear(inputs, outputs))
    if kind.startswith("conv"):
        norm = [nn.BatchNorm2d(width)] if kind == "conv norm" else []
        again = [nn.BatchNorm2d(width)] if kind == "conv norm" else []
        return nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), *norm, act(), nn.MaxPool2d(2),
            nn.Conv2d(width, width, 3, padding=1), *again, act(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), *drop,
            nn.Linear(4 * width, outputs),
        )  # fmt: skip
    first = nn.Tanh if kind == "tanh relu" else act
    return nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, 4 * width), first(), *drop,
        nn.Linear(4 * width, 4 * width), act(), nn.Linear(4 * width, outputs),
    )  # fmt: skip


def loss_of(scores: torch.Tensor, y: torch.Tensor, squared: bool) -> torch.Tensor:
    if scores.shape[1] == 1:
        target = y.float().unsqueeze(1)
        return (scores - target).square().mean() if squared else functional.binary_cross_entropy_with_logits(scores, target)  # fmt: skip  # noqa: E501
    if squared:
        return (scores - functional.one_hot(y, scores.shape[1])).square().sum(1).mean()
    return functional.cross_entropy(scores, y)


def sharpness(module: nn.Module, x: torch.Tensor, y: torch.Tensor, squared: bool) -> float:
    """Find the largest curvature, by a dozen power iterations."""
    weights = list(module.parameters())
    gradient = torch.autograd.grad(loss_of(module(x), y, squared), weights, create_graph=True)
    vector, value = [torch.randn_like(w) for w in weights], 0.0
    for _ in range(12):
        norm = math.sqrt(sum(float(v.square().sum()) for v in vector))
        if not 0 < norm < math.inf:
            return 0.0
        vector = [v / norm for v in vector]
        product = torch.autograd.grad(gradient, weights, vector, retain_graph=True, materialize_grads=True)
        value = sum(float((a * b).sum()) for a, b in zip(vector, product, strict=True))
        vector = list(product)
    return value


def batches(rng: np.random.Generator, count: int, batch: int, order: str) -> Iterator[np.ndarray | slice]:
    fixed = rng.permutation(count)
    while True:
        if order == "full":
            yield slice(None)
        elif order == "replacement":
            yield rng.integers(0, count, batch)
        else:
            now = fixed if order == "fixed" else rng.permutation(count)
            stop = count // batch * batch if order == "fixed" else count  # else the last of a pass is smaller
            yield from (now[at : at + batch] for at in range(0, stop, batch))


def train(make: object, x: torch.Tensor, y: torch.Tensor, plan: dict, seed: int) -> tuple[nn.Module, list[float]]:
    """Train once; the module and the loss of every step, until it is lost."""
    torch.manual_seed(seed)
    module = make(plan["dropout"])
    rate, weights = plan["rate"], module.parameters()
    optimizer = (
        torch.optim.Adam(weights, rate) if plan["optimizer"] == "adam"
        else torch.optim.SGD(weights, rate, momentum=0.9 if plan["optimizer"] == "momentum" else 0.0)
    )  # fmt: skip
    losses: list[float] = []
    for pick in batches(np.random.default_rng(seed), len(x), plan["batch"], plan["order"]):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(module(x[pick]), y[pick], plan["squared"])
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if len(losses) == plan["steps"] or not losses[-1] < 1e6:
            return module, losses
    raise AssertionError


def drawn(rng: np.random.Generator, kind: str, count: int, full: bool, top: float) -> dict:
    """Draw what a run is made of; `top` is the starting sharpness."""
    optimizer = kind if kind in {"momentum", "adam"} else "sgd"
    low, high = {"below": (-1.7, -0.3), "edge": (-0.5, 0.3), "beyond": (0.1, 1.1)}.get(kind, (-1.7, 0.6))
    ratio = 10 ** rng.uniform(low, high)
    rate = 2 * ratio / max(top, 1e-3) * (0.19 if optimizer == "momentum" else 1.0)
    half = max(1, count // 2)
    batch = count if full else min(half, 2 ** int(rng.integers(0, 8)))
    if kind == "large":
        batch = int(rng.integers(max(1, count // 4), half + 1))
    order = "full" if full else str(rng.choice(["anew", "anew", "anew", "fixed", "replacement"]))
    if batch == 1 and order == "fixed" and count > 300:
        order = "anew"
    return {
        "kind": kind, "full": full, "optimizer": optimizer, "batch": batch, "order": order,
        "rate": 10 ** rng.uniform(-4, -1.3) if optimizer == "adam" else min(rate, 300.0),
        "steps": 2000 if rng.random() < 0.02 else int(rng.choice(LENGTHS)),
        "dropout": float(rng.choice([0.1, 0.3, 0.5])) if kind == "dropout" else 0.0,
    }  # fmt: skip


def problem(number: int) -> list[dict]:
    """Make all runs of one problem."""
    rng = np.random.default_rng((number, 71))
    family = str(rng.choice(list(FAMILIES)))
    kinds = NETWORKS if family in PICTURES else NETWORKS[:6]
    kind, classes = str(rng.choice(kinds)), int(rng.choice(FAMILIES[family]))
    x, y = examples(rng, family, classes)
    squared, width = bool(rng.random() < 0.2), int(rng.choice([2, 4, 8]))
    if kind.startswith("conv"):
        x, y = x[:150], y[:150]
    outputs = 1 if classes == 2 else classes
    torch.manual_seed(number)

    def make(dropout: float) -> nn.Module:
        return network(kind, x, outputs, width, dropout)

    records = []
    for place, (each, full) in enumerate([(k, True) for k in FULL] + [(k, False) for k in MINI]):
        torch.manual_seed(1000 * number + place)
        top = sharpness(make(0.0), x, y, squared)
        plan = drawn(rng, each, len(x), full, top) | {"squared": squared}
        if kind == "conv norm" and not full:
            plan["batch"] = max(4, plan["batch"])
        if kind.startswith("conv"):
            plan["steps"] = min(plan["steps"], 200)
        for _ in range(10):
            module, losses = train(make, x, y, plan, 1000 * number + place)
            if len(losses) == plan["steps"] and max(losses[-10:]) < 4 * max(losses[0], 0.7):
                break
            plan["rate"] /= 2
        else:
            continue
        edge = None
        if full and plan["optimizer"] == "sgd" and not plan["dropout"]:
            edge = round(sharpness(module, x, y, squared) * plan["rate"] / 2, 3)
        record = {"problem": f"{number} {family} {classes} {kind}", "samples": len(x), **plan, "edge": edge}
        record["rate"] = float(f"{plan['rate']:.3g}")
        records.append(record | {"losses": [float(f"{v:.5g}") for v in losses]})
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "batch_curves.jsonl")
    parser.add_argument("--last", type=int, default=180, help="problems")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    done: set[int] = set()
    for path in {args.out, args.out.with_suffix(".jsonl.gz")}:
        if path.exists():
            opener = gzip.open if path.suffix == ".gz" else open
            with opener(path, "rt") as file:
                done |= {int(json.loads(line)["problem"].split()[0]) for line in file if line.endswith("}\n")}
    end = time.process_time() + 60 * args.minutes
    for number in range(args.last):
        if number in done:
            continue
        if time.process_time() > end:
            break
        began = time.process_time()
        records = problem(number)
        with args.out.open("a") as file:  # a problem in one piece
            file.write("".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records))
            file.flush()
            os.fsync(file.fileno())
        name = records[0]["problem"] if records else number
        print(f"{name}: {len(records)} runs, {time.process_time() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
