"""Which short measurement tells the best learning rate? Sweeps of other problems answer; no judged workload is touched.

    python benchmarks/any_learning_rate/estimators.py --out benchmarks/results/any_learning_rate_estimators.jsonl

For each problem (drawn like those of `benchmarks/sweeps`, never CIFAR-10 or chest X-rays) and each optimizer, every
rate of a grid trains to the end (warm-up, cosine, clipping at norm 1): the truth. From the same start, short runs are
made: *pilots* of H steps with their own warm-up and full decay, judged by their loss on training batches not used;
*range tests* with a climbing rate; *critical steps* along the first update. One JSON line a problem and optimizer;
a second call goes on after the last one. `estimators_table.py` reads them.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sweeps"))
from problems import Problem, draw

from data import Split, split
from networks import Stack, build

NUMBERS = (43, 11, 18, 22, 52, 49, 58, 38, 26, 55, 6, 21, 37, 57, 71, 2, 27, 4, 30, 68)
"""Problems of the sweeps' space; optimizer, batch and length are set here."""
GRID = {"momentum": np.arange(-4.0, 1.51, 0.5), "adamw": np.arange(-5.5, 0.01, 0.5)}
"""Exponents of ten."""
STEPS, BATCH = 500, 64
HORIZONS = (30, 60)
RANGE_STEPS = 60


