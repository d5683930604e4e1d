"""Numbers of tensors on any device: doubles where it has them, one wait for many, as they lie, and at random.

Each wait empties the queue of work that a GPU draws from. Apple's GPUs have no numbers of 64 bits at all.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

__all__ = ["as_it_lies", "draw_from", "drawing_from", "fetched", "wide"]

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


@contextlib.contextmanager
def drawing_from(seed: int, tensors: Iterable[Tensor] = ()) -> Iterator[None]:
    """Let torch's random numbers begin at a seed for a while; afterwards they go on as if nothing had been drawn.

    Args:
        seed: Where.
        tensors: On the devices that draw, besides the processor.

    Yields:
        Nothing.

    Example:
        >>> draw_from(3, "cpu")
        >>> with drawing_from(5):
        ...     _ = torch.rand(9)
        >>> float(torch.rand(())) == float(torch.rand((), generator=torch.Generator().manual_seed(3)))
        True
    """
    devices = {tensor.device for tensor in tensors} - {torch.device("cpu")}
    with torch.random.fork_rng(sorted({each.index or 0 for each in devices if each.type == "cuda"})):
        draw_from(seed, next((each.type for each in devices), "cpu"))
        yield
