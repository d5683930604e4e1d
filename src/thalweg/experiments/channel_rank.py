"""How many dimensions the channels that a layer reads fill, and what is left when they are brought down to fewer.

At every position a layer reads a vector of C channels. Their covariance over positions and samples says how far that
cloud is flat. Two numbers are told, since "rank" has no single meaning for measured data:

    effective rank   exp(-sum p log p), p the singular values of the centred vectors divided by their sum
                     (Roy and Vetterli, "The effective rank", EUSIPCO 2007); C when all directions are equal, 1 when one
    99 % of variance how many principal components hold that share

Bringing C channels down to r with the best r directions is exactly a 1x1 convolution from C to r channels (with a bias,
since the mean goes back in), followed by one from r to C which the next layer can swallow.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["ChannelCloud", "clouds", "effective_rank", "projected"]

_HELD = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCloud:
    """The vectors of channels that a layer reads.

    Args:
        mean: `(C,)`.
        axes: Principal directions, best first, in columns `(C, C)`.
        variances: Along each direction, falling.
    """

    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return len(self.mean)

    @property
    def rank(self) -> float:
        """Effective rank after Roy and Vetterli."""
        return effective_rank(np.sqrt(self.variances))

    @property
    def components(self) -> int:
        """Principal components that hold 99 % of the variance."""
        total = float(self.variances.sum())
        if not total > 0:
            return 0
        return int(np.searchsorted(np.cumsum(self.variances) / total, _HELD - 1e-12)) + 1


def effective_rank(singular: np.ndarray) -> float:
    """Effective rank after Roy and Vetterli (2007).

    Args:
        singular: Singular values, at least nought.

    Returns:
        From 1 to their number; 0 where all are nought.

    Example:
        >>> round(effective_rank(np.array([1.0, 1.0, 1.0, 0.0])), 6)
        3.0
    """
    total = float(singular.sum())
    if not total > 0:
        return 0.0
    shares = singular[singular > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def clouds(module: nn.Module, names: Sequence[str], batches: Sequence[Tensor]) -> dict[str, ChannelCloud]:
    """Gather what some layers read.

    Args:
        module: The network, in evaluation mode.
        names: Of its layers.
        batches: What to show it.

    Returns:
        The cloud of each layer, by its name.
    """
    sums: dict[str, list[Tensor]] = {}

    def gather(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            vectors = inputs[0].detach().movedim(1, -1).reshape(-1, inputs[0].shape[1]).double()
            parts = [torch.tensor(float(len(vectors))).double(), vectors.sum(dim=0), vectors.T @ vectors]
            sums[name] = [old + new for old, new in zip(sums[name], parts, strict=True)] if name in sums else parts

        return hook

    handles = [module.get_submodule(name).register_forward_pre_hook(gather(name)) for name in names]
    try:
        with torch.inference_mode():
            for batch in batches:
                module(batch)
    finally:
        for handle in handles:
            handle.remove()
    return {name: _cloud(*(part.numpy() for part in sums[name])) for name in names if name in sums}


def _cloud(count: np.ndarray, total: np.ndarray, squares: np.ndarray) -> ChannelCloud:
    mean = total / count
    values, axes = np.linalg.eigh(squares / count - np.outer(mean, mean))
    return ChannelCloud(mean=mean, axes=axes[:, ::-1].copy(), variances=np.clip(values[::-1], 0, None))


@contextmanager
def projected(module: nn.Module, name: str, cloud: ChannelCloud, kept: int) -> Iterator[None]:
    """Let a layer read only the best directions of its channels, as a 1x1 convolution in front of it would.

    Args:
        module: The network.
        name: The layer.
        cloud: What it reads.
        kept: How many directions are kept.

    Yields:
        Nothing.
    """
    best = cloud.axes[:, :kept]
    matrix = torch.tensor(best @ best.T, dtype=torch.float32)
    bias = torch.tensor(cloud.mean - best @ (best.T @ cloud.mean), dtype=torch.float32)

    def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        down = torch.tensordot(inputs[0], matrix, dims=([1], [1])) + bias
        return (down.movedim(-1, 1), *inputs[1:])

    handle = module.get_submodule(name).register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()
