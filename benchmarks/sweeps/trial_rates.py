"""Short trials on the problems of the sweeps: what a chosen rate, and the trials' losses, know of the best.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/trial_rates.py --out benchmarks/sweeps/trials.jsonl

A line for each problem, seed and way. `choose` is `thalweg.monitoring.choose.choose_rate` as before a run of that many
steps; `loop` the same on 24 batches, as in somebody's loop, whose length is not known; `clipped` and `free` are no walk
but nine rates half a decade apart around the usual one, with and without clipping, to see what any walk could see.
The rates are what trials alone choose, without the usual rate's share (decision 0047). Resumable: what is there
is not run again. Truth is that of the sweeps (`trial_score.py` holds one against the other).
"""

import argparse
import gzip
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
from problems import Problem
from run import augmented
from table import HERE, Run, load
from torch.nn import functional
from watched import Network, make_optimizer

from data import split
from networks import Stack, build
from thalweg.monitoring.choose import batches_wanted, choose_rate
from thalweg.monitoring.lookout import MOST
from thalweg.monitoring.rate_search import SHORT_HORIZON, STRIDE, is_normalising, trial_steps, usual_rate
from thalweg.monitoring.trials import CLIP, Trial, TrialGround

WAYS = ("choose", "loop", "clipped", "free")
PLACES = range(-5, 4)
HELD = 4


def ground(problem: Problem, seed: int) -> tuple[Network, torch.optim.Optimizer, Callable[[int], list]]:
    """Network and optimizer at initial weights of that seed, and what gives so many batches' losses."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    parts = split(problem.family, problem.classes, train=problem.train, scaling=problem.scaling,
                  noise=problem.label_noise, seed=problem.seed, val=problem.held)  # fmt: skip
    x, y = torch.from_numpy(parts.train_x), torch.from_numpy(parts.train_y)
    stack = Stack(1, init=problem.init, activation=problem.activation, norm=problem.norm, dropout=problem.dropout,
                  seed=seed)  # fmt: skip
    build(problem.kind, tuple(x.shape[1:]), problem.classes, stack, width=problem.width, depth=problem.depth)
    network = Network(stack)

    def batches(count: int) -> list[Callable[[], torch.Tensor]]:
        order = torch.cat([torch.randperm(len(x), generator=rng)[: len(x) // problem.batch * problem.batch]
                           for _ in range(math.ceil(count / max(1, len(x) // problem.batch)))])  # fmt: skip
        found = []
        for at in range(count):
            index = order[at * problem.batch : (at + 1) * problem.batch]
            pixels = augmented(x[index], rng) if problem.augment else x[index]
            found.append(lambda pixels=pixels, index=index: functional.cross_entropy(network(pixels), y[index]))
        return found

    return network, make_optimizer(problem, network, 1.0), batches


def tried(problem: Problem, seed: int, way: str) -> dict[str, object]:
    """Make the trials of one way."""
    began = time.process_time()
    network, optimizer, batches = ground(problem, seed)
    steps = max(1, problem.train // problem.batch) * problem.epochs
    record: dict[str, object] = {}
    if way in {"choose", "loop"}:
        known = steps if way == "choose" else None
        given = batches(batches_wanted(steps) if way == "choose" else MOST)
        # told where the walk begins anyway, it gives what usually serves no share in the answer
        begin = usual_rate(optimizer) * SHORT_HORIZON["normalising" if is_normalising(optimizer) else "plain"]
        chosen = choose_rate(network, optimizer, given, steps=known, usual=begin)
        trials = chosen.trials
        record = {"rate": short(chosen.rate), "edge": short(chosen.edge), "spent": round(chosen.spent, 1)}
    else:
        given, usual = batches(MOST), usual_rate(optimizer)
        place = TrialGround(network, optimizer, train=given[HELD:], held=given[:HELD],
                            clip=CLIP if way == "clipped" else math.inf)  # fmt: skip
        trials = tuple(place.run(usual * STRIDE**each, trial_steps(None)) for each in PLACES)
    return {"problem": problem.name, "seed": seed, "way": way, "steps": steps} | record | {
        "seconds": round(time.process_time() - began, 2), "trials": [row(each) for each in trials],
    }  # fmt: skip


def row(trial: Trial) -> list[float | int | None]:
    """Rate, loss, start, moved, steps."""
    return [short(trial.rate), short(trial.loss), short(trial.start), short(trial.moved), trial.steps]


def short(value: float | None) -> float | None:
    """Five digits; null for what is not finite."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def wanted() -> dict[str, Run]:
    """A run of each problem that some rate learns, those first whose watched runs are kept."""
    with gzip.open(HERE / "watched.jsonl.gz", "rt") as file:
        first = {json.loads(line)["problem"] for line in file}
    runs = {run.problem: run for run in load(HERE / "runs.jsonl.gz")}
    return dict(sorted(runs.items(), key=lambda item: (item[0] not in first, item[0])))


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "trials.jsonl")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--minutes", type=float, default=30.0, help="begin nothing after so many")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    done = set()
    for path in (args.out, args.out.with_suffix(".jsonl.gz")):
        if path.exists():
            with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
                done |= {(row["problem"], row["seed"], row["way"]) for row in map(json.loads, file)}
    end = time.monotonic() + 60 * args.minutes
    problems = wanted()
    for seed, way in ((int(seed), way) for seed in args.seeds.split(",") for way in args.ways.split(",")):
        for name, run in problems.items():
            if (name, seed, way) in done or time.monotonic() > end:
                continue
            problem = Problem(**{key: value for key, value in run.setup.items() if key != "name"})
            record = tried(problem, seed, way)
            with args.out.open("a") as file:
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
                file.flush()
                os.fsync(file.fileno())
        print(seed, way, f"{time.process_time():.0f} s", flush=True)


if __name__ == "__main__":
    main()
