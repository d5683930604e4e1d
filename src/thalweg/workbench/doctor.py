"""`thalweg doctor`: is this machine fit for it, what is missing for what, and which traps lie here."""

import datetime as dt
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import thalweg
from thalweg.core.files import cache_folder, printable
from thalweg.core.health import Health, Package, Place, Processor, Torch, Trouble
from thalweg.workbench.doctor_machine import processor_here, torch_here
from thalweg.workbench.doctor_packages import packages_here

__all__ = ["doctor"]

LITTLE_BYTES = 2 << 30
"""With less room than this a larger source will not fit."""
NO_BYTES = 200 << 20
"""With less room than this not even a small run will."""
LITTLE_MEMORY_GIB = 1.0
FEW_HANDLES = 256
_ORDER = ("error", "warning", "info")


def doctor(folder: str | Path = ".") -> Health:
    """Look at the machine, the packages and the places that thalweg needs; nothing is written.

    Args:
        folder: Where runs would go: their folder is `runs` in it.

    Returns:
        What is here, and what stands in the way.

    Example:
        >>> doctor().processor.cores > 0
        True
    """
    started = time.perf_counter()
    processor, torch = processor_here(), torch_here()
    packages = packages_here()
    places = _places(Path(folder))
    findings = [
        *_of_packages(packages),
        *_of_torch(torch, packages),
        *_of_processor(processor),
        *_of_places(places),
        *_of_clock(),
        *_of_process(),
    ]
    return Health(
        thalweg=thalweg.__version__,
        python=platform.python_version(),
        system=platform.platform(terse=True),
        processor=processor,
        torch=torch,
        packages=packages,
        places=places,
        clock=dt.datetime.now().astimezone().isoformat(timespec="seconds"),
        findings=tuple(sorted(findings, key=lambda each: _ORDER.index(each.severity))),
        seconds=time.perf_counter() - started,
    )


def _places(folder: Path) -> tuple[Place, ...]:
    found = []
    wanted = (("runs", folder / "runs"), ("cache", cache_folder()), ("temporary files", Path(tempfile.gettempdir())))
    for what, path in wanted:
        near = next((each for each in (path.absolute(), *path.absolute().parents) if each.exists()), Path("/"))
        free = shutil.disk_usage(near).free
        writable = near.is_dir() and os.access(near, os.W_OK | os.X_OK)
        found.append(Place(what=what, path=printable(path), free_bytes=free, writable=writable))
    return tuple(found)


def _of_packages(packages: tuple[Package, ...]) -> Iterator[Trouble]:
    if not packages:
        yield Trouble(
            name="not_installed",
            severity="info",
            claim="thalweg runs from its source, so which packages it wants is not known",
            remedy="pip install -e . in its folder",
        )
    for each in packages:
        if each.version is None and not each.extra:
            yield Trouble(
                name="package_missing",
                severity="error",
                claim=f"{each.name} is not installed, and nothing works without it",
                remedy=f"pip install '{each.name}{each.wanted}'",
            )
        elif each.version is not None and not each.serves:
            yield Trouble(
                name="package_version",
                severity="warning",
                claim=f"{each.name} {each.version} is installed, and {each.wanted} is wanted for {each.needed_for}",
                remedy=f"pip install '{each.name}{each.wanted}'",
            )


def _of_torch(torch: Torch, packages: tuple[Package, ...]) -> Iterator[Trouble]:
    del packages
    if torch.version is not None and torch.build.startswith("cuda") and torch.device == "cpu":
        yield Trouble(
            name="no_graphics_card",
            severity="info",
            claim=f"torch {torch.version} is built for {torch.build}, but finds no graphics card: it computes on "
            "the processor",
            remedy="nothing, or look at the card's driver (nvidia-smi)",
        )
    vision = _version("torchvision")
    if vision and torch.build == "cpu" and "+cpu" not in vision:
        yield Trouble(
            name="torchvision_beside_cpu_torch",
            severity="info",
            claim=f"torchvision {vision} is built for another torch than the CPU build {torch.version} beside it: "
            "its own operators (nms and such) fail when called; thalweg imports it all the same",
            remedy="pip install torchvision from the index that this torch came from, if you need those operators",
        )
    pair = (_minor(torch.version), _minor(vision))
    if all(pair) and pair[1] - pair[0] != 15:  # noqa: PLR2004 - torch 2.9 goes with torchvision 0.24, and so on
        yield Trouble(
            name="torchvision_of_another_torch",
            severity="info",
            claim=f"torchvision {vision} was made for torch 2.{pair[1] - 15}, and {torch.version} is here",
            remedy=f"pip install 'torchvision==0.{pair[0] + 15}.*'",
        )


