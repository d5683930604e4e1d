"""Training speed where a GPU is at hand: pictures a second of several networks, as they are and compiled.

    python benchmarks/gpu.py --out benchmarks/results/gpu.json

Steps of forward, backward and update in the precision that thalweg chooses for the device, with random pictures that
lie there already; the median of thirty after ten. Compiled means `torch.compile`, whose first steps take long and are
left out. Without a GPU it says so and ends with status 2. Not run so far: no device was at hand.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

NETWORKS = {"plain": (32, 256), "small": (64, 96), "inception": (128, 32), "resnet18": (64, 224)}
WARM, TIMED = 10, 30


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    said = parser.parse_args()
    import torch

    from thalweg.training.device import choose_device, describe_hardware

    device = choose_device("auto")
    if device.kind == "cpu":
        print(f"torch {torch.__version__} finds no GPU on this machine: nothing to measure", file=sys.stderr)
        sys.exit(2)
    record: dict[str, Any] = {"benchmark": "gpu", "torch": torch.__version__, "hardware": dict(describe_hardware())}
    record |= {"precision": device.precision, "networks": {}}
    for name, (batch, side) in NETWORKS.items():
        rows = {form: measure(name, batch, side, compiled=form == "compiled") for form in ("as it is", "compiled")}
        record["networks"][name] = {"batch": batch, "side": side, "pictures_a_second": rows}
        print(name, rows, flush=True)
        said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def measure(name: str, batch: int, side: int, *, compiled: bool) -> float:
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
    run = torch.compile(module) if compiled else module
    pixels = (255 * torch.rand(batch, 3, side, side)).contiguous(memory_format=torch.channels_last).to(device.kind)
    labels = torch.arange(batch, device=device.kind) % 10
    seconds = []
    for _ in range(WARM + TIMED):
        begun = time.perf_counter()
        with device.context():
            logits = run(pixels)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        float(loss.detach())  # waits for the device
        seconds.append(time.perf_counter() - begun)
    return round(batch / statistics.median(seconds[WARM:]), 1)


if __name__ == "__main__":
    main()
