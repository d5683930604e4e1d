"""A disk that is full at twenty moments of a run: the old checkpoint stays whole, no debris, and the run goes on later.

Every time a run writes to its folder (a file made, bytes written, a flush, a rename) counts as a moment. In each case
the disk is full from one such moment on: writes take half of the bytes and fail with ENOSPC, as a real one does. The
run must end with one sentence, leave the checkpoint before it readable and nothing half-written, and, once there is
room, go on to the same weights, predictions and curves as the run that always had room.

Where this user may mount file systems (root on Linux), the same is tried on real ones (tmpfs) of ten sizes, each too
small for the run.

    python benchmarks/reliability/full_disk.py --out benchmarks/results/reliability/full_disk.json
"""

import builtins
import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from kill import differences, traces
from outcome import Case, make_photos, report

OPTIONS: dict[str, Any] = {"network": "plain", "image_size": 32, "batch_size": 16, "epochs": 3, "lr": 0.003}


class Disk:
    """Counts what is written below a folder, and is full from the given moment on."""

    def __init__(self, folder: Path, full_from: int | None) -> None:
        self.folder, self.full_from = folder, full_from
        self.moments = 0
        self.planned = 0
        self.what = ""

    def moment(self, what: str, path: Path) -> None:
        """Count, and fail when it is time."""
        self.moments += 1
        if path.name == "plan.toml" and what == "rename":
            self.planned = self.moments
        if self.full_from is not None and self.moments >= self.full_from:
            self.what = self.what or f"{what} {path.name if '.writing-' not in path.name else 'a file aside'}"
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    @contextlib.contextmanager
    def mounted(self) -> Iterator[None]:  # noqa: C901 - a wrapper for each call
        """Stand between the run and the disk while the block runs."""
        disk, names = self, {}
        kept = {name: getattr(os, name) for name in ("open", "fdopen", "fsync", "replace")}
        kept_open = builtins.open

        def inside(path: Any) -> bool:
            return isinstance(path, str | os.PathLike) and Path(os.fspath(path)).is_relative_to(disk.folder)

        def opening(path: Any, flags: int, *words: Any, **options: Any) -> int:
            if inside(path) and flags & os.O_CREAT and not Path(path).exists():
                disk.moment("create", Path(path))
            handle: int = kept["open"](path, flags, *words, **options)
            names[handle] = Path(path) if inside(path) and not Path(path).is_dir() else None
            return handle

        def fdopen(handle: int, *words: Any, **options: Any) -> Any:
            file = kept["fdopen"](handle, *words, **options)
            return _Filling(file, disk, names[handle]) if names.get(handle) else file

        def fsync(handle: int) -> None:
            if names.get(handle):
                disk.moment("flush", names[handle])
            kept["fsync"](handle)

        def replace(source: Any, target: Any) -> None:
            if inside(target):
                disk.moment("rename", Path(target))
            kept["replace"](source, target)

        def plain_open(path: Any, mode: str = "r", *words: Any, **options: Any) -> Any:
            file = kept_open(path, mode, *words, **options)
            if inside(path) and set(mode) & set("wax+"):
                names[file.fileno()] = Path(path)
                return _Filling(file, disk, Path(path))
            return file

        wrapped = {"open": opening, "fdopen": fdopen, "fsync": fsync, "replace": replace}
        for name, function in wrapped.items():
            setattr(os, name, function)
        kept_path_open = Path.open
        Path.open = lambda path, mode="r", *words, **options: plain_open(path, mode, *words, **options)  # type: ignore[method-assign, assignment]
        builtins.open = plain_open  # type: ignore[assignment]
        try:
            yield
        finally:
            for name, function in kept.items():
                setattr(os, name, function)
            builtins.open, Path.open = kept_open, kept_path_open  # type: ignore[method-assign]


