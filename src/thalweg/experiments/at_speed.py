"""Networks of an experiment as `thalweg train` computes them on this processor: channels last, products in bfloat16.

For experiments that compare how good networks become; those that look at gradients, noise and surfaces keep float32.
"""

from torch import nn

from thalweg.core.network_spec import NetworkSpec
from thalweg.modules.build import build
from thalweg.training.device import Device, choose_device, move
from thalweg.workbench.precision import sound

__all__ = ["at_speed"]


def at_speed(spec: NetworkSpec, seed: int) -> tuple[nn.Module, Device]:
    """Build a network for training as it is fastest here.

    Args:
        spec: A network that ends in probabilities; they are taken off.
        seed: Of its weights.

    Returns:
        The module in training mode, giving logits, and the precision to call it in (`device.context()`): float32
        where the processor does not multiply bfloat16, or not rightly for this network.

    Example:
        >>> import torch
        >>> from thalweg.core.shape import Shape
        >>> from thalweg.networks.catalogue import network
        >>> module, device = at_speed(network("small", Shape(3, (32, 32)), 5), 0)
        >>> with device.context():
        ...     tuple(module(torch.zeros(4, 3, 32, 32)).shape)
        (4, 5)
    """
    device = sound(choose_device("cpu"), spec)
    return move(build(spec.logits()[0], seed=seed).train(), device), device
