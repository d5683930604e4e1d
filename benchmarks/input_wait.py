"""Waiting for the next batch, as a share of a training step: networks and tasks, cached and cold files.

    python benchmarks/input_wait.py --out benchmarks/results/input-wait.json

To reach: never more than 3 % of a step. The real loop (`Trainer`, its thread that makes the next batch, augmentation as
a plan has it) trains on pictures in a memory-mapped file as the cache keeps them; one thread computes. Every step notes
the processor seconds of the thread that made its batch, those of the step, and how long the clock stood still for it.

- `waits by the clock` is what happened, on whatever the machine did besides; where other work takes the cores, threads
  wait for processors and not for input, and it says little.
- `waits with a core for input` follows from the processor seconds: the loop's schedule, played through, with one core
  for steps and one for batches. This is what a quiet machine of two cores would show.
- `on one core` is the share of batches in all the work, which nothing can hide there.
- `first batch` of an epoch is waited for, whole, since nothing is made before it; told as a share of an epoch of
  the solar cells' 2,099 pictures.

Cold files: the system's cache of the file is dropped before, and the time that the disk took for the rows of each batch
(as many single reads, by the clock, one after the other) is added to what the batch took; the rows' reader waits then.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

CASES = {
    "plain": ("plain", 32, 256, 1),
    "small": ("small", 16, 96, 1),
    "fine-tuning efficientnet-lite0": ("efficientnet-lite0", 16, 160, 1),
    "segmentation unet-small": ("unet-small", 8, 192, 3),
    "small, 32 pixels in colour": ("small", 32, 32, 3),
}
"""Network, batch, side and channels of the stored pictures."""
EPOCH = 2_099
MARK = 0.03


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("input-wait.json"))
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--cases", nargs="+", default=list(CASES))
    said = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    from thalweg.training.device import describe_hardware

    torch.set_num_threads(1)
    record: dict[str, Any] = {"benchmark": "waiting for input", "steps": said.steps, "cases": {}}
    if said.out.is_file():
        record = json.loads(said.out.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(dir=said.out.parent) as folder:
        for name in said.cases:
            for cold in (False, True):
                key = f"{name}, {'cold file' if cold else 'cached'}"
                if key not in record["cases"]:
                    record["cases"][key] = measure(*CASES[name], steps=said.steps, cold=cold, folder=Path(folder))
                    record["machine"] = {**describe_hardware(), "torch": torch.__version__}
                    said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
                print(key, record["cases"][key], flush=True)


class Timed:
    """Batches of one long epoch, with what each took.

    Args:
        batches: A `thalweg.data.batching.batches.Batches`.
        steps: Steps of an epoch.
    """

    def __init__(self, batches: Any, steps: int) -> None:
        self.batches, self.steps = batches, steps
        self.made: list[float] = []
        self.used: list[float] = []
        self.waited: list[float] = []
        make = batches.batch

        def making(*words: Any) -> Any:
            began = time.thread_time()
            batch = make(*words)
            self.made.append(time.thread_time() - began)
            return batch

        batches.batch = making

    def epoch(self, epoch: int, *, first: int = 0, side: int | None = None) -> Iterator[Any]:
        """Give the batches, as `Batches.epoch` does."""
        source = self.batches.epoch(epoch, first=first, side=side)
        while True:
            began = time.perf_counter()
            batch = next(source, None)
            if batch is None:
                return
            self.waited.append(time.perf_counter() - began)
            began = time.thread_time()
            yield batch
            self.used.append(time.thread_time() - began)


def measure(
    network: str, batch: int, side: int, channels: int, *, steps: int, cold: bool, folder: Path
) -> dict[str, Any]:
    """Train for a few steps; the first two warm up and do not count."""
    import torch

    from thalweg.core.shape import Shape
    from thalweg.data.batching.augment import augmentation_for
    from thalweg.data.batching.batches import Batches
    from thalweg.modules.build import build
    from thalweg.networks.backbones import backbone
    from thalweg.networks.catalogue import network as named
    from thalweg.training.device import choose_device
    from thalweg.training.loop import Trainer
    from thalweg.training.mask_scoring import score_masks
    from thalweg.training.progress import Recipe
    from thalweg.training.scoring import predict

    masked = network.startswith("unet")
    count = batch * (steps + 2)
    rows, masks = write(folder, count, side, channels, masked=masked, cold=cold)
    shape = Shape(3, (side, side))
    spec = backbone(network, shape, 2) if "lite0" in network else named(network, shape, 2)
    changes = augmentation_for("auto", upright=True, masks=masked)
    where = np.random.default_rng(1).permutation(count)
    words: dict[str, Any] = {"masks": masks, "mask_rows": where} if masked else {}
    train = Timed(Batches(rows, where, where % 2, batch_size=batch, seed=3, augmentation=changes, **words), steps + 2)
    few = np.arange(batch)
    held = Batches(rows, few, few % 2, batch_size=batch, **({"masks": masks, "mask_rows": few} if masked else {}))
    disk = cold_reads(folder / "pixels", where, side * side * channels, batch) if cold else [0.0] * (steps + 2)
    recipe = Recipe(
        epochs=1, deadline_seconds=None, learning_rate=1e-3, optimizer="adam", weight_decay=0.0, warmup=0.1,
        smoothing=0.0, weights=None, average=0.99, patience=0, stages=(1.0,), side=side, seed=0,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        Trainer(
            build(spec.logits()[0], seed=0), recipe, train=train, heldout=held, device=choose_device("cpu"),
            folder=Path(place), observer=lambda _: None, log_steps=lambda _: None,
            scorer=score_masks if masked else predict,
        ).fit()  # fmt: skip
    torch.set_num_threads(1)
    used, waited = train.used[2:], train.waited[2:]
    made = [each + seconds for each, seconds in zip(train.made[: steps + 2], disk, strict=True)]
    played = play(made[2:], used)
    one, step = statistics.median(made[2:]), statistics.median(used)
    share = sum(played) / (sum(played) + sum(used))
    return {
        "milliseconds_a_step": round(1e3 * step, 2),
        "milliseconds_a_batch": round(1e3 * one, 2),
        "waits_with_a_core_for_input": round(share, 5),
        "on_one_core": round(one / (one + step), 4),
        "first_batch": round(one / (step * -(-EPOCH // batch)), 5),
        "waits_by_the_clock": round(sum(waited) / (sum(waited) + sum(used)), 4),
        "load": os.getloadavg()[0],
        "reached": share <= MARK,
    }


def play(made: list[float], used: list[float]) -> list[float]:
    """What each step waits for where steps have a core and batches have one: one batch is made ahead, as the loop does.

    The first two are begun at once, each further one when the batch before it is asked for.
    """
    asked = [0.0] * (len(made) + 1)
    now = ready = 0.0
    waits = []
    for number, (making, step) in enumerate(zip(made, used, strict=False)):
        if number:
            asked[number + 1] = now
        ready = max(ready, asked[number]) + making
        if number:  # the epoch's first is told by itself
            waits.append(max(0.0, ready - now))
        now = max(now, ready) + step
    return waits


def write(folder: Path, count: int, side: int, channels: int, *, masked: bool, cold: bool) -> tuple[Any, Any]:
    """Pictures, and masks where they are wanted, as the cache has them: rows of bytes in a file that is mapped."""
    numbers = np.random.default_rng(0)
    size = side * side * channels
    with (folder / "pixels").open("wb") as file:
        for _ in range(count):
            file.write(numbers.integers(0, 256, size, dtype=np.uint8).tobytes())
        file.flush()
        os.fsync(file.fileno())
        if cold:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    rows = np.memmap(folder / "pixels", dtype=np.uint8, mode="r", shape=(count, side, side, channels))
    if not cold:
        int(rows[:].max())
    masks = numbers.integers(0, 2, (count, side, side), dtype=np.uint8) if masked else None
    return rows, masks


def cold_reads(path: Path, order: Any, size: int, batch: int) -> list[float]:
    """Seconds by the clock for the rows of each batch, read one by one from a file that the system has let go."""
    seconds = []
    file = os.open(path, os.O_RDONLY)
    try:
        for first in range(0, len(order), batch):
            began = time.perf_counter()
            for row in order[first : first + batch]:
                os.pread(file, size, int(row) * size)
            seconds.append(time.perf_counter() - began)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)
    return seconds


if __name__ == "__main__":
    main()
