"""Sanity check of a map (Adebayo et al. 2018): forget what was learned, and the map must change.

Some maps of the literature are edge detectors: they look the same for a network that knows nothing. So weights are
drawn anew, first those of the last layers, then more and more from the top down to the input, and each time the map is
held against the trained network's. A map that stays as it was does not show what the network learned.

Fresh weights are those before any training: normal with variance 2 / fan-in (He et al. 2015), offsets zero,
normalisations the identity.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from thalweg.explanation.likeness import rank_correlation, structural_similarity

__all__ = ["Likeness", "cascade", "randomised", "weighted_layers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How alike a trained and a randomised network's maps are, over all samples and draws.

    Args:
        rank: Mean rank correlation; a map that went blank counts as 0, nan where the trained network's are all blank.
        structure: Mean structural similarity.
        blank: Share of the randomised maps that are the same everywhere.
    """

    rank: float
    structure: float
    blank: float


def weighted_layers(module: nn.Module) -> list[str]:
    """The layers that hold weights of their own, in the network's order.

    Args:
        module: The network.

    Returns:
        Their names.

    Example:
        >>> weighted_layers(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2)))
        ['0', '2']
    """
    return [
        name for name, each in module.named_modules() if next(iter(each.parameters(recurse=False)), None) is not None
    ]


def randomised(module: nn.Module, names: Sequence[str], seed: int = 0) -> nn.Module:
    """A copy of a network in which some layers have forgotten what they learned.

    Args:
        module: The network, which stays as it is.
        names: The layers.
        seed: Of the fresh weights.

    Returns:
        The copy.
    """
    other = copy.deepcopy(module)
    _forget(other, names, seed)
    return other


def _forget(module: nn.Module, names: Sequence[str], seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    for name in names:
        layer = module.get_submodule(name)
        for kind, weight in layer.named_parameters(recurse=False):
            weight.data.copy_(_fresh(kind, weight, random))
        if isinstance(layer, nn.modules.batchnorm._NormBase):  # noqa: SLF001 - what all batch normalisations are
            layer.reset_running_stats()


def _fresh(kind: str, weight: Tensor, random: torch.Generator) -> Tensor:
    if weight.ndim < 2:  # noqa: PLR2004 - an offset, or the scale of a normalisation
        return torch.zeros_like(weight) if "bias" in kind else torch.ones_like(weight)
    deviation = math.sqrt(2 * len(weight) / max(1, weight.numel()))
    return torch.randn(weight.shape, generator=random).to(weight) * deviation


def cascade(
    module: nn.Module,
    groups: Sequence[Sequence[str]],
    maps_of: Callable[[nn.Module], Tensor],
    *,
    seeds: Sequence[int] = (0, 1, 2),
) -> tuple[Likeness, ...]:
    """Randomise a network from the top down, and hold its maps against the trained one's.

    Args:
        module: The trained network.
        groups: Names of layers: those nearest to the answer first, those nearest to the input last.
        maps_of: Makes the maps of a network, `(N, *extents)`, for always the same samples and classes.
        seeds: Of the fresh weights; likeness is the mean over them.

    Returns:
        The likeness after each group, the last one that of a network which knows nothing.
    """
    trained = maps_of(module).cpu().numpy()
    other = copy.deepcopy(module)  # once: whatever was forgotten before is drawn anew with the next seed
    steps, forgotten = [], list[str]()
    for group in groups:
        forgotten += group
        drawn = []
        for seed in seeds:
            _forget(other, forgotten, seed)
            drawn.append(maps_of(other).cpu().numpy())
        steps.append(_likeness(trained, drawn))
    return tuple(steps)


def _likeness(trained: np.ndarray, others: Sequence[np.ndarray]) -> Likeness:
    ranks, structures, blanks = [], [], []
    for other in others:
        for one, two in zip(trained, other, strict=True):
            if not np.ptp(one) > 0:
                continue
            blank = not (np.isfinite(two).all() and np.ptp(two) > 0)
            blanks.append(blank)
            ranks.append(0.0 if blank else rank_correlation(one, two))
            structures.append(0.0 if blank else structural_similarity(one, two))
    if not ranks:
        return Likeness(rank=math.nan, structure=math.nan, blank=math.nan)
    return Likeness(rank=float(np.mean(ranks)), structure=float(np.mean(structures)), blank=float(np.mean(blanks)))