class Machine:
    """The update rule with one rate a copy, clipping each copy's gradient at a norm."""

    def __init__(self, kind: str, stack: Stack, clip: float | None) -> None:
        self.kind, self.clip, self.parameters = kind, clip, stack.parameters
        self.state = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.parameters]
        self.count = 0

    @torch.no_grad()
    def step(self, rates: torch.Tensor) -> None:
        """Update every copy with its own rate."""
        self.count += 1
        norm = torch.sqrt(sum(p.grad.flatten(1).square().sum(1) for p in self.parameters))
        share = torch.ones_like(norm) if self.clip is None else (self.clip / (norm + 1e-6)).clamp(max=1.0)
        for p, (m, v) in zip(self.parameters, self.state, strict=True):
            wide = [-1, *[1] * (p.dim() - 1)]
            g = p.grad * share.view(wide)
            if self.kind == "momentum":
                update = m.mul_(0.9).add_(g)
            else:
                m.mul_(0.9).add_(g, alpha=0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                update = (m / (1 - 0.9**self.count)) / ((v / (1 - 0.999**self.count)).sqrt() + 1e-8)
            p.sub_(rates.view(wide) * update)
            p.grad = None


def shape(step: int, steps: int, warm: float = 0.1) -> float:
    """Warm-up, then a cosine to zero."""
    at = (step + 1) / (steps + 1)
    return at / warm if at < warm else 0.5 * (1 + math.cos(math.pi * (at - warm) / (1 - warm)))


class Bench:
    """One problem: its data in a fixed order, and fresh stacks with the same start."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.parts: Split = split(
            problem.family,
            problem.classes,
            train=problem.train,
            scaling=problem.scaling,
            noise=problem.label_noise,
            seed=problem.seed,
        )
        self.x, self.y = torch.from_numpy(self.parts.train_x), torch.from_numpy(self.parts.train_y)
        self.test = torch.from_numpy(self.parts.test_x), torch.from_numpy(self.parts.test_y)

    def stack(self, copies: int, seed: int) -> Stack:
        """Copies of the network that start alike (the same weights in each)."""
        p = self.problem
        one = Stack(1, init=p.init, activation=p.activation, norm=p.norm, dropout=p.dropout, seed=seed)
        build(p.kind, tuple(self.x.shape[1:]), p.classes, one, width=p.width, depth=p.depth)
        many = Stack(copies, init=p.init, activation=p.activation, norm=p.norm, dropout=p.dropout, seed=seed)
        build(p.kind, tuple(self.x.shape[1:]), p.classes, many, width=p.width, depth=p.depth)
        with torch.no_grad():
            for mine, theirs in zip(many.parameters, one.parameters, strict=True):
                mine.copy_(theirs.expand_as(mine))
        return many

    def batches(self, seed: int):  # noqa: ANN201 - endless
        """Training batches, shuffled each epoch."""
        rng = torch.Generator().manual_seed(seed)
        size = min(BATCH, len(self.x) // 4)
        while True:
            order = torch.randperm(len(self.x), generator=rng)
            for at in range(0, len(order) - size + 1, size):
                index = order[at : at + size]
                yield self.x[index], self.y[index]

    def losses(self, stack: Stack, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Mean loss of every copy on one batch."""
        out = stack(x)
        target = y.expand(stack.rates, -1)
        each = functional.cross_entropy(out.flatten(0, 1), target.flatten(), reduction="none")
        return each.view(stack.rates, -1).mean(1)

    def train(self, kind: str, rates: torch.Tensor, steps: int, seed: int) -> dict[str, list]:
        """Train every rate side by side; loss on 8 later batches and test accuracy at the end."""
        torch.manual_seed(seed)
        stack, source = self.stack(len(rates), seed), self.batches(seed)
        machine = Machine(kind, stack, 1.0)
        last = []
        for step in range(steps):
            loss = self.losses(stack, *next(source))
            loss.sum().backward()
            last.append(loss.detach())
            machine.step(rates * shape(step, steps))
        with torch.no_grad():
            later = torch.stack([self.losses(stack, *next(source)) for _ in range(8)])
            stack.training = False
            right = torch.zeros(len(rates))
            if steps == STEPS:
                for at in range(0, len(self.test[0]), 500):
                    x, y = self.test[0][at : at + 500], self.test[1][at : at + 500]
                    right += (stack(x).argmax(2) == y.expand(stack.rates, -1)).sum(1)
        return {
            "held_loss": plain(later.mean(0)),
            "held_spread": plain(later.std(0) / math.sqrt(len(later))),
            "last_loss": plain(torch.stack(last[-5:]).mean(0)),
            "accuracy": plain(right / len(self.test[1])),
        }

    def range_test(self, kind: str, seed: int, clip: float | None) -> dict[str, list]:
        """One copy, the rate climbing over ten decades."""
        torch.manual_seed(seed)
        stack, source = self.stack(1, seed), self.batches(seed)
        machine = Machine(kind, stack, clip)
        top = 3.0 if kind == "momentum" else 1.5
        rates = 10 ** np.linspace(top - 8, top, RANGE_STEPS)
        losses: list[float] = []
        for rate in rates:
            loss = self.losses(stack, *next(source))
            losses.append(float(loss.detach()))
            if not math.isfinite(losses[-1]):
                break
            loss.sum().backward()
            machine.step(torch.tensor([rate], dtype=torch.float32))
        return {"rates": plain(rates[: len(losses)]), "losses": plain(losses)}

    def critical(self, kind: str, seed: int, ramp: int) -> float:
        """Rate at which the loss on other batches, along the next update, comes back to its start."""
        torch.manual_seed(seed)
        stack, source = self.stack(1, seed), self.batches(seed)
        machine = Machine(kind, stack, None)
        low = 1e-4 if kind == "momentum" else 1e-5
        for step in range(ramp):
            self.losses(stack, *next(source)).sum().backward()
            machine.step(torch.tensor([low * (1 + step)]))
        self.losses(stack, *next(source)).sum().backward()
        others = [next(source) for _ in range(3)]
        keep = [p.detach().clone() for p in stack.parameters]
        machine.step(torch.tensor([1.0]))
        way = [new.detach() - old for new, old in zip(stack.parameters, keep, strict=True)]

        @torch.no_grad()
        def at(rate: float) -> float:
            for p, old, d in zip(stack.parameters, keep, way, strict=True):
                p.copy_(old + rate * d)
            return float(sum(self.losses(stack, *other) for other in others) / 3)

        start = at(0.0)
        found = math.nan
        for exponent in np.arange(-7, 4.01, 0.125):
            value = at(float(10**exponent))
            if not math.isfinite(value) or value > start + 1e-4:
                found = float(10**exponent)
                break
        return found


def plain(values: object) -> list[float | None]:
    """Numbers with five digits; what is not finite becomes null."""
    return [float(f"{float(v):.5g}") if math.isfinite(float(v)) else None for v in values]


def measure(number: int, kind: str) -> dict[str, object]:
    """All measurements of one problem with one optimizer."""
    problem = replace(draw(number), optimizer=kind, batch=BATCH, schedule="warmup_cosine", epochs=0)
    bench = Bench(problem)
    rates = torch.tensor(10.0 ** GRID[kind], dtype=torch.float32)
    begun = time.perf_counter()
    record: dict[str, object] = {
        "problem": f"{number:03d}-{problem.family}{problem.classes}-{problem.kind}{problem.depth}"
        f"{'bn' if problem.norm else ''}-{problem.init}-{problem.scaling}",
        "optimizer": kind,
        "number": number,
        "rates": plain(rates),
        "steps": STEPS,
        "test": len(bench.test[1]),
    }
    record["full"] = bench.train(kind, rates, STEPS, 1)
    for horizon in HORIZONS:
        record[f"pilot{horizon}"] = [bench.train(kind, rates, horizon, seed) for seed in (1, 2)]
    record["range"] = [bench.range_test(kind, seed, clip) for seed in (1, 2) for clip in (None, 1.0)]
    record["critical"] = [[ramp, bench.critical(kind, seed, ramp)] for ramp in (0, 8) for seed in (1, 2)]
    record["seconds"] = round(time.perf_counter() - begun, 1)
    return record


def main() -> None:
    """Measure what is missing in the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    lines = args.out.read_text().splitlines() if args.out.exists() else []
    done = {(row["number"], row["optimizer"]) for row in map(json.loads, lines)}
    end = time.monotonic() + 60 * args.minutes
    for number in NUMBERS:
        for kind in GRID:
            if (number, kind) in done or time.monotonic() > end:
                continue
            record = measure(number, kind)
            with args.out.open("a") as file:
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
            print(record["problem"], kind, record["seconds"], "s", flush=True)


if __name__ == "__main__":
    main()
