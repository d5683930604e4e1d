"""How long people wait for answers: `thalweg predict` on 2,000 photos, and `thalweg train` until its first step.

    python benchmarks/predict.py --out benchmarks/results/predict.json

Photos are JPEG of 300x300 (those of `input.py`); the network is `small`, trained for an epoch on 400 of them. Every
time is that of a fresh process from its start, with imports; beside it stand its processor seconds, which a loaded
machine changes less. A loop that only decodes and resizes with Pillow in one thread is timed in turn. To reach on two
quiet cores: all answers in 15 s, the first step of training on a cached source in 4 s.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from input import make

PHOTOS, TRAINED = 2_000, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "what", nargs="?", default="all", choices=("all", "first_step", "decode"), help=argparse.SUPPRESS
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder", type=Path, default=None, help="for photos, cache and run; a temporary one by default"
    )
    parser.add_argument("--out", type=Path, default=None)
    said = parser.parse_args()
    if said.what == "first_step":
        first_step(said.folder)
    elif said.what == "decode":
        decode(said.folder)
    else:
        with tempfile.TemporaryDirectory() as place:
            measure(said, said.folder or Path(place))


def measure(said: argparse.Namespace, place: Path) -> None:
    make(place / "photos", PHOTOS, 300)
    make(place / "few", TRAINED, 300)
    surroundings = os.environ | {"THALWEG_CACHE": str(place / "cache")}
    surroundings.pop("OMP_NUM_THREADS", None)
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)  # who installs the package has its modules compiled
    thalweg = [sys.executable, "-m", "thalweg"]
    run = place / "run"
    if not (run / "model.safetensors").is_file():
        train = [*thalweg, "--quiet", "train", str(place / "few"), "--epochs", "1", "--out", str(run)]
        subprocess.run(train, env=surroundings, check=True, stdout=subprocess.DEVNULL)
    commands = {
        "predict": [*thalweg, "--json", "predict", str(run), str(place / "photos")],
        "decode alone": [sys.executable, __file__, "decode", "--folder", str(place)],
        "first step": [sys.executable, __file__, "first_step", "--folder", str(place)],
    }
    rounds: list[dict[str, Any]] = []
    for turn in range(said.rounds + 1):
        row: dict[str, Any] = {"load": round(os.getloadavg()[0], 2)}
        for name, command in commands.items():
            row[name] = timed(command, surroundings)
        if turn:  # the first one fills the caches
            rounds.append(row)
            print(row, flush=True)
    record = {
        "benchmark": "predict and first step",
        "photos": PHOTOS,
        "hardware": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "rounds": rounds,
        "median": {
            name: {kind: statistics.median(row[name][kind] for row in rounds) for kind in ("wall", "processor")}
            for name in commands
        },
    }
    print(record["median"])
    if said.out:
        said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def timed(command: list[str], surroundings: dict[str, str]) -> dict[str, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=surroundings, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": round(wall, 3), "processor": round(used, 3)}


def first_step(place: Path) -> None:
    """`thalweg train` on all photos, ended as soon as its first step is done."""
    from thalweg.cli.main import main as thalweg
    from thalweg.core.process import share_processor

    share_processor()
    from thalweg.training.loop import Trainer

    step = Trainer._step  # noqa: SLF001 - to see its first call end

    def only(trainer: Trainer, *batch: Any) -> None:
        step(trainer, *batch)
        os._exit(0)

    Trainer._step = only  # type: ignore[method-assign]  # noqa: SLF001
    with tempfile.TemporaryDirectory() as out:
        thalweg(["--quiet", "train", str(place / "photos"), "--epochs", "5", "--out", f"{out}/run"])


def decode(place: Path) -> None:
    from PIL import Image

    for path in sorted((place / "photos").glob("*/*.jpg")):
        with Image.open(path) as picture:
            picture.convert("RGB").resize((96, 96))


if __name__ == "__main__":
    main()
