"""Unpacking (stub while the room is being built)."""

from pathlib import Path

from thalweg.core.dataset import Notice


def unpack(archive: Path, target: Path) -> tuple[Notice, ...]:
    raise NotImplementedError
