"""The way in: seconds until 3,000 photos are scanned, checked, decoded and cached, and memory from 3 to 300 thousand.

    python benchmarks/input.py speed  --out benchmarks/results/input-speed.json
    python benchmarks/input.py memory --out benchmarks/results/input-memory.json
    python benchmarks/input.py arrays --out benchmarks/results/input-arrays.json [--folder DATA/fashion-mnist]

`speed`: JPEG photos of 300x300 (synthetic: smooth shapes and noise, about 25 kB each, two classes), read at the
usual 96 pixels in a fresh process with an empty cache, then again in another process with the cache filled. To reach:
under 8 s and under 1 s on two cores. The imports are not part of it, the comparison for duplicates is. A loop that only
decodes with Pillow, in one thread, is timed in turn with it: the ratio holds on a loaded machine, too.

`memory`: 64x64 photos, 3,000 to 300,000 of them, each another one, read at 32 pixels. Told is the largest memory of the
process that is its own (RssAnon; the memory-mapped cache is the system's to keep or drop), less that before the start,
and beside it that of the processes that read for it; seconds of the processor are those of all of them.
Finished rounds are kept: the same command goes on where it was interrupted.

`arrays`: the folder of arrays that is named, or 70,000 synthetic pictures of 28x28 in an idx file; read at 28 pixels
with an empty cache, again, and at 16 pixels, each in a fresh process. Told are processor seconds, which say more than
wall seconds on a busy machine. To reach: under 1 s the second time. `--label` names the version, and rounds of several
stand side by side: `PYTHONPATH=OLD/src python benchmarks/input.py arrays --label old` measures another one.
"""

import argparse
import contextlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

