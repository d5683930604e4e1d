"""Experiments of `thalweg lab` as a user runs them, with the hardware they ran on.

    python benchmarks/labs.py pointwise stride dimensions --quick
    python benchmarks/labs.py --all

Each writes `benchmarks/results/lab-NAME.json`: the answer without its drawings, seconds of wall time and of the
processor, load beside it, versions. The wall time says little on a machine that does other things as well; half of the
processor time is about what two quiet cores would take.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="experiments")
    parser.add_argument("--all", action="store_true", help="every experiment there is")
    parser.add_argument("--quick", action="store_true", help="the short forms")
    parser.add_argument("--source", default=None, help="data to run them on")
    parser.add_argument("--control", action="store_true", help="of context: beside networks trained on crops")
    parser.add_argument("--suffix", default="", help="what the results' names end in, such as -camvid")
    parser.add_argument("--pages", type=Path, help="folder that keeps the pages")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    listed = subprocess.run([sys.executable, "-m", "thalweg", "lab", "--json"], capture_output=True, text=True, check=True)  # fmt: skip  # noqa: E501
    known = json.loads(listed.stdout)["labs"]
    names = list(known) if options.all else options.names
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        sys.exit(f"name experiments: {', '.join(known)}")
    options.out.mkdir(parents=True, exist_ok=True)  # before hours of work, not after
    for name in names:
        record = _run(name, options)
        (options.out / f"lab-{name}{options.suffix}.json").write_text(
            json.dumps(record, indent=1) + "\n", encoding="utf-8"
        )
        verdicts = [f"{each['verdict']}: {each['claim']}" for each in record["answer"]["findings"]]
        print(f"{name}, {record['processor_seconds']:.0f} s of the processor", *verdicts, sep="\n  ", flush=True)


def _run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    words = [
        "lab",
        name,
        *([str(Path(options.source).resolve())] if options.source else []),
        "--workers",
        str(options.workers),
        "--json",
    ]
    words += [*(["--quick"] if options.quick else []), *(["--control"] if options.control else [])]
    before, load, started = _spent(), os.getloadavg()[0], time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:  # where the page is left behind
        page = (options.pages or Path(folder)).resolve() / f"lab-{name}{options.suffix}.html"
        command = [sys.executable, "-m", "thalweg", *words, "--html", str(page)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode != 0:
        sys.exit(f"{name} failed ({done.returncode}): {done.stderr[-2000:]}")
    told = done.stdout
    if options.source:  # whose folders are named how is nobody's business
        told = told.replace(json.dumps(str(Path(options.source).resolve()))[1:-1], str(options.source))
    answer = json.loads(told)
    answer["figures"] = [{"caption": each["caption"]} for each in answer["figures"]]
    answer["page"] = None
    return {
        "benchmark": "labs",
        "command": " ".join(["thalweg", *words]).replace(
            str(Path(options.source or name).resolve()), str(options.source)
        ),
        "wall_seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(_spent() - before, 1),
        "load_at_start": load,
        "load_at_end": os.getloadavg()[0],
        "environment": _environment(),
        "answer": answer,
    }


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment() -> dict[str, object]:
    from thalweg.training.device import describe_hardware

    packages = ("thalweg", "torch", "numpy")
    return {
        "hardware": describe_hardware(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in packages},
    }


if __name__ == "__main__":
    main()
