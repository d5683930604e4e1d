"""Every model of torchvision's and timm's catalogues, counted beside torch: parameters and multiplications.

Each model is made on the meta device (no weight is allocated), traced and counted, and held against torch's own
`sum(p.numel())` and against `torch.utils.flop_counter` / 2 in the same run. One model of every family comes first, so
that a run cut short has seen all families. The run can be stopped and goes on where it was: results are one JSON line
a model; `--table` sums them up.

    python benchmarks/count_catalogues.py --seconds 1200
    python benchmarks/count_catalogues.py --table
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import signal
import statistics
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from thalweg.accounting.ledger import count
from thalweg.core.errors import SpecError
from thalweg.core.shape import Shape
from thalweg.modules.torchvision_shim import let_torchvision_import
from thalweg.modules.trace import trace

RESULTS = Path(__file__).parent / "results" / "count_catalogues.jsonl"
LONGEST_SECONDS = 90
NEAR = 1e-3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--results", type=Path, default=RESULTS)
    options.add_argument("--seconds", type=float, default=600.0, help="stop after so long")
    options.add_argument("--only", default="", help="regular expression on library:name; counted again")
    options.add_argument("--table", action="store_true", help="only sum up what is there")
    said = options.parse_args()
    rows = read(said.results)
    if not said.table:
        run(rows, said.results, said.seconds, said.only)
    print_table(list(rows.values()))


def read(path: Path) -> dict[str, dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    return {row["model"]: row for row in found}


def run(rows: dict[str, dict[str, Any]], path: Path, seconds: float, only: str) -> None:
    warnings.simplefilter("ignore")
    started = time.monotonic()
    path.parent.mkdir(exist_ok=True)
    for model, make in in_turn(catalogues()):
        wanted = re.search(only, model) if only else model not in rows
        if not wanted:
            continue
        if time.monotonic() - started > seconds:
            break
        rows[model] = {"model": model, **versions(), **examined(make)}
        written = "".join(json.dumps(row) + "\n" for row in sorted(rows.values(), key=lambda row: row["model"]))
        path.with_suffix(".new").write_text(written, encoding="utf-8")
        path.with_suffix(".new").replace(path)
        print(model, {key: rows[model].get(key) for key in ("relative", "uncounted", "error")}, flush=True)


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("torch", "torchvision", "timm")}


def catalogues() -> Iterator[tuple[str, str, Callable[[], tuple[torch.nn.Module, Shape]]]]:
    """Library and name, family, and a function that makes the model on the meta device."""
    let_torchvision_import()
    import timm
    import torchvision

    for name in torchvision.models.list_models():
        yield f"torchvision:{name}", re.split(r"[\d_]", name)[0], lambda name=name: from_torchvision(name)
    for name in timm.list_models():
        family = timm.models._registry._model_to_module[name]  # noqa: SLF001 - the file it is defined in
        yield f"timm:{name}", family, lambda name=name: from_timm(name)


def in_turn(models: Any) -> Iterator[tuple[str, Callable[[], tuple[torch.nn.Module, Shape]]]]:
    families: dict[str, list[Any]] = defaultdict(list)
    for model, family, make in models:
        families[model.partition(":")[0] + family].append((model, make))
    for place in range(max(map(len, families.values()))):
        for members in families.values():
            yield from members[place : place + 1]


def from_torchvision(name: str) -> tuple[torch.nn.Module, Shape]:
    import torchvision

    options = (
        {"weights_backbone": None}
        if "coco" in name or re.search("rcnn|ssd|retina|fcos|deeplab|fcn|lraspp", name)
        else {}
    )
    if name in {"googlenet", "inception_v3"}:
        options = {"init_weights": False}  # drawing them takes minutes and asks for values
    model = torchvision.models.get_model(name, weights=None, **options)
    sizes: tuple[int, ...] = (299, 299) if name == "inception_v3" else (224, 224)
    if name.startswith(("vit", "maxvit")):  # their size is part of the model
        model_size = getattr(model, "image_size", None)
        sizes = (model_size,) * 2 if isinstance(model_size, int) else sizes
    if name.startswith("raft"):
        raise SpecError("reads two pictures and refines in a loop: not a network of one batch")
    video = re.search("r3d|mc3|r2plus1d|mvit|swin3d|s3d", name)
    return model, Shape(3, (16, 224, 224) if video else sizes)


def from_timm(name: str) -> tuple[torch.nn.Module, Shape]:
    import timm

    model = timm.create_model(name, pretrained=False)
    channels, *sizes = model.default_cfg.get("input_size", (3, 224, 224))
    return model, Shape(channels, tuple(sizes))


def examined(make: Callable[[], tuple[torch.nn.Module, Shape]]) -> dict[str, Any]:
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST_SECONDS)
    row: dict[str, Any] = {}
    try:
        begun = time.perf_counter()
        with torch.device("meta"):
            model, shape = make()
        row |= {"stage": "made", "seconds_made": round(time.perf_counter() - begun, 3), "input": list(shape.as_tuple())}
        row["parameters_torch"] = sum(weight.numel() for weight in model.parameters())
        begun = time.perf_counter()
        ledger = count(trace(model.eval(), shape))
        row |= {"stage": "counted", "seconds": round(time.perf_counter() - begun, 3)}
        row |= {"parameters": ledger.parameters, "macs": ledger.macs, "layers": len(ledger.rows)}
        row["uncounted"] = sorted({f"{each.name} ({each.kind})" for each in ledger.rows if each.macs is None})[:8]
        row |= compared(model, shape, ledger)
    except Exception as error:  # noqa: BLE001 - whatever a model does is a result
        row["error"] = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
    finally:
        signal.alarm(0)
    return row


def too_long(*_: object) -> None:
    raise TimeoutError(f"more than {LONGEST_SECONDS} s")


def compared(model: torch.nn.Module, shape: Shape, ledger: Any) -> dict[str, Any]:
    model.requires_grad_(requires_grad=False)  # else the counter stumbles over weights that a module returns
    with FlopCounterMode(display=False) as counter, torch.no_grad(), torch.device("meta"):
        model(torch.empty((1, *shape.as_tuple()), device="meta"))
    theirs = counter.get_total_flops() // 2
    row: dict[str, Any] = {"stage": "compared", "macs_torch": theirs}
    if ledger.macs is not None:
        row["relative"] = 0.0 if ledger.macs == theirs else (ledger.macs - theirs) / max(theirs, 1)
    if row.get("relative") != 0:
        by_kind: Counter[str] = Counter()
        for each in ledger.rows:
            by_kind[each.kind] += each.macs or 0
        row["ours_by_kind"] = {kind: macs for kind, macs in by_kind.items() if macs}
        row["torch_by_operator"] = {str(key): value // 2 for key, value in counter.get_flop_counts()["Global"].items()}
    return row


def print_table(rows: list[dict[str, Any]]) -> None:
    made = [row for row in rows if "parameters_torch" in row]
    counted = [row for row in made if "parameters" in row]
    exact = [row for row in counted if row["parameters"] == row["parameters_torch"]]
    both = [row for row in counted if "relative" in row]
    near = [row for row in both if abs(row["relative"]) <= NEAR]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"models examined              {len(rows):6,}")
    print(f"made on the meta device      {len(made):6,}")
    print(f"followed and counted         {len(counted):6,}")
    print(f"  parameters exact           {len(exact):6,}")
    print(f"  MACs beside torch's        {len(both):6,}")
    same = sum(row["relative"] == 0 for row in both)
    print(f"    within 0.1 %             {len(near):6,} (equal to the last: {same:,})")
    print(f"  with an uncounted layer    {sum(bool(row['uncounted']) for row in counted):6,}")
    if counted:
        seconds = sorted(row["seconds"] for row in counted)
        middle = statistics.median(seconds)
        print(f"seconds a model: median {middle:.2f}, largest {seconds[-1]:.2f}, all {sum(seconds):.0f}")
    reasons = Counter(reason(row) for row in rows)
    for why, number in reasons.most_common():
        if why:
            print(f"{number:5,}  {why}")
    for row in both:
        if abs(row["relative"]) > NEAR:
            print(f"       {row['model']}: {row['relative']:+.3%}  {row['ours_by_kind']}  {row['torch_by_operator']}")
    print("\n".join(f"       {row['model']}: {row['uncounted'][:3]}" for row in counted if row["uncounted"]))


def reason(row: dict[str, Any]) -> str:
    """Why a model is not counted, or differs; empty where all is equal."""
    if "error" in row:
        stage = {None: "cannot be made", "made": "cannot be followed", "counted": "torch's counter fails"}[
            row.get("stage")
        ]
        return f"{stage}: {re.sub(r'[0-9]+', 'N', row['error'])[:110]}"
    if row["parameters"] != row["parameters_torch"]:
        return "parameters differ"
    if row["uncounted"]:
        return "a layer whose multiplications nobody counts"
    return "MACs differ by more than 0.1 %" if abs(row["relative"]) > NEAR else ""


if __name__ == "__main__":
    main()
