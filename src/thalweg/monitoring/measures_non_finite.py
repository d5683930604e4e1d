"""Which layer made the first number that is not finite: found with one forward pass, when it has happened."""

import functools

import torch
from torch.utils._pytree import tree_leaves

from thalweg.monitoring.measures_norms import Layers
from thalweg.monitoring.replay import Batch, Replay

__all__ = ["first_non_finite"]

INPUT = "input"
"""Named where the input itself is not finite."""
LOSS = "loss"
"""Named where everything up to the output is finite."""


def first_non_finite(module: torch.nn.Module, layers: Layers, replay: Replay, batch: Batch | None) -> str:
    """Find the layer that made the first number that is not finite.

    Args:
        module: The network.
        layers: Its trained weights.
        replay: What runs a batch again.
        batch: The batch; None where none is held.

    Returns:
        The layer's name; `input` where the input was not finite, `loss` where only the loss or a gradient is not.

    Example:
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        >>> _ = torch.nn.init.constant_(net[0].weight, float("nan"))
        >>> first_non_finite(net, Layers(net, torch.optim.SGD(net.parameters(), lr=1)), Replay(net), None)
        '0'
    """
    if batch is not None and not all(_finite(each) for each in batch.inputs):
        return INPUT
    broken = [
        name or type(layer).__name__
        for name, layer in module.named_modules()
        if not all(_finite(weight) for weight in layer.parameters(recurse=False))
    ]
    if broken:  # a forward pass was finite until now, so a gradient broke them, from the end to the beginning
        return broken[-1]
    made = _by_replay(module, replay, batch)
    if made:
        return made
    bad = [
        owner
        for owner, gradient in zip(layers.owners, layers.gradients(), strict=True)
        if gradient is not None and not _finite(gradient)
    ]
    # Backward runs from the end: where forward is finite, the deepest gradient that is not was made first.
    return layers.names[max(bad)] if bad and len(set(bad)) < len(layers.names) else LOSS


def _by_replay(module: torch.nn.Module, replay: Replay, batch: Batch | None) -> str:
    if batch is None or not batch.whole:
        return ""
    found: list[str] = []

    def after(name: str, _: torch.nn.Module, __: object, output: object) -> None:
        tensors = [each for each in tree_leaves(output) if isinstance(each, torch.Tensor)]
        if not found and not all(_finite(each) for each in tensors):
            found.append(name)

    leaves = [(name, leaf) for name, leaf in module.named_modules() if not list(leaf.children())]
    handles = [leaf.register_forward_hook(functools.partial(after, name or "model")) for name, leaf in leaves]
    try:
        with torch.no_grad():
            output = replay.run(batch)
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return found[0]
    outputs = [each for each in tree_leaves(output) if isinstance(each, torch.Tensor)]
    return "" if all(_finite(each) for each in outputs) else "output"


def _finite(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor.detach()).all())
