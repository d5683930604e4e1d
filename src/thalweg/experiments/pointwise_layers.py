"""Layer by layer: how many dimensions the channels fill, and what a 1x1 convolution to fewer would keep and save."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from thalweg.accounting.ledger import count
from thalweg.core.layer_kinds import complete_settings, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.evaluation.intervals import wilson
from thalweg.experiments.channel_rank import ChannelCloud, clouds, projected
from thalweg.experiments.pointwise_subject import Subject
from thalweg.workbench.telling.telling import Listener

__all__ = ["KEPT", "LayerReach", "reach_of_layers", "windowed_layers"]

KEPT = 0.99
"""Share of the accuracy that must stay."""
_CONVOLUTIONS = {"conv1d", "conv2d", "conv3d"}
_LEAST, _LAYERS = 8, 8
"""Channels below which nothing is to be gained, and layers that are looked into at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A layer that reads fewer channels.

    Args:
        channels: That a 1x1 in front leaves.
        accuracy: On held-out samples, then.
        agreement: Share of them that is answered as before, with its 95 % interval.
    """

    channels: int
    accuracy: float
    agreement: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReach:
    """What was found about one layer.

    Args:
        name: The layer.
        cloud: The channels that it reads.
        accuracy: Of the untouched network.
        steps: From few channels to many.
        majority: Share of the largest class among the held-out samples.
        by_chance: Accuracy with as many random directions as `enough` has.
        macs: Of the layer, and behind a 1x1 to `enough` channels.
    """

    name: str
    cloud: ChannelCloud
    accuracy: float
    steps: tuple[Step, ...]
    majority: float
    by_chance: float
    macs: tuple[int, int]

    @property
    def enough(self) -> Step | None:
        """The fewest channels from which on 99 % of the accuracy stays; None where no reduction does."""
        found = None
        for step in reversed(self.steps):
            if step.accuracy < KEPT * self.accuracy:
                break
            found = step
        return found

    @property
    def said(self) -> str:
        """The finding about it, in a sentence."""
        start = f"{self.name}: {self.cloud.channels} channels carry {self.cloud.rank:.1f} dimensions"
        step = self.enough
        if step is None:
            return f"{start}, and no 1x1 to fewer keeps {KEPT:.0%}"
        kept = f"{step.accuracy / self.accuracy:.1%} ({step.agreement[0]:.1%} of the answers stay)"
        return f"{start}, 1x1 to {step.channels} keeps {kept}"


def windowed_layers(spec: NetworkSpec) -> tuple[LayerSpec, ...]:
    """Find the convolutions that a 1x1 could be put before: with a window, undivided, reading 8 channels or more.

    Args:
        spec: The network.

    Returns:
        At most eight of them, evenly over the depth.
    """
    shapes = output_shapes(spec)
    found = []
    for layer in spec.layers:
        if layer.kind not in _CONVOLUTIONS or layer.shared is not None:
            continue
        settings = complete_settings(layer)
        kernel = settings["kernel_size"]
        wide = any(each != 1 for each in (kernel if isinstance(kernel, tuple) else (kernel,)))
        if wide and settings["groups"] == 1 and shapes[layer.inputs[0]].channels >= _LEAST:
            found.append(layer)
    if len(found) <= _LAYERS:
        return tuple(found)
    return tuple(found[round(place * (len(found) - 1) / (_LAYERS - 1))] for place in range(_LAYERS))


def reach_of_layers(subject: Subject, listener: Listener, *, seed: int) -> tuple[LayerReach, ...]:
    """Look into every layer of a network.

    Args:
        subject: The network.
        listener: Whoever shows progress.
        seed: Of the random directions that the best ones are held against.

    Returns:
        One finding a layer, in order of depth; none where no layer is wide enough.
    """
    layers = windowed_layers(subject.spec)
    shapes = output_shapes(subject.spec)
    seen = clouds(subject.module, [layer.name for layer in layers], subject.train)
    before = subject.answers()
    accuracy = float((before == subject.targets).float().mean())
    majority = float(subject.targets.bincount().max()) / len(subject.targets)
    found = []
    for number, layer in enumerate(layers, 1):
        cloud = seen[layer.name]
        steps = [_step(subject, layer.name, cloud, kept, before) for kept in _sizes(cloud.channels)]
        reach = LayerReach(
            name=layer.name,
            cloud=cloud,
            accuracy=accuracy,
            steps=tuple(steps),
            majority=majority,
            by_chance=0.0,
            macs=(0, 0),
        )
        kept = reach.enough.channels if reach.enough else cloud.channels
        chance = _step(subject, layer.name, _turned(cloud, seed), min(kept, cloud.channels - 1), before).accuracy
        macs = _macs(layer, shapes[layer.inputs[0]], kept if reach.enough else None)
        found.append(replace(reach, by_chance=chance, macs=macs))
        listener.count("layers looked into", number, len(layers))
    return tuple(found)


def _sizes(channels: int) -> Sequence[int]:
    sizes, size = [], 1
    while size < channels:
        sizes.append(size)
        size *= 2
    return sizes


def _step(subject: Subject, name: str, cloud: ChannelCloud, kept: int, before: torch.Tensor) -> Step:
    with projected(subject.module, name, cloud, kept):
        after = subject.answers()
    same = int((after == before).sum())
    low, high = wilson(same, len(before))
    right = float((after == subject.targets).float().mean())
    return Step(channels=kept, accuracy=right, agreement=(same / len(before), low, high))


def _turned(cloud: ChannelCloud, seed: int) -> ChannelCloud:
    """The same cloud with directions drawn by chance."""
    drawn = np.random.default_rng((seed, 31)).standard_normal((cloud.channels, cloud.channels))
    return replace(cloud, axes=np.linalg.qr(drawn)[0])


def _macs(layer: LayerSpec, reads: Shape, kept: int | None) -> tuple[int, int]:
    alone = replace(layer, inputs=("x",), shared=None)
    plain = count(NetworkSpec(name="alone", inputs={"x": reads}, layers=(alone,), outputs=(layer.name,))).macs or 0
    if kept is None:
        return plain, plain
    first = LayerSpec(
        name="before it", kind=layer.kind, settings={"out_channels": kept, "kernel_size": 1}, inputs=("x",)
    )
    both = (first, replace(alone, inputs=("before it",)))
    return plain, count(NetworkSpec(name="both", inputs={"x": reads}, layers=both, outputs=(layer.name,))).macs or 0
