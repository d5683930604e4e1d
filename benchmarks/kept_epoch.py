"""The last epoch against the one with the best validation accuracy: which is righter on a test split that neither saw?

    python benchmarks/kept_epoch.py --data DATA --out benchmarks/results/kept-epoch.json [--seeds 1 2 3]

DATA is a folder with `cifar10/`, `chest-xray/`, `ecg-mitbih/`, `adrenalmnist3d/`; `elpv` comes with the extra `demo`.
Short runs (5 to 12 epochs, a minute or two each) with three splits; of CIFAR-10 1,200 pictures are trained on and 200
watched. Told of each run are both epochs' accuracy, balanced accuracy, area under the curve and loss on the test split,
and by how many standard errors the last epoch's loss and error exceed the best one's on the validation split (paired).
What `thalweg train` keeps follows from the former (decision 0044). Rounds are kept: the same command goes on.
"""

import math
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from kept_rounds import cifar_folders, go_on, looked, train

CASES = {
    "cifar1200": ["--epochs", "12"],
    "elpv": ["--split", "70/10/20", "--image-size", "48", "--epochs", "12"],
    "xray": ["--validation", "0.1", "--image-size", "48", "--epochs", "12"],
    "ecg": ["--validation", "0.05", "--epochs", "5"],
    "adrenal": ["--image-size", "20", "--epochs", "12"],
}
PLACES = {"xray": "chest-xray", "ecg": "ecg-mitbih", "adrenal": "adrenalmnist3d"}
COUNTS = {"train": 1200, "val": 200, "test": 2800}


def main() -> None:
    go_on("kept_epoch", __doc__ or "", CASES, [1, 2, 3], round_of, summary)


def round_of(case: str, seed: int, data: Path) -> dict[str, Any]:
    """Train once, and ask both epochs about both splits."""
    from thalweg.workbench.runs import session

    row: dict[str, Any] = {}

    def ask(run: Any, trainer: Any) -> int:
        last = looked(run, trainer.evaluated)
        trainer.use_best()
        row.update(compared(last, looked(run, trainer.evaluated)))
        row.update(best_epoch=trainer.state.best_epoch, epochs=len(trainer.state.rows))
        return int(trainer.state.best_epoch)

    session.keep_epoch = ask  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        cifar = case == "cifar1200"
        source = cifar_folders(data, Path(folder, "cifar"), COUNTS) if cifar else data / PLACES.get(case, "")
        train(["elpv" if case == "elpv" else str(source), *CASES[case], "--seed", str(seed)], folder)
    return row


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
