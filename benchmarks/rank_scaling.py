"""What do ranks bring on this machine? One process of one thread, one of all threads, and ranks of one thread each.

Efficiency is speed over (cores used x speed of one thread): what is lost goes into messages between ranks, into what
every rank does for itself, and into cores that share caches and memory. More ranks than cores are told too: they can
only lose. Images per second of training steps, median over epochs after the first and over repeats in turns; the loss
after the last epoch stands beside it, because a fast wrong thing is worth nothing.

Two virtual cores may be less than two: the *ceiling* is what as many processes of one thread as there are cores do at
once, each with a run of its own and without a word between them. Efficiency is told against that, too.

The peer is torch's DistributedDataParallel, as it comes, with the same network, batches and optimizer in the shortest
loop that trains (no monitor, no average of weights, no validation), beside that loop in one process, which is what it
is measured against. Its batch normalisations see a rank's own pictures alone: torch's SyncBatchNorm has no form for
the CPU. So it trains another network than one process would, and sends no message for it.

On a machine that does other things too the clock says little: then the processor seconds of all ranks together tell
what sharing costs. Their ratio to those of one thread is the efficiency that quiet cores could reach at most. The
system's load before each run is told.

    python benchmarks/rank_scaling.py --out benchmarks/results/rank-scaling.json

Every run is written at once. Runs that the file holds already are not made again; `--again` forgets them.
"""

import argparse
import functools
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
from children import begin, status_of
from outcome import machine, make_photos
from world_size import in_ranks

CASES: dict[str, dict[str, Any]] = {
    "small, 64 pixels, batches of 64": {"network": "small", "image_size": 64, "batch_size": 64},
    "plain, 96 pixels, batches of 32": {"network": "plain", "image_size": 96, "batch_size": 32},
    "resnet18, 64 pixels, batches of 32": {"network": "resnet18", "image_size": 64, "batch_size": 32},
}
EPOCHS, PHOTOS, REPEATS = 3, 400, 2
ONE, BARE = "1 process, 1 thread", "shortest loop, 1 process, 1 thread"

Run = dict[str, Any]


def ways(cores: int) -> dict[str, dict[str, Any]]:
    """How to train: ranks and threads of each, whose way is theirs, and what they are measured against."""
    found = {
        ONE: {"ranks": 1, "threads": 1, "against": ONE},
        f"1 process, {cores} threads": {"ranks": 1, "threads": cores, "against": ONE},
        f"{cores} processes at once, the ceiling": {"ranks": 1, "threads": 1, "against": ONE, "copies": cores},
    }
    found |= {f"{n} ranks of 1 thread": {"ranks": n, "threads": 1, "against": ONE} for n in (cores, 2 * cores)}
    found[BARE] = {"ranks": 1, "threads": 1, "against": BARE}
    found[f"DistributedDataParallel, {cores} ranks"] = {"ranks": cores, "threads": 1, "against": BARE}
    return found


def train(photos: Path, place: Path, options: dict[str, Any], way: dict[str, Any]) -> Callable[[int], None]:
    """A run that ends after its last step, and leaves what it measured."""

    def work(rank: int) -> None:
        import torch

        import thalweg

        if os.environ["WORLD_SIZE"] == "1":
            del os.environ["RANK"]  # alone
        from thalweg.training.loop import Trainer

        torch.set_num_threads(way["threads"])
        fitted = Trainer.fit

        def fit(self: Trainer, *words: Any) -> None:
            started = time.process_time()
            if way["against"] == BARE:
                speeds, loss = bare_loop(self)
            else:
                fitted(self, *words)
                speeds = [row["images_per_second"] for row in self.state.rows]
                loss = self.state.rows[-1]["train_loss"]
            used = time.process_time() - started
            told = {"speed": statistics.median(speeds[1:]), "seconds": used, "loss": loss}
            (place / f"rank-{rank}.json").write_text(json.dumps(told))
            self.ranks.agree(0.0, 0)  # nobody leaves while another one still works
            os._exit(0)

        Trainer.fit = fit  # type: ignore[method-assign, assignment]
        thalweg.train(photos, out=place / "run", epochs=EPOCHS, lr=0.001, repair=False, augment="none", **options)

    return work


def bare_loop(trainer: Any) -> tuple[list[float], float]:
    """The shortest loop that trains what a trainer would, with DistributedDataParallel where there are ranks."""
    import torch

    if trainer.companion:
        trainer.companion.close()
    network = trainer.module
    if trainer.ranks.size > 1:
        network = torch.nn.parallel.DistributedDataParallel(network)
    network.train()
    speeds: list[float] = []
    for epoch in range(1, EPOCHS + 1):
        started, samples, losses = time.perf_counter(), 0, []
        for batch in trainer.train.epoch(epoch):
            trainer.optimizer.zero_grad()
            with trainer.device.context():
                logits = network(batch.pixels)
            loss = trainer._objective(logits, batch.labels)  # noqa: SLF001
            loss.backward()
            trainer.optimizer.step()
            losses.append(float(loss.detach()))
            samples += batch.whole or len(batch.labels)
        speeds.append(samples / (time.perf_counter() - started))
    return speeds, statistics.mean(losses)


