"""Where and in which precision to compute: whatever measures fastest on the machine, chosen the same way each time.

The choice depends on the hardware alone, never on a timing, so that two runs with one seed stay bit-identical.
"""

import contextlib
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch

from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.core.process import threads_given
from thalweg.modules.build import BuiltNetwork
from thalweg.modules.native import compile_ahead, kernels

__all__ = [
    "Device",
    "choose_device",
    "describe_hardware",
    "fitting_threads",
    "kernels_of",
    "move",
    "prepare",
    "threads_for",
]

MACS_A_THREAD = 600_000_000
"""Multiply-accumulates of a forward pass that a thread must have for itself to be worth waking (decision 0015)."""

MAKES_BATCHES = {"cuda"}
"""Kinds of devices that warp, scale and colour pictures themselves."""

Module = TypeVar("Module", bound=torch.nn.Module)


@dataclass(frozen=True, slots=True)
class Device:
    """A device with its precision.

    Args:
        kind: `cpu`, `cuda` or `mps`.
        autocast: Type of the products, or None for float32 throughout.
    """

    kind: str
    autocast: torch.dtype | None

    @property
    def precision(self) -> str:
        """The precision in a word, such as `float32` or `bfloat16 products`."""
        return "float32" if self.autocast is None else f"{str(self.autocast).removeprefix('torch.')} products"

    @property
    def batches(self) -> str:
        """Where batches are made: on CUDA itself; elsewhere by the processor, as Apple's GPUs lack operations."""
        return self.kind if self.kind in MAKES_BATCHES else "cpu"

    def context(self) -> contextlib.AbstractContextManager[object]:
        """Enter the precision.

        Returns:
            A context manager for forward passes.
        """
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.kind, dtype=self.autocast)


def move(module: Module, device: Device) -> Module:
    """Move a network to a device, with its convolution weights channels-last; on a CPU layers are fused in training.

    Args:
        module: The network, moved in place.
        device: Where to.

    Returns:
        The same network.
    """
    module.to(device.kind)
    if isinstance(module, BuiltNetwork):
        module.fuses = device.kind == "cpu"
    volumes = [weight for weight in module.parameters() if weight.ndim == 5]  # noqa: PLR2004 - channels and three axes
    if not volumes:
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack this form
    for weight in volumes:  # one format for a whole network fails on what has fewer axes
        weight.data = weight.data.contiguous(memory_format=torch.channels_last_3d)
    return module


def choose_device(wish: str) -> Device:
    """Choose a device.

    Args:
        wish: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        The device; `auto` prefers CUDA, then MPS, then the CPU.

    Raises:
        PlanError: The wish names no device, or one that this machine lacks.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wish == "auto":
        wish = next(kind for kind, here in present.items() if here)
    if wish not in present:
        raise PlanError(f"--device {printable(wish)}: choose one of auto, {', '.join(present)}")
    if not present[wish]:
        here = ", ".join(kind for kind, is_here in present.items() if is_here)
        raise PlanError(f"--device {wish}: torch {torch.__version__} finds none on this machine; it has {here}")
    if wish == "cuda":
        return Device("cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else None)
    return Device(wish, torch.bfloat16 if wish == "cpu" and _cpu_multiplies_bfloat16() else None)


def prepare(device: Device) -> None:
    """Have the kernels compiled in the background, where there are none yet, while the pictures are read.

    Args:
        device: Where training will compute.
    """
    if device.kind == "cpu":
        compile_ahead(half=device.autocast is torch.bfloat16)


def kernels_of(device: Device) -> str:
    """What computes between the convolutions, for `environment.json`: results differ between the two by rounding.

    Args:
        device: Where training computes.

    Returns:
        `compiled` or `torch`.
    """
    here = device.kind == "cpu" and kernels(half=device.autocast is torch.bfloat16) is not None
    return "compiled" if here else "torch"


def threads_for(macs: int, available: int) -> int:
    """How many threads suit a step: with little for each to do, they wait for one another longer than they work.

    It follows from the network and the batch alone, never from a timing: two runs with one seed add in one order.

    Args:
        macs: Multiply-accumulates of a forward pass of one batch.
        available: Threads that there may be.

    Returns:
        At least 1, at most `available`.

    Example:
        >>> threads_for(160_000_000, 2), threads_for(10_840_000_000, 2)
        (1, 2)
    """
    return max(1, min(available, macs // MACS_A_THREAD))


@contextlib.contextmanager
def fitting_threads(device: Device, macs: int) -> Iterator[None]:
    """Compute with as many threads as suit a step, unless `OMP_NUM_THREADS` says otherwise.

    Args:
        device: Threads are for the CPU.
        macs: Multiply-accumulates of a forward pass of one batch; 0 where nothing is known of it.

    Yields:
        Nothing; afterwards there are as many threads as before.

    Example:
        >>> before = torch.get_num_threads()
        >>> with fitting_threads(Device("cpu", None), 0):
        ...     torch.get_num_threads() == before
        True
    """
    before = torch.get_num_threads()
    if device.kind == "cpu" and macs and not threads_given():
        torch.set_num_threads(threads_for(macs, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cpu_multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16 products; emulated ones are slower than float32."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name, bool)()) for name in checks)


def describe_hardware() -> Mapping[str, object]:
    """Name the machine for `environment.json`.

    Returns:
        Processor, cores, threads, memory and accelerator.
    """
    memory = None
    with contextlib.suppress(AttributeError, OSError, ValueError):
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    accelerator = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {
        "processor": _processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": memory,
        "accelerator": accelerator,
        "system": platform.platform(),
    }


def _processor_name() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - a device file
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
