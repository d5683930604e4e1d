"""Learning-rate sweeps on many small problems: the curves that `thalweg diagnose` learnt from.

    python benchmarks/sweeps/run.py --minutes 75 --out benchmarks/sweeps/runs.jsonl

One thread. All rates of a problem run side by side as groups of one network (`networks.py`), with their own initial
weights. A problem is written when it is complete, one JSON line a rate, and a second call goes on after the last one.
Curves have 4 significant digits; null is a value that was not finite.
"""

import argparse
import gzip
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
from problems import Problem, draw
from torch.nn import functional

from data import Split, split
from networks import Stack, build

BATCH_LOSSES = 200


def short(values: list[float]) -> list[float | None]:
    return [float(f"{v:.4g}") if math.isfinite(v) else None for v in values]


def factor_at(problem: Problem, step: int, steps: int) -> float:
    """Learning rate at a step, as a share of the nominal one."""
    share = step / steps
    if problem.schedule == "step":
        return 0.1 ** (sum(share >= at for at in (0.5, 0.75)))
    if problem.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * share))
    if problem.schedule == "warmup_cosine":
        warm = 0.1
        return share / warm + 1 / steps if share < warm else 0.5 * (1 + math.cos(math.pi * (share - warm) / (1 - warm)))
    return 1.0


