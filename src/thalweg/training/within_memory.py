"""Answers of a network for batches that memory does not hold at once: in halves, as often as it takes.

A step of training has a reason to do more than this (`pieces.py`); an answer in evaluation mode is the same in halves.
"""

import torch

from thalweg.core.process import NO_MEMORY
from thalweg.modules.sharded import is_sharded
from thalweg.training.device import Device

__all__ = ["answer_within_memory", "is_out_of_memory"]

_NO_MEMORY = (*NO_MEMORY, "could not create a primitive")
"""The last is oneDNN's, which convolves on processors and had no memory left to prepare that in."""


def answer_within_memory(module: torch.nn.Module, pixels: torch.Tensor, device: Device) -> torch.Tensor:
    """Run a network in evaluation mode over a batch, in parts where memory is too small for all of it.

    Args:
        module: The network; one in shards is asked once, because all ranks gather its layers together.
        pixels: Samples `(N, ...)`, wherever they lie.
        device: Where to compute.

    Returns:
        What the module gives, `(N, ...)`.

    Raises:
        RuntimeError: A single sample is too much, or something else went wrong.
        MemoryError: A single sample is too much.

    Example:
        >>> from thalweg.training.device import choose_device
        >>> answer_within_memory(torch.nn.Flatten(), torch.zeros(3, 2, 2), choose_device("cpu")).shape
        torch.Size([3, 4])
    """
    try:
        with device.context():
            answer: torch.Tensor = module(pixels.to(device.kind))
            return answer
    except (RuntimeError, MemoryError) as error:
        if len(pixels) == 1 or is_sharded(module) or not is_out_of_memory(error):
            raise
    # Only here what the pass had made is free again.
    halves = torch.split(pixels, -(-len(pixels) // 2))
    return torch.cat([answer_within_memory(module, half, device) for half in halves])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch failed for want of memory, on whichever device.

    Args:
        error: What it raised.

    Returns:
        True for a device's own error and for the CPU's, which is a plain RuntimeError.

    Example:
        >>> is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
        True
        >>> is_out_of_memory(RuntimeError("shapes differ"))
        False
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(each in words for each in _NO_MEMORY)
