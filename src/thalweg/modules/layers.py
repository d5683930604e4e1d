"""The layers torch has no module for: rescaling, joining, global pooling, subsampling, resizing, attention."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "Add",
    "Attention",
    "AttentionPool",
    "ChannelLayerNorm",
    "Concatenate",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "Multiply",
    "Pad",
    "Rescale",
    "Resize",
    "Subsample",
]

_LINEAR_MODES = ("linear", "bilinear", "trilinear")


class Rescale(nn.Module):
    """y = x scale + offset, fixed; whole-number pixels come out as float32.

    Args:
        scale: A number, or one for each channel.
        offset: A number, or one for each channel.
        axes: Spatial axes of what comes in.
    """

    scale: Tensor | float
    offset: Tensor | float

    def __init__(self, scale: float | tuple[float, ...], offset: float | tuple[float, ...], axes: int) -> None:
        super().__init__()
        self.numbers = (scale, offset)  # as they were given, for whoever reads the module back
        for name, value in (("scale", scale), ("offset", offset)):
            if isinstance(value, tuple):
                constant = torch.tensor(value, dtype=torch.float32).reshape(-1, *(1,) * axes)
                self.register_buffer(name, constant, persistent=False)  # the spec holds it already
            else:
                setattr(self, name, float(value))

    def forward(self, x: Tensor) -> Tensor:
        """Rescale a batch.

        Args:
            x: Pixels of any type.

        Returns:
            Floating-point values.
        """
        y = x * self.scale
        return y if isinstance(self.offset, float) and self.offset == 0 else y + self.offset

    def extra_repr(self) -> str:
        """Describe the numbers in `print(module)`.

        Returns:
            Scale and offset.
        """
        return "scale={}, offset={}".format(*self.numbers)


class Add(nn.Module):
    """The sum of all inputs."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        """Add.

        Args:
            first: A batch.
            *others: Batches of the same shape.

        Returns:
            Their sum.
        """
        for other in others:
            first = first + other
        return first


class Multiply(nn.Module):
    """The product of all inputs."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        """Multiply.

        Args:
            first: A batch.
            *others: Batches of the same shape, or gates with one number a channel.

        Returns:
            Their product.
        """
        for other in others:
            first = first * other
        return first


class Concatenate(nn.Module):
    """All inputs stacked along the channels."""

    def forward(self, *values: Tensor) -> Tensor:
        """Stack.

        Args:
            *values: Batches of the same spatial size.

        Returns:
            One batch with all channels.
        """
        return torch.cat(values, 1)


class GlobalAvgPool(nn.Module):
    """Mean over all positions."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool.

        Args:
            x: Batch, channels, then spatial axes.

        Returns:
            Batch, channels.
        """
        return x.mean(tuple(range(2, x.ndim)))


class GlobalMaxPool(nn.Module):
    """Largest value over all positions."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool.

        Args:
            x: Batch, channels, then spatial axes.

        Returns:
            Batch, channels.
        """
        return x.amax(tuple(range(2, x.ndim)))


class ChannelLayerNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Normalise.

        Args:
            input: Batch, channels, then spatial axes.

        Returns:
            The same shape.
        """
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


class Subsample(nn.Module):
    """Keep every `stride`-th position.

    Args:
        stride: Step on each spatial axis.
    """

    def __init__(self, stride: tuple[int, ...]) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Subsample.

        Args:
            x: Batch, channels, then spatial axes.

        Returns:
            Fewer positions.
        """
        return x[(slice(None), slice(None), *(slice(None, None, step) for step in self.stride))]


class Pad(nn.Module):
    """Zeros around the positions, and zero channels before and after.

    Args:
        pairs: Positions before and after each spatial axis.
        channels: Channels before and after.
    """

    def __init__(self, pairs: tuple[tuple[int, int], ...], channels: tuple[int, int]) -> None:
        super().__init__()
        self.flat = [number for pair in reversed(pairs) for number in pair] + list(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Pad.

        Args:
            x: Batch, channels, then spatial axes.

        Returns:
            The grown batch.
        """
        return functional.pad(x, self.flat)


class Crop(nn.Module):
    """Positions and channels left out on either side: a part of what is read, in the same memory.

    Args:
        pairs: Positions before and after each spatial axis.
        channels: Channels before and after.
    """

    def __init__(self, pairs: tuple[tuple[int, int], ...], channels: tuple[int, int]) -> None:
        super().__init__()
        self.pairs = (channels, *pairs)

    def forward(self, x: Tensor) -> Tensor:
        """Crop.

        Args:
            x: Batch, channels, then spatial axes.

        Returns:
            The part.
        """
        kept = (slice(before, size - after) for (before, after), size in zip(self.pairs, x.shape[1:], strict=True))
        return x[(slice(None), *kept)]


class Resize(nn.Module):
    """What comes first, resized to the spatial size of what comes second, corners not aligned.

    Args:
        mode: `linear` (bilinear, trilinear) or `nearest`.
    """

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        """Resize.

        Args:
            x: Batch, channels, then spatial axes.
            like: What has the size to reach.

        Returns:
            The resized batch.
        """
        mode = "nearest" if self.mode == "nearest" else _LINEAR_MODES[x.ndim - 3]
        return functional.interpolate(x, size=like.shape[2:], mode=mode)


class Attention(nn.Module):
    """For every position the mean of all positions' values, weighted by the softmax of query times key.

    Args:
        scaled: Whether the products are divided by the square root of the key's channels.
    """

    def __init__(self, *, scaled: bool) -> None:
        super().__init__()
        self.scaled = scaled

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend.

        Args:
            query: Batch, channels, then spatial axes.
            key: As many channels; its positions are those that are looked at.
            value: As many positions as the key.

        Returns:
            The value's channels at the query's positions.
        """
        scores = key.flatten(2).transpose(1, 2) @ query.flatten(2)
        if self.scaled:
            scores = scores / query.shape[1] ** 0.5
        seen = value.flatten(2) @ scores.softmax(1)
        return seen.reshape(*seen.shape[:2], *query.shape[2:])


class AttentionPool(nn.Module):
    """The mean over all positions, weighted by the softmax of given scores."""

    def forward(self, x: Tensor, scores: Tensor) -> Tensor:
        """Pool.

        Args:
            x: Batch, channels, then spatial axes.
            scores: One channel of the same size.

        Returns:
            Batch, channels, then axes of one position.
        """
        weights = scores.flatten(2).softmax(2)
        pooled = x.flatten(2) @ weights.transpose(1, 2)
        return pooled.reshape(*x.shape[:2], *(1,) * (x.ndim - 2))
