"""Where a number that is not finite came from: the input, a weight, the loss, or the gradient of a weight."""

from collections.abc import Sequence

import torch

from thalweg.modules.sharded import local

__all__ = ["first_source", "source_of"]

_ORDER = ("input", "weight", "network's output", "training loss", "gradient of", "gradient norm")


def source_of(
    module: torch.nn.Module, pixels: torch.Tensor, logits: torch.Tensor, objective: torch.Tensor, norm: torch.Tensor
) -> str:
    """Name the first place of a step in which something is not finite, in the order in which a step computes.

    Args:
        module: The network, after the backward pass and before the update.
        pixels: What it was shown.
        logits: What it answered.
        objective: What is minimised.
        norm: Norm of all gradients.

    Returns:
        Such as `input (3 of 32 samples)`, `weight conv1.weight`, `network's output`, `training loss`, `gradient of
        conv1.weight`; empty where all is finite.

    Example:
        >>> layer = torch.nn.Linear(1, 1)
        >>> one = torch.ones(1, 1)
        >>> source_of(layer, one * float("nan"), one, one.sum(), one.sum())
        'input (1 of 1 samples)'
        >>> source_of(layer, one, one, one.sum(), one.sum())
        ''
    """
    whole = torch.isfinite(pixels).flatten(1).all(dim=1)
    if not bool(whole.all()):
        return f"input ({int((~whole).sum())} of {len(whole)} samples)"
    values: list[tuple[str, torch.Tensor]] = [
        *((f"weight {name}", value) for name, value in [*module.named_parameters(), *module.named_buffers()]),
        ("network's output", logits),
        ("training loss", objective),
        *((f"gradient of {name}", value.grad) for name, value in module.named_parameters() if value.grad is not None),
        ("gradient norm", norm),
    ]
    broken = (
        name for name, value in values if value.is_floating_point() and not bool(torch.isfinite(local(value)).all())
    )
    return next(broken, "")


def first_source(named: Sequence[str]) -> str:
    """Choose among what several ranks name: the cause, not what it led to.

    Args:
        named: What `source_of` found, a rank; empty where one found nothing.

    Returns:
        What a step computes first; empty where nobody found anything.

    Example:
        >>> first_source(["gradient of conv1.weight", "", "input (1 of 8 samples)"])
        'input (1 of 8 samples)'
    """
    found = [each for each in named if each]
    places = [next((place for place, word in enumerate(_ORDER) if each.startswith(word)), 0) for each in found]
    return found[places.index(min(places))] if found else ""
