"""Numbers of tensors on any device: doubles where it has them, one wait for many, as they lie, and at random.

Each wait empties the queue of work that a GPU draws from. Apple's GPUs have no numbers of 64 bits at all.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["as_it_lies", "draw_from", "fetched", "wide"]

WITHOUT_DOUBLES = {"mps"}
"""Kinds of devices on which float64 is an error."""


def wide(values: Tensor) -> Tensor:
    """As doubles, or as float32 on a device that has none.

    Args:
        values: Of any type.

    Returns:
        The same values on the same device, float64 where that can be.

    Example:
        >>> wide(torch.ones(2, dtype=torch.bfloat16)).dtype
        torch.float64
    """
    return values.float() if values.device.type in WITHOUT_DOUBLES else values.double()


def fetched(numbers: Sequence[Tensor]) -> Tensor:
    """Bring single numbers to the processor, waiting once for each device they lie on.

    Args:
        numbers: Scalars of any type; a network may be spread over several devices.

    Returns:
        float64 `(len(numbers),)` on the processor, in their order.

    Example:
        >>> fetched([torch.tensor(1.5), torch.tensor(2)]).tolist()
        [1.5, 2.0]
    """
    places: dict[torch.device, list[int]] = {}
    for place, number in enumerate(numbers):
        places.setdefault(number.device, []).append(place)
    found = torch.empty(len(numbers), dtype=torch.float64)
    for own in places.values():
        found[own] = torch.stack([wide(numbers[place].detach()) for place in own]).cpu().double()
    return found


def as_it_lies(values: Tensor) -> Tensor:
    """The same numbers with their axes in the order of memory, so that flattening what is dense copies nothing.

    Args:
        values: Of any layout.

    Returns:
        A view.

    Example:
        >>> as_it_lies(torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last)).shape
        torch.Size([2, 4, 5, 3])
    """
    return values.permute(sorted(range(values.ndim), key=values.stride().__getitem__, reverse=True))


def draw_from(seed: int, kind: str) -> None:
    """Let torch's random numbers begin at a seed.

    Args:
        seed: Where.
        kind: Kind of device that draws them.

    Example:
        >>> draw_from(3, "cpu")
        >>> float(torch.rand(())) == float(torch.rand((), generator=torch.Generator().manual_seed(3)))
        True
    """
    if kind == "cpu":  # torch's function notes for devices that nobody uses who called it, for ever
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)
