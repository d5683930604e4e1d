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

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from kept_epoch import looked

SHARES = (1.0, 0.75, 0.5, 0.25)
COMMON = ["--backbone", "efficientnet-lite0", "--image-size", "96", "--epochs", "8"]
CASES = {
    "xray": ["--validation", "0.2"],
    "xray-same": ["--split", "60/20/20"],
    "elpv": ["--split", "50/15/35"],
    "cifar": [],
    "cifar-other": [],
}
ELSEWHERE = {"xray", "cifar-other"}
ERRORS = (0.0, 1.0, 2.0, 3.0)
"""Standard errors of the paired differences within which a share counts as good as the best one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cases", nargs="+", default=list(CASES))
    parser.add_argument("--out", type=Path, default=Path("step-back.json"))
    said = parser.parse_args()
    record: dict[str, Any] = {"benchmark": "step_back", "rounds": []}
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
    """Fine-tune once, and ask every share about both splits."""
    from thalweg.cli.main import main as command
    from thalweg.training.checkpoint import weights_of
    from thalweg.workbench import session, wise_ft
    from thalweg.workbench.transfer_start import START

    row: dict[str, Any] = {"name": f"{case}-{seed}", "case": case}

    def ask(run: Any, network: Any) -> None:
        start = weights_of(run.folder.path / START)
        learned = {name: value.detach().clone() for name, value in network.state_dict().items()}
        found = []
        for share in SHARES:
            wise_ft._place(network, start, learned, share)  # noqa: SLF001 - the very line that is judged
            found.append(looked(run, network))
        wise_ft._place(network, start, learned, 1.0)  # noqa: SLF001
        losses = np.stack([each["validation"]["losses"] for each in found])
        row.update(files=losses.shape[1], chosen={f"{errors:g}": chosen(losses, errors) for errors in ERRORS})
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
        source = source_of(case, data, Path(folder))
        words = [source, *COMMON, *CASES[case], "--seed", str(seed), "--out", f"{folder}/run"]
        try:
            command(["train", *words, "--quiet"])
        except SystemExit as done:
            if done.code not in {0, 1, None}:
                sys.exit(f"{case}, seed {seed}: exit status {done.code}")
    print(json.dumps(row), flush=True)
    return row


def chosen(losses: np.ndarray, errors: float) -> float:
    """The least share whose mean loss exceeds the best one's by at most so many standard errors."""
    best = losses[int(np.argmin(losses.mean(axis=1)))]
    differences = losses - best
    spread = differences.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    return SHARES[int(np.flatnonzero(differences.mean(axis=1) <= errors * spread)[-1])]


def source_of(case: str, data: Path, folder: Path) -> str:
    """What is trained on."""
    if case == "elpv":
        return "elpv"
    if case == "xray":
        return str(data / "chest-xray")
    if case == "xray-same":
        (folder / "xray").symlink_to((data / "chest-xray" / "train").resolve())
        return str(folder / "xray")
    with np.load(data / "cifar10" / "train.npz") as stored:
        pictures, labels, names = stored["x"], stored["y"], [str(name) for name in stored["classes"]]
    order = np.random.default_rng(0).permutation(len(labels))
    for number, index in enumerate(order[:3200]):
        part = "train" if number < 1200 else "val" if number < 1500 else "test"
        picture = Image.fromarray(pictures[index])
        if part == "test" and case == "cifar-other":
            picture = otherwise(picture, number)
        place = folder / "cifar" / part / names[labels[index]]
        place.mkdir(parents=True, exist_ok=True)
        picture.save(place / f"{index}.png")
    return str(folder / "cifar")


def otherwise(picture: Image.Image, number: int) -> Image.Image:
    """The picture as another camera shows it: paler, blurred, noisy."""
    pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.7)), np.float32)
    pixels = 60 + 0.55 * pixels + np.random.default_rng(number).normal(0, 8, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """What each rule gives on test splits, less what everything learned gives."""
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
