"""Any starting learning rate: final accuracy against the rate a user starts from, for every method.

    python benchmarks/any_learning_rate/run.py --works W3,W4 --rates 1e-6,1e-4,1e-2,1,100 --seeds 1,2

Resumable: a run is a line of the result file, what is there is not run again. Methods are interleaved. Each process
takes the jobs of its share: `--share 0/2` and `--share 1/2` on two cores. The rivals' methods are in `rivals.py`.
"""

import argparse
import itertools
import json
import os
import platform
import zlib
from collections.abc import Iterator
from pathlib import Path

import torch
from rivals import FED, METHODS, RIVALS, run_rival, serves
from workloads import WORKLOADS

from training import run_given, run_plain, run_rescue

RESULTS = Path(__file__).resolve().parents[1] / "results" / "any_learning_rate.jsonl"
GRIDS = {"sgd": tuple(10 ** (e / 2) for e in range(-6, 2)), "adamw": tuple(10 ** (e / 2) for e in range(-8, 0))}
"""The oracle's half-decade grid; it is widened where its best lies at an end."""
GRID_SEED = 101
AT_A_RATE = {"cosine_clip", "constant", "given", "rescue", "rescue_late", "watched", *FED}
"""Methods that the user's rate has a part in."""


def jobs(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Every run asked for, methods interleaved."""
    pairs = list(itertools.product(args.works, args.optimizers))
    if "grid" in args.methods:
        for (work, kind), number in itertools.product(pairs, range(len(GRIDS["sgd"]))):
            yield {
                "method": "cosine_clip",
                "work": work,
                "optimizer": kind,
                "rate": GRIDS[kind][number],
                "seed": GRID_SEED,
            }
    for seed, rate, (work, kind) in itertools.product(args.seeds, args.rates, pairs):
        for method in args.methods:
            if method in AT_A_RATE and serves(method, kind):
                yield {"method": method, "work": work, "optimizer": kind, "rate": rate, "seed": seed}
    for seed, (work, kind) in itertools.product(args.seeds, pairs):
        for method in args.methods:
            if method != "grid" and method not in AT_A_RATE and serves(method, kind):
                yield {"method": method, "work": work, "optimizer": kind, "rate": None, "seed": seed}


def _same(path: Path, job: dict[str, object], chosen: float) -> dict[str, object] | None:
    """A run with all the same numbers: a run is a function of (weights, order, rate), so it need not be made again."""
    wanted = {"method": "given", "work": job["work"], "optimizer": job["optimizer"], "seed": job["seed"]}
    for line in path.read_text().splitlines() if path.exists() else ():
        row = json.loads(line)
        if wanted.items() <= row.items() and row["peak"] == chosen:
            costs = ("validation", "accuracy", "cpu_seconds", "wall_seconds", "chosen", "peak", "spent_steps", "trials",
                     "interventions", "unable", "closed")  # fmt: skip
            return {name: row[name] for name in costs} | {"same_run_as_rate": row["rate"]}
    return None


def _prescribed(path: Path, job: dict[str, object]) -> dict[str, object] | None:
    """The run as prescribed, where the user's rate is the prescribed one."""
    if job["method"] not in FED:
        return None
    wanted = {"method": FED[str(job["method"])], **{name: job[name] for name in ("work", "optimizer", "seed")}}
    for line in path.read_text().splitlines() if path.exists() else ():
        row = json.loads(line)
        if wanted.items() <= row.items() and row["peak"] == job["rate"]:
            return {name: value for name, value in row.items() if name not in job} | {"same_run_as": wanted["method"]}
    return None


def perform(job: dict[str, object], path: Path) -> dict[str, object]:
    """Do one run."""
    work, kind, seed = WORKLOADS[str(job["work"])], str(job["optimizer"]), int(str(job["seed"]))
    method = str(job["method"])
    if method in {"cosine_clip", "constant"}:
        decay = method == "cosine_clip"
        return run_plain(work, kind, float(str(job["rate"])), seed, decay=decay, clip=decay)
    if method == "given":
        return run_given(work, kind, float(str(job["rate"])), seed, same=lambda chosen: _same(path, job, chosen))
    if method in {"rescue", "rescue_late"}:
        return run_rescue(work, kind, float(str(job["rate"])), seed, late=method == "rescue_late")
    if method == "watched":
        return run_rescue(work, kind, float(str(job["rate"])), seed, schedule=True)
    if method in METHODS:
        return _prescribed(path, job) or run_rival(work, kind, method, seed, job["rate"])
    raise SystemExit(f"no method {method}; of the rivals there are {', '.join(METHODS)}")


def key(job: dict[str, object]) -> tuple[object, ...]:
    """What tells runs apart."""
    rate = job["rate"]
    return job["method"], job["work"], job["optimizer"], job["seed"], rate and float(f"{float(str(rate)):.3g}")


def done(path: Path) -> set[tuple[object, ...]]:
    """Runs that the file holds."""
    return {key(json.loads(line)) for line in path.read_text().splitlines()} if path.exists() else set()


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    words = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--works", type=words, default=["W3", "W4"])
    parser.add_argument("--optimizers", type=words, default=["sgd", "adamw"])
    parser.add_argument("--methods", type=words, default=["grid", "cosine_clip", "constant"])
    parser.add_argument(
        "--rates", type=lambda t: [float(v) for v in t.split(",")], default=[1e-6, 1e-4, 1e-2, 1.0, 1e2]
    )
    parser.add_argument("--seeds", type=lambda t: [int(v) for v in t.split(",")], default=[1, 2])
    parser.add_argument("--share", default="0/1")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    for method in RIVALS.keys() & {FED.get(method, method) for method in args.methods}:
        RIVALS[method].imported()  # what is missing is said now, not after an hour
    mine, shares = (int(part) for part in args.share.split("/"))
    for job in jobs(args):
        if zlib.crc32(repr(key(job)).encode()) % shares != mine or key(job) in done(args.out):
            continue
        row = {
            **job,
            **perform(job, args.out),
            "torch": torch.__version__,
            "machine": f"{platform.machine()} {os.cpu_count()} cores",
        }
        with args.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
