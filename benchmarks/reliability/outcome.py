"""What the scripts of this folder share: options, the machine in words, a result file, and pictures to train on."""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["Case", "cache_in", "machine", "make_photos", "report", "worked_seconds"]

Case = dict[str, Any]
"""One injection: what was done, and whether the promise held (`held`)."""


def machine() -> dict[str, object]:
    """Processor, cores, system and versions."""
    packages = ("thalweg", "torch", "numpy", "pillow", "safetensors")
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in packages},
    }


def worked_seconds() -> float:
    """Seconds of the processor that this process and its ended children have used: others' work does not count."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@contextlib.contextmanager
def cache_in(folder: Path | str) -> Iterator[None]:
    """Keep thalweg's cache in a folder, and put back whatever cache was chosen before.

    Args:
        folder: Where the cache lies meanwhile.

    Yields:
        Nothing.
    """
    kept = os.environ.get("THALWEG_CACHE")
    os.environ["THALWEG_CACHE"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("THALWEG_CACHE", None)
        os.environ |= {} if kept is None else {"THALWEG_CACHE": kept}


def report(text: str, work: Callable[[bool], Mapping[str, object]]) -> int:
    """Run a script of this folder from the command line.

    Args:
        text: Its docstring.
        work: Takes whether the short form is wanted; gives the result with `cases` and `held`, how many kept the
            promise.

    Returns:
        Exit status: 1 where a case broke the promise.
    """
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the short form that the test suite runs")
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    options = parser.parse_args()
    started = time.perf_counter()
    result = dict(work(options.quick))
    result |= {"seconds": round(time.perf_counter() - started, 1), **machine()}
    if options.out:
        options.out.write_text(json.dumps(result, indent=1, default=str) + "\n", encoding="utf-8")
    shown = {key: value for key, value in result.items() if not isinstance(value, list | dict)}
    print(json.dumps(shown, indent=1, default=str))
    broken = [case for case in result.get("details", ()) if not case.get("held", True)]  # type: ignore[attr-defined]
    for case in broken[:20]:
        print("BROKEN", case, file=sys.stderr)
    return int(result["held"] != result["cases"])


def make_photos(folder: Path, *, count: int = 32, side: int = 32, seed: int = 0) -> Path:
    """Write two classes of small noisy pictures, one with more red.

    Args:
        folder: Made here.
        count: Pictures a class.
        side: Their side in pixels, a multiple of 8.
        seed: Decides the patterns.

    Returns:
        The folder.
    """
    import numpy as np
    from PIL import Image

    numbers = np.random.default_rng(seed)
    for name, strength in (("plain", 0), ("red", 40)):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = np.kron(numbers.integers(40, 180, (8, 8, 3)), np.ones((side // 8, side // 8, 1)))
            pixels[..., 0] += strength
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{index:03d}.png")
    return folder