def measured(photos: Path, options: dict[str, Any], way: dict[str, Any]) -> Run:
    """Images per second and processor seconds of all ranks together, and the last training loss."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        copies = [Path(name, str(number)) for number in range(way.get("copies", 1))]
        for place in copies:
            place.mkdir()
        works = [functools.partial(in_ranks, way["ranks"], train(photos, place, options, way)) for place in copies]
        children = [begin(lambda each=each: sys.exit(any(each()))) for each in works]  # type: ignore[misc]
        statuses = [status_of(child) for child in children]
        if any(statuses):
            raise SystemExit(f"{options} failed as {way}")
        told = [[json.loads(path.read_text()) for path in sorted(place.glob("rank-*"))] for place in copies]
    return {
        "images_per_second": sum(ranks[0]["speed"] for ranks in told),
        "processor_seconds": sum(rank["seconds"] for ranks in told for rank in ranks),
        "train_loss": told[0][0]["loss"], "load_before": round(load, 1),
    }  # fmt: skip


def table_of(runs: list[Run], cores: int) -> list[Run]:
    """Medians of every way, beside what each is measured against."""
    table: list[Run] = []
    for case in CASES:
        found: dict[str, list[Run]] = {}
        for run in runs:
            if run["case"] == case:
                found.setdefault(run["way"], []).append(run)
        speeds, seconds = (
            {way: statistics.median(run[what] for run in own) for way, own in found.items()}
            for what in ("images_per_second", "processor_seconds")
        )
        chosen = ways(cores)
        ceiling = next((speeds[way] / speeds[ONE] for way in found if "copies" in chosen[way] and ONE in found), None)
        for way, own in found.items():
            told, against = chosen[way], chosen[way]["against"]
            if against not in found:
                continue
            times = speeds[way] / speeds[against]
            used = min(cores, told["ranks"] * told["threads"] * told.get("copies", 1))
            row = {
                "case": case, "way": way, "repeats": len(own), "images_per_second": round(speeds[way], 1),
                "from_to": [round(pick(run["images_per_second"] for run in own), 1) for pick in (min, max)],
                "times_one_thread": round(times, 2), "efficiency": round(times / used, 2),
                "efficiency_of_ceiling": round(times / ceiling, 2) if ceiling and used == cores else None,
                "processor_seconds": round(seconds[way], 1),
                "efficiency_by_processor": round(told.get("copies", 1) * seconds[against] / seconds[way], 2),
                "train_loss": own[0]["train_loss"],
            }  # fmt: skip
            table.append(row)
    return table


def work(repeats: int, chosen: tuple[str, str], known: list[Run], keep: Callable[[list[Run]], None]) -> list[Run]:
    """Every case in turns, without those that are there."""
    import thalweg

    getattr(thalweg, "train")  # noqa: B009 - imported before any fork, computed with only after it
    runs = list(known)
    with tempfile.TemporaryDirectory() as name:
        os.environ["THALWEG_CACHE"] = str(Path(name, "cache"))
        photos = make_photos(Path(name, "photos"), count=PHOTOS, side=96)
        for case, options in CASES.items():
            for repeat in range(repeats):
                for way, told in ways(os.cpu_count() or 1).items():
                    place = {"case": case, "way": way, "repeat": repeat}
                    wanted = case.startswith(chosen[0]) and way.startswith(chosen[1])
                    if not wanted or any(place.items() <= run.items() for run in runs):
                        continue
                    runs.append(place | measured(photos, options, told))
                    print(json.dumps(runs[-1]), file=sys.stderr)
                    keep(runs)
    return runs


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--case", default="", help="only the one that begins so")
    parser.add_argument("--way", default="", help="likewise")
    parser.add_argument("--again", action="store_true", help="forget the runs that the file holds")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    def result(runs: list[Run]) -> dict[str, object]:
        return {"epochs": EPOCHS, "photos": 2 * PHOTOS, **machine(), "table": table_of(runs, cores), "runs": runs}

    def keep(runs: list[Run]) -> None:
        if options.out:
            options.out.write_text(json.dumps(result(runs), indent=1) + "\n", encoding="utf-8")

    cores, known = os.cpu_count() or 1, []
    if options.out and options.out.is_file() and not options.again:
        held = json.loads(options.out.read_text())
        if machine().items() <= held.items():
            known = held.get("runs", [])
    runs = work(options.repeats, (options.case, options.way), known, keep)
    for row in table_of(runs, cores):
        words = "{case:<36}{way:<36}{images_per_second:>8}{times_one_thread:>6}{efficiency:>6}"
        ceiling = "" if row["efficiency_of_ceiling"] is None else row["efficiency_of_ceiling"]
        print((words + "{0:>6}{processor_seconds:>8}{efficiency_by_processor:>6}").format(ceiling, **row))


if __name__ == "__main__":
    main()
