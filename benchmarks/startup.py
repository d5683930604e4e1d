"""How long people wait before anything happens: `import thalweg` and `thalweg --help`, as fresh processes.

    python benchmarks/startup.py --out startup.json

The bare interpreter is timed in turn with them, since it is most of the wait and differs between machines. To reach:
`import thalweg` under 0.1 s, `thalweg --help` under 0.3 s, both including the interpreter.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

BARS = {"import thalweg": 0.1, "thalweg --help": 0.3}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--n", type=int, default=15, help="times each is started")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    script = shutil.which("thalweg", path=str(Path(sys.executable).parent)) or shutil.which("thalweg")
    if script is None:
        sys.exit("no thalweg command beside this interpreter: pip install -e .")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import thalweg": [sys.executable, "-c", "import thalweg"],
        "thalweg --help": [script, "--help"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(options.n + 1):
        for name, command in commands.items():
            taken = _time(command)
            if turn:  # the first turn compiles bytecode and fills the disk cache
                seconds[name].append(taken)
    record = {
        "benchmark": "startup",
        "hardware": {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "python": platform.python_version(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "n": options.n,
        "seconds": {
            name: {"median": statistics.median(values), "low": min(values), "high": max(values)}
            for name, values in seconds.items()
        },
    }
    print(f"{record['hardware']}, Python {record['python']}, load {record['load']}, n = {options.n}")
    for name, values in seconds.items():
        bar = f"   (bar {BARS[name]:g} s)" if name in BARS else ""
        print(f"{name:16} {statistics.median(values):.3f} s ({min(values):.3f} to {max(values):.3f}){bar}")
    if options.out:
        options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _time(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
