"""How the time of a training step grows: with pictures a batch, pixels, parameters, classes; and of a run with epochs.

    python benchmarks/scaling.py --out benchmarks/results/scaling.json --figure docs/scaling.svg

One quantity of a training step of `small` grows over a decade at a time; told are processor seconds on one thread, the
least of several, which other work on the machine changes less. Through the points of each goes the line of least
squares in logarithms: time = a * quantity ** b. Epochs and files multiply steps, which is not measured
but counted. Parameters are those of `vgg`-like stacks of two 3x3 convolutions at 32 pixels, wider and wider.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

QUANTITIES: dict[str, list[dict[str, int]]] = {
    "pictures a step": [{"batch": n} for n in (6, 12, 25, 50, 64)],
    "pixels": [{"side": s} for s in (64, 96, 128, 160, 208)],
    "classes": [{"classes": n} for n in (10, 30, 100, 300, 1000)],
    "parameters": [{"width": n} for n in (32, 48, 64, 96, 128)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("scaling.json"))
    parser.add_argument("--figure", type=Path, default=None)
    said = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    found: dict[str, Any] = {}
    for name, settings in QUANTITIES.items():
        rows = [measure(name, steps=said.steps, **setting) for setting in settings]
        exponent, scale = np.polyfit(np.log([row["quantity"] for row in rows]), np.log([r["seconds"] for r in rows]), 1)
        found[name] = {"rows": rows, "exponent": round(float(exponent), 3), "seconds_at_one": float(np.exp(scale))}
        print(name, f"time ~ quantity ** {exponent:.2f}", [round(row["seconds"], 4) for row in rows], flush=True)
    record = {
        "benchmark": "scaling",
        "what": "processor seconds of a training step on one thread",
        "hardware": {"cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()[0]},
        "quantities": found,
    }
    said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if said.figure:
        draw(found, said.figure)


def measure(
    name: str, *, steps: int, batch: int = 16, side: int = 96, classes: int = 10, width: int = 0
) -> dict[str, Any]:
    import torch

    from thalweg.core.shape import Shape
    from thalweg.modules.build import build
    from thalweg.networks.catalogue import network
    from thalweg.networks.functional import Input, Network
    from thalweg.networks.layers import BatchNorm, Dense, GlobalAvgPool, ReLU
    from thalweg.networks.windowed import Conv2d
    from thalweg.training.device import choose_device, move
    from thalweg.training.memory import keep_freed_memory
    from thalweg.training.optimizers import make_optimizer

    keep_freed_memory()
    if width:
        pixels = Input(3, 32, 32)
        x = ReLU()(BatchNorm()(Conv2d(width, 3, padding=1)(pixels)))
        x = ReLU()(BatchNorm()(Conv2d(width, 3, padding=1)(x)))
        spec, side = Network(pixels, Dense(classes)(GlobalAvgPool()(x)), name="stack"), 32
    else:
        spec = network("small", Shape(3, (side, side)), classes).logits()[0]
    device = choose_device("cpu")
    module = move(build(spec, seed=1), device).train()
    optimizer = make_optimizer(module, "adamw", learning_rate=1e-3, weight_decay=0.05)
    x = (255 * torch.rand(batch, 3, side, side)).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch) % classes
    seconds = []
    for _ in range(2 + steps):
        begun = time.process_time()
        with device.context():
            logits = module(x)
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        seconds.append(time.process_time() - begun)
    weights = sum(each.numel() for each in module.parameters())
    quantity = {"pictures a step": batch, "pixels": side * side, "classes": classes, "parameters": weights}[name]
    return {"quantity": quantity, "seconds": min(seconds[2:]), "parameters": weights}


def draw(found: dict[str, Any], path: Path) -> None:
    """Four small log-log plots in one SVG, each with its points and its line."""
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 250" font-family="sans-serif" font-size="12">']
    for place, (name, result) in enumerate(found.items()):
        x = np.log10([row["quantity"] for row in result["rows"]])
        y = np.log10([1e3 * row["seconds"] for row in result["rows"]])
        left, wide, top, high = 50 + 215 * place, 150, 40, 150
        low, span = float(y.min()) - 0.1, float(y.max() - y.min()) + 0.2
        across = left + (x - x.min()) / (x.max() - x.min()) * wide
        down = top + high - (y - low) / span * high
        fitted = np.log10(1e3 * result["seconds_at_one"]) + result["exponent"] * x
        line = top + high - (fitted - low) / span * high
        parts.append(f'<text x="{left}" y="20" font-weight="bold">{name}</text>')
        parts.append(f'<text x="{left}" y="34" fill="#555">time ~ quantity^{result["exponent"]:.2f}</text>')
        parts.append(f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="#bbb"/>')
        parts.append(
            f'<line x1="{across[0]:.1f}" y1="{line[0]:.1f}" x2="{across[-1]:.1f}" y2="{line[-1]:.1f}" stroke="#999"/>'
        )
        parts += [f'<circle cx="{a:.1f}" cy="{d:.1f}" r="4" fill="#1a6"/>' for a, d in zip(across, down, strict=True)]
        for index in (0, -1):
            anchor = "start" if index == 0 else "end"
            edge = left if index == 0 else left + wide
            number = result["rows"][index]["quantity"]
            parts.append(f'<text x="{edge}" y="{top + high + 16}" text-anchor="{anchor}">{number:,}</text>')
            told = 1e3 * result["rows"][index]["seconds"]
            parts.append(f'<text x="{left - 4}" y="{down[index] + 4:.1f}" text-anchor="end">{told:.3g}</text>')
    parts.append(
        '<text x="440" y="240" text-anchor="middle" fill="#555">milliseconds of a training step, one thread</text>'
    )
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