class Optimizer:
    """The usual update rules, with one learning rate for each copy along the first axis."""

    def __init__(self, problem: Problem, parameters: list[torch.Tensor]) -> None:
        self.kind, self.decay, self.parameters = problem.optimizer, problem.weight_decay, parameters
        self.rates = torch.tensor(problem.rates)
        self.state = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
        self.count = 0

    @torch.no_grad()
    def step(self, share: float) -> None:
        """Update every copy with that share of its own rate."""
        self.count += 1
        for p, (m, v) in zip(self.parameters, self.state, strict=True):
            g = p.grad
            rate = (self.rates * share).view(-1, *[1] * (p.dim() - 1))
            if self.decay and self.kind != "adamw":
                g = g.add(p, alpha=self.decay)
            if self.kind == "sgd":
                update = g
            elif self.kind in {"momentum", "nesterov"}:
                m.mul_(0.9).add_(g)
                update = m if self.kind == "momentum" else g + 0.9 * m
            elif self.kind == "adagrad":
                v.addcmul_(g, g)
                update = g / (v.sqrt() + 1e-10)
            elif self.kind == "rmsprop":
                v.mul_(0.9).addcmul_(g, g, value=0.1)
                update = g / (v.sqrt() + 1e-7)
            else:
                m.mul_(0.9).add_(g, alpha=0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                update = (m / (1 - 0.9**self.count)) / ((v / (1 - 0.999**self.count)).sqrt() + 1e-8)
                if self.kind == "adamw":
                    update = update + self.decay * p
            p.sub_(rate * update)
            p.grad = None


def scores(stack: Stack, x: torch.Tensor, y: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss and accuracy of every copy."""
    stack.training = False
    loss, right = torch.zeros(stack.rates), torch.zeros(stack.rates)
    with torch.no_grad():
        for at in range(0, len(x), 250):
            out = stack(x[at : at + 250])
            target = y[at : at + 250].expand(stack.rates, -1)
            loss += (
                functional
                .cross_entropy(out.flatten(0, 1), target.flatten(), reduction="none")
                .view(stack.rates, -1)
                .sum(1)
            )
            right += (out.argmax(2) == target).sum(1)
    stack.training = True
    return (loss / len(x)).numpy().astype(float), (right / len(x)).numpy().astype(float)


def augmented(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Shift by up to two pixels and mirror half of the batches' pictures."""
    dy, dx = (int(v) for v in torch.randint(-2, 3, (2,), generator=rng))
    x = torch.roll(x, (dy, dx), (2, 3))
    mirror = torch.rand(len(x), generator=rng) < 0.5
    return torch.where(mirror.view(-1, 1, 1, 1), x.flip(3), x)


def sweep(problem: Problem) -> list[dict[str, object]]:
    """Train all rates of a problem; one record a rate."""
    torch.manual_seed(problem.seed)
    rng = torch.Generator().manual_seed(problem.seed)
    parts: Split = split(problem.family, problem.classes, train=problem.train, scaling=problem.scaling,
                         noise=problem.label_noise, seed=problem.seed, val=problem.held)  # fmt: skip
    x, y = torch.from_numpy(parts.train_x), torch.from_numpy(parts.train_y)
    val = torch.from_numpy(parts.val_x), torch.from_numpy(parts.val_y)
    test = torch.from_numpy(parts.test_x), torch.from_numpy(parts.test_y)
    count = len(problem.rates)
    stack = Stack(count, init=problem.init, activation=problem.activation, norm=problem.norm, dropout=problem.dropout,
                  seed=problem.seed)  # fmt: skip
    build(problem.kind, tuple(x.shape[1:]), problem.classes, stack, width=problem.width, depth=problem.depth)
    optimizer = Optimizer(problem, stack.parameters)
    per_epoch = max(1, len(x) // problem.batch)
    steps = per_epoch * problem.epochs
    names = ("train_loss", "train_accuracy", "eval_loss", "eval_accuracy", "val_loss", "val_accuracy")
    curves: dict[str, list[np.ndarray]] = {name: [] for name in names}
    first: list[np.ndarray] = []
    step, begun = 0, time.perf_counter()
    for _ in range(problem.epochs):
        order = torch.randperm(len(x), generator=rng)
        total, right, seen = torch.zeros(count), torch.zeros(count), 0
        for at in range(per_epoch):
            index = order[at * problem.batch : (at + 1) * problem.batch]
            batch = augmented(x[index], rng) if problem.augment else x[index]
            target = y[index].expand(count, -1)
            out = stack(batch)
            each = functional.cross_entropy(out.flatten(0, 1), target.flatten(), reduction="none").view(count, -1)
            loss = each.mean(1)
            loss.sum().backward()
            optimizer.step(factor_at(problem, step, steps))
            step += 1
            loss = loss.detach()
            if len(first) < BATCH_LOSSES:
                first.append(loss.numpy().astype(float))
            total += loss * len(index)
            right += (out.detach().argmax(2) == target).sum(1)
            seen += len(index)
        row = [(total / seen).numpy().astype(float), (right / seen).numpy().astype(float)]
        row += [*scores(stack, x[:200], y[:200]), *scores(stack, *val)]
        for name, values in zip(names, row, strict=True):
            curves[name].append(values)
    test_loss, test_accuracy = scores(stack, *test)
    broken = ~np.isfinite(test_loss)
    majority = float(np.bincount(parts.test_y).max() / len(parts.test_y))
    seconds = time.perf_counter() - begun
    records = []
    for k, rate in enumerate(problem.rates):
        records.append(
            {"problem": problem.name, "rate": rate, "seconds": round(seconds / count, 2), "steps": steps,
             "test_accuracy": None if broken[k] else round(float(test_accuracy[k]), 4), "majority": round(majority, 4),
             "test": len(parts.test_y), "batch_loss": short([float(v[k]) for v in first])}
            | {name: short([float(v[k]) for v in values]) for name, values in curves.items()}
        )  # fmt: skip
        if k == 0:
            records[0]["setup"] = problem.as_dict()
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "runs.jsonl")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, default=10_000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    done: set[str] = set()
    for path in {args.out, args.out.with_suffix(".jsonl.gz")}:
        if path.exists():
            opener = gzip.open if path.suffix == ".gz" else open
            with opener(path, "rt") as file:
                done |= {json.loads(line)["problem"] for line in file if line.endswith("}\n")}
    end = time.monotonic() + 60 * args.minutes
    for number in range(args.first, args.last):
        problem = draw(number)
        if problem.name in done:
            continue
        if time.monotonic() > end:
            break
        begun = time.monotonic()
        records = sweep(problem)
        text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        with args.out.open("a") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        best = max(r["test_accuracy"] or 0 for r in records)
        print(f"{problem.name} {time.monotonic() - begun:.0f} s, best {best:.3f}", flush=True)


if __name__ == "__main__":
    main()
