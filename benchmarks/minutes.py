"""What `thalweg train --minutes` chooses by itself, against fixed choices, on sources that differ in size and number.

    python benchmarks/minutes.py --data DATA --out benchmarks/results/minutes.json [--minutes 1] [--seeds 1 2 3]

DATA is a folder with `chest-xray/`, `fashion-mnist/` and `cifar10/`; `elpv` comes with the extra `demo`. Every round is
`thalweg train SOURCE --minutes M` in a process of its own on one thread. The clock that a run sees is its processor
time (`--clock processor`, the default), which a quiet core would take: so runs on a busy machine can be compared.
Told is the accuracy that the run reports, on the split it reports; input work is inside the minutes. The fixed choices
are `small` at one size for every source; `chosen` leaves size and network open; `pretrained`, asked for by name alone,
fine-tunes a backbone.

Rounds are kept as they come: the same command goes on where it was interrupted.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SOURCES = {"elpv": "elpv", "chest-xray": "chest-xray", "fashion-mnist": "fashion-mnist", "cifar10": "cifar10"}
CHOICES: dict[str, list[str]] = {
    "small, 32": ["--network", "small", "--image-size", "32"],
    "small, 64": ["--network", "small", "--image-size", "64"],
    "small, 96": ["--network", "small", "--image-size", "96"],
    "chosen": [],
    "pretrained": ["--backbone", "efficientnet-lite0"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--clock", choices=("processor", "wall"), default="processor")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    parser.add_argument("--choices", nargs="+", default=[name for name in CHOICES if name != "pretrained"])
    parser.add_argument("--sources", nargs="+", default=list(SOURCES))
    parser.add_argument("--out", type=Path, default=Path("minutes.json"))
    parser.add_argument("--worker", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.worker:
        work(said.worker)
        return
    record: dict[str, Any] = {"benchmark": "minutes", "minutes": said.minutes, "clock": said.clock, "rounds": []}
    if said.out.is_file():
        record = json.loads(said.out.read_text(encoding="utf-8"))
    done = {(each["source"], each["choice"], each["seed"]) for each in record["rounds"]}
    for seed in said.seeds:
        for source in said.sources:
            for choice in said.choices:
                if (source, choice, seed) in done:
                    continue
                record["rounds"].append(round_of(source, choice, seed, said))
                record["summary"] = summary(record["rounds"])
                record["hardware"] = {"cores": os.cpu_count(), "system": platform.platform()}
                said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    show(record)


def round_of(source: str, choice: str, seed: int, said: argparse.Namespace) -> dict[str, Any]:
    place = source if source == "elpv" else str(said.data / SOURCES[source])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--worker", said.clock, "--json", "train", place, *CHOICES[choice]]
        command += ["--minutes", str(said.minutes), "--seed", str(seed), "--out", f"{folder}/run"]
        surroundings = os.environ | {
            "OMP_NUM_THREADS": "1",
            "THALWEG_CACHE": f"{folder}/cache",
        }  # nothing is decoded yet
        begun = time.perf_counter()
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
        if ended.returncode not in {0, 1}:
            sys.exit(ended.stderr[-2000:])
        told = json.loads(ended.stdout.splitlines()[-1])
        plan = Path(folder, "run", "plan.toml").read_text(encoding="utf-8")
    row = {
        "source": source,
        "choice": choice,
        "seed": seed,
        "accuracy": told["accuracy"],
        "majority": told["majority_accuracy"],
        "epochs": told["epochs"],
        "images_per_second": told["images_per_second"],
        "seconds": told["seconds"],
        "wall": round(time.perf_counter() - begun, 1),
        "plan": [line for line in plan.splitlines() if line.startswith(("network", "image_size", "batch_size"))],
    }
    print(row, flush=True)
    return row


def work(arguments: list[str]) -> None:
    if arguments[0] == "processor":
        time.perf_counter = time.process_time
    from thalweg.cli.main import main as thalweg

    thalweg(arguments[1:])


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for choice in CHOICES:
        by_source = {
            source: [each["accuracy"] for each in rounds if (each["source"], each["choice"]) == (source, choice)]
            for source in SOURCES
        }
        medians = {source: statistics.median(values) for source, values in by_source.items() if values}
        if len(medians) == len(SOURCES):
            found[choice] = {"mean": statistics.mean(medians.values()), **medians}
    return found


def show(record: dict[str, Any]) -> None:
    for choice, numbers in record["summary"].items():
        print(f"{choice:12}", *(f"{source} {value:.3f}" for source, value in numbers.items()))


if __name__ == "__main__":
    main()
