"""The last epoch against the one with the best validation accuracy: which is righter on a test split that neither saw?

    python benchmarks/kept_epoch.py --data DATA --out benchmarks/results/kept-epoch.json [--seeds 1 2 3]

DATA is a folder with `cifar10/`, `chest-xray/`, `ecg-mitbih/`, `adrenalmnist3d/`; `elpv` comes with the extra `demo`.
Short runs (5 to 12 epochs, a minute or two each) with three splits; of CIFAR-10 1,200 pictures are trained on and 200
watched. Told of each run are both epochs' accuracy, balanced accuracy, area under the curve and loss on the test split,
and by how many standard errors the last epoch's loss and error exceed the best one's on the validation split (paired).
What `thalweg train` keeps follows from the former (decision 0044). Rounds are kept: the same command goes on.
"""

import argparse
import json
import math
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CASES = {
    "cifar1200": ["--epochs", "12"],
    "elpv": ["--split", "70/10/20", "--image-size", "48", "--epochs", "12"],
    "xray": ["--validation", "0.1", "--image-size", "48", "--epochs", "12"],
    "ecg": ["--validation", "0.05", "--epochs", "5"],
    "adrenal": ["--image-size", "20", "--epochs", "12"],
}
PLACES = {"xray": "chest-xray", "ecg": "ecg-mitbih", "adrenal": "adrenalmnist3d"}
TRAINED, WATCHED, TESTED = 1200, 200, 2800


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--cases", nargs="+", default=list(CASES))
    parser.add_argument("--out", type=Path, default=Path("kept-epoch.json"))
    said = parser.parse_args()
    record: dict[str, Any] = {"benchmark": "kept_epoch", "rounds": []}
    if said.out.is_file():
        record = json.loads(said.out.read_text(encoding="utf-8"))
    done = {row["name"] for row in record["rounds"]}
    for seed in said.seeds:
        for case in said.cases:
            if f"{case}-{seed}" not in done:
                record["rounds"].append(round_of(case, seed, said.data))
            record["summary"] = summary(record["rounds"])
            record["hardware"] = {"cores": os.cpu_count(), "system": platform.platform(terse=True)}
            said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record["summary"], indent=1))


def round_of(case: str, seed: int, data: Path) -> dict[str, Any]:
    """Train once, and ask both epochs about both splits."""
    from thalweg.cli.main import main as command
    from thalweg.workbench import session

    row: dict[str, Any] = {"name": f"{case}-{seed}"}

    def ask(run: Any, trainer: Any) -> int:
        last = looked(run, trainer.evaluated)
        trainer.use_best()
        row.update(compared(last, looked(run, trainer.evaluated)))
        row.update(best_epoch=trainer.state.best_epoch, epochs=len(trainer.state.rows))
        return int(trainer.state.best_epoch)

    session.keep_epoch = ask  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        source = some_of_cifar(data, Path(folder, "cifar")) if case == "cifar1200" else data / PLACES.get(case, "")
        words = ["elpv" if case == "elpv" else str(source), *CASES[case], "--seed", str(seed), "--out", f"{folder}/run"]
        try:
            command(["train", *words, "--quiet"])
        except SystemExit as done:
            if done.code not in {0, 1, None}:
                sys.exit(f"{case}, seed {seed}: exit status {done.code}")
    print(json.dumps(row), flush=True)
    return row


def some_of_cifar(data: Path, place: Path) -> Path:
    """Pictures of CIFAR-10 in three folders."""
    with np.load(data / "cifar10" / "train.npz") as stored:
        pictures, labels, names = stored["x"], stored["y"], [str(name) for name in stored["classes"]]
    order = np.random.default_rng(0).permutation(len(labels))
    for number, index in enumerate(order[: TRAINED + WATCHED + TESTED]):
        part = "train" if number < TRAINED else "val" if number < TRAINED + WATCHED else "test"
        folder = place / part / names[labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures[index]).save(folder / f"{index}.png")
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


def compared(last: dict[str, Any], best: dict[str, Any]) -> dict[str, Any]:
    """Both in few numbers."""
    watched, other = last["validation"], best["validation"]
    lost = other["right"].astype(float) - watched["right"]
    return {
        "last": {name: plain(each) for name, each in last.items()},
        "best": {name: plain(each) for name, each in best.items()},
        "loss_worse_by_errors": in_errors(watched["losses"] - other["losses"]),
        "accuracy_worse_by_errors": in_errors(lost),
    }


def plain(scores: dict[str, Any]) -> dict[str, float]:
    kept = {name: round(value, 4) for name, value in scores.items() if isinstance(value, int | float)}
    return {**kept, "loss": round(float(scores["losses"].mean()), 4)}


def in_errors(differences: np.ndarray) -> float:
    error = differences.std(ddof=1) / math.sqrt(len(differences))
    return round(float(differences.mean() / error), 2) if error else 0.0


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """What each way of keeping gains over the best epoch by accuracy, in points of test accuracy and area."""
    told = [row for row in rounds if row["best_epoch"] != row["epochs"]]
    rules = {
        "the last": lambda _: True,
        "the last unless its loss is worse by two errors": lambda row: row["loss_worse_by_errors"] <= 2,
        "the last unless its loss is worse by one error": lambda row: row["loss_worse_by_errors"] <= 1,
        "the last unless its accuracy is worse by two errors": lambda row: row["accuracy_worse_by_errors"] <= 2,
    }
    found: dict[str, Any] = {"runs": len(rounds), "of_them_two_epochs_apart": len(told)}
    for name, keeps in rules.items():
        gains = {
            score: [100 * (row["last"]["test"][score] - row["best"]["test"][score]) * bool(keeps(row)) for row in told]
            for score in ("accuracy", "balanced_accuracy", "auc")
        }
        found[name] = {
            score: {"mean": round(statistics.mean(each), 2), "worst": round(min(each), 2), "best": round(max(each), 2)}
            for score, each in gains.items()
            if each
        }
    return found


if __name__ == "__main__":
    main()