def _of_processor(processor: Processor) -> Iterator[Trouble]:
    if processor.threads > processor.usable:
        yield Trouble(
            name="more_threads_than_cores",
            severity="warning",
            claim=f"torch will start {processor.threads} threads, but only {processor.usable} cores may be used here: "
            "they will wait for one another",
            remedy=f"export OMP_NUM_THREADS={processor.usable}",
        )
    if os.environ.get("OMP_WAIT_POLICY", "").upper() == "ACTIVE":
        yield Trouble(
            name="threads_spin",
            severity="warning",
            claim="OMP_WAIT_POLICY=ACTIVE lets waiting threads spin: beside other programs training takes ten times "
            "as long",
            remedy="unset OMP_WAIT_POLICY",
        )
    if processor.features and "avx2" not in processor.features and platform.machine().lower() in {"x86_64", "amd64"}:
        yield Trouble(
            name="no_avx2",
            severity="info",
            claim="the processor, or the machine it is shown as, has no AVX2: training is a few times slower",
            remedy="in a virtual machine, let it show the host's processor",
        )
    if processor.free_memory_gib is not None and processor.free_memory_gib < LITTLE_MEMORY_GIB:
        yield Trouble(
            name="little_memory",
            severity="warning",
            claim=f"{processor.free_memory_gib:.1f} GiB of memory are free; the system may end a training process",
            remedy="end other programs, or take a smaller --batch-size and --image-size",
        )


def _of_places(places: tuple[Place, ...]) -> Iterator[Trouble]:
    ways = {
        "runs": "choose another folder with --out",
        "cache": "set THALWEG_CACHE to another folder",
        "temporary files": "set TMPDIR to another folder",
    }
    for each in places:
        if not each.writable:
            yield Trouble(
                name="place_not_writable",
                severity="warning" if each.what == "runs" else "error",
                claim=f"{each.path} ({each.what}) may not be written",
                remedy=ways[each.what],
            )
        elif each.free_bytes < LITTLE_BYTES:
            free = f"{each.free_bytes / 2**20:,.0f} MiB"
            yield Trouble(
                name="disk_nearly_full",
                severity="error" if each.free_bytes < NO_BYTES else "warning",
                claim=f"{free} are free for {each.path} ({each.what})",
                remedy=f"make room, or {ways[each.what]}",
            )


def _of_clock() -> Iterator[Trouble]:
    built = max(Path(thalweg.__file__).stat().st_mtime, Path(sys.executable).stat().st_mtime)
    now = time.time()
    if now < built - 86_400:
        yield Trouble(
            name="clock_behind",
            severity="warning",
            claim=f"the clock says {_day(now)}, before the day thalweg was installed, "
            f"{_day(built)}: servers' certificates will be refused",
            remedy="set the clock",
        )


def _of_process() -> Iterator[Trouble]:
    if sys.platform != "win32":
        import resource

        handles = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if handles < FEW_HANDLES:
            yield Trouble(
                name="few_file_handles",
                severity="warning",
                claim=f"a process may hold only {handles} files open",
                remedy="ulimit -n 1024",
            )
    if (sys.stdout.encoding or "utf-8").lower().replace("-", "") != "utf8":
        yield Trouble(
            name="terminal_not_utf8",
            severity="info",
            claim=f"the terminal's encoding is {sys.stdout.encoding}: names in other scripts are shown as escapes",
            remedy="export PYTHONUTF8=1",
        )


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


def _version(package: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _minor(version: str | None) -> int:
    parts = (version or "").split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
