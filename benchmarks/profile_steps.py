"""Where each millisecond of a training step goes, against what the processor can do.

    python benchmarks/profile_steps.py --out benchmarks/results/profile.json

One thread; processor seconds a picture (the least of several steps), and shares of kinds of work by torch's profiler.
Beside them the ceilings: multiply-adds of one large convolution and of one large product in the precision that training
uses, bytes copied, photos decoded. Networks with a `-lite0` are fine-tuned as `--backbone` does, from random weights.
"""

import argparse
import io
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

NETWORKS = {
    "plain": ("plain", 32, 256),
    "small": ("small", 16, 96),
    "inception": ("inception", 64, 32),
    "resnet18": ("resnet18", 16, 128),
    "efficientnet-lite0": ("efficientnet-lite0", 16, 160),
    "segmentation (unet-small)": ("unet-small", 8, 192),
}
KINDS = {
    "convolution": ("convolution",),
    "normalisation, rectifier, pooling: compiled": ("_Chain",),
    "normalisation": ("batch_norm",),
    "rectifier": ("threshold", "relu", "clamp", "hardtanh"),
    "pooling": ("pool",),
    "dense layers": ("addmm", "aten::mm"),
    "optimizer": ("_fused_adam", "Optimizer", "_foreach"),
    "copies and conversions": ("copy_", "fill_", "clone"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("profile.json"))
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    said = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    record: dict[str, Any] = {
        "benchmark": "profile of training steps",
        "hardware": {"cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()[0]},
        "ceilings": ceilings(),
        "networks": {},
    }
    print(record["ceilings"], flush=True)
    for name in said.networks:
        record["networks"][name] = profile(*NETWORKS[name])
        print(name, record["networks"][name], flush=True)
        said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def least(work: Callable[[], object], times: int = 3) -> float:
    work()
    seconds = []
    for _ in range(times):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return min(seconds)


def ceilings() -> dict[str, float]:
    import torch
    from PIL import Image

    from thalweg.training.device import choose_device
    from thalweg.training.memory import keep_freed_memory

    keep_freed_memory()
    dtype = choose_device("cpu").autocast or torch.float32
    x = torch.randn(8, 64, 64, 64).to(dtype, memory_format=torch.channels_last)
    layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(dtype, memory_format=torch.channels_last)
    matrix, many = torch.randn(1024, 1024).to(dtype), torch.randn(1 << 25)
    photo = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((75, 75)).resize((300, 300)).save(photo, "JPEG", quality=90)
    with torch.no_grad():
        convolution = 8 * 64 * 64 * 64 * 64 * 9 / least(lambda: layer(x))
        product = 1024**3 / least(lambda: matrix @ matrix)
        copied = 2 * many.nbytes / least(many.clone)
    decoded = 1 / least(lambda: Image.open(io.BytesIO(photo.getvalue())).convert("RGB").resize((96, 96)), 20)
    return {
        "precision": str(dtype).removeprefix("torch."),  # type: ignore[dict-item]
        "convolution_gmacs_a_second": round(convolution / 1e9, 1),
        "product_gmacs_a_second": round(product / 1e9, 1),
        "memory_gb_a_second": round(copied / 1e9, 1),
        "photos_decoded_a_second": round(decoded),
    }


def profile(network_name: str, batch: int, side: int) -> dict[str, Any]:
    import torch

    from thalweg.core.shape import Shape
    from thalweg.modules.build import build
    from thalweg.networks.catalogue import network
    from thalweg.training.device import choose_device, move
    from thalweg.training.loss import cross_entropy
    from thalweg.training.optimizers import make_optimizer

    device = choose_device("cpu")
    module = move(build(network(network_name, Shape(3, (side, side)), 10).logits()[0], seed=1), device).train()
    optimizer = make_optimizer(module, "adamw", learning_rate=1e-4, weight_decay=0.05)
    pixels = (255 * torch.rand(batch, 3, side, side)).contiguous(memory_format=torch.channels_last)
    dense = network_name.startswith("unet")
    labels = torch.randint(0, 10, (batch, side, side) if dense else (batch,))

    def step() -> None:
        with device.context():
            logits = module(pixels)
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    step()
    seconds = least(step, 3)
    with torch.profiler.profile() as seen:
        step()
    events = [event for event in seen.key_averages() if event.self_cpu_time_total > 0]
    total = sum(event.self_cpu_time_total for event in events)
    shares = dict.fromkeys([*KINDS, "rest"], 0.0)
    for event in events:
        kind = next((kind for kind, words in KINDS.items() if any(word in event.key for word in words)), "rest")
        shares[kind] += event.self_cpu_time_total / total
    return {
        "batch": batch,
        "side": side,
        "milliseconds_a_picture": round(1e3 * seconds / batch, 3),
        "shares": {kind: round(share, 3) for kind, share in shares.items() if share >= 0.0005},
    }


if __name__ == "__main__":
    main()
