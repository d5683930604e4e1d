"""What do ranks bring on this machine? One process of one thread, one of all threads, and ranks of one thread each.

Efficiency is speed over (cores used x speed of one thread): what is lost goes into messages between ranks, into what
every rank does for itself, and into cores that share caches and memory. More ranks than cores are told too: they can
only lose. Images per second of training steps, median over epochs after the first and over repeats in turns; the loss
after the last epoch stands beside it, because a fast wrong thing is worth nothing.

On a machine that does other things too the clock says little: then the processor seconds of all ranks together tell
what sharing costs. Their ratio to those of one thread is the efficiency that quiet cores could reach at most.

    python benchmarks/rank_scaling.py --out benchmarks/results/rank-scaling.json
"""

import argparse
import csv
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "reliability"))
from outcome import machine, make_photos
from world_size import in_ranks

CASES: dict[str, dict[str, Any]] = {
    "small, 64 pixels, batches of 64": {"network": "small", "image_size": 64, "batch_size": 64},
    "plain, 96 pixels, batches of 32": {"network": "plain", "image_size": 96, "batch_size": 32},
    "resnet18, 64 pixels, batches of 32": {"network": "resnet18", "image_size": 64, "batch_size": 32},
}
EPOCHS, PHOTOS, REPEATS = 3, 400, 3


def train(photos: Path, run: Path, options: dict[str, Any], threads: int) -> Callable[[int], None]:
    """A run with so many threads a rank."""

    def work(rank: int) -> None:
        import torch

        import thalweg

        if rank == 0 and os.environ["WORLD_SIZE"] == "1":
            del os.environ["RANK"]  # alone
        from thalweg.training.loop import Trainer

        torch.set_num_threads(threads)
        fitted = Trainer.fit

        def fit(self: Trainer, *words: Any) -> Any:
            started = time.process_time()
            try:
                return fitted(self, *words)
            finally:
                run.with_name(f"seconds-{rank}").write_text(str(time.process_time() - started))

        Trainer.fit = fit  # type: ignore[method-assign]
        thalweg.train(photos, out=run, epochs=EPOCHS, lr=0.001, repair=False, augment="none", **options)

    return work


def measured(photos: Path, options: dict[str, Any], ranks: int, threads: int) -> tuple[float, float, float]:
    """Images per second, processor seconds of all ranks, and the last training loss."""
    with tempfile.TemporaryDirectory() as name:
        run = Path(name, "run")
        if any(in_ranks(ranks, train(photos, run, options, threads))):
            raise SystemExit(f"{options} with {ranks} ranks failed")
        rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
        used = sum(float(path.read_text()) for path in Path(name).glob("seconds-*"))
    return statistics.median(float(row["images_per_second"]) for row in rows[1:]), used, float(rows[-1]["train_loss"])


def work(repeats: int, chosen: str = "") -> dict[str, object]:
    """Every case in turns."""
    import thalweg

    getattr(thalweg, "train")  # noqa: B009 - imported before any fork, computed with only after it
    cores = os.cpu_count() or 1
    ways = {"1 process, 1 thread": (1, 1), f"1 process, {cores} threads": (1, cores)}
    ways |= {f"{ranks} ranks of 1 thread": (ranks, 1) for ranks in (cores, 2 * cores)}
    table = []
    with tempfile.TemporaryDirectory() as name:
        os.environ["THALWEG_CACHE"] = str(Path(name, "cache"))
        photos = make_photos(Path(name, "photos"), count=PHOTOS, side=96)
        for case, options in CASES.items():
            if not case.startswith(chosen):
                continue
            found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ways}
            for _ in range(repeats):
                for way, (ranks, threads) in ways.items():
                    found[way].append(measured(photos, options, ranks, threads))
                    print(case, way, found[way][-1], file=sys.stderr)
            one, least, _ = (statistics.median(each) for each in zip(*found["1 process, 1 thread"], strict=True))
            for way, (ranks, threads) in ways.items():
                speeds = [speed for speed, *_ in found[way]]
                used = statistics.median(seconds for _, seconds, _ in found[way])
                speed = statistics.median(speeds)
                table.append({
                    "case": case, "way": way, "images_per_second": round(speed, 1),
                    "from_to": [round(min(speeds), 1), round(max(speeds), 1)],
                    "times_one_thread": round(speed / one, 2),
                    "efficiency": round(speed / one / min(cores, ranks * threads), 2),
                    "processor_seconds": round(used, 1), "efficiency_by_processor": round(least / used, 2),
                    "train_loss": found[way][0][2],
                })  # fmt: skip
    return {"repeats": repeats, "epochs": EPOCHS, "photos": 2 * PHOTOS, "table": table, **machine()}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--case", default="", help="only the one that begins so")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result = work(options.repeats, options.case)
    for row in result["table"]:  # type: ignore[attr-defined]
        words = "{case:<38}{way:<24}{images_per_second:>8}{times_one_thread:>7}{efficiency:>7}"
        print((words + "{processor_seconds:>8}{efficiency_by_processor:>7}").format(**row))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
