"""kill -9 at random moments, then `resume`: is the result bit for bit that of the run that was never killed?

Claim: weights, best weights, optimizer, curves, steps and predictions of a killed and resumed run equal those of the
uninterrupted run, wherever the kill falls. Every seed stands for one moment of one of four kinds: between two steps,
inside the write of a checkpoint, inside a validation, and after a random time. A third of the seeds kills the resumed
run once more. Shuffling, augmentation, dropout, warm-up, weight average and best epoch are all on.

    python benchmarks/reliability/kill.py --seeds 0-49 --out benchmarks/results/reliability/kill.json

The result file is brought up to date after every seed, and seeds that it holds are not run again.
"""

import argparse
import csv
import json
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from children import in_child
from outcome import cache_in, make_photos

KINDS = ("step", "write", "validation", "time")
EPOCHS = 6
TIMED = {"seconds", "images_per_second"}


def start(photos: Path, run: Path) -> None:
    """Begin the run."""
    import thalweg

    # A network with dropout; three splits, so that the best epoch's weights decide the answer.
    thalweg.train(
        photos, network="plain", image_size=32, batch_size=8, epochs=EPOCHS, lr=0.003, split="60/20/20", out=run
    )  # fmt: skip


def go_on(photos: Path, run: Path) -> None:
    """Go on with the run; one that was killed before it had a plan begins anew."""
    import thalweg

    if (run / "plan.toml").is_file():
        thalweg.resume(run)
    else:
        shutil.rmtree(run, ignore_errors=True)
        start(photos, run)


def with_checkpoints(work: Callable[[], None]) -> int:
    """Do something in a forked process with a checkpoint every epoch, for many writes to be killed in."""

    def often() -> None:
        from thalweg.training import loop

        loop.CHECKPOINT_SECONDS = 0.0
        work()

    return in_child(often)


def die(*words: object, **options: object) -> None:
    """Die as by `kill -9`, whatever this was called with."""
    del words, options
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def arm(kind: str, numbers: random.Random) -> str:
    """Arrange in this process that it is killed at a moment of a kind; say which."""
    from thalweg.core import files
    from thalweg.training import checkpoint, loop

    if kind == "time":
        delay = numbers.uniform(0.05, 4)
        threading.Timer(delay, die).start()
        return f"after {delay:.2f} s"
    if kind == "step":
        return _die_at(loop.Trainer, "_step", numbers.randint(1, 5 * EPOCHS))
    if kind == "validation":
        batch = numbers.randint(0, 1)
        return _die_inside_validation(loop, numbers.randint(1, EPOCHS), batch)
    number, part = numbers.randint(1, EPOCHS), numbers.choice(("half", "fsync", "chmod", "replace", "flush_folder"))
    write = checkpoint.write_atomically

    def dying(path: Path, content: bytes) -> None:
        nonlocal number
        number -= "step-" in path.name
        if number == 0 and part == "half":
            path.with_name(".writing-killed").write_bytes(content[: numbers.randint(1, len(content))])
            die()
        if number == 0:
            setattr(files if part == "flush_folder" else files.os, part, die)
        write(path, content)

    where = f"in {part} of checkpoint {number}"
    checkpoint.write_atomically = dying
    return where


def _die_at(owner: Any, name: str, number: int) -> str:
    done, kept = 0, getattr(owner, name)

    def dying(*words: object, **options: object) -> object:
        nonlocal done
        answer = kept(*words, **options)
        done += 1
        if done == number:
            die()
        return answer

    setattr(owner, name, dying)
    return f"after call {number} of {name}"


