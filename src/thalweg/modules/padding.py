"""Convolution and pooling whose padding torch does not know: unequal sides, and `same` with a stride.

The padding of `same` with a stride depends on the size that comes in, so it is computed at every call, as TensorFlow
does.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from thalweg.core.network_spec import Setting
from thalweg.core.window import same_padding

__all__ = ["Margins", "PaddedConv1d", "PaddedConv2d", "PaddedConv3d", "PaddedPool", "margins"]

Pairs: TypeAlias = tuple[tuple[int, int], ...]


class Margins(nn.Module):
    """Grow every spatial axis before a window slides over it.

    Args:
        pairs: Positions before and after each axis; None computes them for `same`.
        kernel: Taps on each axis.
        stride: Step on each axis.
        dilation: Distance between taps on each axis.

    Attributes:
        value: What is put there, 0 unless somebody says otherwise.
    """

    def __init__(
        self,
        pairs: Pairs | None,
        *,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        dilation: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.pairs = pairs
        self.kernel, self.stride, self.dilation = kernel, stride, dilation
        self.value = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Grow a batch.

        Args:
            x: Batch, channels, then one to three spatial axes.

        Returns:
            The same with margins.
        """
        pairs = self.pairs
        if pairs is None:
            axes = zip(x.shape[2:], self.kernel, self.stride, self.dilation, strict=True)
            pairs = tuple(same_padding(int(size), *numbers) for size, *numbers in axes)
        flat = [number for pair in reversed(pairs) for number in pair]  # torch counts from the last axis
        return functional.pad(x, flat, value=self.value)

    def extra_repr(self) -> str:
        """Describe the margins in `print(module)`.

        Returns:
            The pairs, or `same`.
        """
        return f"pairs={self.pairs or 'same'}"


def margins(
    padding: Setting, *, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[int, ...] | Pairs | None:
    """What padding amounts to.

    Args:
        padding: A number, numbers, pairs, `same` or `valid`.
        kernel: Taps on each axis.
        stride: Step on each axis.
        dilation: Distance between taps on each axis.

    Returns:
        Numbers where both sides are equal, pairs where not, None where it depends on what comes in.

    Example:
        >>> margins("same", kernel=(3,), stride=(1,), dilation=(1,))
        (1,)
        >>> margins("same", kernel=(4,), stride=(1,), dilation=(1,))
        ((1, 2),)
        >>> margins("same", kernel=(3,), stride=(2,), dilation=(1,)) is None
        True
    """
    if padding == "valid":
        return (0,) * len(kernel)
    if padding == "same":
        if any(step > 1 for step in stride):
            return None
        # With a step of one the padding depends on the reach alone; an axis at least that long shows it.
        pairs = tuple(same_padding(reach * tap, tap, 1, reach) for tap, reach in zip(kernel, dilation, strict=True))
    elif isinstance(padding, tuple) and isinstance(padding[0], tuple):
        pairs = padding
    else:
        return padding if isinstance(padding, tuple) else (padding,) * len(kernel)  # type: ignore[return-value]
    if all(before == after for before, after in pairs):
        return tuple(before for before, _ in pairs)
    return pairs


class PaddedConv1d(nn.Conv1d):
    """A convolution over sequences behind margins."""

    margins: Margins

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Grow, then convolve.

        Args:
            input: The batch.

        Returns:
            The convolved batch.
        """
        return super().forward(self.margins(input))


class PaddedConv2d(nn.Conv2d):
    """A convolution over pictures behind margins."""

    margins: Margins

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Grow, then convolve.

        Args:
            input: The batch.

        Returns:
            The convolved batch.
        """
        return super().forward(self.margins(input))


class PaddedConv3d(nn.Conv3d):
    """A convolution over volumes behind margins."""

    margins: Margins

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Grow, then convolve.

        Args:
            input: The batch.

        Returns:
            The convolved batch.
        """
        return super().forward(self.margins(input))


class PaddedPool(nn.Module):
    """A pooling behind margins.

    Args:
        grow: The margins.
        pool: The pooling without padding.
        divide: Whether an average counts only what was there before the margins.
    """

    def __init__(self, grow: Margins, pool: Callable[[Tensor], Tensor], *, divide: bool = False) -> None:
        super().__init__()
        self.grow = grow
        self.pool = pool
        self.divide = divide

    def forward(self, x: Tensor) -> Tensor:
        """Grow, then pool.

        Args:
            x: The batch.

        Returns:
            The pooled batch.
        """
        pooled = self.pool(self.grow(x))
        if not self.divide:
            return pooled
        inside = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        return pooled / self.pool(self.grow(inside))
