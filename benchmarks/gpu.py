"""Training speed where a GPU is at hand: steps of several networks in several forms, and the real loop with its input.

    python benchmarks/gpu.py --out benchmarks/results/gpu.json

Steps: forward, backward and update in the precision that thalweg chooses for the device, with random pictures that lie
there already; the median of thirty after ten. Forms: as thalweg computes; `torch.compile`, whose first steps take long
and are left out; and forward and backward as CUDA graphs. A form that cannot be computed is told with its error.

Loop: `thalweg.train` on random pictures in an array, three epochs, pictures a second of the slower of the last two,
with batches warped and coloured by the device and by the processor.

Without a GPU it says so and ends with status 2. No GPU was at hand so far: the script itself was run on a device that
the processor played (`tests/devices/`), which tells that it works and nothing about speed.
"""

import argparse
import csv
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

NETWORKS = {"plain": (32, 256), "small": (64, 96), "inception": (128, 32), "resnet18": (64, 224)}
FORMS = ("as it is", "compiled", "graphs")
WARM, TIMED = 10, 30


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--pictures", type=int, default=4_000, help="of the real loop")
    parser.add_argument("--timed", type=int, default=TIMED, help="steps")
    said = parser.parse_args()
    import torch

    from thalweg.training.device import MAKES_BATCHES, choose_device, describe_hardware

    device = choose_device("auto")
    if device.kind == "cpu":
        print(f"torch {torch.__version__} finds no GPU on this machine: nothing to measure", file=sys.stderr)
        sys.exit(2)
    record: dict[str, Any] = {"benchmark": "gpu", "torch": torch.__version__, "hardware": dict(describe_hardware())}
    record |= {"precision": device.precision, "networks": {}}
    usual = set(MAKES_BATCHES)
    for name, (batch, side) in NETWORKS.items():
        rows: dict[str, Any] = {form: _or_error(measure, name, batch, side, form, said.timed) for form in FORMS}
        for where, kinds in (("device", usual | {device.kind}), ("processor", usual - {device.kind})):
            MAKES_BATCHES.clear()
            MAKES_BATCHES.update(kinds)
            rows[f"loop, batches made by the {where}"] = _or_error(loop, name, batch, side, said.pictures)
        record["networks"][name] = {"batch": batch, "side": side, "pictures_a_second": rows}
        print(name, rows, flush=True)
        said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _or_error(work: Any, *given: Any) -> float | str:
    try:
        return work(*given)
    except Exception as error:  # noqa: BLE001 - a form that fails must not cost the others
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def measure(name: str, batch: int, side: int, form: str, timed: int) -> float:
    """Pictures a second of training steps alone."""
    import torch

    from thalweg.core.shape import Shape
    from thalweg.modules.build import build
    from thalweg.networks.catalogue import network
    from thalweg.training.device import choose_device, move
    from thalweg.training.loss import cross_entropy
    from thalweg.training.optimizers import make_optimizer

    device = choose_device("auto")
    module = move(build(network(name, Shape(3, (side, side)), 10).logits()[0], seed=1), device).train()
    optimizer = make_optimizer(module, "adamw", learning_rate=1e-4, weight_decay=0.05)
    pixels = (255 * torch.rand(batch, 3, side, side)).contiguous(memory_format=torch.channels_last).to(device.kind)
    labels = torch.arange(batch).to(device.kind) % 10
    run: Any = torch.compile(module) if form == "compiled" else module
    context = device.context
    if form == "graphs":

        def context() -> Any:  # the cache of autocast would outlive the graph
            return torch.autocast(
                device.kind, dtype=device.autocast, enabled=device.autocast is not None, cache_enabled=False
            )

        with context():
            run = torch.cuda.make_graphed_callables(module, (pixels,))
    seconds = []
    for _ in range(WARM + timed):
        begun = time.perf_counter()
        with context():
            logits = run(pixels)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad(set_to_none=form != "graphs")
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        float(loss.detach())  # waits for the device
        seconds.append(time.perf_counter() - begun)
    return round(batch / statistics.median(seconds[WARM:]), 1)


def loop(name: str, batch: int, side: int, pictures: int) -> float:
    """Pictures a second of the real loop, input, monitor and validation beside it."""
    import thalweg

    random = np.random.default_rng(0)
    labels = np.arange(pictures) % 10
    pixels = random.integers(0, 200, (pictures, side, side, 3), dtype=np.uint8)
    pixels[..., 0] += (5 * labels).astype(np.uint8)[:, None, None]
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "pictures.npz"), x=pixels, y=labels)
        thalweg.train(
            Path(folder, "pictures.npz"), out=Path(folder, "run"), network=name, image_size=side, batch_size=batch,
            epochs=3, lr=1e-3, repair=False,
        )  # fmt: skip
        rows = list(csv.DictReader(Path(folder, "run", "history.csv").read_text(encoding="utf-8").splitlines()))
    return round(min(float(row["images_per_second"]) for row in rows[1:]), 1)


if __name__ == "__main__":
    main()
