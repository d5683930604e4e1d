"""Downloading (stub while the room is being built)."""

import os
from collections.abc import Callable
from pathlib import Path


def cache_folder() -> Path:
    own = os.environ.get("THALWEG_CACHE")
    if own:
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "thalweg"


def fetch(url: str, *, progress: Callable[[str], None] | None = None) -> Path:
    raise NotImplementedError
