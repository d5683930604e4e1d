"""How long the top eigenvalue of a network's Hessian takes: `small` (about 300,000 weights) on 512 pictures.

    python benchmarks/lanczos_speed.py [--repeats 3]

Target: under 20 s on two cores, with a residual that says how far off it can be. Pictures are scikit-learn's digits,
enlarged to 32 x 32; the network has been trained on others of them for 60 steps, so that its spectrum is a real one.
"""

import argparse
import json
import os
import pathlib
import statistics
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from sklearn.datasets import load_digits

from thalweg.core.shape import Shape
from thalweg.curvature.lanczos import extreme_eigenvalues
from thalweg.curvature.objective import Objective
from thalweg.modules.build import build
from thalweg.networks.small import small

RESULT = pathlib.Path(__file__).resolve().parent / "results" / "lanczos_speed.json"


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    digits = load_digits()
    pixels = np.kron(digits.images / 16 * 255, np.ones((4, 4)))
    tensor = torch.from_numpy(pixels).float()[:, None].expand(-1, 3, -1, -1)
    return tensor.contiguous(memory_format=torch.channels_last), torch.from_numpy(digits.target)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=3)
    repeats = options.parse_args().repeats
    torch.manual_seed(0)  # dropout
    inputs, labels = pictures()
    module = build(small(Shape(3, (32, 32)), 10).logits()[0], seed=0).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    for step in range(60):
        chosen = slice(512 + step % 10 * 100, 612 + step % 10 * 100)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(inputs[chosen]), labels[chosen]).backward()
        optimizer.step()
    batches = list(zip(inputs[:512].split(128), labels[:512].split(128), strict=True))
    objective = Objective(module=module, batches=batches, loss=torch.nn.functional.cross_entropy)
    rows = []
    for _ in range(repeats):
        started = time.perf_counter()
        found = extreme_eigenvalues(objective.product(keep_graph=True), objective.parameters, 1, bottom=0)
        rows.append(time.perf_counter() - started)
        print(f"{rows[-1]:.1f} s, {found.top[0].value:.4g} +- {found.top[0].residual:.2g}, {found.products} products")
    record = {
        "parameters": sum(weight.numel() for weight in objective.parameters),
        "images": objective.samples,
        "seconds": rows,
        "median_seconds": statistics.median(rows),
        "eigenvalue": found.top[0].value,
        "residual": found.top[0].residual,
        "products": found.products,
        "converged": found.converged,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "torch": torch.__version__,
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record))


if __name__ == "__main__":
    main()
