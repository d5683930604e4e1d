"""What benchmarks of what a finished training keeps have in common: rounds of short runs with three splits."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["area", "cifar_folders", "go_on", "looked", "train"]

Row = dict[str, Any]


def go_on(
    name: str,
    text: str,
    cases: Iterable[str],
    seeds: list[int],
    round_of: Callable[[str, int, Path], Row],
    summary: Callable[[list[Row]], dict[str, Any]],
) -> None:
    """Make the rounds that a result file lacks, as the command line says.

    Args:
        name: What the benchmark is called.
        text: Its docstring.
        cases: Of which it can be asked for some.
        seeds: By default.
        round_of: Makes a round from case, seed and data folder.
        summary: Sums all rounds up.
    """
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=seeds)
    parser.add_argument("--cases", nargs="+", default=list(cases))
    parser.add_argument("--out", type=Path, default=Path(f"{name.replace('_', '-')}.json"))
    said = parser.parse_args()
    record: dict[str, Any] = {"benchmark": name, "rounds": []}
    if said.out.is_file():
        record = json.loads(said.out.read_text(encoding="utf-8"))
    done = {row["name"] for row in record["rounds"]}
    for seed in said.seeds:
        for case in said.cases:
            if f"{case}-{seed}" not in done:
                record["rounds"].append({"name": f"{case}-{seed}", **round_of(case, seed, said.data)})
                print(json.dumps(record["rounds"][-1]), flush=True)
            record["summary"] = summary(record["rounds"])
            record["hardware"] = {"cores": os.cpu_count(), "system": platform.platform(terse=True)}
            said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record["summary"], indent=1))


def train(words: list[str], folder: str) -> None:
    """Train in this process, as the command line does; end the benchmark where it fails."""
    from thalweg.cli.main import main as command

    try:
        command(["train", *words, "--out", f"{folder}/run", "--quiet"])
    except SystemExit as done:
        if done.code not in {0, 1, None}:
            sys.exit(f"{' '.join(words)}: exit status {done.code}")


def cifar_folders(
    data: Path, place: Path, counts: dict[str, int], otherwise: Callable[[Image.Image, int], Image.Image] | None = None
) -> Path:
    """Write so many pictures of CIFAR-10 a part into folders; those of `test` changed, where that is wanted."""
    with np.load(data / "cifar10" / "train.npz") as stored:
        pictures, labels, names = stored["x"], stored["y"], [str(name) for name in stored["classes"]]
    parts = [part for part, count in counts.items() for _ in range(count)]
    order = np.random.default_rng(0).permutation(len(labels))[: len(parts)]
    for number, (index, part) in enumerate(zip(order, parts, strict=True)):
        picture = Image.fromarray(pictures[index])
        if otherwise is not None and part == "test":
            picture = otherwise(picture, number)
        folder = place / part / names[labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(folder / f"{index}.png")
    return place


def looked(run: Any, network: Any) -> dict[str, dict[str, Any]]:
    """Scores of a network on the watched and the reported split."""
    from thalweg.evaluation.nearest import losses_of
    from thalweg.training.scoring import predict

    found = {}
    for name, part in (("validation", run.parts.validation), ("test", run.parts.test)):
        scores = predict(network, run.batches(part), run.device)
        chances, labels = np.asarray(scores.probabilities), np.asarray(scores.labels)
        right = chances.argmax(axis=1) == labels
        found[name] = {
            "files": len(labels), "accuracy": float(right.mean()),
            "balanced_accuracy": float(np.mean([right[labels == each].mean() for each in np.unique(labels)])),
            "auc": area(chances, labels), "losses": losses_of(chances, labels), "right": right,
        }  # fmt: skip
    return found


def area(chances: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve; of several classes the mean of each against the rest."""
    from thalweg.evaluation.ranking import area_under_roc

    wanted = [1] if chances.shape[1] == 2 else np.unique(labels).tolist()
    areas = [area_under_roc(chances[:, each], labels == each) for each in wanted]
    return float(np.mean(areas))
