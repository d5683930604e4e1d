"""How far a fine-tuned network should step back towards its pretrained start, and what validation knows of it.

    python benchmarks/step_back.py --data DATA --out benchmarks/results/step-back.json [--seeds 1 2]

DATA is a folder with `cifar10/` and `chest-xray/`; `elpv` comes with the extra `demo`, the weights with `backbones`.
EfficientNet-Lite0 is fine-tuned at 96 pixels for eight epochs with three splits, and every share of the way between
start and trained weights (WiSE-FT, decision 0040) is asked about the validation and the test split. Test files of
another origin: `xray` (drawn from elsewhere), `cifar-other` (CIFAR-10 as another camera shows it: paler, blurred,
noisy). Of the same: `xray-same` (split from the training files), `elpv`, `cifar`. Told are, for each rule that sees
validation only, the test accuracy, area under the curve and loss against those of everything learned. Rounds are kept:
the same command goes on.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from kept_rounds import cifar_folders, go_on, looked, train

COMMON = ["--backbone", "efficientnet-lite0", "--image-size", "96", "--epochs", "8"]
CASES = {
    "xray": ["--validation", "0.2"],
    "xray-same": ["--split", "60/20/20"],
    "elpv": ["--split", "50/15/35"],
    "cifar": [],
    "cifar-other": [],
}
COUNTS = {"train": 1200, "val": 300, "test": 1700}
ELSEWHERE = {"xray", "cifar-other"}
ERRORS = (0.0, 1.0, 2.0, 3.0)
"""Standard errors of the paired differences within which a share counts as good as the best one."""


def main() -> None:
    go_on("step_back", __doc__ or "", CASES, [1, 2], round_of, summary)


def round_of(case: str, seed: int, data: Path) -> dict[str, Any]:
    """Fine-tune once, and ask every share about both splits."""
    from thalweg.evaluation.nearest import nearest_as_good
    from thalweg.training.checkpoint import weights_of
    from thalweg.workbench.runs import session
    from thalweg.workbench.runs.wise_ft import SHARES, place
    from thalweg.workbench.starting.transfer_start import START

    row: dict[str, Any] = {"case": case}

    def ask(run: Any, network: Any) -> None:
        start = weights_of(run.folder.path / START)
        learned = {name: value.detach().clone() for name, value in network.state_dict().items()}
        found = []
        for share in SHARES:
            place(network, start, learned, share)
            found.append(looked(run, network))
        place(network, start, learned, 1.0)
        losses = np.stack([each["validation"]["losses"] for each in found])
        row.update(files=losses.shape[1])
        row.update(chosen={f"{errors:g}": SHARES[nearest_as_good(losses, errors=errors)] for errors in ERRORS})
        for share, each in zip(SHARES, found, strict=True):
            row[f"{share:g}"] = {
                part: {
                    name: round(float(np.mean(each[part][name])), 4)
                    for name in ("accuracy", "balanced_accuracy", "auc", "losses")
                }
                for part in ("validation", "test")
            }

    session.step_back = ask  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        train([source_of(case, data, Path(folder)), *COMMON, *CASES[case], "--seed", str(seed)], folder)
    return row


def source_of(case: str, data: Path, folder: Path) -> str:
    """What is trained on."""
    if case == "elpv":
        return "elpv"
    if case == "xray":
        return str(data / "chest-xray")
    if case == "xray-same":
        (folder / "xray").symlink_to((data / "chest-xray" / "train").resolve())
        return str(folder / "xray")
    return str(cifar_folders(data, folder / "cifar", COUNTS, otherwise if case == "cifar-other" else None))


def otherwise(picture: Image.Image, number: int) -> Image.Image:
    """The picture as another camera shows it: paler, blurred, noisy."""
    pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.7)), np.float32)
    pixels = 60 + 0.55 * pixels + np.random.default_rng(number).normal(0, 8, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """What each rule gives on test splits, less what everything learned gives."""
    from thalweg.workbench.runs.wise_ft import SHARES

    told: dict[str, Any] = {}
    rules: dict[str, Any] = {f"{errors:g} standard errors": f"{errors:g}" for errors in ERRORS}
    rules |= {f"always {share:g}": share for share in SHARES[1:]}
    for name, rule in rules.items():
        told[name] = {}
        for place in ("elsewhere", "the same"):
            mine = [row for row in rounds if (row["case"] in ELSEWHERE) == (place == "elsewhere")]
            if mine:
                shares = [row["chosen"][rule] if isinstance(rule, str) else rule for row in mine]
                told[name][place] = {
                    what: round(
                        statistics.mean(
                            row[f"{share:g}"]["test"][what] - row["1"]["test"][what]
                            for row, share in zip(mine, shares, strict=True)
                        ),
                        4,
                    )
                    for what in ("accuracy", "auc", "losses")
                } | {"shares": shares}
    return told


if __name__ == "__main__":
    main()