class _Filling:
    """A file on that disk."""

    def __init__(self, file: Any, disk: Disk, path: Path) -> None:
        self._file, self._disk, self._path = file, disk, path

    def write(self, data: Any) -> int:
        try:
            self._disk.moment("write", self._path)
        except OSError:
            self._file.write(data[: len(data) // 2])
            raise
        return int(self._file.write(data))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *words: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def try_one(full_from: int, photos: Path, folder: Path, truth: dict[str, object]) -> Case:
    """Fill the disk at one moment; make room and go on."""
    import thalweg
    from thalweg.core.errors import ThalwegError
    from thalweg.training.checkpoint import latest_checkpoint

    run, said, went_on, whole = folder / "run", "", False, False
    while True:
        shutil.rmtree(run, ignore_errors=True)
        disk = Disk(run, full_from)
        with disk.mounted():
            try:
                thalweg.train(photos, out=run, **OPTIONS)
            except ThalwegError as error:
                said = str(error).replace(str(folder), "")
        if disk.what or full_from <= disk.planned:
            break
        full_from = disk.moments - 4  # some files are written by the clock: a faster run ended before that moment
    debris = [path.name for path in run.rglob(".writing-*")]
    with contextlib.suppress(ThalwegError):
        before = latest_checkpoint(run / "checkpoints", tidy=False)
        whole = before is None or before[2] == []
        thalweg.resume(run)
        went_on = True
    wrong = differences(truth, traces(run)) if went_on else ["it does not go on"]
    held = "No space left" in said and "thalweg resume" in said and not debris and whole and not wrong
    return {"moment": full_from, "what": disk.what, "said": said, "debris": debris, "wrong": wrong, "held": held}


@contextlib.contextmanager
def real_disk(place: Path, size: int) -> Iterator[Callable[[int], object]]:
    """Mount a file system of so many bytes; gives what makes it larger."""
    place.mkdir(exist_ok=True)

    def system(*words: str) -> None:
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL)

    system("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield lambda more: system("mount", "-o", f"remount,size={more}", str(place))
    finally:
        system("umount", "--lazy", str(place))  # weights that were looked at may still be mapped from it


def may_mount(place: Path) -> bool:
    """Whether file systems can be mounted here."""
    try:
        with real_disk(place, 1 << 16):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def on_real_disk(share: float, whole: int, photos: Path, folder: Path, truth: dict[str, object]) -> Case:
    """Train on a disk that has room for a share of what the run writes; make room and go on."""
    import thalweg
    from thalweg.core.errors import ThalwegError
    from thalweg.training.checkpoint import latest_checkpoint

    said, wrong, intact = "", ["it does not go on"], False
    with real_disk(folder / "disk", int(share * whole)) as enlarge:
        run = folder / "disk" / "run"
        try:
            thalweg.train(photos, out=run, **OPTIONS)
        except ThalwegError as error:
            said = str(error).replace(str(folder), "")
        debris = [path.name for path in run.rglob(".writing-*")]
        enlarge(16 * whole)
        with contextlib.suppress(ThalwegError):
            before = latest_checkpoint(run / "checkpoints", tidy=False)
            intact = before is None or before[2] == []
            thalweg.resume(run)
            wrong = differences(truth, traces(run))
    held = "No space left" in said and "thalweg resume" in said and not debris and intact and not wrong
    return {"room": round(share, 3), "said": said, "debris": debris, "wrong": wrong, "held": held}


def work(quick: bool) -> dict[str, object]:
    """Spread the moments over everything that a run writes once it has a plan."""
    import thalweg
    from thalweg.training import loop

    loop.CHECKPOINT_SECONDS = 0.0
    try:
        with tempfile.TemporaryDirectory() as name:
            photos = make_photos(Path(name, "photos"), count=16)
            straight = Path(name, "straight")
            disk = Disk(straight, None)
            with disk.mounted():
                thalweg.train(photos, out=straight, **OPTIONS)
            truth = traces(straight)
            # Some files are written by the clock, so that no two runs have the same number of moments.
            moments = np.linspace(disk.planned + 1, disk.moments - 4, 3 if quick else 20).astype(int).tolist()
            details = [try_one(moment, photos, Path(name), truth) for moment in moments]
            whole = sum(path.stat().st_blocks * 512 for path in straight.rglob("*"))
            shares = [] if quick or not may_mount(Path(name, "disk")) else np.linspace(0.15, 0.95, 10).tolist()
            real = [on_real_disk(share, whole, photos, Path(name), truth) for share in shares]
            details += real
    finally:
        loop.CHECKPOINT_SECONDS = 20.0
    return {
        "row": 4,
        "moments": disk.moments,
        "on_real_file_systems": len(real),
        "cases": len(details),
        "held": sum(case["held"] for case in details),
        "details": details,
    }


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
