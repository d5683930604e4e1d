"""What goes into the store of decoded pictures and what comes out, and which generation of it is in use."""

import contextlib
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from thalweg.core.files import write_atomically

__all__ = ["THUMBNAIL", "Channels", "Entry", "Known", "StoreDamagedError", "renew"]

Channels: TypeAlias = Literal["grey", "colour"]
THUMBNAIL = 16
"""Side of the grey miniature kept for finding duplicates, in pixels."""


class StoreDamagedError(Exception):
    """The store on disk is not what its index says; never shown, a new generation is begun.

    Args:
        generation: The damaged one's name.
        what: What is wrong with it.
    """

    def __init__(self, generation: str, what: str) -> None:
        super().__init__(f"{generation}: {what}")
        self.generation = generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the index says about one content.

    Args:
        digest: SHA-256 of the file's bytes.
        grey_row: Its row in the grey file, or None.
        colour_row: Its row in the colour file, or None.
        original_size: Width and height in its file, in pixels.
        pixels: 16-byte digest of the decoded pixels.
        thumbnail: THUMBNAIL * THUMBNAIL grey bytes.
        warning: What is odd about it, or empty.
        refused: Why it is no usable picture, or empty.
    """

    digest: bytes
    grey_row: int | None
    colour_row: int | None
    original_size: tuple[int, int]
    pixels: bytes
    thumbnail: bytes
    warning: str
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file to be recorded; `picture` is None where its content is known already or was refused."""

    path: bytes
    state: str
    digest: bytes
    picture: npt.NDArray[np.uint8] | None = None
    original_size: tuple[int, int] = (0, 0)
    pixels: bytes = b""
    thumbnail: bytes = b""
    warning: str = ""
    refused: str = ""
    fresh: bool = True
    """Whether the content itself is to be recorded, not only the file's name for it."""


def renew(folder: Path, damaged: str | None) -> str:
    """Begin a new generation of a store.

    Args:
        folder: Where the store lies.
        damaged: The generation to leave, or None. If another process left it already, its new one is used.

    Returns:
        The name of the generation to use.
    """
    name = secrets.token_hex(4)
    with contextlib.suppress(FileExistsError), (folder / "current").open("x") as file:  # one of two processes wins
        file.write(name)
    for _ in range(20):
        now = _current(folder)
        if now is not None:
            break
        time.sleep(0.01)  # the other process has made the file and not yet written the name
    if now is not None and now != damaged:
        return now
    write_atomically(folder / "current", name)
    if damaged:
        for path in folder.glob(f"{damaged}.*"):
            with contextlib.suppress(OSError):  # Windows keeps files that are mapped
                path.unlink()
    return name


def _current(folder: Path) -> str | None:
    try:
        name = (folder / "current").read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return name if name.isalnum() else None
