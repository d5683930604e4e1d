"""The first fifth of recorded sweep runs once more, one network at a time and watched: what live verdicts learnt from.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/watched.py --share 0/2 --out benchmarks/sweeps/watched.jsonl

Truth is that of the sweeps (`runs.jsonl.gz`, labelled as in `table.py`); the problems, data, networks, optimizers and
schedules are the same, initial weights are drawn anew. Every rate within two decades of the best is run, of those
farther off every third. A line a run: what `thalweg.watch` measured of the whole run and how far each layer moved.
Resumable: what is there is not run again.
"""

import argparse
import gzip
import itertools
import json
import math
import os
from pathlib import Path

import numpy as np
import torch
from problems import Problem
from run import augmented, factor_at
from table import HERE, Run, load
from torch import nn
from torch.nn import functional

import thalweg
from data import split
from networks import Stack, build

SHARE, LEAST, MOST = 0.2, 40, 500
NEAR = 2.2
KEPT = ("batch_loss", "batch_gradient_norm", "batch_alignment", "batch_critical_step", "batch_sharpness",
        "batch_noise_scale", "batch_predicted_decrease", "batch_actual_decrease")  # fmt: skip
LAYERS = ("batch_update_ratio", "batch_weight_norm")


class Network(nn.Module):
    """One copy of a stack as an ordinary module, its parameters under names of layers."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.stack = [stack]
        layer = None
        for weight in stack.parameters:  # the stack computes with the very tensors it made: they are the parameters
            if layer is None or (weight.dim() > 2 and weight.shape[1] > 1):  # else a bias
                layer = nn.Module()
                self.add_module(f"layer{len(list(self.children()))}", layer)
            weight.__class__ = nn.Parameter
            layer.register_parameter(f"p{len(list(layer.parameters()))}", weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        (stack,) = self.stack
        stack.training = self.training
        return stack(x)[0]


def make_optimizer(problem: Problem, network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """The sweep's optimizer, as torch has it."""
    weights, decay = list(network.parameters()), problem.weight_decay
    if problem.optimizer in {"sgd", "momentum", "nesterov"}:
        momentum = 0.0 if problem.optimizer == "sgd" else 0.9
        return torch.optim.SGD(
            weights, lr=rate, momentum=momentum, nesterov=problem.optimizer == "nesterov", weight_decay=decay
        )
    if problem.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, lr=rate, alpha=0.9, eps=1e-7, weight_decay=decay)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "adagrad": torch.optim.Adagrad}
    return kinds[problem.optimizer](weights, lr=rate, weight_decay=decay)


def chosen(runs: list[Run], turn: int) -> list[Run]:
    """Rates to run in a turn: every third one, so that all problems are begun early."""
    return [run for number, run in enumerate(runs) if number % 3 == turn and (abs(run.log_factor) < NEAR or turn == 0)]


def watched(run: Run, seed: int) -> dict[str, object]:
    """Train the first fifth, watched."""
    problem = Problem(**{name: value for name, value in run.setup.items() if name != "name"})
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    parts = split(problem.family, problem.classes, train=problem.train, scaling=problem.scaling,
                  noise=problem.label_noise, seed=problem.seed)  # fmt: skip
    x, y = torch.from_numpy(parts.train_x), torch.from_numpy(parts.train_y)
    stack = Stack(1, init=problem.init, activation=problem.activation, norm=problem.norm, dropout=problem.dropout,
                  seed=seed)  # fmt: skip
    build(problem.kind, tuple(x.shape[1:]), problem.classes, stack, width=problem.width, depth=problem.depth)
    network = Network(stack)
    optimizer = make_optimizer(problem, network, run.rate)
    per_epoch = max(1, len(x) // problem.batch)
    steps = per_epoch * problem.epochs
    wanted = min(steps, max(LEAST, min(MOST, math.ceil(SHARE * steps))))
    watching = thalweg.watch(network, optimizer)
    done, rates = 0, []
    while done < wanted:
        order = torch.randperm(len(x), generator=rng)
        for at in range(per_epoch):
            index = order[at * problem.batch : (at + 1) * problem.batch]
            batch = augmented(x[index], rng) if problem.augment else x[index]
            for group in optimizer.param_groups:
                group["lr"] = run.rate * factor_at(problem, done, steps)
            rates.append(group["lr"])
            optimizer.zero_grad()
            functional.cross_entropy(network(batch), y[index]).backward()
            optimizer.step()
            done += 1
            if done >= wanted:
                break
    signals: dict[str, object] = {}
    layers: dict[str, object] = {}
    for signal in watching.history().signals:
        if signal.name in KEPT and signal.subject == "run":
            signals[signal.name] = [list(signal.steps), short(signal.values)]
        elif signal.name in LAYERS and signal.subject != "run":
            layers.setdefault(signal.name, {})[signal.subject] = [list(signal.steps), short(signal.values)]
    verdict = watching.verdict()
    watching.close()
    return {
        "problem": run.problem, "rate": run.rate, "seed": seed, "steps": steps, "seen": done,
        "seen_rate": float(f"{max(rates):.6g}"), "optimizer": problem.optimizer, "batch": problem.batch,
        "signals": signals, "layers": layers, "earlier": [verdict.verdict, verdict.factor],
    }  # fmt: skip


def short(values: tuple[float, ...]) -> list[float | None]:
    """Four digits."""
    return [float(f"{v:.4g}") if math.isfinite(v) else None for v in values]


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "watched.jsonl")
    parser.add_argument("--share", default="0/1")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    part, parts = map(int, args.share.split("/"))
    done = set()
    for path in (args.out, args.out.with_suffix(".jsonl.gz")):
        if path.exists():
            with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
                done |= {(row["problem"], row["rate"]) for row in map(json.loads, file)}
    by_problem: dict[str, list[Run]] = {}
    for run in load(HERE / "runs.jsonl.gz"):
        by_problem.setdefault(run.problem, []).append(run)
    for turn, (number, (name, runs)) in itertools.product(range(3), list(enumerate(by_problem.items()))):
        if number % parts != part:
            continue
        for run in chosen(runs, turn):
            if (name, run.rate) in done:
                continue
            record = watched(run, seed=1000 + int(np.log10(run.rate) * 10) % 997)
            with args.out.open("a") as file:
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
                file.flush()
                os.fsync(file.fileno())
        print(turn, number, name, flush=True)


if __name__ == "__main__":
    main()
