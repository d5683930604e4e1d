"""The same lab with one worker and with several: is the table the same to the last digit, and what is gained?

python benchmarks/lab_workers.py --out benchmarks/results/lab-workers.json
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "reliability"))
from outcome import machine

WORKERS = (1, 2, 4)


def main() -> int:
    """Run the lab with each number of workers, and compare all that it answers but its seconds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lab", default="learning-rate")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    import thalweg

    answers, seconds = {}, {}
    for workers in WORKERS:
        started = time.perf_counter()
        answer = thalweg.lab(options.lab, quick=True, workers=workers).to_json()
        seconds[workers] = round(time.perf_counter() - started, 1)
        answers[workers] = {name: answer[name] for name in ("setup", "table", "findings", "figures")}
        print(workers, seconds[workers], file=sys.stderr)
    first = answers[WORKERS[0]]
    same = {workers: [name for name in first if answers[workers][name] != first[name]] for workers in WORKERS}
    result = {"lab": options.lab, "seconds": seconds, "differs_from_one_worker": same, "table": first["table"]}
    print({name: result[name] for name in ("lab", "seconds", "differs_from_one_worker")})
    if options.out:
        options.out.write_text(json.dumps(result | machine(), indent=1, default=str) + "\n", encoding="utf-8")
    return int(any(same.values()))


if __name__ == "__main__":
    sys.exit(main())
