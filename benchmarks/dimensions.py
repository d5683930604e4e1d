"""Accuracy and time of `thalweg train` on signals, volumes and small pictures: the command line as a user runs it.

    python benchmarks/dimensions.py ecg     --out benchmarks/results/dimensions-ecg.json
    python benchmarks/dimensions.py adrenal --out benchmarks/results/dimensions-adrenal.json
    python benchmarks/dimensions.py cifar10 --out benchmarks/results/dimensions-cifar10.json
    python benchmarks/dimensions.py cifar10-small --out benchmarks/results/dimensions-cifar10-small.json

Each source keeps its own split: heartbeats of patients who are in no training file, the adrenal glands' three parts,
CIFAR-10's test pictures (20,000 for training, 5,000 for the test). The accuracy is the last epoch's, or with three
parts that of the epoch that the validation part chose; never the best epoch of the reported part. Finished seeds are
kept in the JSON file: the same command goes on where it was interrupted. Each seed is a process of its own and starts
without a cache. The load beside it stands in the file, and the seconds of the processor beside those of the clock:
where others use the machine too, they tell what a quiet one would need: on two cores at least half of them.

To reach: heartbeats 0.72 accuracy and 0.11 recall on class S (a small one-dimensional network of this field, six
epochs); adrenal glands an area under the curve of 0.85 (published: 0.827 for a three-dimensional ResNet-18 at 28
voxels, Yang et al. 2023); `inception` on CIFAR-10 0.78 within 15 minutes on two cores, and any network 0.85 within 30.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
CASES = {
    "ecg": ("ecg-mitbih", "", {"accuracy": 0.72, "recall": {"S": 0.11}}),
    "adrenal": ("adrenalmnist3d", "", {"auc": 0.85}),
    "cifar10": ("cifar10", "--network inception --epochs 20", {"accuracy": 0.78}),
    "cifar10-small": ("cifar10", "--network small --batch-size 64 --lr 0.004 --epochs 60", {"accuracy": 0.85}),
}
KEPT = (
    "accuracy", "accuracy_interval", "balanced_accuracy", "auc", "auc_interval", "majority_accuracy", "best_accuracy",
    "best_epoch", "parameters", "epochs", "images_per_second", "learning_rate", "network", "train_files", "test_files",
    "split",
)  # fmt: skip
SPREAD = ("accuracy", "balanced_accuracy", "auc", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("case", choices=sorted(CASES))
    parser.add_argument("--source", type=Path, default=None, help="where the data lie, if not beside the repository")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--options", default=None, help="options of thalweg train instead of the case's, in one string")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    folder, usual, goals = CASES[options.case]
    source = options.source or SHARED / folder
    if not source.exists():
        sys.exit(f"{folder} is not there; name its place with --source")
    words = usual if options.options is None else options.options
    settings = {"case": options.case, "source": folder, "options": words, "to_reach": goals}
    record: dict[str, Any] = {"benchmark": "dimensions", "settings": settings, "runs": []}
    if options.out.is_file():
        record = json.loads(options.out.read_text(encoding="utf-8"))
        if record["settings"] != settings:
            sys.exit(f"{options.out} was made with other settings; choose another --out")
    for seed in options.seeds:
        if seed not in [run["seed"] for run in record["runs"]]:
            record["runs"].append(_run(source, words, seed))
            record["summary"] = _summary(record["runs"])
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    _show(record)


def _run(source: Path, options: str, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        words = [str(source), "--seed", str(seed), "--out", f"{folder}/run", *options.split(), "--json"]
        environment = {**os.environ, "THALWEG_CACHE": f"{folder}/cache"}
        load = os.getloadavg()[0]
        started, worked = time.perf_counter(), _children()
        done = subprocess.run(
            [sys.executable, "-m", "thalweg", "train", *words],
            capture_output=True, text=True, env=environment, check=False,
        )  # fmt: skip
        seconds, worked = time.perf_counter() - started, _children() - worked
        if done.returncode not in {0, 1} or '"accuracy"' not in done.stdout:
            sys.exit(f"seed {seed} failed: {done.stderr[-2000:]}")
        answer = json.loads(done.stdout)
        described = json.loads(Path(folder, "run", "environment.json").read_text(encoding="utf-8"))
        metrics = json.loads(Path(folder, "run", "metrics.json").read_text(encoding="utf-8"))
    run = {
        "seed": seed,
        "seconds": round(seconds, 1),
        "processor_seconds": round(worked, 1),
        "load_at_start": load,
        "load_at_end": os.getloadavg()[0],
    }
    run |= {name: answer[name] for name in KEPT}
    classes = metrics["evaluation"]["classes"]
    run["recall"] = {each["name"]: round(each["recall"], 4) for each in classes}
    run["environment"] = {name: described[name] for name in ("thalweg", "python", "packages", "hardware", "precision")}
    print(f"seed {seed}: accuracy {answer['accuracy']:.4f}, AUC {answer['auc']:.4f}, {seconds:.0f} s", flush=True)
    return run


def _children() -> float:
    """Seconds of processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    def spread(values: list[float]) -> dict[str, float]:
        # Over seeds: mean and 95 % interval by Student's t, which for two or three values is wide, as it should be.
        mean = statistics.mean(values)
        factor = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}.get(len(values), 2.0)
        half = factor * statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
        interval = [mean - half, mean + half] if len(values) > 1 else None
        return {"mean": mean, "low": min(values), "high": max(values), "interval": interval}  # type: ignore[dict-item]

    summary: dict[str, Any] = {"n": len(runs)} | {name: spread([run[name] for run in runs]) for name in SPREAD}
    summary["recall"] = {name: spread([run["recall"][name] for run in runs]) for name in runs[0]["recall"]}
    return summary


def _show(record: dict[str, Any]) -> None:
    summary, first = record["summary"], record["runs"][0]
    print(f"{record['settings']}, n = {summary['n']}, {first['environment']['hardware']}")
    print(f"always the largest training class: {first['majority_accuracy']:.4f} of {first['test_files']:,} samples")
    for name in SPREAD:
        value = summary[name]
        print(f"{name:18} mean {value['mean']:.4f} ({value['low']:.4f} to {value['high']:.4f})")
    print("recall            ", ", ".join(f"{name} {value['mean']:.2f}" for name, value in summary["recall"].items()))


if __name__ == "__main__":
    main()
