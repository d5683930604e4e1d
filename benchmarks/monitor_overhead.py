"""What watching costs: steps with the monitor and without, in alternating blocks of one process.

Two networks that start alike train on the same batches, one of them watched in the default setting; the block that is
timed changes between them, so that whatever else the machine does falls on both. The median of the pairs' ratios is the
answer. The first steps, which are measured more closely, are a block of their own.

    python benchmarks/monitor_overhead.py [--networks plain small inception] [--side 64] [--steps 300]
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import torch

import thalweg
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.workbench.watch import Watch

BLOCK = 50
"""Steps a block: the layers are measured once in each, the critical step in every third."""
BATCH = 32
CLASSES = 10


def make(name: str, side: int, *, watched: bool) -> tuple[torch.nn.Module, torch.optim.Optimizer, object]:
    module = build(network(name, Shape(3, (side, side)), CLASSES).logits()[0], seed=1).train()
    module.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
    return module, optimizer, thalweg.watch(module, optimizer) if watched else None


def block(
    module: torch.nn.Module, optimizer: torch.optim.Optimizer, batches: list[torch.Tensor], steps: int, seed: int = 0
) -> float:
    labels = torch.arange(BATCH) % CLASSES
    torch.manual_seed(seed)  # both networks drop the same units
    began = time.perf_counter()
    for step in range(steps):
        loss = torch.nn.functional.cross_entropy(module(batches[step % len(batches)]), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return (time.perf_counter() - began) / steps


def measure(name: str, side: int, steps: int) -> dict[str, object]:
    torch.manual_seed(0)
    batches = [
        torch.randint(0, 256, (BATCH, 3, side, side)).float().contiguous(memory_format=torch.channels_last)
        for _ in range(8)
    ]
    pairs = {watched: make(name, side, watched=watched) for watched in (False, True)}
    first = {watched: block(pairs[watched][0], pairs[watched][1], batches, BLOCK) for watched in (False, True)}
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(steps // BLOCK):
        for watched in (False, True) if number % 2 else (True, False):
            times[watched].append(block(pairs[watched][0], pairs[watched][1], batches, BLOCK, number + 1))
    ratios = [on / off - 1 for on, off in zip(times[True], times[False], strict=True)]
    watching = pairs[True][2]
    return {
        "network": name,
        "side": side,
        "parameters": sum(weight.numel() for weight in pairs[True][0].parameters()),
        "step_seconds_median": statistics.median(times[False]),
        "overhead_first_block": first[True] / first[False] - 1,
        "overhead_median": statistics.median(ratios),
        "overhead_mean": sum(times[True]) / sum(times[False]) - 1,
        "overhead_blocks": ratios,
        "own_seconds_a_step": watching.seat.seconds / watching.steps if isinstance(watching, Watch) else None,
        "same_weights": all(
            torch.equal(one, other)
            for one, other in zip(pairs[False][0].parameters(), pairs[True][0].parameters(), strict=True)
        ),
        "pairs": len(ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--networks", nargs="+", default=["plain", "small", "inception"])
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    rows = []
    for name in options.networks:
        rows.append(measure(name, options.side, options.steps))
        print(
            f"{name:12} {1000 * rows[-1]['step_seconds_median']:8.1f} ms a step   "  # type: ignore[operator]
            f"median {rows[-1]['overhead_median']:+.1%} of {rows[-1]['pairs']} pairs, "
            f"first {BLOCK} steps {rows[-1]['overhead_first_block']:+.1%}, "
            f"same weights: {rows[-1]['same_weights']}",
            flush=True,
        )
    told = {
        "what": f"share of step time that thalweg.watch takes, blocks of {BLOCK} steps, batch {BATCH}, AdamW",
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {platform.system()}",
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "thalweg": thalweg.__version__},
        "rows": rows,
    }
    Path(__file__).with_name("results").joinpath("monitor-overhead.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
