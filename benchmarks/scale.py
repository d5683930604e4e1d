"""What would 1.3 million and 1,000 million pictures take, in time and money, on named machines? Computed from rates.

Measured here: processor seconds of a training step a picture (one thread, one process), of making a picture of a batch,
of the processor's part of that where CUDA warps and colours (bytes copied, mirrored and shifted), of decoding a JPEG
photo, of finding a file; multiply-accumulates, weights and normalisations from `thalweg count`.
Assumed: everything about machines that are not here (ASSUMED, each with its source), above all that a GPU does
convolutions at a share of its peak. The formula is at the head of the page that this writes; put your own numbers in
and run it again.

    python benchmarks/scale.py --out benchmarks/results/scale.json --page docs/scale.md
"""

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "reliability"))
from outcome import machine

WORK = {
    "1.3 million (ImageNet's size), 90 epochs": (1_300_000, 90),
    "1,000 million, 3 epochs": (1_000_000_000, 3),
}
NETWORKS = {"small at 96": ("small", 96), "resnet18 at 224": ("resnet18", 224), "resnet50 at 224": ("resnet50", 224)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine that can be hired.

    Args:
        name: What it is.
        devices: GPUs, or cores.
        peak: Dense bfloat16 operations a device and second; 0 for cores, whose rate was measured.
        memory: Bytes a device moves in its own memory a second; 0 for cores.
        share: Of the peak, or of the measured rate of one core alone, that training reaches.
        batch: Pictures a device and step.
        inside: Bytes a second that a message between devices moves inside a machine.
        between: The same between machines.
        cores: Cores that decode.
        price: US dollars an hour.
        why: Where the numbers come from.
    """

    name: str
    devices: int
    peak: float
    memory: float
    share: float
    batch: int
    inside: float
    between: float
    cores: int
    price: float
    why: str


ASSUMED = (
    Machine(name="64 cores (c7a.16xlarge)", devices=64, peak=0, memory=0, share=0.6, batch=8, inside=5e9, between=3e9,
            cores=64, price=3.28,
            why="cores like the one measured, which share memory: 60 % of 64 times; list price us-east-1"),
    Machine(name="8 A100 (p4d.24xlarge)", devices=8, peak=312e12, memory=1.5e12, share=0.15, batch=128,
            inside=200e9, between=40e9, cores=48, price=21.96,
            why="NVIDIA's peak; its own ResNet-50 script reaches about 0.22 of it; list price"),
    Machine(name="8 H100 (p5.48xlarge)", devices=8, peak=989e12, memory=3.3e12, share=0.12, batch=128,
            inside=300e9, between=300e9, cores=96, price=55.04,
            why="NVIDIA's peak; convolutions use less of it than on the A100; list price"),
)  # fmt: skip
LATENCY = 30e-6
"""Seconds a small message between GPUs, assumed; batch normalisation over ranks sends two a layer and step."""
FLOPS_A_MAC, PASSES = 2, 3
"""Operations a multiply-accumulate; forward, and twice as much backward."""
CHANGING = 30
"""How often a device reads or writes a picture's floats to warp and colour it, assumed: some 15 operations."""
MACHINES = (1, 8)

BEFORE = """# What larger data would take

Computed by `benchmarks/scale.py` (which writes this page) from rates measured on one core and from assumptions about
machines that were not at hand. The arithmetic is exact, the assumptions are not: read hours and dollars as orders of
magnitude, put your own numbers into the script, and measure with `benchmarks/rank_scaling.py` before you pay.

    step     = max(batch x seconds a picture computes, batch x seconds to make a picture) + messages
    seconds a picture on a GPU = 6 MACs / (peak x share)       2 operations a MAC, forward and backward are 3 passes
                               + 30 x 12 x pixels / memory     warped and coloured there, 30 times read or written
    messages = 2 x 4 bytes x weights x (n - 1) / n / bandwidth + 4 x normalisations x latency       nothing overlaps
    hours    = pictures x epochs / (batch x devices) x step, and decoding once

Each rank makes its batches on one core of its own, while the step before computes: all of it (mirrored, scaled, colours
changed) where cores train, the copying of bytes alone where CUDA does the rest.

## Measured on one core
"""

BEHIND = """## What would break first

- **Making batches.** Where the table says so, a GPU computes pictures faster than one core copies their bytes, although
  it warps and colours them itself; keeping them on the device, or more threads, would win that. Neither is there.
- **The cache.** Decoded pictures are kept at the size of training: 150 kB each at 224 pixels, 196 GB for 1.3 million,
  150 TB for 1,000 million. The first is a disk, the second is not: at that size pictures must be decoded as they come,
  which thalweg does not do.
- **Lists of files.** `data.json` names every file: some 100 MB for 1.3 million, 80 GB for 1,000 million. An epoch's
  order is one permutation on every rank: 10 MB, and 8 GB. Beyond some ten million pictures these would have to be
  shards and a keyed permutation.
- **One message after the backward pass**, which nothing overlaps.
- **The reported split and the report**, which rank 0 does alone.
"""


def seconds_of(call: Callable[[], object], *, least: int = 3, seconds: float = 4.0) -> float:
    """Processor seconds of a call: the median of some."""
    found: list[float] = []
    call()
    while len(found) < least or sum(found) < seconds:
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return sorted(found)[len(found) // 2]


def step_seconds(network: str, side: int, batch: int) -> float:
    """Of a training step a picture, on one thread, as a run makes it (channels last, its precision)."""
    import torch

    from thalweg.core.shape import Shape
    from thalweg.modules.build import build
    from thalweg.networks.catalogue import network as describe
    from thalweg.training.device import choose_device, move
    from thalweg.training.loss import cross_entropy
    from thalweg.training.optimizers import make_optimizer
    from thalweg.workbench.starting.precision import sound

    spec = describe(network, Shape(3, (side, side)), 1000)
    device = sound(choose_device("cpu"), spec)
    module = move(build(spec.logits()[0], seed=0), device).train()
    optimizer = make_optimizer(module, "sgd", learning_rate=1e-4, weight_decay=0.0)
    pixels = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
    labels = torch.arange(batch)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with device.context():
            logits = module(pixels)
        cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return seconds_of(step) / batch


def make_seconds(side: int) -> tuple[float, float]:
    """Of making a picture of a training batch from the cache, augmented as by default; of copying its bytes alone."""
    import numpy as np

    from thalweg.core.plan import Augmentation
    from thalweg.data.batching.augment import place
    from thalweg.data.batching.batches import Batches

    pixels = np.random.default_rng(0).integers(0, 255, (32, side, side, 3), dtype=np.uint8)
    indices, changes, block = np.arange(32), Augmentation(), np.empty_like(pixels)
    batches = Batches(pixels, indices, [0] * 32, batch_size=32, augmentation=changes)

    def copy() -> None:
        random = np.random.default_rng(0)
        for target, picture in zip(block, pixels, strict=True):
            place(target, picture, changes, random)

    whole = seconds_of(lambda: batches.batch(indices, 1, 0), seconds=1.0) / 32
    return whole, seconds_of(copy, seconds=1.0) / 32


def decode_seconds() -> float:
    """Of decoding a JPEG photo of 500x375 and bringing it to 224 pixels."""
    import numpy as np
    from PIL import Image

    from thalweg.data.decoding.decode import decode_planes

    numbers = np.random.default_rng(0)
    coarse = Image.fromarray(numbers.integers(0, 255, (24, 32, 3), dtype=np.uint8)).resize((500, 375))
    packed = io.BytesIO()
    coarse.save(packed, "JPEG", quality=90)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "photo.jpg")
        path.write_bytes(packed.getvalue())

        def decode() -> None:
            Image.fromarray(decode_planes(path).pixels).resize((224, 224), Image.Resampling.BILINEAR)

        return seconds_of(decode, seconds=1.0)


def find_seconds() -> float:
    """Of finding a file in a folder of 5,000."""
    from thalweg.data.finding.scan import scan
    from thalweg.data.opening.source import open_source

    with tempfile.TemporaryDirectory() as name:
        for label in ("a", "b"):
            Path(name, label).mkdir()
            for index in range(2500):
                Path(name, label, f"{index}.jpg").touch()
        return seconds_of(lambda: scan(open_source(name)), seconds=1.0) / 5000


def computed(
    images: int, epochs: int, network: dict[str, float], here: Machine, machines: int
) -> dict[str, float | str]:
    """Hours and dollars."""
    devices = here.devices * machines
    if here.peak:
        picture = network["macs"] * FLOPS_A_MAC * PASSES / (here.peak * here.share)
        picture += CHANGING * 3 * 4 * network["side"] ** 2 / here.memory
    else:
        picture = (network["step_seconds"] + network["make_seconds"]) / here.share
    making = here.peak > 0 and network["copy_seconds"] > picture
    picture = max(picture, network["copy_seconds"]) if here.peak else picture
    slowest = here.between if machines > 1 else here.inside
    message = 2 * 4 * network["parameters"] * (devices - 1) / devices / slowest
    norms = 4 * network["norms"] * LATENCY
    step = here.batch * picture + message + norms
    hours = images * epochs / (here.batch * devices) * step / 3600
    decode = images * (network["decode_seconds"] + network["find_seconds"]) / (here.cores * machines) / 3600
    return {
        "pictures_a_second": here.batch * devices / step,
        "held_up_by": "making batches" if making else f"messages, {(message + norms) / step:.0%}",
        "hours": hours, "decode_hours_once": decode, "dollars": (hours + decode) * here.price * machines,
    }  # fmt: skip


def main() -> None:
    """Measure, compute, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    import torch

    import thalweg

    torch.set_num_threads(1)
    common = {"decode_seconds": decode_seconds(), "find_seconds": find_seconds()}
    rates: dict[str, dict[str, float]] = {}
    for name, (network, side) in NETWORKS.items():
        made, copied = make_seconds(side)
        counted = thalweg.count(network, input=(3, side, side))
        rates[name] = common | {
            "macs": float(counted.ledger.macs or 0), "parameters": float(counted.ledger.parameters),
            "norms": float(sum(row.kind == "batch_norm" for row in counted.layers)), "side": float(side),
            "make_seconds": made, "copy_seconds": copied,
            "step_seconds": step_seconds(network, side, 16 if side < 100 else 8),
        }  # fmt: skip
        print(name, rates[name], file=sys.stderr)
    table = [
        {"work": work, "network": name, "machine": here.name, "machines": machines}
        | computed(images, epochs, rates[name], here, machines)
        for work, (images, epochs) in WORK.items()
        for name in NETWORKS
        for here in ASSUMED
        for machines in MACHINES
    ]
    result = {"measured": rates, "assumed": [vars_of(each) for each in ASSUMED], "table": table, **machine()}
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.page:
        options.page.write_text(page(result), encoding="utf-8")


def vars_of(value: Machine) -> dict[str, object]:
    """A machine's numbers by name."""
    return {name: getattr(value, name) for name in Machine.__slots__}


def spoken(hours: float) -> str:
    """A duration as people say it."""
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.0f} d"


