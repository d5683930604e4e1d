"""How large the pictures of a source are, from the headers of a few: enough to choose a size without decoding any."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from thalweg.data.decoding.pillow_notes import listening

__all__ = ["typical_side", "typical_size"]

SAMPLE = 48
UNKNOWN_SIDE = 256


def typical_side(root: Path, files: Sequence[str]) -> int:
    """Median of the shorter sides of a sample of pictures.

    Args:
        root: The source's root.
        files: Paths relative to it.

    Returns:
        Side in pixels; 256 when no header can be read.
    """
    sides = [min(size) for size in _sizes(root, files)]
    return round(statistics.median(sides)) if sides else UNKNOWN_SIDE


def typical_size(root: Path, files: Sequence[str]) -> tuple[int, int]:
    """Median width and height of a sample of pictures.

    Args:
        root: The source's root.
        files: Paths relative to it.

    Returns:
        Width and height in pixels; 256 x 256 when no header can be read.
    """
    sizes = _sizes(root, files)
    if not sizes:
        return UNKNOWN_SIDE, UNKNOWN_SIDE
    return round(statistics.median(wide for wide, _ in sizes)), round(statistics.median(high for _, high in sizes))


def _sizes(root: Path, files: Sequence[str]) -> list[tuple[int, int]]:
    from PIL import Image

    step = max(1, len(files) // SAMPLE)
    sides: list[tuple[int, int]] = []
    for file in files[::step]:
        try:
            with listening(), Image.open(root / file) as picture:
                sides.append(picture.size)
        except Exception:  # noqa: BLE001, S112 - a file that cannot be opened is named later, where it is decoded
            continue
    return sides
