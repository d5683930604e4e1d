"""The three optimizers of a plan, set up the same way: decay on weights only, one fused update where there is one.

Parts of a network may learn at a share of the rate (`unfreezing`); each group keeps its share under `share`.
"""

from collections.abc import Sequence

import torch

from thalweg.core.plan import OptimizerName
from thalweg.training.unfreezing import Part

__all__ = ["make_optimizer", "set_rate"]


def make_optimizer(
    module: torch.nn.Module,
    name: OptimizerName,
    *,
    learning_rate: float,
    weight_decay: float,
    parts: Sequence[Part] = (),
) -> torch.optim.Optimizer:
    """Set an optimizer up.

    Weight decay spares biases and normalisation scales (every parameter with fewer than two axes): they do not overfit,
    and shrinking a scale only changes the effective learning rate.

    Args:
        module: The network.
        name: `adam` (Kingma and Ba 2014), `adamw` (Loshchilov and Hutter 2017; the second moment forgets ten times
            faster than usual, which suits short runs) or `sgd` with Nesterov momentum 0.9.
        learning_rate: The rate of the first step.
        weight_decay: Decoupled for `adamw`, added to the gradient otherwise.
        parts: Parts of the network that learn at a share of the rate, the first at the whole of it; together all
            parameters that are trained. None treats them alike.

    Returns:
        The optimizer.
    """
    groups: list[dict[str, object]] = []
    named = {key: parameter for key, parameter in module.named_parameters() if parameter.requires_grad}
    for part in parts or (Part(parameters=tuple(named), share=1.0),):
        own = [named[key] for key in part.parameters if key in named]
        for chosen, decay in (([p for p in own if p.ndim > 1], weight_decay), ([p for p in own if p.ndim <= 1], 0.0)):
            if chosen:
                rate = learning_rate * part.share
                groups.append({"params": chosen, "lr": rate, "weight_decay": decay, "share": part.share})
    if name == "sgd":
        return torch.optim.SGD(groups, lr=learning_rate, momentum=0.9, nesterov=True, fused=True)
    if name == "adam":
        return torch.optim.Adam(groups, lr=learning_rate, fused=True)
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.99), fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Change the learning rate of every group, each to its share.

    Args:
        optimizer: The optimizer.
        rate: The new rate.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)
