"""Power loss at every moment of a run: what the disk may then hold, and whether a run goes on from it.

Every open, write, fsync, rename, unlink and fsync of a folder that a training run makes below its `checkpoints/` is
recorded. For every prefix of that log, states that a disk may be in after a power cut are built in a new folder: bytes
not flushed by fsync are lost, half there, or zeros; names not flushed by an fsync of the folder are lost, kept, or kept
in part, in order or not. In each state a fresh trainer must find a whole checkpoint, never one older than the last that
`save_checkpoint` had promised, and the best weights that it names.

    python benchmarks/reliability/power_loss.py --out benchmarks/results/reliability/power_loss.json
"""

import builtins
import contextlib
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from outcome import Case, report

PIECES = 3
"""Into so many system calls a write is cut, each a moment of its own."""
ALL_SUBSETS = 5
"""Up to so many unflushed names, every subset of them is tried."""


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: `create`, `write`, `flush`, `rename`, `unlink`, `flush_folder`, or `promise` (ours)."""

    kind: str
    name: str
    to: str = ""
    data: bytes = b""
    step: int = 0


@dataclass
class Recorder:
    """Wraps the functions of `os` that touch files in one folder, and notes what they do."""

    folder: Path
    calls: list[Call] = field(default_factory=list)
    open_files: dict[int, str] = field(default_factory=dict)

    def inside(self, path: Any) -> bool:
        """Whether a path lies in the folder."""
        return isinstance(path, str | os.PathLike) and Path(os.fspath(path)).parent == self.folder

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:  # noqa: C901 - a wrapper for each call
        """Record while the block runs."""
        kept = {name: getattr(os, name) for name in ("open", "fdopen", "fsync", "replace", "rename", "unlink", "close")}
        kept_open = builtins.open
        recorder = self

        def opening(path: Any, flags: int, *words: Any, **options: Any) -> int:
            handle: int = kept["open"](path, flags, *words, **options)
            if recorder.inside(path) and flags & os.O_CREAT:
                recorder.open_files[handle] = Path(path).name
                recorder.calls.append(Call("create", Path(path).name))
            elif isinstance(path, str | os.PathLike) and Path(os.fspath(path)) == recorder.folder:
                recorder.open_files[handle] = ""
            return handle

        def fdopen(handle: int, *words: Any, **options: Any) -> Any:
            file = kept["fdopen"](handle, *words, **options)
            return _Noted(file, recorder, recorder.open_files[handle]) if handle in recorder.open_files else file

        def fsync(handle: int) -> None:
            kept["fsync"](handle)
            if handle in recorder.open_files:
                name = recorder.open_files[handle]
                recorder.calls.append(Call("flush", name) if name else Call("flush_folder", ""))

        def rename(source: Any, target: Any) -> None:
            kept["replace"](source, target)
            if recorder.inside(target):
                recorder.calls.append(Call("rename", Path(source).name, to=Path(target).name))

        def unlink(path: Any, *words: Any, **options: Any) -> None:
            kept["unlink"](path, *words, **options)
            if recorder.inside(path):
                recorder.calls.append(Call("unlink", Path(path).name))

        def close(handle: int) -> None:
            recorder.open_files.pop(handle, None)
            kept["close"](handle)

        def plain_open(path: Any, mode: str = "r", *words: Any, **options: Any) -> Any:
            if recorder.inside(path) and set(mode) & set("wax+"):  # a way past the one place that writes files
                recorder.calls.append(Call("create", Path(path).name))
                return _Noted(kept_open(path, mode, *words, **options), recorder, Path(path).name)
            return kept_open(path, mode, *words, **options)

        wrapped = {"open": opening, "fdopen": fdopen, "fsync": fsync, "replace": rename, "rename": rename}
        for name, function in (wrapped | {"unlink": unlink, "close": close}).items():
            setattr(os, name, function)
        builtins.open = plain_open  # type: ignore[assignment]
        try:
            yield
        finally:
            for name, function in kept.items():
                setattr(os, name, function)
            builtins.open = kept_open


class _Noted:
    """A file whose writes are noted, cut into pieces."""

    def __init__(self, file: Any, recorder: Recorder, name: str) -> None:
        self._file, self._recorder, self._name = file, recorder, name

    def write(self, data: Any) -> int:
        raw = data.encode() if isinstance(data, str) else bytes(data)
        size = max(1, -(-len(raw) // PIECES))
        for start in range(0, len(raw), size):
            self._recorder.calls.append(Call("write", self._name, data=raw[start : start + size]))
        return int(self._file.write(data))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *words: object) -> None:
        self._recorder.open_files.pop(self._file.fileno(), None)
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@dataclass
class Disk:
    """What has reached the disk, and what is only on its way."""

    flushed: dict[int, bytes] = field(default_factory=dict)
    written: dict[int, bytes] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    pending: list[Call] = field(default_factory=list)
    promised: int = 0

    def apply(self, call: Call) -> None:
        """Do one call."""
        if call.kind == "create":
            inode = len(self.written)
            self.written[inode], self.flushed[inode], self.known[call.name] = b"", b"", inode
        elif call.kind == "write":
            self.written[self.known[call.name]] += call.data
        elif call.kind == "flush":
            inode = self.known[call.name]
            self.flushed[inode] = self.written[inode]
        elif call.kind == "promise":
            self.promised = call.step
        if call.kind in {"create", "rename", "unlink"}:
            self.pending.append(call)
            self.known = _renamed(self.known, call, self.known)
        if call.kind == "flush_folder":
            self.names, self.pending = dict(self.known), []

    def states(self) -> Iterator[dict[str, bytes]]:
        """Contents of the folder that a power cut may leave now."""
        count = len(self.pending)
        kept = (
            itertools.product((False, True), repeat=count)
            if count <= ALL_SUBSETS
            else [tuple(index < limit for index in range(count)) for limit in range(count + 1)]
        )
        seen = set()
        for choice in kept:
            names = dict(self.names)
            for call, here in zip(self.pending, choice, strict=True):
                if here:
                    names = _renamed(names, call, self.known | self._created())
            for how in ("lost", "half", "zeros", "whole"):
                state = {name: self._content(inode, how) for name, inode in names.items()}
                key = tuple(sorted((name, hash(data)) for name, data in state.items()))
                if key not in seen:
                    seen.add(key)
                    yield state

    def _created(self) -> dict[str, int]:
        """Inodes by the names under which they were made since the last flush of the folder."""
        found, names = {}, dict(self.names)
        number = len(self.written) - sum(call.kind == "create" for call in self.pending)
        for call in self.pending:
            if call.kind == "create":
                names[call.name] = found[call.name] = number
                number += 1
            elif call.kind == "rename" and call.name in names:
                found[call.to] = names[call.to] = names.pop(call.name)
        return found | {name: inode for name, inode in self.names.items() if name not in found}

    def _content(self, inode: int, how: str) -> bytes:
        flushed, written = self.flushed[inode], self.written[inode]
        if how == "whole":
            return written
        on_its_way = len(written) - len(flushed)
        return (
            flushed + {"lost": b"", "half": written[len(flushed) :][: on_its_way // 2], "zeros": bytes(on_its_way)}[how]
        )


def _renamed(names: dict[str, int], call: Call, inodes: dict[str, int]) -> dict[str, int]:
    names = dict(names)
    if call.kind == "create" and call.name in inodes:
        names[call.name] = inodes[call.name]
    elif call.kind == "unlink":
        names.pop(call.name, None)
    elif call.kind == "rename":
        inode = names.pop(call.name, inodes.get(call.name, inodes.get(call.to)))
        if inode is not None:
            names[call.to] = inode
    return names


def recorded(folder: Path, epochs: int) -> list[Call]:
    """Train with a checkpoint an epoch, and give the log of what happened in its folder."""
    from thalweg.training import checkpointer, loop

    recorder = Recorder(folder)
    kept = checkpointer.save_checkpoint

    def promising(where: Path, step: int, *words: Any, **options: Any) -> Path:
        path = kept(where, step, *words, **options)
        recorder.calls.append(Call("promise", path.name, step=step))
        return path

    checkpointer.save_checkpoint = promising
    loop.CHECKPOINT_SECONDS = -1.0
    try:
        with recorder.listening():
            trainer(folder, epochs).fit()
    finally:
        checkpointer.save_checkpoint = kept
        loop.CHECKPOINT_SECONDS = 20.0
    return recorder.calls


def trainer(folder: Path, epochs: int) -> Any:
    """A small trainer with everything on: average, dropout, augmentation, best epoch."""
    import numpy as np
    import torch

    from thalweg.core.plan import Augmentation
    from thalweg.data.batching.batches import Batches
    from thalweg.training.device import Device
    from thalweg.training.loop import Trainer
    from thalweg.training.progress import Recipe

    recipe = Recipe(
        epochs=epochs, deadline_seconds=None, learning_rate=0.02, optimizer="adam", weight_decay=0.0, warmup=0.1,
        smoothing=0.0, weights=None, average=0.9, patience=0, stages=(1.0,), side=8, seed=3,
    )  # fmt: skip
    labels = np.arange(24) % 2
    pixels = np.random.default_rng(0).integers(0, 120, (24, 8, 8, 3), dtype=np.uint8)
    pixels[labels == 1, :, :, 0] += 90
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.2), torch.nn.Linear(192, 2))
    rows = np.arange(24)
    return Trainer(
        module,
        recipe,
        train=Batches(pixels, rows[:16], labels[:16], batch_size=8, seed=3, augmentation=Augmentation()),
        heldout=Batches(pixels, rows[16:], labels[16:], batch_size=8),
        device=Device("cpu", None),
        folder=folder,
        observer=lambda _: None,
        log_steps=lambda _: None,
    )


def judged(state: dict[str, bytes], folder: Path, promised: int) -> str:
    """What is wrong with going on from a state; empty where nothing is."""
    from thalweg.core.errors import ThalwegError

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in state.items():
        (folder / name).write_bytes(data)
    fresh = trainer(folder, 9)
    try:
        fresh.resume()
        if fresh.state.best_epoch:
            fresh.use_best()
    except ThalwegError as error:
        return str(error).replace(str(folder), "")
    return "" if fresh.state.step >= promised else f"step {fresh.state.step} of {promised} promised"


def work(quick: bool) -> dict[str, object]:
    """Record, cut everywhere, load."""
    details: list[Case] = []
    disk, states = Disk(), 0
    with tempfile.TemporaryDirectory() as name:
        run, copy = Path(name, "run"), Path(name, "copy")
        run.mkdir()
        calls = recorded(run, 3 if quick else 8)
        for number, call in enumerate(calls):
            disk.apply(call)
            for state in disk.states():
                states += 1
                wrong = judged(state, copy, disk.promised)
                if wrong:
                    details.append({"after": number, "call": f"{call.kind} {call.name}", "wrong": wrong, "held": False})
        left = {path.name for path in run.iterdir()}
    whole = disk.promised > 0 and left == set(disk.known)  # else something was written past the recorder
    if not whole:
        details.append({"wrong": f"written unseen: {sorted(left ^ set(disk.known))}", "held": False})
    kinds = {kind: sum(call.kind == kind for call in calls) for kind in sorted({call.kind for call in calls})}
    return {
        "row": 3,
        "system_calls": len(calls) - kinds.get("promise", 0),
        "kinds": kinds,
        "cases": states,
        "held": states - len(details),
        "details": details,
    }


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
