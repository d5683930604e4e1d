"""Counts beside the numbers that torchvision publishes with its weights: parameters, and billions of MACs.

    python benchmarks/published_counts.py --out benchmarks/results/published_counts.json

Every classification network of torchvision that can be made without weights is traced and counted at the size its first
published weights were evaluated at. Published billions have three decimals, so they are equal where they differ by
less than half of the last one and 0.2 %. An auxiliary head that only training uses is counted here under `unused`;
torchvision publishes it for Inception-v3 and leaves it out for GoogLeNet. Either is taken for equal, and both are told.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import warnings
from pathlib import Path
from typing import Any

import torch

from thalweg.accounting.ledger import count
from thalweg.core.shape import Shape
from thalweg.modules.torchvision_shim import let_torchvision_import
from thalweg.modules.trace import trace

LARGEST = 60_000_000
"""Parameters that are allocated, where a network cannot be made on the meta device."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=None)
    said = parser.parse_args()
    let_torchvision_import()
    import torchvision
    from torchvision import models

    warnings.simplefilter("ignore")
    rows, skipped = [], []
    for name in models.list_models(module=models):
        row = compared(models, name)
        (rows if "parameters" in row else skipped).append(row)
    apart = [row for row in rows if not row["macs_equal"] or not row["parameters_equal"]]
    record = {
        "benchmark": "published_counts",
        "networks": len(rows),
        "macs_equal": sum(row["macs_equal"] for row in rows),
        "parameters_equal": sum(row["parameters_equal"] for row in rows),
        "apart": apart,
        "skipped": skipped,
        "rows": rows,
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__,
                     "thalweg": importlib.metadata.version("thalweg")},
        "hardware": {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()},
    }  # fmt: skip
    print(json.dumps({key: value for key, value in record.items() if key != "rows"}, indent=1))
    if said.out:
        said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def compared(models: Any, name: str) -> dict[str, Any]:
    weights = next(iter(models.get_model_weights(name)))
    published, side = weights.meta, weights.transforms().crop_size[0]
    options = {"image_size": side} if name.startswith("vit") else {}
    try:
        with torch.device("meta"):
            module = models.get_model(name, **options)
    except NotImplementedError:  # its sizes are computed with tensors
        if published["num_params"] > LARGEST:
            return {"network": name, "why": "is not made on the meta device, and too large to be allocated"}
        module = models.get_model(name, **options)
    ledger = count(trace(module, Shape(3, (side, side))))
    unused = sum(row.parameters for row in ledger.rows if "unused" in row.kind or "unused" in row.name)
    macs = (ledger.macs or 0) / 1e9
    return {
        "network": name,
        "side": side,
        "parameters": ledger.parameters,
        "of_them_unused": unused,
        "published_parameters": published["num_params"],
        "parameters_equal": published["num_params"] in {ledger.parameters, ledger.parameters - unused},
        "macs_billions": round(macs, 4),
        "published_billions": published["_ops"],
        "macs_equal": abs(macs - published["_ops"]) <= 0.002 * published["_ops"] + 0.0005,
    }


if __name__ == "__main__":
    main()
