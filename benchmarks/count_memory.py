"""Training memory as `thalweg count` tells it beside what torch allocates in real steps on the processor.

    python benchmarks/count_memory.py --out benchmarks/results/count_memory.json

Each of thirteen networks takes two real training steps with Adam in a process of its own, forward and backward in
float32. The witness is torch's profiler: every allocation and release of its processor allocator, added up; the highest
sum is the peak. Beside it stands how much the process itself grew (resident memory), in which kernels' own workspaces,
reordered copies of weights and whatever the allocator has not given back are counted too.

To reach: within 10 % of the allocator's peak on ten networks. LeNet is the known exception: its maps have 6 channels,
which the processor's kernels copy into blocks of 8, and next to so small a network that counts.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

NETWORKS = {
    "small": (96, 32), "plain": (256, 8), "lenet": (28, 256), "vgg11": (96, 8), "resnet18": (128, 16),
    "inception": (32, 64), "googlenet": (128, 16), "densenet121": (128, 8), "mobilenet-v2": (128, 16),
    "efficientnet-lite0": (128, 16), "vgg16": (64, 8), "resnet50": (96, 8), "inception-v3": (128, 4),
}  # fmt: skip
CLASSES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", help="measure this network in this process")
    said = parser.parse_args()
    if said.one:
        print(json.dumps(measure(said.one)))
        return
    rows = []
    for name in NETWORKS:
        done = subprocess.run(
            [sys.executable, __file__, "--one", name], capture_output=True, text=True, check=True, env=os.environ
        )
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        row = rows[-1]
        print(
            f"{name:20} estimate {row['estimate_bytes']:13,}  allocated {row['allocated_bytes']:13,} "
            f"({row['ratio']:.3f})  process grew {row['resident_bytes']:13,}",
            flush=True,
        )
    ratios = [row["ratio"] for row in rows]
    import torch

    record = {
        "benchmark": "count_memory",
        "networks": rows,
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "within_10_percent": sum(abs(ratio - 1) <= 0.1 for ratio in ratios),
        "hardware": {"machine": platform.machine(), "cores": os.cpu_count()},
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    print(f"{record['within_10_percent']} of {len(rows)} within 10 %; ratios {min(ratios):.3f} to {max(ratios):.3f}")
    if said.out:
        said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def measure(name: str) -> dict[str, float | int | str]:
    import torch
    from torch.nn import functional
    from torch.profiler import ProfilerActivity, profile

    from thalweg.accounting.memory import training_memory
    from thalweg.core.shape import Shape
    from thalweg.modules.build import build
    from thalweg.networks.catalogue import network

    torch.set_num_threads(2)
    side, batch = NETWORKS[name]
    shape = Shape(1 if name == "lenet" else 3, (side, side))
    spec = network(name, shape, CLASSES).logits()[0]
    estimate = training_memory(spec, batch_size=batch, optimizer="adam").peak_bytes
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest resident size starts anew
    before = resident("VmRSS")
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        module = build(spec, seed=0).train()
        optimizer = torch.optim.Adam(module.parameters(), lr=1e-4)
        pictures, labels = torch.zeros(batch, *shape.as_tuple()), torch.zeros(batch, dtype=torch.int64)
        for _ in range(2):
            optimizer.zero_grad()
            functional.cross_entropy(module(pictures), labels).backward()
            optimizer.step()
    now = peak = 0
    for event in sorted(seen.profiler.kineto_results.events(), key=lambda each: each.start_ns()):
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return {
        "network": name,
        "input": str(shape),
        "batch_size": batch,
        "estimate_bytes": estimate,
        "allocated_bytes": peak,
        "ratio": estimate / peak,
        "resident_bytes": resident("VmHWM") - before,
    }


def resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {field} in /proc/self/status: this benchmark needs Linux")


if __name__ == "__main__":
    main()
