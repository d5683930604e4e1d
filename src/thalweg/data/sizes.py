"""How large the pictures of a source are, from the headers of a few: enough to choose a size without decoding any."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from thalweg.data.pillow_notes import listening

__all__ = ["typical_side"]

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
    from PIL import Image

    step = max(1, len(files) // SAMPLE)
    sides = []
    for file in files[::step]:
        try:
            with listening(), Image.open(root / file) as picture:
                sides.append(min(picture.size))
        except Exception:  # noqa: BLE001, S112 - a file that cannot be opened is named later, where it is decoded
            continue
    return round(statistics.median(sides)) if sides else UNKNOWN_SIDE
