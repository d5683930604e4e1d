"""What has to be settled in a process before torch is loaded, because torch reads it only once; and other processes."""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

__all__ = ["another_python", "compute_alone", "share_processor"]


def share_processor() -> None:
    """Let waiting threads sleep instead of spin, unless the user decided otherwise.

    torch's threads (GNU OpenMP) spin between two parallel loops in the hope that the next one starts at once. On two
    cores that something else uses too, each such wait lasts a whole time slice of the other program: training falls to
    a tenth of its speed or less. Asleep, threads cost a fifth of the speed on an idle machine and keep it on a busy one
    (docs/decisions/0002).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


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
        OSError: There can be no more processes.

    Example:
        >>> process = another_python("print(6 * 7)")
        >>> process.communicate()[0].split()
        [b'42']
    """
    import subprocess

    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, *([] if here else ["-P"]), "-c", code]
    said = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=environment)  # noqa: S603 - our own
