"""Small pictures for the report, taken from the cache: the same pixels that the network saw."""

import io
from collections.abc import Sequence

import numpy as np

from thalweg.core.report import Picture

__all__ = ["as_picture", "thumbnails"]

SIDE = 144


def as_picture(pixels: np.ndarray, caption: str, *, file: str = "", badge: str = "") -> Picture:
    """Encode pixels as a small JPEG.

    Args:
        pixels: uint8 `(height, width, 1 or 3)`.
        caption: What is shown below it.
        file: Where it came from.
        badge: A short word shown on it.

    Returns:
        The picture, at most 144 pixels a side.
    """
    from PIL import Image

    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE))
    elif max(image.size) < SIDE // 2:
        factor = SIDE // (2 * max(image.size)) or 1
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return Picture(data=out.getvalue(), media_type="image/jpeg", caption=caption, file=file, badge=badge)


def thumbnails(
    pixels: np.ndarray, rows: Sequence[int], captions: Sequence[str], files: Sequence[str], badge: str = ""
) -> tuple[Picture, ...]:
    """Encode several cached pictures.

    Args:
        pixels: The cache, uint8 `(rows, side, side, 1 or 3)`.
        rows: Rows to show.
        captions: One a row.
        files: One a row.
        badge: A short word shown on each.

    Returns:
        The pictures in the same order.
    """
    return tuple(
        as_picture(np.asarray(pixels[row]), caption, file=file, badge=badge)
        for row, caption, file in zip(rows, captions, files, strict=True)
    )
