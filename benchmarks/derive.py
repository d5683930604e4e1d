"""`thalweg derive` measured: exactness against autograd, the two timings, and the judgement of students' answers.

    python benchmarks/derive.py [--cases 1000] [--mistakes 100] [--rewritings 300] [--seed 0] [--out FILE]

Exactness: random cases over axes 1 to 3, strides 1 to 3, dilations 1 to 3, paddings, groups, channels, heads, numbers
and symbols; every entry of y and of the gradients against torch's float64 autograd, relative to the largest of its
tensor. Timings: fresh processes, imports included, median of several. Judgement: `derivations/answers.py` says how
wrong and right answers are made. All is seeded; finished parts are kept in the result file and not made anew.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from derivations.answers import KINDS, judge_right_answers, judge_wrong_answers
from derivations.cases import random_case

RESULTS = pathlib.Path(__file__).parent / "results" / "derive.json"
TIMED = {
    "3x3 input, 2x2 filter, symbols, c*sum": ("0.5 s", {"x": "3x3", "f": "2x2", "head": "c*sum"}),
    "6x6 input of 2 channels, 3x3 filter, symbols, c*sum": ("5 s", {"x": "2x6x6", "f": "2x3x3", "head": "c*sum"}),
    "the same with 2 filters, ReLU and mean": ("5 s", {"x": "2x6x6", "f": "2x2x3x3", "head": "relu mean"}),
    "the same with 2 filters and cross-entropy": ("5 s", {"x": "2x6x6", "f": "2x2x3x3", "head": "cross-entropy"}),
}
RUNS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--mistakes", type=int, default=100)
    parser.add_argument("--rewritings", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS)
    options = parser.parse_args()
    results = json.loads(options.out.read_text(encoding="utf-8")) if options.out.is_file() else {}
    results["machine"] = machine()
    parts = {
        f"exactness of {options.cases}, seed {options.seed}": lambda: exactness(options.cases, options.seed),
        "timings": timings,
        f"wrong answers, {options.mistakes} of each kind, seed {options.seed}": lambda: {
            kind: judge_wrong_answers(kind, options.mistakes, options.seed) for kind in KINDS
        },
        f"right answers, {options.rewritings}, seed {options.seed}": lambda: judge_right_answers(
            options.rewritings, options.seed
        ),
    }
    for name, part in parts.items():
        if name not in results:
            begun = time.perf_counter()
            results[name] = part()
            results[name]["seconds"] = round(time.perf_counter() - begun, 1)
            options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(name, json.dumps(results[name], indent=1))


def machine() -> dict[str, Any]:
    model = platform.processor()
    info = pathlib.Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "torch": version("torch"),
        "thalweg": version("thalweg"),
    }


def exactness(count: int, seed: int) -> dict[str, Any]:
    """Compare cases with autograd; every one of them is also compared with the slow twin by `derive` itself."""
    from thalweg.workbench.derive import derive

    worst, equal, checked, covered = 0.0, 0, 0, Counter[str]()
    failed: list[dict[str, Any]] = []
    for number in range(count):
        case = random_case(random.Random(f"{seed}-{number}"))
        answer = derive(**case, prove=True)
        difference = answer.max_difference if answer.max_difference is not None else float("inf")
        worst = max(worst, difference)
        equal += bool(answer.proved)
        checked += bool(answer.self_check and answer.self_check.passed)
        if not answer.proved or not answer.self_check or not answer.self_check.passed:
            failed.append({"number": number, **{name: str(value) for name, value in case.items()}})
        made = answer.case
        covered[f"axes {made.axes}"] += 1
        covered[f"stride {max(made.stride)}"] += 1
        covered[f"dilation {max(made.dilation)}"] += 1
        covered[f"groups {made.groups}"] += 1
        covered["padding" if any(map(any, made.padding)) else "no padding"] += 1
        covered["symbols" if any(entry[0].isalpha() for entry in (*made.x, *made.f)) else "numbers"] += 1
        covered.update({f"head with {stage.kind}" for stage in made.head})
        if (number + 1) % 100 == 0:
            print(f"{number + 1} cases, {equal} equal, largest relative difference {worst:.1e}", flush=True)
    return {
        "cases": count,
        "equal_to_autograd": equal,
        "self_check_passed": checked,
        "largest_relative_difference": worst,
        "allowed": 1e-12,
        "covered": dict(sorted(covered.items())),
        "failed": failed,
    }


def timings() -> dict[str, Any]:
    """Time whole processes, from `python` to the written answer, with bytecode as an installed package has it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return timed_in(environment)


def timed_in(environment: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (aim, case) in TIMED.items():
        code = f"from thalweg.workbench.derive import derive; derive(**{case!r}).to_json()"
        seconds, own = [], []
        for turn in range(RUNS + 1):
            begun, before = time.perf_counter(), os.times()
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            after = os.times()
            if not turn:
                continue  # the first turn compiles
            seconds.append(time.perf_counter() - begun)
            own.append(after.children_user + after.children_system - before.children_user - before.children_system)
        found[name] = {
            "aim": aim,
            "median": round(statistics.median(seconds), 3),
            "low": round(min(seconds), 3),
            "high": round(max(seconds), 3),
            "processor_seconds": round(statistics.median(own), 3),
            "runs": RUNS,
            "load": round(os.getloadavg()[0], 1),
        }
    return found


if __name__ == "__main__":
    main()
