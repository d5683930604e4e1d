"""What has to be settled in a process before torch is loaded, because torch reads it only once; and other processes."""

import contextlib
import math
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

__all__ = [
    "NO_MEMORY",
    "allowed_cores",
    "another_python",
    "compute_alone",
    "pipes_here",
    "share_processor",
    "threads_given",
    "usable_cores",
]

NO_MEMORY = ("out of memory", "can't allocate memory")
"""How torch says that memory ran out where its error has no type of its own for it, in small letters."""
_PYTHON = re.compile(r"\.?(python|pypy|graalpy)", re.IGNORECASE)
"""How the names of interpreters begin; wrapped ones have a dot before."""
_THREADS, _OURS = "OMP_NUM_THREADS", "THALWEG_OMP_NUM_THREADS"


def usable_cores(own: Path = Path("/proc/self/cgroup"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Count the cores that this process may really use.

    A container that was given two of sixty-four cores sees all of them; who starts a thread for each is stopped for
    most of every tenth of a second, and works slower than with two.

    Args:
        own: The system's file that names the control groups of this process.
        cgroups: Where control groups are mounted.

    Returns:
        The processor's cores, less those that an affinity mask forbids or that the quota of a container's control
        group (of either version) does not give; at least 1.

    Example:
        >>> 1 <= usable_cores() <= os.cpu_count()
        True
    """
    quotas = [quota for folder in _groups(own, cgroups) if (quota := _quota(folder)) is not None]
    return max(1, min([allowed_cores(), *(math.ceil(quota - 0.25) for quota in quotas)]))


def allowed_cores() -> int:
    """Count the cores that this process may be put on, for which torch starts a thread each.

    Returns:
        The processor's cores, less those that an affinity mask forbids.
    """
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def _groups(own: Path, cgroups: Path) -> Iterator[Path]:
    """The folders of this process's groups and of those around them; inside a container, the outermost is its own."""
    with contextlib.suppress(OSError, ValueError):
        for line in own.read_text(encoding="utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            places = ("", "unified") if not controllers else (controllers,) if "cpu" in controllers.split(",") else ()
            for place in places:
                parts = group.strip("/").split("/")
                yield from (Path(cgroups, place, *parts[:count]) for count in range(len(parts) + 1))


def _quota(folder: Path) -> float | None:
    """Cores' worth of time that a group has; None where it has no bound."""
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        share, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return int(share) / int(period)
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        share, period = ((folder / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period"))
        return int(share) / int(period) if int(share) > 0 else None
    return None


def threads_given() -> bool:
    """Tell whether the user said how many threads compute.

    Returns:
        Whether `OMP_NUM_THREADS` is set, and not by `share_processor`.
    """
    given = os.environ.get(_THREADS)
    return bool(given) and given != os.environ.get(_OURS)


def share_processor() -> None:
    """Let waiting threads sleep instead of spin, and start no more than there are cores, unless the user said so.

    torch's threads (GNU OpenMP) spin between two parallel loops in the hope that the next one starts at once. On two
    cores that something else uses too, each such wait lasts a whole time slice of the other program: training falls to
    a tenth of its speed or less. Asleep, threads cost a fifth of the speed on an idle machine and keep it on a busy one
    (docs/decisions/0002).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not os.environ.get(_THREADS) and (cores := usable_cores()) < allowed_cores():
        os.environ[_THREADS] = os.environ[_OURS] = str(cores)


def compute_alone() -> None:
    """Keep numpy from starting a thread a core when it is loaded, for a command that multiplies no matrices.

    Starting them costs a sixth of what judging a log takes. What the user decided stays.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def another_python(code: str, *, here: bool = False, quiet: bool = False) -> "subprocess.Popen[bytes]":
    """Start this interpreter once more, with the packages that this one finds, one thread, and pipes to and from it.

    Unlike `multiprocessing`, it does not run the user's own script a second time to find its words.

    Args:
        code: What it runs.
        here: Whether it also looks for modules in the working folder, where somebody's photos may lie beside a
            `random.py`.
        quiet: Whether what it writes to its standard error goes nowhere, instead of where this one's goes.

    Returns:
        The process.

    Raises:
        OSError: There can be no more processes, or this one is a program with Python inside (QGIS, uWSGI, one that was
            frozen), which would start itself once more instead.

    Example:
        >>> process = another_python("print(6 * 7)")
        >>> process.communicate()[0].split()
        [b'42']
    """
    import subprocess

    if getattr(sys, "frozen", False) or not _PYTHON.match(Path(sys.executable or "").name):
        raise OSError(f"{sys.executable or 'this program'} is no Python that can be started once more")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, *([] if here else ["-P"]), "-c", code]
    said = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=environment)  # noqa: S603 - our own


def pipes_here() -> tuple[IO[bytes], IO[bytes]]:
    """The child's ends of the pipes that `another_python` made; what it prints no longer mixes with its answers.

    Returns:
        What it is asked through, and what it answers through; standard output is standard error from now on.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, answers
