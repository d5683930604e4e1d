"""Training speed of the reference network: thalweg against Keras on TensorFlow, alternating in one session.

    python benchmarks/plain_against_keras.py --keras-python PATH/TO/python --out plain-against-keras.json

Both train the same network (16,871,169 weights at 256x256x3) on the same photos in batches of 32 with Adam and binary
cross-entropy, shuffled, from memory, without augmentation. thalweg runs through its own `Trainer` and `Batches`, as
`thalweg train --network plain` does; Keras through `model.fit` on a prefetching `tf.data` pipeline, as its own guide
recommends. Every round is a process of its own, A B C A B C, so that a drift of the machine meets all. A round's speed
is the batch size over its median step, the first steps left out; the ratio is the median over the pairs. The same is
told by processor seconds, which a loaded machine changes less.

The third side is a wall that no implementation on the same library passes: the network's three convolutions alone,
forward and backward (no gradient for the photos), in the precision and layout that thalweg chose; nothing between them.

Rounds are kept in the JSON file as they come: the same command goes on where it was interrupted.
TensorFlow needs an environment of its own: python -m venv keras-venv && keras-venv/bin/pip install tensorflow
"""

# Long because three sides must do the same work, and whoever doubts the numbers wants to read them together.

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

import numpy as np

SIDES = ("thalweg", "keras", "convolutions")
PICTURES = 256
KERAS_TOTAL_AT_256 = 16_871_617  # what Keras prints: 16,871,169 weights and 448 running statistics


