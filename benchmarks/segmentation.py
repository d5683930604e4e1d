"""How well street scenes are segmented within so many minutes: the command line as a user runs it, resumable.

    python benchmarks/segmentation.py ../shared/data/camvid --backbone efficientnet-lite0 --minutes 30 \
        --out benchmarks/results/segmentation-camvid.json

The source keeps its own train, validation and test pictures (CamVid as SegNet splits it: 367, 101, 233; 11 classes,
void ignored). Pictures are trained at `--image-size` (240x180); scores are made at the masks' own size (480x360), from
one confusion matrix over the whole test part; the best epoch is chosen on the validation part alone.

Published on this split, on GPUs: SegNet 0.464 to 0.556 (Badrinarayanan et al. 2017), ENet 0.513 (Paszke et al. 2016).

Finished seeds are kept in the JSON file, and an interrupted one goes on from its run folder (`--runs`).
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

KEPT = (
    "network", "context", "mean_iou", "mean_iou_interval", "iou", "pixel_accuracy", "best_mean_iou", "best_epoch",
    "calibration_error", "majority_accuracy", "parameters", "epochs", "images_per_second", "learning_rate",
    "monitor_overhead", "train_files", "test_files", "image_size",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--backbone", help="pretrained encoder; without, unet-small from random weights")
    parser.add_argument("--context", help="context module")
    parser.add_argument("--minutes", type=float, help="of each seed")
    parser.add_argument("--image-size", default="240x180")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--options", default="", help="further options of thalweg train, in one string")
    parser.add_argument("--runs", type=Path, help="folder of run folders; beside --out by default")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    settings = {
        "source": options.source.name,
        "backbone": options.backbone,
        "context": options.context,
        "minutes": options.minutes,
        "image_size": options.image_size,
        "options": options.options,
    }
    record: dict[str, Any] = {"benchmark": "segmentation", "settings": settings, "runs": []}
    if options.out.is_file():
        record = json.loads(options.out.read_text(encoding="utf-8"))
        if record["settings"] != settings:
            sys.exit(f"{options.out} was made with other settings; choose another --out")
    for seed in options.seeds:
        if seed not in [run["seed"] for run in record["runs"]]:
            record["runs"].append(_run(options, seed))
            record["summary"] = _summary(record["runs"])
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            print(json.dumps(record["summary"]))


def _run(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    folder = (options.runs or options.out.with_suffix(".runs")) / f"seed-{seed}"
    if (folder / "plan.toml").is_file():
        words = ["resume", str(folder)]
    else:
        words = ["train", str(options.source), "--task", "segmentation", "--image-size", options.image_size]
        words += ["--seed", str(seed), "--out", str(folder), *options.options.split()]
        for name in ("backbone", "context", "minutes"):
            if getattr(options, name) is not None:
                words += [f"--{name}", f"{getattr(options, name)}"]
    load_before, started = os.getloadavg()[0], time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "thalweg", *words, "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1} or '"mean_iou"' not in done.stdout:
        sys.exit(f"seed {seed} failed with status {done.returncode}")
    answer = json.loads(done.stdout)
    description = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    return {
        "seed": seed,
        "command": words[0],
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "load_before": load_before,
        "load_at_end": os.getloadavg()[0],
        **{name: answer[name] for name in KEPT},
        "interventions": len(answer["interventions"]),
        "environment": {name: description[name] for name in ("thalweg", "python", "packages", "hardware", "precision")},
    }


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    ious = [run["mean_iou"] for run in runs]
    classes = list(runs[0]["iou"])
    return {
        "seeds": len(runs),
        "mean_iou_median": statistics.median(ious),
        "mean_iou_spread": [min(ious), max(ious)],
        "iou_median": {
            name: statistics.median(
                [run["iou"][name] for run in runs if run["iou"][name] is not None] or [float("nan")]
            )
            for name in classes
        },
        "seconds_median": statistics.median(run["seconds"] for run in runs),
        "processor_seconds_median": statistics.median(run["processor_seconds"] for run in runs),
    }


if __name__ == "__main__":
    main()
