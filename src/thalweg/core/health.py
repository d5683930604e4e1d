"""What `thalweg doctor` answers: the machine, the packages, the places, and what stands in the way."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Health", "Package", "Place", "Processor", "Torch", "Trouble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that stands in the way, or will.

    Args:
        name: A permanent name, such as `disk_nearly_full`.
        severity: `info`, `warning` or `error`; the last two give exit status 1.
        claim: What is wrong, in a sentence with place and number.
        remedy: The way out.
    """

    name: str
    severity: Literal["info", "warning", "error"]
    claim: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that thalweg uses.

    Args:
        name: As pip knows it.
        wanted: The versions that serve, such as `>=1.26`; empty for any.
        version: The one installed; None where it is missing.
        extra: The extra of thalweg that brings it; empty where it is required.
        needed_for: What cannot be done without it.
        serves: Whether it is there in a version that serves.
    """

    name: str
    wanted: str
    version: str | None
    extra: str
    needed_for: str
    serves: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """What computes.

    Args:
        name: Its name.
        cores: Cores of the machine.
        usable: Cores that this process may use: its affinity, and a container's quota.
        threads: Threads that torch will take.
        features: Vector instructions that torch makes use of, such as `avx2`.
        bfloat16: Whether it multiplies bfloat16 itself; training then does so too.
        memory_gib: Memory of the machine.
        free_memory_gib: What of it is free.
    """

    name: str
    cores: int
    usable: int
    threads: int
    features: tuple[str, ...]
    bfloat16: bool
    memory_gib: float | None
    free_memory_gib: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Torch:
    """What is known of torch, mostly without loading it.

    Args:
        version: Its version; None where it is missing.
        build: `cpu`, `cuda 12.8` and so on; empty where unknown.
        device: Where training will compute.
        accelerator: The graphics card's name; None without one.
        asked: Whether torch had to be loaded, in a process of its own, to find out.
    """

    version: str | None
    build: str
    device: str
    accelerator: str | None
    asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder that thalweg writes to.

    Args:
        what: `runs`, `cache` or `temporary files`.
        path: The folder.
        free_bytes: Room on its disk.
        writable: Whether it, or the folder it will be made in, may be written.
    """

    what: str
    path: str
    free_bytes: int
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The answer of `doctor`.

    Args:
        thalweg: Its version.
        python: Python's version.
        system: The operating system.
        processor: What computes.
        torch: What is known of torch.
        packages: Required ones first, then those of extras.
        places: Folders that are written to.
        clock: The time here, in ISO 8601 with its offset.
        findings: What stands in the way, worst first.
        seconds: What the look took.
    """

    thalweg: str
    python: str
    system: str
    processor: Processor
    torch: Torch
    packages: tuple[Package, ...]
    places: tuple[Place, ...]
    clock: str
    findings: tuple[Trouble, ...]
    seconds: float