SIDES = {"speed": (300, 96), "memory": (64, 32)}
"""Pixels of a photo in the file, and of the picture that training asks for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "memory", "arrays", "worker", "decode"))
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, nargs="+", default=None)
    parser.add_argument("--folder", type=Path, default=None, help="for the photos, a temporary one; or the arrays")
    parser.add_argument("--label", default="", help="of the version, beside its rounds (arrays)")
    parser.add_argument("--side", type=int, default=96)
    said = parser.parse_args()
    if said.what == "worker":
        print(json.dumps(read(said.folder, said.side)))
    elif said.what == "decode":
        print(json.dumps({"seconds": decode(said.folder)}))
    else:
        with tempfile.TemporaryDirectory() as place:
            if said.what == "arrays":
                arrays(said, Path(place))
            else:
                (speed if said.what == "speed" else memory)(said, said.folder or Path(place))


def speed(said: argparse.Namespace, place: Path) -> None:
    photos = (said.photos or [3000])[0]
    make(place / "photos", photos, SIDES["speed"][0])
    rows: list[dict[str, float]] = []
    for _ in range(said.rounds):
        cache = place / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        row = {"load": os.getloadavg()[0], "pillow_loop": child("decode", place / "photos", cache, 96)["seconds"]}
        row["first_start"] = child("worker", place / "photos", cache, SIDES["speed"][1])["seconds"]
        row["second_start"] = child("worker", place / "photos", cache, SIDES["speed"][1])["seconds"]
        rows.append(row)
        print(row, flush=True)
    middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    ratio = statistics.median(row["pillow_loop"] / row["first_start"] for row in rows)
    write(said.out, {"benchmark": "input speed", "photos": photos, "rounds": rows, "median": middle, "ratio": ratio})


def memory(said: argparse.Namespace, place: Path) -> None:
    record: dict[str, Any] = {"benchmark": "input memory", "rounds": []}
    if said.out and said.out.is_file():
        record = json.loads(said.out.read_text(encoding="utf-8"))
    for photos in said.photos or [3_000, 30_000, 300_000]:
        if photos in [each["photos"] for each in record["rounds"]]:
            continue
        make(place / "photos", photos, SIDES["memory"][0])
        shutil.rmtree(place / "cache", ignore_errors=True)
        found = child("worker", place / "photos", place / "cache", SIDES["memory"][1])
        second = child("worker", place / "photos", place / "cache", SIDES["memory"][1])
        again = {f"second_{name}": second[name] for name in ("seconds", "processor_seconds")}
        record["rounds"].append({"photos": photos, **found, **again})
        print(record["rounds"][-1], flush=True)
        write(said.out, record)


def arrays(said: argparse.Namespace, place: Path) -> None:
    count = (said.photos or [70_000])[0]
    source = said.folder or make_idx(place / "idx", count)
    record: dict[str, Any] = {"benchmark": "input arrays", "rounds": []}
    if said.out and said.out.is_file():
        record = json.loads(said.out.read_text(encoding="utf-8"))
    for _ in range(said.rounds):
        shutil.rmtree(place / "cache", ignore_errors=True)
        row: dict[str, Any] = {"label": said.label, "source": source.name, "load": round(os.getloadavg()[0], 1)}
        for name, side in (("first_start", 28), ("second_start", 28), ("other_size", 16)):
            found = child("worker", source, place / "cache", side)
            row |= {name: found["processor_seconds"], f"{name}_wall": found["seconds"]}
            row |= {"pictures": found["usable"], f"{name}_mib": found["own_memory_mib"]}
        row["cache_mib"] = round(sum(each.stat().st_blocks * 512 for each in (place / "cache").rglob("*")) / 2**20, 1)
        record["rounds"].append(row)
        print(row, flush=True)
        write(said.out, record)


def make_idx(folder: Path, count: int) -> Path:
    """Pictures of 28x28 in ten classes, each another one: smooth shapes that are moved, and noise."""
    random = np.random.default_rng(0)
    folder.mkdir()
    shapes = np.stack([blurred(random, 28)[..., 0] for _ in range(24)])
    chosen, moved = random.integers(0, 24, (2, count)), random.integers(0, 28, (count, 2))
    pictures = np.stack([
        (np.roll(shapes[first], move, (0, 1)) + shapes[second]) / 2
        for (first, second), move in zip(chosen.T, moved, strict=True)
    ])
    pictures = np.clip(pictures + random.normal(0, 6, pictures.shape), 0, 255).astype(np.uint8)
    for role, values in (("images", pictures), ("labels", (np.arange(count) % 10).astype(np.uint8))):
        head = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
        (folder / f"train-{role}-idx{values.ndim}-ubyte").write_bytes(head + values.tobytes())
    return folder


def make(folder: Path, photos: int, side: int) -> None:
    """Photos that differ, in two class folders; those of a smaller round are kept."""
    random = np.random.default_rng(0)
    for name in ("even", "odd"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shapes = [blurred(random, side) for _ in range(24)]
    for number in range(photos):
        path = folder / ("odd" if number % 2 else "even") / f"{number:06d}.jpg"
        mix = random.dirichlet(np.ones(3))
        chosen = random.choice(24, 3, replace=False)
        if path.exists():
            continue
        pixels = sum(
            w * np.roll(shapes[s], tuple(random.integers(0, side, 2)), (0, 1)) for w, s in zip(mix, chosen, strict=True)
        )
        grain = np.random.default_rng(number).normal(0, 6, (side, side, 1))
        Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(path, quality=90)


def blurred(random: np.random.Generator, side: int) -> np.ndarray:
    noise = Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8))
    soft = np.asarray(noise.filter(ImageFilter.GaussianBlur(side / 20)), dtype=np.float32)
    return np.clip((soft - soft.mean()) * 8 + random.uniform(60, 190, 3), 0, 255)


def read(folder: Path, side: int) -> dict[str, Any]:
    """What `thalweg train` does before the first step."""
    from thalweg.core.plan import TrainingPlan
    from thalweg.workbench.loading.loading import divide, load
    from thalweg.workbench.telling.telling import silent

    before, largest, beside, done = anonymous(), 0, 0, threading.Event()

    def watch() -> None:
        nonlocal largest, beside
        while not done.wait(0.05):
            largest = max(largest, anonymous())
            beside = max(beside, sum(anonymous(child) for child in children()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    begun, computed = time.perf_counter(), processor_seconds()
    loaded = load(str(folder), image_size=side, listener=silent())
    divide(loaded, TrainingPlan(source=str(folder)))
    seconds, processor = time.perf_counter() - begun, processor_seconds() - computed
    done.set()
    watcher.join()
    mib = (largest - before) / 2**20
    return {
        "seconds": round(seconds, 3),
        "processor_seconds": round(processor, 3),
        "usable": len(loaded.samples),
        "own_memory_mib": round(mib, 1),
        "readers_memory_mib": round(beside / 2**20, 1),
    }


def decode(folder: Path) -> float:
    begun = time.perf_counter()
    for path in sorted(folder.glob("*/*.jpg")):
        with Image.open(path) as picture:
            picture.convert("RGB").resize((96, 96))
    return round(time.perf_counter() - begun, 3)


def anonymous(process: str = "self") -> int:
    """Bytes of memory that are a process's own."""
    with contextlib.suppress(OSError):  # it just ended
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) * 1024
    return 0


def children() -> list[str]:
    """Processes that this one started and that run."""
    threads = Path("/proc/self/task").iterdir()
    with contextlib.suppress(OSError):
        return [child for each in threads for child in (each / "children").read_text(encoding="ascii").split()]
    return []


def processor_seconds() -> float:
    """Processor seconds of this process and of those it started that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def child(what: str, folder: Path, cache: Path, side: int) -> dict[str, Any]:
    command = [sys.executable, __file__, what, "--folder", str(folder), "--side", str(side)]
    surroundings = os.environ | {"THALWEG_CACHE": str(cache)}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def write(path: Path | None, record: dict[str, Any]) -> None:
    import thalweg

    record["hardware"] = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    record["thalweg"] = thalweg.__version__
    if path:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
