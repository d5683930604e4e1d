"""The three optimizers of a plan, set up the same way: decay on weights only, one fused update where there is one."""

import torch

from thalweg.core.plan import OptimizerName

__all__ = ["make_optimizer", "set_rate"]


def make_optimizer(
    module: torch.nn.Module, name: OptimizerName, *, learning_rate: float, weight_decay: float
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

    Returns:
        The optimizer.
    """
    matrices = [parameter for parameter in module.parameters() if parameter.requires_grad and parameter.ndim > 1]
    vectors = [parameter for parameter in module.parameters() if parameter.requires_grad and parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if name == "sgd":
        return torch.optim.SGD(groups, lr=learning_rate, momentum=0.9, nesterov=True, fused=True)
    if name == "adam":
        return torch.optim.Adam(groups, lr=learning_rate, fused=True)
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.99), fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Change the learning rate of every group.

    Args:
        optimizer: The optimizer.
        rate: The new rate.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate
