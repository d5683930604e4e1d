"""Networks of an experiment as `thalweg train` computes them on this processor: channels last, products in bfloat16.

For experiments that compare how good networks become; those that look at gradients, noise and surfaces keep float32.
"""

from typing import TypeVar

from torch import nn

from thalweg.core.network_spec import NetworkSpec
from thalweg.training.device import Device, choose_device, move
from thalweg.workbench.starting.precision import sound

__all__ = ["at_speed"]

Module = TypeVar("Module", bound=nn.Module)


def at_speed(module: Module, spec: NetworkSpec) -> tuple[Module, Device]:
    """Lay a network out for training as it is fastest here.

    Args:
        module: The network, changed in place.
        spec: Its description.

    Returns:
        The module, and the precision to call it in (`device.context()`): float32 where the processor does not multiply
        bfloat16, or not rightly for this network.

    Example:
        >>> import torch
        >>> from thalweg.core.shape import Shape
        >>> from thalweg.modules.build import build
        >>> from thalweg.networks.catalogue import network
        >>> spec = network("small", Shape(3, (32, 32)), 5)
        >>> module, device = at_speed(build(spec.logits()[0], seed=0), spec)
        >>> with device.context():
        ...     tuple(module(torch.zeros(4, 3, 32, 32)).shape)
        (4, 5)
    """
    device = sound(choose_device("cpu"), spec)
    return move(module, device), device
