"""The processor and torch, seen without loading torch; where only torch knows, a process of its own asks it."""

import contextlib
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from thalweg.core.health import Processor, Torch
from thalweg.core.process import allowed_cores, usable_cores

__all__ = ["processor_here", "torch_here"]

FEATURES = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile", "asimd", "sve", "bf16")
"""Flags of /proc/cpuinfo that torch has faster code for."""
_MULTIPLY_BFLOAT16 = {"avx512_bf16", "amx_bf16", "amx_tile", "bf16"}
_ASK = (
    "import json, torch; here = torch.cuda.is_available(); print(json.dumps(['cuda', torch.cuda.get_device_name(0)] "
    "if here else ['mps', 'Apple graphics'] if torch.backends.mps.is_available() else ['cpu', None]))"
)
_ASK_SECONDS = 20


def processor_here() -> Processor:
    """Look at the processor.

    Returns:
        Its name, cores, threads, vector instructions and memory, as far as the system tells.

    Example:
        >>> here = processor_here()
        >>> 1 <= here.usable <= here.cores
        True
    """
    text = _read("/proc/cpuinfo")
    name = _field(text, "model name") or platform.processor() or platform.machine()
    flags = set((_field(text, "flags") or _field(text, "Features") or "").split())
    features = tuple(each for each in FEATURES if each in flags)
    cores = os.cpu_count() or 1
    usable = usable_cores()
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    threads = int(given) if given.isdigit() and int(given) else allowed_cores()
    memory = _read("/proc/meminfo")
    return Processor(
        name=name,
        cores=cores,
        usable=usable,
        threads=threads,
        features=features,
        bfloat16=bool(_MULTIPLY_BFLOAT16 & set(features)),
        memory_gib=_gib(_field(memory, "MemTotal")),
        free_memory_gib=_gib(_field(memory, "MemAvailable")),
    )


def torch_here() -> Torch:
    """Look at torch: by its files, or, where a graphics card may be there, by asking it in a process of its own.

    Returns:
        Version, build and device.

    Example:
        >>> torch_here().device in {"cpu", "cuda", "mps"}
        True
    """
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return Torch(version=None, build="", device="cpu", accelerator=None, asked=False)
    text = _read(str(Path(found.origin).parent / "version.py"))
    version = _assigned(text, "__version__")
    build = next(
        (f"{kind} {number}" for kind in ("cuda", "hip", "xpu") if (number := _assigned(text, kind))),
        "cpu" if version else "",
    )
    device, accelerator, asked = "cpu", None, False
    if (build != "cpu" and _card_may_be_here()) or sys.platform == "darwin":
        asked = True
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            done = subprocess.run(  # noqa: S603 - our own interpreter and words
                [sys.executable, "-c", _ASK], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
            )
            device, accelerator = json.loads(done.stdout.splitlines()[-1])
    return Torch(version=version, build=build, device=device, accelerator=accelerator, asked=asked)


def _card_may_be_here() -> bool:
    return any(Path(each).exists() for each in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")) or (
        sys.platform == "win32"
    )


def _assigned(text: str, name: str) -> str | None:
    match = re.search(rf"^{name}\s*(?::[^=\n]*)?=\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
    return match.group(1) if match else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _field(text: str, name: str) -> str:
    match = re.search(rf"^{name}\s*:\s*(.*)$", text, re.MULTILINE)
    return match.group(1).strip() if match else ""


def _gib(text: str) -> float | None:
    words = text.split()
    return round(int(words[0]) / 2**20, 1) if words and words[0].isdigit() else None
