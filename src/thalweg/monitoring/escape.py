"""Ways out of a place that training cannot leave by itself: new initial weights, or a shake of the present ones."""

import torch

from thalweg.modules.numbers import drawing_from

__all__ = ["draw_anew", "shake"]

_LEAST = 0.1  # of the size that initial weights usually have


def draw_anew(module: torch.nn.Module, *, seed: int) -> list[str]:
    """Give every layer the initial weights of its own kind, by its own `reset_parameters`.

    Args:
        module: The network; changed in place, buffers such as running means with it.
        seed: Where the random numbers start; torch's own random state is left as it was.

    Returns:
        Names of layers with weights of their own that know no such method and were left alone.

    Example:
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        >>> _ = net[0].weight.data.fill_(torch.inf)
        >>> draw_anew(net, seed=1), bool(net[0].weight.isfinite().all())
        ([], True)
    """
    left = []
    with drawing_from(seed, module.parameters()), torch.no_grad():
        for name, layer in module.named_modules():
            reset = getattr(layer, "reset_parameters", None) or getattr(layer, "_reset_parameters", None)
            if callable(reset):
                reset()
            elif any(weight.requires_grad for weight in layer.parameters(recurse=False)):
                left.append(name)
    return left


@torch.no_grad()
def shake(module: torch.nn.Module, *, strength: float, seed: int) -> None:
    """Move every trainable weight at random, in proportion to the size of its tensor.

        w <- w + strength * max(rms(w), 0.1 / sqrt(inputs of a unit)) * z,   z standard normal

    A point where the gradient vanishes and some curvature is negative is left so, in a direction that a random one
    almost surely has a share in (Jin et al. 2017). Matrices of zeros are moved, too: they are such a point.

    Args:
        module: The network; changed in place.
        strength: Relative size of the move.
        seed: Where the random numbers start.
    """
    with drawing_from(seed, module.parameters()):
        for weight in module.parameters():
            if weight.requires_grad and weight.is_floating_point():
                size = weight.square().mean().sqrt()
                if weight.ndim > 1:
                    size = size.clamp(min=_LEAST / max(1, weight[0].numel()) ** 0.5)
                weight.add_(torch.randn_like(weight) * (strength * size))
