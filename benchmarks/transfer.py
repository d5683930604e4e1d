"""What a pretrained start is worth on photos: the command line as a user runs it, resumable, with the time it took.

    python benchmarks/transfer.py elpv --minutes 30 --out benchmarks/results/transfer-elpv.json
    python benchmarks/transfer.py elpv --options=--head-only --out benchmarks/results/transfer-elpv-head.json
    python benchmarks/transfer.py ../shared/data/chest-xray --seeds 42 1 2 '--options=--image-size 160 --epochs 8' \
        --out benchmarks/results/transfer-xray.json

A source without a test split of its own (`elpv`) is cut into five folds, near duplicates together; each is
held out once, and the mean over the folds is what counts (the last epoch of each: nothing is chosen on it). A source
with `train/` and `test/` keeps them: a fifth of `train` is split off for validation, the threshold is chosen there
only, and accuracy, sensitivity and specificity are those of `test`, each with its 95 % interval. That is done for each
seed, which also decides the validation files.

`processor_seconds` are those of all threads: on two free cores a fold takes about half of them, whatever else a machine
was doing while it was measured.

Finished folds are kept in the JSON file: the same command goes on where it was interrupted. `--only 0 2` makes these
folds alone, so that two processes with a thread each may share a machine and a file.

Published on these solar cells: 0.884 with VGG-19 on a GPU and one split (Deitsch et al. 2019).
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

import numpy as np

from thalweg.data.splitting.split import Split, write_split_file
from thalweg.workbench.loading.loading import Loaded, load
from thalweg.workbench.telling.telling import silent

FOLDS = 5
KEPT = (
    "accuracy", "accuracy_interval", "balanced_accuracy", "auc", "calibration_error", "best_accuracy", "best_epoch",
    "majority_accuracy", "parameters", "epochs", "images_per_second", "learning_rate", "train_files", "test_files",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source")
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--minutes", type=float, help="of each fold")
    parser.add_argument("--only", type=int, nargs="+", default=list(range(FOLDS)), help="these folds, from 0 on")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42], help="of a source with folds the first counts")
    parser.add_argument("--options", default="", help="further options of thalweg train, in one string")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    settings = {
        "source": Path(options.source).name,
        "backbone": options.backbone,
        "minutes": options.minutes,
        "options": options.options,
        "seeds": options.seeds,
    }
    loaded = load(options.source, image_size=96, listener=silent())
    divided = any(sample.part for sample in loaded.samples)
    wanted = [(seed, 0) for seed in options.seeds] if divided else [(options.seeds[0], fold) for fold in options.only]
    for seed, fold in wanted:
        if (seed, fold) in [(run["seed"], run["fold"]) for run in _record(options.out, settings)["runs"]]:
            continue
        run = _run(options, loaded, seed, fold, divided=divided)
        record = _record(options.out, settings)  # another process may have written meanwhile
        record["runs"] = sorted([*record["runs"], run], key=lambda each: (each["seed"], each["fold"]))
        record["summary"] = _summary(record["runs"])
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(record["summary"]))


def _record(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    if not path.is_file():
        return {"benchmark": "transfer", "settings": settings, "runs": []}
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["settings"] != settings:
        sys.exit(f"{path} was made with other settings; choose another --out")
    return record


def _run(options: argparse.Namespace, loaded: Loaded, seed: int, fold: int, *, divided: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        words = ["--backbone", options.backbone, "--seed", str(seed), "--out", f"{folder}/run"]
        words += options.options.split()
        if options.minutes:
            words += ["--minutes", f"{options.minutes:g}"]
        if divided:
            words += ["--validation", "0.2"]
        else:
            write_split_file(Path(folder, "split.csv"), _fold(loaded, fold, seed), loaded.samples)
            words += ["--split-file", f"{folder}/split.csv"]
        command = [sys.executable, "-m", "thalweg", "train", options.source, *words, "--json"]
        environment = {**os.environ, "THALWEG_CACHE": f"{folder}/cache"}
        load_before, started, used = os.getloadavg()[0], time.perf_counter(), _processor_seconds()
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        seconds, processor = time.perf_counter() - started, _processor_seconds() - used
        if done.returncode not in {0, 1} or '"accuracy"' not in done.stdout:
            sys.exit(f"seed {seed}, fold {fold} failed: {done.stderr[-2000:]}")
        answer, run = json.loads(done.stdout), Path(folder, "run")
        about = json.loads((run / "backbone.json").read_text(encoding="utf-8"))
        description = json.loads((run / "environment.json").read_text(encoding="utf-8"))
        point = run / "threshold.json"
        threshold = json.loads(point.read_text(encoding="utf-8")) if point.is_file() else None
    return {
        "seed": seed,
        "fold": fold,
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "load_before": load_before,
        "load_at_end": os.getloadavg()[0],
        **{name: answer[name] for name in KEPT},
        "interventions": len(answer["interventions"]),
        "head_first": about["head_first"],
        "wise_ft": about.get("wise_ft"),
        "features": about["features"],
        "threshold": threshold,
        "environment": {name: description[name] for name in ("thalweg", "python", "packages", "hardware", "precision")},
    }


def _processor_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _fold(loaded: Loaded, fold: int, seed: int) -> Split:
    """One fold held out: files of each class dealt out in turn, near duplicates as one."""
    group = {index: index for index in range(len(loaded.samples))}
    place = {sample.file: index for index, sample in enumerate(loaded.samples)}
    for duplicate in loaded.duplicates:
        members = [place[file] for file in duplicate.files if file in place]
        group.update(dict.fromkeys(members, min(members)))
    random, at = np.random.default_rng(seed), {}
    for label in np.unique(loaded.labels):
        heads = [index for index in group if group[index] == index and loaded.labels[index] == label]
        for number, index in enumerate(random.permutation(heads)):
            at[int(index)] = number % FOLDS
    held = tuple(index for index in group if at[group[index]] == fold)
    return Split(train=tuple(index for index in group if at[group[index]] != fold), validation=held, test=())


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    accuracies = [run["accuracy"] for run in runs]
    return {
        "runs": len(runs),
        "accuracy_mean": statistics.fmean(accuracies),
        "accuracy_spread": [min(accuracies), max(accuracies)],
        "head_first_mean": statistics.fmean(run["head_first"]["accuracy"] for run in runs),
        "auc_mean": statistics.fmean(run["auc"] for run in runs) if all(run["auc"] for run in runs) else None,
        "seconds_median": statistics.median(run["seconds"] for run in runs),
        "processor_seconds_median": statistics.median(run["processor_seconds"] for run in runs),
    }


if __name__ == "__main__":
    main()
