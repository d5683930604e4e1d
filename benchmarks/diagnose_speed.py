"""How long `thalweg diagnose` takes: one log as a fresh process, and a thousand logs in one.

    python benchmarks/diagnose_speed.py

To reach: under 0.5 s for one log with the start of the interpreter, under 60 s for a thousand. Wall time depends on who
else uses the machine, so that processor time (user and system) and the load stand beside it. Python's compiled files
are kept between calls, whatever the surroundings say, as for any installed package.
"""

import argparse
import csv
import json
import math
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARS = {"one log": 0.5, "one log of 20,000 epochs": 0.5, "1,000 logs": 60.0}
RESULT = Path(__file__).parent / "results" / "diagnose_speed.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--n", type=int, default=15, help="times one log is judged")
    parser.add_argument("--logs", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.logs):
            _write(Path(folder, f"{number:04d}.csv"), random.Random(number))
        one, many = Path(folder, "0000.csv"), Path(folder)
        with tempfile.TemporaryDirectory() as other:
            os.environ["PYTHONPYCACHEPREFIX"] = other
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
            long = Path(other, "long.csv")
            _write(long, random.Random(1), epochs=20_000)
            runs = {
                "python -c pass": [_timed(["-c", "pass"]) for _ in range(options.n)],
                "import numpy": [_timed(["-c", "import numpy"]) for _ in range(options.n)],
                "one log": _judged(one, options.n),
                "one log of 20,000 epochs": _judged(long, options.n),
                f"{options.logs:,} logs": [_timed(["-m", "thalweg", "diagnose", str(many), "--json"])],
            }
    record = {
        "benchmark": "diagnose_speed",
        "hardware": {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "n": options.n,
        "seconds": {name: _summary(values) for name, values in runs.items()},
    }
    print(f"{record['hardware']}, Python {record['python']}, load {record['load']:.1f}, n = {options.n}")
    for name, values in runs.items():
        found = _summary(values)
        bar = f"   (bar {BARS[name]:g} s)" if name in BARS else ""
        print(
            f"{name:26} wall {found['wall_median']:.3f} s ({found['wall_low']:.3f} to {found['wall_high']:.3f}), "
            f"processor {found['processor_median']:.3f} s{bar}"
        )
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _judged(path: Path, times: int) -> list[tuple[float, float]]:
    return [_timed(["-m", "thalweg", "diagnose", str(path)]) for _ in range(times + 1)][1:]


def _write(path: Path, dice: random.Random, epochs: int = 0) -> None:
    """A log of 10 to 200 epochs that falls, stalls, swings or rises."""
    epochs, speed, rough = (
        epochs or dice.randint(10, 200),
        dice.choice((0.5, 3, 20, -40)),
        dice.choice((0.002, 0.02, 0.3)),
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("epoch", "accuracy", "loss", "val_accuracy", "val_loss"))
        for epoch in range(epochs):
            loss = (0.2 + 2.1 * math.exp(-speed * epoch / epochs)) * math.exp(dice.gauss(0, rough))
            held = loss * 1.1 * math.exp(dice.gauss(0, 2 * rough))
            writer.writerow((epoch, math.exp(-loss), loss, math.exp(-held), held))


def _timed(words: list[str]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *words], check=False, stdout=subprocess.DEVNULL)
    if done.returncode not in {0, 1}:
        sys.exit(f"{words} ended with {done.returncode}")
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _summary(values: list[tuple[float, float]]) -> dict[str, float]:
    walls, processor = [wall for wall, _ in values], [used for _, used in values]
    return {
        "wall_median": statistics.median(walls),
        "wall_low": min(walls),
        "wall_high": max(walls),
        "processor_median": statistics.median(processor),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
