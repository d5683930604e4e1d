"""The kernels of `pointwise.c`, compiled by the machine's own C compiler when they are first wanted.

Convolutions run as fast as the processor allows; what stands between them (batch normalisation, rectifiers, pooling)
only moves memory, and in torch each of them moves it once more. A compiled pass does several at once. Without a C
compiler, or with `THALWEG_KERNELS=off`, torch computes, and nothing else changes (docs/decisions/0028).

The library is kept beside the picture cache, under a name that follows from source, compiler and processor and ends in
its own digest. It is loaded only where nobody else could have put one (folder and file must be ours, and writable by us
alone), and only whole.
"""

import contextlib
import ctypes
import functools
import hashlib
import itertools
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from thalweg.core.files import cache_folder, write_atomically

__all__ = ["Form", "Kernels", "compile_ahead", "kernels"]

_SOURCE = Path(__file__).with_name("pointwise.c")
_FLAGS = ("-std=gnu11", "-O2", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-w", "-fPIC", "-shared")
_OWN = (("-march=native",), ("-mcpu=native",), ())
"""Tried in turn: compilers differ in how they are told to use what this processor has."""
_SECONDS = 120
_ENOUGH = 1 << 18
"""Numbers that a thread must have for itself to be worth waking."""


class Form(ctypes.Structure):
    """What a kernel computes: `height, width, channels, before, after, pool`, as in `pointwise.c`."""

    _fields_ = [(name, ctypes.c_int64) for name in ("height", "width", "channels", "before", "after", "pool")]


class Kernels:
    """A loaded library; pictures are shared among as many threads as torch has.

    Args:
        library: With the functions of `pointwise.c`.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        pointer, number, real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
        self._functions = {}
        for name, takes in {
            "measure": (pointer, pointer, number, number, *(pointer,) * 2),
            "settle": (*(number,) * 4, *(pointer,) * 3, real, real, *(pointer,) * 3),
            "apply": (pointer, pointer, number, number, *(pointer,) * 3),
            "reduce": (pointer, pointer, number, number, *(pointer,) * 5),
            "gather": (*(number,) * 4, *(pointer,) * 5),
            "descend": (pointer, pointer, number, number, *(pointer,) * 5),
        }.items():
            function = self._functions[name] = getattr(library, name)
            function.argtypes, function.restype = takes, None

    def call(self, name: str, *arguments: object) -> None:
        """Call a function that works on whole batches.

        Args:
            name: `settle` or `gather`.
            *arguments: As in `pointwise.c`; tensors give their address.
        """
        self._functions[name](*map(_address, arguments))

    def share(self, name: str, form: Form, x: torch.Tensor, *arguments: object) -> None:
        """Call a function on all pictures of a batch, each thread with its share.

        Args:
            name: `measure`, `apply`, `reduce` or `descend`.
            form: What is computed.
            x: The batch.
            *arguments: What follows the numbers of the pictures.
        """
        function, pictures = self._functions[name], len(x)
        begin: tuple[Any, ...] = (ctypes.byref(form), x.data_ptr())
        rest = tuple(map(_address, arguments))
        threads = max(1, min(torch.get_num_threads(), pictures, x.numel() // _ENOUGH))
        if threads == 1:
            function(*begin, 0, pictures, *rest)
            return
        bounds = [pictures * part // threads for part in range(threads + 1)]
        parts = list(itertools.pairwise(bounds))
        others = [_pool().submit(function, *begin, *part, *rest) for part in parts[1:]]
        function(*begin, *parts[0], *rest)
        for other in others:
            other.result()


def _address(value: object) -> object:
    return value.data_ptr() if isinstance(value, torch.Tensor) else value


_pools: dict[int, ThreadPoolExecutor] = {}


def _pool() -> ThreadPoolExecutor:
    process = os.getpid()  # a forked process has none of its parent's threads
    if process not in _pools:
        _pools.clear()
        _pools[process] = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="kernel")
    return _pools[process]


# Compiling ----------------------------------------------------------------------------------------------------------


def compile_ahead(*, half: bool) -> None:
    """Compile in a thread of its own while other things are got ready.

    Args:
        half: For bfloat16 instead of float32.
    """
    threading.Thread(target=kernels, kwargs={"half": half}, daemon=True, name="compile").start()


def kernels(*, half: bool) -> Kernels | None:
    """The kernels of a number type, compiled on the first call.

    Args:
        half: For bfloat16 instead of float32.

    Returns:
        The kernels, or None where there is no compiler, or its work could not be loaded.
    """
    with _compiling:
        return _kernels(half=half)


_compiling = threading.Lock()


@functools.cache
def _kernels(*, half: bool) -> Kernels | None:
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None or sys.platform == "win32" or os.environ.get("THALWEG_KERNELS") == "off":
        return None
    try:
        kept = _kept(compiler, half=half)
        if kept is not None and (whole := _whole(kept)) is not None:
            return Kernels(ctypes.CDLL(str(whole)))
        with tempfile.TemporaryDirectory(prefix="thalweg-") as aside:
            made = _compile(compiler, Path(aside, "pointwise.so"), half=half)
            return Kernels(ctypes.CDLL(str(made if kept is None else _keep(made, kept))))
    except (OSError, AttributeError, subprocess.SubprocessError):  # no room, no permission, no such function
        return None


def _compile(compiler: str, out: Path, *, half: bool) -> Path:
    wanted = ["-DHALF"] if half else []
    for own in _OWN:
        command = [compiler, *_FLAGS, *own, *wanted, "-o", str(out), str(_SOURCE), "-lm"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL)  # noqa: S603
        if done.returncode == 0:
            return out
    raise OSError(f"{compiler} cannot compile {_SOURCE.name}")


def _kept(compiler: str, *, half: bool) -> Path | None:
    """How the name begins under which the library is kept; None where no folder is ours alone."""
    state = Path(compiler).resolve().stat()
    told = (*_FLAGS, str(_OWN), compiler, f"{state.st_size} {state.st_mtime_ns}", _processor(), str(half))
    folder = cache_folder() / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder / _digest("\0".join(told).encode() + _SOURCE.read_bytes()) if _is_ours(folder) else None


def _whole(kept: Path) -> Path | None:
    """The kept library, if it is ours alone and byte for byte what was compiled: its name ends in its own digest."""
    for path in kept.parent.glob(f"{kept.name}-*.so"):
        if _is_ours(path) and path.name == f"{kept.name}-{_digest(path.read_bytes())}.so":
            return path
    return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _is_ours(path: Path) -> bool:
    with contextlib.suppress(OSError):
        state = path.lstat()
        kinds = stat.S_ISDIR(state.st_mode) or stat.S_ISREG(state.st_mode)
        return kinds and state.st_uid == os.getuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return False


def _keep(made: Path, kept: Path) -> Path:
    """Move a library to its place, whole or not at all; several processes may do so at once."""
    data = made.read_bytes()
    place = kept.with_name(f"{kept.name}-{_digest(data)}.so")
    try:
        write_atomically(place, data)
        place.chmod(0o700)
    except OSError:  # a full disk, for one: it is used from where it was made
        return made
    return place


def _processor() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        lines = {line.partition(":")[0].strip(): line for line in file}
        return lines.get("model name", "") + lines.get("flags", lines.get("Features", ""))
    return platform.processor() + platform.machine()
