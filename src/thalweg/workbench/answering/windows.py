"""Logits of pictures of any size: the whole at once, or window by window where memory is short.

A window sees what lies in it, so its rim is answered with less context than its middle. Only the middle of each window
is kept; windows begin at multiples of 32 pixels, where the encoder's grid begins too. Where the rim that is thrown away
is as wide as the network's receptive field reaches, windows give what the whole picture gives, but for rounding; a
context module, which sees the whole, is given less by windows, and that cannot be mended.
"""

from collections.abc import Iterator

import torch

__all__ = ["ALIGNED", "whole_logits", "window_logits"]

ALIGNED = 32
"""Strides of all encoders divide it."""


@torch.inference_mode()
def whole_logits(module: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    """Logits of whole pictures.

    Args:
        module: The network in evaluation mode, giving logits.
        pixels: float32 `(N, C, H, W)` from 0 to 255.

    Returns:
        float32 `(N, K, H, W)`.
    """
    logits: torch.Tensor = module(pixels)
    return logits.float()


@torch.inference_mode()
def window_logits(
    module: torch.nn.Module, pixels: torch.Tensor, *, window: tuple[int, int], rim: int | None = None
) -> torch.Tensor:
    """The same, window by window.

    Args:
        module: The network in evaluation mode, giving logits.
        pixels: float32 `(N, C, H, W)` from 0 to 255.
        window: Height and width of a window; rounded up to a multiple of 32, and to three rims at least.
        rim: Pixels of a window's edge that are thrown away inside the picture; None for a quarter of the shorter side.

    Returns:
        float32 `(N, K, H, W)`.
    """
    least = _up(min(window) // 4 if rim is None else rim)
    rows, columns = (list(_pieces(extent, size, least)) for extent, size in zip(pixels.shape[2:], window, strict=True))
    done = []
    for top, bottom, above, below in rows:
        line = []
        for left, right, before, after in columns:
            logits = whole_logits(module, pixels[:, :, top:bottom, left:right])
            line.append(logits[:, :, above - top : below - top, before - left : after - left])
        done.append(torch.cat(line, dim=3))
    return torch.cat(done, dim=2)


def _pieces(extent: int, size: int, rim: int) -> Iterator[tuple[int, int, int, int]]:
    """Begin and end of each window along an axis, and of the middle that is kept."""
    size = max(_up(size), 3 * rim)
    kept = 0
    while kept < extent:
        begin = max(0, kept - rim)
        end = begin + size
        last = end + rim >= extent  # what would be left is thinner than a rim: this window takes it too
        end = extent if last else end
        until = extent if last else end - rim
        yield begin, end, kept, until
        kept = until


def _up(value: int) -> int:
    return max(1, -(-value // ALIGNED)) * ALIGNED
