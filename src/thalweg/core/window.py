"""The geometry of a sliding window along one axis: the arithmetic that convolution and pooling share."""

from dataclasses import dataclass

from thalweg.core.errors import ShapeError

__all__ = ["Window", "extent_after", "same_padding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One axis of a convolution or pooling window.

    Args:
        kernel: Number of taps.
        stride: Step between two places, in positions.
        padding: Positions added before the axis, and after it too unless `padding_end` says otherwise.
        padding_end: Positions added after the axis, where the two sides differ.
        dilation: Distance between two neighbouring taps.

    Raises:
        ShapeError: A number is out of range.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    padding_end: int | None = None
    dilation: int = 1

    def __post_init__(self) -> None:
        for name, low in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise ShapeError(f"{name} is {value!r}; a whole number from {low} is wanted")
        if self.padding_end is not None and self.padding_end < 0:
            raise ShapeError(f"padding at the end is {self.padding_end}; a whole number from 0 is wanted")

    @property
    def reach(self) -> int:
        """Positions from the first tap to the last, both included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padding_total(self) -> int:
        """Positions added on both sides together."""
        return self.padding + (self.padding if self.padding_end is None else self.padding_end)


def extent_after(extent: int, window: Window) -> int:
    """Count the places a window fits along one axis.

        out = (extent + padding on both sides - reach) // stride + 1

    Args:
        extent: Size of the input axis, in positions.
        window: The window's geometry on that axis.

    Returns:
        Size of the output axis, in positions; never zero.

    Raises:
        ShapeError: The window is wider than the padded axis.

    Example:
        >>> extent_after(224, Window(kernel=7, stride=2, padding=3))
        112
    """
    padded = extent + window.padding_total
    if window.reach > padded:
        raise ShapeError(
            f"the window reaches over {window.reach} positions, the padded axis has only {padded}; "
            "a smaller kernel, padding, or less stride and pooling before it helps"
        )
    return (padded - window.reach) // window.stride + 1


def same_padding(extent: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Padding before and after with which a window gives `ceil(extent / stride)` places.

    The odd position goes to the end, as TensorFlow and PyTorch's `padding="same"` do.

    Args:
        extent: Size of the input axis, in positions.
        kernel: Number of taps.
        stride: Step between two places.
        dilation: Distance between two taps.

    Returns:
        Positions to add before and after.

    Example:
        >>> same_padding(224, 3, stride=2)
        (0, 1)
        >>> same_padding(32, 5)
        (2, 2)
    """
    places = -(-extent // stride)
    total = max(0, (places - 1) * stride + dilation * (kernel - 1) + 1 - extent)
    return total // 2, total - total // 2