def main() -> None:
    options = _options()
    if options.worker:
        work = {"thalweg": _train_thalweg, "keras": _train_keras, "convolutions": _convolve}[options.worker]
        print(json.dumps(work(options, *_read(Path(options.pictures)))))
        return
    settings = {
        name: getattr(options, name)
        for name in (
            "side",
            "batch_size",
            "steps",
            "warmup",
            "threads",
            "source",
            "average",
            "keras_policy",
            "keras_jit",
        )
    }
    record: dict[str, Any] = {"benchmark": "plain_against_keras", "settings": settings, "rounds": []}
    if options.out.is_file():
        former = json.loads(options.out.read_text(encoding="utf-8"))
        if former["settings"] != settings:
            sys.exit(f"{options.out} was made with other settings; choose another --out")
        record = former
        print(f"going on after {len(record['rounds'])} rounds")
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), options)
        while len(record["rounds"]) < len(SIDES) * options.pairs:
            side = SIDES[len(record["rounds"]) % len(SIDES)]
            record["rounds"].append(_round(side, folder, options))
            record["summary"] = _summary(record["rounds"])
            _save(options.out, record)
    _show(record)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keras-python", default=sys.executable, help="interpreter that has tensorflow")
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each side")
    parser.add_argument("--steps", type=int, default=30, help="timed steps a round")
    parser.add_argument("--warmup", type=int, default=5, help="steps before them")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=None, help="threads of either side; default: what each chooses")
    parser.add_argument("--source", choices=["synthetic", "elpv"], default="synthetic")
    parser.add_argument("--average", type=float, default=None, help="decay of the weight average; default: our recipe")
    parser.add_argument("--keras-policy", choices=["float32", "mixed_bfloat16"], default="float32")
    parser.add_argument("--keras-jit", action="store_true", help="let Keras compile with XLA")
    parser.add_argument("--out", type=Path, default=Path("plain-against-keras.json"))
    parser.add_argument("--worker", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--pictures", help=argparse.SUPPRESS)
    return parser.parse_args()


# The photos: made once, read by both sides -------------------------------------------------------------------------


def _write(folder: Path, options: argparse.Namespace) -> None:
    random = np.random.default_rng(42)
    if options.source == "elpv":
        from elpv_dataset.utils import load_dataset

        photos, probabilities, _ = load_dataset()
        edge = (photos.shape[1] - options.side) // 2
        if edge < 0:
            sys.exit(f"elpv photos are {photos.shape[1]} pixels wide; --side {options.side} is more")
        grey = photos[:PICTURES, edge : edge + options.side, edge : edge + options.side]
        pixels, labels = np.repeat(grey[..., None], 3, axis=-1), (probabilities[:PICTURES] > 0.5).astype(np.int64)
    else:
        pixels = random.integers(0, 256, (PICTURES, options.side, options.side, 3), dtype=np.uint8)
        labels = random.integers(0, 2, PICTURES)
    np.save(folder / "pixels.npy", pixels)
    np.save(folder / "labels.npy", labels)


def _read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    return np.load(folder / "pixels.npy"), np.load(folder / "labels.npy")


# One side each: both give seconds a step, counts of weights, versions ----------------------------------------------


def _train_thalweg(options: argparse.Namespace, pixels: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    from thalweg.core.process import share_processor

    share_processor()  # as every verb does, before torch is loaded

    import torch

    import thalweg
    from thalweg.core.plan import Augmentation
    from thalweg.core.shape import Shape
    from thalweg.data.batching.batches import Batches
    from thalweg.modules.build import build
    from thalweg.networks.catalogue import network
    from thalweg.training.device import choose_device, describe_hardware
    from thalweg.training.loop import Trainer
    from thalweg.training.progress import Progress, Recipe
    from thalweg.workbench.starting.recipes import recipe_for

    device = choose_device("auto")
    spec, _ = network("plain", Shape(3, (options.side, options.side)), classes=2).logits()
    module = build(spec, seed=42)
    steps = options.warmup + options.steps
    rows = np.resize(np.arange(len(pixels)), steps * options.batch_size)
    train = Batches(pixels, rows, labels[rows], batch_size=options.batch_size, augmentation=Augmentation.none())
    heldout = Batches(pixels, rows[: options.batch_size], labels[rows[: options.batch_size]], batch_size=32)
    usual = recipe_for("plain")
    recipe = Recipe(
        epochs=1,
        deadline_seconds=None,
        learning_rate=usual.learning_rate,
        optimizer="adam",
        weight_decay=0.0,
        warmup=0.05,
        smoothing=0.0,
        weights=None,
        average=usual.average if options.average is None else options.average,
        patience=0,
        stages=(1.0,),
        side=options.side,
        seed=42,
    )
    moments: list[float] = []
    work: list[float] = []

    def observe(progress: Progress) -> None:
        if progress.row is None:  # a step, not the end of the epoch
            moments.append(time.perf_counter())
            work.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            module,
            recipe,
            train=train,
            heldout=heldout,
            device=device,
            folder=Path(folder),
            observer=observe,
            log_steps=lambda _: None,
        )
        trainer.fit()
    return {
        "seconds": np.diff(moments[:steps])[options.warmup - 1 :].tolist(),
        "processor_seconds": np.diff(work[:steps])[options.warmup - 1 :].tolist(),
        "parameters": sum(p.numel() for p in module.parameters()),
        "buffers": sum(b.numel() for name, b in module.named_buffers() if not name.endswith("num_batches_tracked")),
        "precision": device.precision,
        "average": recipe.average,
        "versions": {"thalweg": thalweg.__version__, "torch": torch.__version__, "python": sys.version.split()[0]},
        "hardware": dict(describe_hardware()),
    }


def _convolve(options: argparse.Namespace, pixels: np.ndarray, labels: np.ndarray) -> dict[str, Any]:  # noqa: ARG001
    from thalweg.core.process import share_processor

    share_processor()

    import torch

    from thalweg.training.device import choose_device
    from thalweg.training.memory import keep_freed_memory

    keep_freed_memory()
    device = choose_device("cpu")
    dtype, side = device.autocast or torch.float32, options.side
    shapes = [(3, 32, side), (32, 64, side // 2), (64, 128, side // 4)]
    layers, inputs, gradients = [], [], []
    for number, (given, made, extent) in enumerate(shapes):
        layers.append(torch.nn.Conv2d(given, made, 3, padding=1).to(dtype, memory_format=torch.channels_last))
        x = torch.randn(options.batch_size, given, extent, extent).to(dtype, memory_format=torch.channels_last)
        inputs.append(x.requires_grad_(number > 0))
        shape = (options.batch_size, made, extent, extent)
        gradients.append(torch.randn(shape).to(dtype, memory_format=torch.channels_last))
    moments, work = [], []
    for _ in range(options.warmup + options.steps + 1):
        moments.append(time.perf_counter())
        work.append(time.process_time())
        for layer, x, gradient in zip(layers, inputs, gradients, strict=True):
            layer.zero_grad(set_to_none=True)
            x.grad = None
            layer(x).backward(gradient)
    return {
        "seconds": np.diff(moments)[options.warmup :].tolist(),
        "processor_seconds": np.diff(work)[options.warmup :].tolist(),
        "precision": device.precision,
        "versions": {"torch": torch.__version__},
    }


def keras_network(keras: Any, side: int) -> Any:
    """The field's reference network, for two classes."""
    layers = [keras.Input((side, side, 3)), keras.layers.Rescaling(1 / 255)]
    for filters in (32, 64, 128):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.MaxPooling2D(),
        ]
    layers += [keras.layers.Flatten(), keras.layers.Dense(128, activation="relu"), keras.layers.Dropout(0.5)]
    return keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid", dtype="float32")])


def _train_keras(options: argparse.Namespace, pixels: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras  # type: ignore[import-not-found]
    import tensorflow as tf  # type: ignore[import-not-found]

    keras.utils.set_random_seed(42)
    keras.mixed_precision.set_global_policy(options.keras_policy)
    model = keras_network(keras, options.side)
    model.compile(
        keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=options.keras_jit
    )
    moments: list[float] = []
    work: list[float] = []

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        """Note when each step ends."""

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras's form
            """Note the time."""
            moments.append(time.perf_counter())
            work.append(time.process_time())

    steps = options.warmup + options.steps
    batches = (
        tf.data.Dataset
        .from_tensor_slices((pixels, labels))
        .shuffle(len(pixels), seed=42)
        .repeat()
        .batch(options.batch_size)
        .prefetch(tf.data.AUTOTUNE)
    )
    model.fit(batches, steps_per_epoch=steps, epochs=1, verbose=0, callbacks=[Clock()])
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return {
        "seconds": np.diff(moments)[options.warmup - 1 :].tolist(),
        "processor_seconds": np.diff(work)[options.warmup - 1 :].tolist(),
        "parameters": trained,
        "buffers": model.count_params() - trained,
        "precision": options.keras_policy + (" compiled by XLA" if options.keras_jit else ""),
        "versions": {
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "python": sys.version.split()[0],
        },
    }


# Rounds and their sum ----------------------------------------------------------------------------------------------


def _round(side: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    command = [options.keras_python if side == "keras" else sys.executable, __file__]
    command += ["--worker", side, "--pictures", folder, "--keras-policy", options.keras_policy]
    for name in ("side", "batch_size", "steps", "warmup"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    command += ["--keras-jit"] if options.keras_jit else []
    command += [] if options.average is None else ["--average", str(options.average)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment(options.threads))
    if done.returncode:
        sys.exit(f"{side} failed with exit status {done.returncode}:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    if (
        options.side == 256
        and side != "convolutions"
        and result["parameters"] + result["buffers"] != KERAS_TOTAL_AT_256
    ):
        sys.exit(f"{side}: {result['parameters']} weights and {result['buffers']} statistics are another network")
    result |= {
        "framework": side,
        "load_before": load,
        "speed": options.batch_size / statistics.median(result["seconds"]),
        "speed_of_processor": options.batch_size / statistics.median(result["processor_seconds"]),
    }
    print(f"{side:12} {result['speed']:6.1f} images/s   (load before: {load})", flush=True)
    return result


def _environment(threads: int | None) -> dict[str, str]:
    """Let both sides choose their threads themselves, or give both the same number, whatever this shell has set."""
    limits = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    kept = {name: value for name, value in os.environ.items() if name not in limits}
    return kept | ({} if threads is None else dict.fromkeys(limits, str(threads)))


def _summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, name in (("speed", "images_per_second"), ("speed_of_processor", "images_per_processor_second")):
        speeds = {side: [entry[key] for entry in rounds if entry["framework"] == side] for side in SIDES}
        found[name] = {side: _spread(values) for side, values in speeds.items() if values}
        for other, what in (("keras", "ratio"), ("convolutions", "share_of_wall")):
            ratios = [ours / theirs for ours, theirs in zip(speeds["thalweg"], speeds[other], strict=False)]
            found[what if key == "speed" else f"{what}_by_processor"] = _spread(ratios) if ratios else None
    return found


def _spread(values: list[float]) -> dict[str, float]:
    return {"n": len(values), "median": statistics.median(values), "low": min(values), "high": max(values)}


def _save(path: Path, record: dict[str, Any]) -> None:
    aside = path.with_name(path.name + ".part")
    aside.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    aside.replace(path)


def _show(record: dict[str, Any]) -> None:
    first = {entry["framework"]: entry for entry in reversed(record["rounds"])}
    hardware = first["thalweg"]["hardware"]
    print(f"\n{hardware['processor']}, {hardware['threads']} threads, {hardware['memory_gib']} GiB")
    for side, numbers in record["summary"]["images_per_second"].items():
        versions = ", ".join(f"{name} {version}" for name, version in first[side]["versions"].items())
        print(
            f"{side:12} {numbers['median']:6.1f} images/s ({numbers['low']:.1f} to {numbers['high']:.1f}, "
            f"n = {numbers['n']}; {first[side]['precision']}; {versions})"
        )
    ratio = record["summary"]["ratio"]
    print(f"to keras     {ratio['median']:6.2f} ({ratio['low']:.2f} to {ratio['high']:.2f}, {ratio['n']} pairs)")
    by_processor = record["summary"]["ratio_by_processor"]["median"]
    print(f"... by processor seconds {by_processor:.2f}")
    wall = record["summary"]["share_of_wall"]
    print(f"of the wall  {wall['median']:6.2f} ({wall['low']:.2f} to {wall['high']:.2f}, {wall['n']} pairs)")


if __name__ == "__main__":
    main()
