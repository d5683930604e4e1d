"""What our gradients of depthwise convolutions are worth: a training step with them and with torch's, in turns.

    python benchmarks/depthwise.py --out benchmarks/results/depthwise.json

Each network's forward and backward pass on one batch, in the precision that thalweg chooses on the machine and in
float32; processor seconds (other work on the machine counts little in them), median of the turns. `ratio` is torch's
over ours, and its spread is that of the pairs.
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import torch

from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.depthwise import DepthwiseConv2d, PaddedDepthwiseConv2d
from thalweg.networks.backbones import backbone
from thalweg.training.device import Device, choose_device, describe_hardware, move
from thalweg.training.loss import cross_entropy

CASES = (("efficientnet-lite0", 160, 16), ("efficientnet-lite0", 224, 16), ("mobilenet-v2", 160, 16))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for name, side, batch in CASES:
        for device in {choose_device("cpu").precision: choose_device("cpu"), "float32": Device("cpu", None)}.values():
            rows.append(_compare(name, side, batch, device, options.turns))
            print(json.dumps(rows[-1]))
    record = {
        "benchmark": "depthwise",
        "settings": {"turns": options.turns, "threads": options.threads},
        "environment": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "hardware": dict(describe_hardware()),
        },
        "rows": rows,
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _compare(name: str, side: int, batch: int, device: Device, turns: int) -> dict[str, object]:
    ours = move(build(backbone(name, Shape(3, (side, side)), 2).logits()[0], seed=0), device).train()
    theirs = move(build(backbone(name, Shape(3, (side, side)), 2).logits()[0], seed=0), device).train()
    for module in theirs.modules():
        if isinstance(module, DepthwiseConv2d | PaddedDepthwiseConv2d):
            module._is_slow = lambda *_: False  # type: ignore[method-assign]  # noqa: SLF001 - what is compared
    pixels = (255 * torch.rand(batch, 3, side, side)).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 2
    seconds: dict[str, list[float]] = {"ours": [], "torch": []}
    for turn in range(turns + 1):
        for which, network in (("ours", ours), ("torch", theirs)):
            began = time.process_time()
            with device.context():
                logits = network(pixels)
            network.zero_grad(set_to_none=True)
            cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
            if turn:  # the first one sets up what later ones use
                seconds[which].append(time.process_time() - began)
    pairs = [their / our for our, their in zip(seconds["ours"], seconds["torch"], strict=True)]
    return {
        "network": name,
        "side": side,
        "batch": batch,
        "precision": device.precision,
        **{f"{which}_seconds": round(statistics.median(values), 4) for which, values in seconds.items()},
        "ratio": round(statistics.median(pairs), 2),
        "ratio_spread": [round(min(pairs), 2), round(max(pairs), 2)],
    }


if __name__ == "__main__":
    main()
