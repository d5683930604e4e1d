"""Seconds to count a network, side by side with torchinfo and fvcore, in turn in one run.

    python benchmarks/count_speed.py --out benchmarks/results/count_speed.json

Thalweg counts from the torch module (`trace`, then `count`) and, for ResNet-152, from its own description too, which
needs no torch. To reach: ResNet-152 in under 0.3 s after import. The others are given the same module: torchinfo runs
it on the meta device where it can; fvcore traces it with values on the processor.
"""

import argparse
import importlib.metadata
import json
import logging
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from thalweg.accounting.ledger import count
from thalweg.core.shape import Shape
from thalweg.modules.torchvision_shim import let_torchvision_import
from thalweg.modules.trace import trace
from thalweg.networks.catalogue import network

PHOTO = Shape(3, (224, 224))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--n", type=int, default=5, help="times each counts")
    options.add_argument("--networks", nargs="+", default=["resnet152", "vit_b_16"], help="names of torchvision")
    options.add_argument("--out", type=Path, default=None)
    said = options.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    let_torchvision_import()
    rows = [row for name in said.networks for row in timed(name, said.n)]
    record = {
        "benchmark": "count_speed",
        "hardware": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "torchvision", "torchinfo", "fvcore")},
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "n": said.n,
        "rows": rows,
    }
    print({key: value for key, value in record.items() if key != "rows"})
    for row in rows:
        wall, own = row["seconds"], row["processor_seconds"]
        print(
            f"{row['network']:12} {row['tool']:26} {wall['median']:7.3f} s ({wall['low']:.3f} to {wall['high']:.3f}), "
            f"processor {own['median']:7.3f} s   {row['parameters']:13,} parameters {row['macs']:16,} MACs"
        )
    if said.out:
        said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def timed(name: str, times: int) -> list[dict[str, Any]]:
    import torchvision

    with torch.device("meta"):
        module = torchvision.models.get_model(name, weights=None).eval()
    tools = ways(name, module, torchvision.models.get_model(name, weights=None).eval())
    wall: dict[str, list[float]] = {tool: [] for tool in tools}
    own: dict[str, list[float]] = {tool: [] for tool in tools}
    answers: dict[str, tuple[Any, Any]] = {}
    for turn in range(times + 1):
        for tool, way in tools.items():
            before = time.perf_counter(), time.process_time()
            answers[tool] = way()
            if turn:  # the first turn imports and fills caches
                wall[tool].append(time.perf_counter() - before[0])
                own[tool].append(time.process_time() - before[1])
    return [
        {
            "network": name,
            "tool": tool,
            "seconds": spread(wall[tool]),
            "processor_seconds": spread(own[tool]),
            "parameters": answers[tool][0],
            "macs": answers[tool][1],
        }
        for tool in tools
    ]


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ways(name: str, module: nn.Module, with_weights: nn.Module) -> dict[str, Callable[[], tuple[Any, Any]]]:
    found: dict[str, Callable[[], tuple[Any, Any]]] = {"thalweg, from the module": lambda: ours(trace(module, PHOTO))}
    if name.startswith("resnet"):
        found["thalweg, from its name"] = lambda: ours(network(name, PHOTO, 1000))
    if version("torchinfo"):
        found["torchinfo"] = lambda: torchinfos(module)
    if version("fvcore"):
        found["fvcore"] = lambda: fvcores(with_weights)
    return found


def ours(spec: Any) -> tuple[int, int | None]:
    ledger = count(spec)
    return ledger.parameters, ledger.macs


def torchinfos(module: nn.Module) -> tuple[int, int]:
    import torchinfo

    # Without `cache_forward_pass`; a second count of the same module is otherwise a look-up.
    found = torchinfo.summary(module, input_size=(1, *PHOTO.as_tuple()), verbose=0, device="meta")
    return found.total_params, found.total_mult_adds


def fvcores(module: nn.Module) -> tuple[int, int]:
    from fvcore.nn import FlopCountAnalysis, parameter_count

    analysis = FlopCountAnalysis(module, torch.zeros(1, *PHOTO.as_tuple()))
    analysis.unsupported_ops_warnings(enabled=False)
    return parameter_count(module)[""], int(analysis.total())


if __name__ == "__main__":
    main()
