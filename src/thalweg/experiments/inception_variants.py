"""The module of `--network inception` at half width, whole and without some of it; and one size instead."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Concatenate, GlobalAvgPool, ReLU
from thalweg.networks.spatial import CONV, MAX_POOL, scaled_input
from thalweg.networks.writing import Value, block

__all__ = ["BRANCHES", "branched", "held_within", "single_size", "window_gradient"]

BRANCHES: Mapping[str, str] = MappingProxyType({
    "1x1": "branch1",
    "3x3": "branch3",
    "5x5": "branch5",
    "pool": "branch_pool",
})
"""Branches by what they look with, and the blocks they are in."""
_STEM = 16


def branched(
    shape: Shape, classes: int, *, branches: Sequence[str] = tuple(BRANCHES), normalised: bool = True
) -> NetworkSpec:
    """Two modules of some branches.

    Args:
        shape: Channels and size of a sample; windows of signals and volumes have one axis and three.
        classes: Number of classes.
        branches: Which of `BRANCHES` are there.
        normalised: Whether each convolution is followed by batch normalisation.

    Returns:
        The network.

    Example:
        >>> spec = branched(Shape(1, (32, 32)), 2, branches=("1x1", "5x5"))
        >>> sorted({layer.block[-1] for layer in spec.layers if layer.block and layer.block[0] == "module1"})
        ['branch1', 'branch5', 'module1']
    """
    axes = shape.axes
    pixels, pool = Input(*shape.as_tuple()), MAX_POOL[axes]
    with block("stem"):
        x = pool(2)(_unit(scaled_input(axes)(pixels), _STEM, 3, axes, normalised=normalised))
    for number in (1, 2):
        with block(f"module{number}"):
            x = _module(x, branches, axes, normalised=normalised)
        if number == 1:
            x = pool(2)(x)
    return _ended(pixels, x, classes, "inception")


def _module(x: Value, branches: Sequence[str], axes: int, *, normalised: bool) -> Value:
    ends = []
    for name in branches:
        with block(BRANCHES[name]):
            if name == "pool":
                pooled = MAX_POOL[axes](3, stride=1, padding="same")(x)
                ends.append(_unit(pooled, 8, 1, axes, normalised=normalised))
            elif name == "1x1":
                ends.append(_unit(x, 8, 1, axes, normalised=normalised))
            else:
                near = _unit(x, 8, 1, axes, normalised=normalised)
                ends.append(_unit(near, 16, int(name[0]), axes, normalised=normalised))
    return Concatenate()(*ends) if len(ends) > 1 else ends[0]


def single_size(shape: Shape, classes: int, kernel: int, width: int) -> NetworkSpec:
    """The same plan with one convolution of one size in place of each module.

    Args:
        shape: Channels and size of a sample; windows of signals and volumes have one axis and three.
        classes: Number of classes.
        kernel: Side of its window.
        width: Channels of both convolutions.

    Returns:
        The network.

    Example:
        >>> single_size(Shape(1, (32, 32)), 2, 3, 8).name
        'only 3x3'
    """
    axes = shape.axes
    pixels, pool = Input(*shape.as_tuple()), MAX_POOL[axes]
    with block("stem"):
        x = pool(2)(_unit(scaled_input(axes)(pixels), _STEM, 3, axes, normalised=True))
    x = pool(2)(_unit(x, width, kernel, axes, normalised=True))
    return _ended(pixels, _unit(x, width, kernel, axes, normalised=True), classes, f"only {kernel}x{kernel}")


def _ended(pixels: Value, x: Value, classes: int, name: str) -> NetworkSpec:
    x = GlobalAvgPool()(x)
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name=name)


def _unit(x: Value, filters: int, kernel: int, axes: int, *, normalised: bool) -> Value:
    x = ReLU()(CONV[axes](filters, kernel, padding="same")(x))
    return BatchNorm()(x) if normalised else x


def window_gradient(module: nn.Module, layer: str, pictures: Tensor) -> np.ndarray:
    """How much each pixel moves the middle of a layer's map: its effective receptive field.

    The squared gradient of the middle place, summed over channels with random signs, averaged over pictures (after Luo
    et al. 2016, "Understanding the effective receptive field").

    Args:
        module: The network in evaluation mode.
        layer: The layer.
        pictures: `(N, C, height, width)`, or signals or volumes.

    Returns:
        `(height, width)` or whatever axes they have, its sum 1; nought everywhere where nothing moves it.
    """
    caught: list[Tensor] = []
    handle = module.get_submodule(layer).register_forward_hook(lambda _, __, result: caught.append(result))
    seen = pictures.clone().requires_grad_()
    try:
        with torch.enable_grad():
            module(seen)
            middle = caught[0]
            for size in caught[0].shape[2:]:
                middle = middle.select(2, size // 2)
            signs = torch.randint(2, middle.shape, generator=torch.Generator().manual_seed(0)) * 2.0 - 1.0
            (slope,) = torch.autograd.grad((middle * signs).sum(), seen)
    finally:
        handle.remove()
    energy = slope.square().sum(dim=1).mean(dim=0).double().numpy()
    total = energy.sum()
    return np.asarray(energy / total if total > 0 else energy)


def held_within(energy: np.ndarray, share: float = 0.95) -> int:
    """Side of the smallest square (stretch, cube), wherever it lies, that holds a share of the energy.

    Args:
        energy: `(height, width)`, or one axis or three; at least nought.
        share: How much must lie inside.

    Returns:
        The side, in positions; 0 where there is nothing.

    Example:
        >>> held_within(np.pad(np.full((3, 4), 1 / 12), 4))
        4
    """
    total = float(energy.sum())
    if not total > 0:
        return 0
    longest = max(energy.shape)
    sums = np.pad(energy, [(1, longest - size) for size in energy.shape])
    for axis in range(energy.ndim):
        sums = sums.cumsum(axis=axis)
    for side in range(1, longest):
        inside = sums
        for axis in range(energy.ndim):
            ahead = np.arange(side, longest + 1)
            inside = inside.take(ahead, axis=axis) - inside.take(ahead - side, axis=axis)
        if float(inside.max()) >= share * total - 1e-9 * total:
            return side
    return int(longest)