def page(result: dict[str, object]) -> str:
    """docs/scale.md."""
    rates: dict[str, dict[str, float]] = result["measured"]  # type: ignore[assignment]
    rows: list[dict[str, Any]] = result["table"]  # type: ignore[assignment]
    first = next(iter(rates.values()))
    lines = [
        BEFORE,
        "| network | million MACs | million weights | ms a picture and step | ms to make a picture | its bytes alone |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, each in rates.items():
        words = f"| {name} | {each['macs'] / 1e6:,.0f} | {each['parameters'] / 1e6:.2f} | "
        own = (1000 * each[f"{kind}_seconds"] for kind in ("step", "make", "copy"))
        lines.append(words + "{:.1f} | {:.2f} | {:.3f} |".format(*own))
    lines += [
        "",
        f"Decoding a JPEG photo of 500x375 pixels: {1000 * first['decode_seconds']:.1f} ms; finding a file:",
        f"{1e6 * first['find_seconds']:.0f} microseconds (processor time, no disk waited for).",
        "",
        "## Assumed",
        "",
        "| machine | devices | peak, 10^12/s | share | pictures a device and step | dollars an hour | why |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for here in ASSUMED:
        words = f"| {here.name} | {here.devices} | {here.peak / 1e12:.0f} | {here.share} | {here.batch} | "
        lines.append(words + f"{here.price} | {here.why} |")
    lines += [
        "",
        f"A small message between devices takes {1e6 * LATENCY:.0f} microseconds. Prices are list prices as last known",
        "to the authors; a tenth more or less changes nothing here.",
        "",
    ]
    for work in WORK:
        lines += [
            f"## {work}",
            "",
            "| network | machine | machines | pictures/s | held up by | training | decoding once | dollars |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for row in rows:
            if row["work"] == work:
                words = "| {network} | {machine} | {machines} | {pictures_a_second:,.0f} | {held_up_by} | ".format(
                    **row
                )
                spans = f"{spoken(row['hours'])} | {spoken(row['decode_hours_once'])}"
                lines.append(f"{words}{spans} | {row['dollars']:,.0f} |")
        lines.append("")
    return "\n".join([*lines, BEHIND])


if __name__ == "__main__":
    main()