def _die_inside_validation(loop: Any, number: int, batch: int) -> str:
    from thalweg.workbench.runs import session

    kept, calls = loop.predict, 0

    class Dying:
        def __init__(self, batches: Any) -> None:
            self.batches = batches

        def __getattr__(self, name: str) -> Any:
            return getattr(self.batches, name)

        def epoch(self, epoch: int, **options: Any) -> Any:
            for index, each in enumerate(self.batches.epoch(epoch, **options)):
                if index == batch:
                    die()
                yield each

    def counting(module: Any, batches: Any, device: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        return kept(module, Dying(batches) if calls == number else batches, device, **options)

    loop.predict = session.predict = counting  # a session says itself which one scores
    return f"in batch {batch} of validation {number}"


def traces(run: Path) -> dict[str, object]:
    """Everything of a finished run that must not depend on whether it was killed."""
    from safetensors.numpy import load_file

    found: dict[str, object] = {}
    for name in ("history.csv", "steps.csv"):
        rows = list(csv.DictReader((run / name).read_text().splitlines()))
        found[name] = [{key: value for key, value in row.items() if key not in TIMED} for row in rows]
    signals = (json.loads(line) for line in (run / "signals.jsonl").read_text().splitlines())
    found["signals.jsonl"] = sorted(
        (row["step"], row["name"], row["subject"], row["value"]) for row in signals if "step" in row
    )
    for path in (run / "model.safetensors", run / "predictions.csv", *sorted(run.glob("checkpoints/best-*"))):
        found[path.name] = path.read_bytes()
    last = max(run.glob("checkpoints/step-*"))
    found[last.name] = {name: value.tobytes() for name, value in load_file(last).items()}
    metrics = json.loads((run / "metrics.json").read_text())
    found["metrics.json"] = [metrics[name] for name in ("accuracy", "best_accuracy", "best_epoch", "auc", "epochs")]
    found["debris"] = [path.name for path in run.rglob(".writing-*")]
    return found


def differences(one: dict[str, object], two: dict[str, object]) -> list[str]:
    """Names of what differs."""
    return [name for name in sorted(one.keys() | two.keys()) if one.get(name) != two.get(name)]


def try_seed(seed: int, photos: Path, folder: Path, truth: dict[str, object]) -> dict[str, object]:
    """Kill a run at the moment that a seed stands for, resume it, and compare."""
    kind, run = KINDS[seed % len(KINDS)], folder / f"run-{seed}"
    killed: list[str] = []
    for attempt in range(1 + (seed % 3 == 0)):
        numbers = random.Random(1000 * seed + attempt)
        place = folder / "place"

        def work(numbers: random.Random = numbers, place: Path = place) -> None:
            place.write_text(arm(kind, numbers))
            go_on(photos, run)

        if with_checkpoints(work) == -signal.SIGKILL:
            killed.append(place.read_text())
    status = with_checkpoints(lambda: go_on(photos, run))
    wrong = differences(truth, traces(run)) if status == 0 else [f"resume ended with status {status}"]
    shutil.rmtree(run, ignore_errors=True)
    return {"seed": seed, "kind": kind, "killed": killed, "equal": not wrong, "differences": wrong}


def main() -> int:
    """Run the seeds; exit status 1 when one of them differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", default="0-49", help="such as 0-49 or 3,7")
    parser.add_argument("--out", type=Path, default=Path("kill.json"))
    options = parser.parse_args()
    low, dash, high = options.seeds.partition("-")
    seeds = range(int(low), int(high) + 1) if dash else [int(seed) for seed in options.seeds.split(",")]
    rows = json.loads(options.out.read_text())["moments"] if options.out.is_file() else []
    import torch

    import thalweg

    for verb in ("train", "resume"):
        getattr(thalweg, verb)  # imported before any fork, computed with only after it

    with tempfile.TemporaryDirectory() as name, cache_in(Path(name, "cache")):
        folder = Path(name)
        make_photos(folder / "photos")
        if with_checkpoints(lambda: start(folder / "photos", folder / "straight")):
            return 1
        truth = traces(folder / "straight")
        for seed in seeds:
            if seed in {row["seed"] for row in rows}:
                continue
            rows.append(try_seed(seed, folder / "photos", folder, truth))
            print(rows[-1], flush=True)
            summary = {
                "moments_killed": sum(len(row["killed"]) for row in rows),
                "seeds": len(rows),
                "equal": sum(row["equal"] for row in rows),
                "kinds": {kind: sum(row["kind"] == kind and bool(row["killed"]) for row in rows) for kind in KINDS},
                "processor": platform.processor() or platform.machine(),
                "cores": os.cpu_count(),
                "system": platform.system(),
                "python": platform.python_version(),
                "torch": torch.__version__,
                "thalweg": thalweg.__version__,
                "moments": rows,
            }
            options.out.write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{sum(row['equal'] for row in rows)} of {len(rows)} equal the uninterrupted run")
    return int(not all(row["equal"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
