"""Seconds to count the whole of timm's catalogue: every model made on the meta device, traced and counted.

    python benchmarks/count_all_timm.py --out benchmarks/results/count_all_timm.json

To reach: under ten minutes on two cores. The work is dealt to as many processes as there are cores, one thread each;
the figure is the wall time from the first model to the last, imports of torch and timm included; seconds of the
processor are told beside it, for a machine that is not quiet. Whether the counts are
right is another benchmark's question (count_catalogues.py).
"""

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import platform
import time
import warnings
from pathlib import Path
from typing import Any


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=None)
    options.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options.add_argument("--every", type=int, default=1, help="only every so many-th model, for a quick look")
    said = options.parse_args()
    begun, load = time.perf_counter(), os.getloadavg()[0]
    with multiprocessing.get_context("spawn").Pool(said.processes, initializer=prepare) as pool:
        names = pool.apply(names_of_all)[:: said.every]
        rows = pool.map(counted, names, chunksize=8)
    wall = time.perf_counter() - begun
    right = [row for row in rows if row["error"] is None]
    record = {
        "benchmark": "count_all_timm",
        "processes": said.processes,
        "models": len(rows),
        "counted": len(right),
        "wall_seconds": round(wall, 1),
        "making_seconds": round(sum(row["making"] for row in rows), 1),
        "counting_seconds": round(sum(row["counting"] for row in right), 1),
        "cpu_seconds": round(sum(row["cpu"] for row in rows), 1),
        "slowest": sorted(right, key=lambda row: -row["counting"])[:5],
        "not_counted": [row for row in rows if row["error"] is not None],
        "load_before": load,
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "timm")},
        "hardware": {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()},
    }
    print(json.dumps({key: value for key, value in record.items() if key != "not_counted"}, indent=1))
    if said.out:
        said.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def prepare() -> None:
    """One thread a process; timm imported once."""
    import torch

    from thalweg.modules.torchvision_shim import let_torchvision_import

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    let_torchvision_import()


def names_of_all() -> list[str]:
    import timm

    return list(timm.list_models())


def counted(name: str) -> dict[str, Any]:
    """Make, trace and count one model."""
    import timm
    import torch

    from thalweg.accounting.ledger import count
    from thalweg.core.shape import Shape
    from thalweg.modules.trace import trace

    row: dict[str, Any] = {"model": name, "making": 0.0, "counting": 0.0, "cpu": 0.0, "error": None}
    begun, worked = time.perf_counter(), time.process_time()
    try:
        with torch.device("meta"):
            model = timm.create_model(name, pretrained=False).eval()
        row["making"] = round(time.perf_counter() - begun, 3)
        channels, *sizes = model.default_cfg.get("input_size", (3, 224, 224))
        begun = time.perf_counter()
        ledger = count(trace(model, Shape(channels, tuple(sizes))))
        row |= {"counting": round(time.perf_counter() - begun, 3), "parameters": ledger.parameters}
    except Exception as error:  # noqa: BLE001 - whatever a model does is a result
        row["error"] = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:160]}"
    row["cpu"] = round(time.process_time() - worked, 3)
    return row


if __name__ == "__main__":
    main()
