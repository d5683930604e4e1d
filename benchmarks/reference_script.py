"""How long thalweg takes to the best accuracy of the field's usual Keras script, on the same photos and the same split.

    python benchmarks/reference_script.py --keras-python PATH/TO/python --out benchmarks/results/reference-script.json

The script, as one finds it: 256 x 256 photos, three blocks of convolution (32, 64, 128), batch normalisation and
pooling, Flatten, Dense(128), dropout 0.5, Adam at 1e-3, binary cross-entropy, batches of 32, ten epochs, a fifth held
out. The solar cells count as defective where the probability of a defect is above 0.

thalweg: `thalweg.train(FOLDER)` with nothing chosen but the seed, epochs as many as it finds right; reading photos,
decoding them into an empty cache and trials of the rate are inside its time, as loading them is inside Keras's.

Told: seconds by the clock and of the processor until the epoch whose validation accuracy first reaches the best of the
Keras run. A side is a process of its own, one after the other. Rounds are kept as they come: the same command goes on.
TensorFlow needs an environment of its own: python -m venv keras-venv && keras-venv/bin/pip install tensorflow pillow
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fine_tuning import processor_seconds, this_machine, write_halves
from plain_against_keras import keras_network

SIDES = ("keras", "thalweg")
CLASSES = ("functional", "defective")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keras-python", default=sys.executable, help="interpreter that has tensorflow")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    parser.add_argument("--epochs", type=int, default=10, help="of the Keras script")
    parser.add_argument("--out", type=Path, default=Path("reference-script.json"))
    parser.add_argument("--worker", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--photos", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=42, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.worker:
        print(json.dumps({"keras": keras_side, "thalweg": thalweg_side}[said.worker](said)))
        return
    record: dict[str, Any] = {"benchmark": "reference_script", "epochs": said.epochs, "rounds": []}
    if said.out.is_file():
        record = json.loads(said.out.read_text(encoding="utf-8"))
    done = {(each["side"], each["seed"]) for each in record["rounds"]}
    with tempfile.TemporaryDirectory() as folder:
        write_halves(Path(folder, "photos"), above=0.0)
        for seed in said.seeds:
            for side in SIDES:
                if (side, seed) not in done:
                    record["rounds"].append(round_of(side, seed, Path(folder), said))
                    record["summary"] = summary(record["rounds"])
                    record["hardware"] = this_machine()
                    said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
                    print(json.dumps(record["summary"]), flush=True)


def round_of(side: str, seed: int, folder: Path, said: argparse.Namespace) -> dict[str, Any]:
    python = said.keras_python if side == "keras" else sys.executable
    words = [python, __file__, "--worker", side, "--photos", str(folder / "photos"), "--seed", str(seed)]
    own = {"THALWEG_CACHE": tempfile.mkdtemp(dir=folder), "OMP_WAIT_POLICY": "PASSIVE", "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        [*words, "--epochs", str(said.epochs)], capture_output=True, text=True, check=False, env=os.environ | own
    )
    if done.returncode:
        sys.exit(f"{side}: {done.stderr[-2000:]}")
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"side": side, "seed": seed, "load": round(os.getloadavg()[0], 1)} | row


class Clock:
    """Seconds since it was made, and what each epoch came to."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self.begun, self.used = time.perf_counter(), processor_seconds()

    def reached(self, accuracy: float) -> None:
        """An epoch has ended."""
        clock, processor = time.perf_counter() - self.begun, processor_seconds() - self.used
        self.epochs.append({"accuracy": accuracy, "clock": round(clock, 1), "processor": round(processor, 1)})


def keras_side(said: argparse.Namespace) -> dict[str, Any]:
    """The usual script."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras  # type: ignore[import-not-found]
    import tensorflow as tf  # type: ignore[import-not-found]

    keras.utils.set_random_seed(said.seed)
    clock = Clock()
    train, val = (
        keras.utils.image_dataset_from_directory(
            said.photos / part, label_mode="binary", class_names=list(CLASSES), image_size=(256, 256), batch_size=32,
            shuffle=part == "train", seed=said.seed,
        ).cache().prefetch(tf.data.AUTOTUNE)
        for part in ("train", "val")
    )  # fmt: skip
    model = keras_network(keras, 256)
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
    tell = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: clock.reached(logs["val_accuracy"]))
    model.fit(train, validation_data=val, epochs=said.epochs, verbose=0, callbacks=[tell])
    return {"epochs": clock.epochs, "versions": {"keras": keras.__version__, "tensorflow": tf.__version__}}


def thalweg_side(said: argparse.Namespace) -> dict[str, Any]:
    """`thalweg train FOLDER`."""
    clock = Clock()
    import torch

    import thalweg
    from thalweg.training.loop import Trainer

    finish = Trainer._finish_epoch  # noqa: SLF001

    def finishing(self: Trainer) -> None:
        finish(self)
        clock.reached(self.state.rows[-1]["val_accuracy"])

    Trainer._finish_epoch = finishing  # type: ignore[method-assign]  # noqa: SLF001
    with tempfile.TemporaryDirectory() as out:
        result = thalweg.train(said.photos, seed=said.seed, out=Path(out, "run"))
    versions = {"thalweg": thalweg.__version__, "torch": torch.__version__}
    return {"epochs": clock.epochs, "network": result.network, "versions": versions}


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The best of each Keras run, and when thalweg was there."""
    found = []
    for row in rounds:
        ours = next((each for each in rounds if each["side"] == "thalweg" and each["seed"] == row["seed"]), None)
        if row["side"] == "keras" and ours:
            best = max(row["epochs"], key=lambda each: each["accuracy"])
            there = next((each for each in ours["epochs"] if each["accuracy"] >= best["accuracy"]), None)
            spent = row["epochs"][-1]  # nobody knows before the end which epoch is the best
            told: dict[str, Any] = {
                "seed": row["seed"],
                "keras_best": best,
                "keras_whole": spent,
                "thalweg_there": there,
            }
            if there:
                for what in ("clock", "processor"):
                    told[f"{what}_ratio_to_best"] = round(best[what] / there[what], 1)
                    told[f"{what}_ratio_to_whole"] = round(spent[what] / there[what], 1)
            told["thalweg_best"] = max(each["accuracy"] for each in ours["epochs"])
            found.append(told)
    ratios = [each["processor_ratio_to_best"] for each in found if each["thalweg_there"]]
    return {"pairs": found, "median_processor_ratio_to_best": statistics.median(ratios) if ratios else None}


if __name__ == "__main__":
    main()
