"""What a 1x1 convolution in front of a wide window saves: counted with the ledger, and timed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch

from thalweg.accounting.ledger import count
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.experiments.timing import fastest_seconds
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Conv2d, ReLU

__all__ = ["CASES", "PointwiseCase", "Saving", "published", "savings", "without_reductions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointwiseCase:
    """A convolution that a 1x1 may be put before.

    Args:
        channels: That it reads.
        outputs: Channels that it gives.
        reduced: Channels between the two.
        side: Of its map, in positions.
        window: Side of its window.
    """

    channels: int
    outputs: int
    reduced: int
    side: int
    window: int = 5

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.window}x{self.window}, {self.channels} to {self.outputs} at {self.side}x{self.side}"

    def spec(self, *, reduce: bool) -> NetworkSpec:
        """The convolution alone, or behind a 1x1 with its ReLU.

        Args:
            reduce: Whether the 1x1 is there.

        Returns:
            The network.
        """
        start = Input(self.channels, self.side, self.side)
        x = ReLU()(Conv2d(self.reduced, 1)(start)) if reduce else start
        return Network(start, Conv2d(self.outputs, self.window, padding="same")(x))


CASES = (
    PointwiseCase(channels=192, outputs=32, reduced=16, side=28),
    PointwiseCase(channels=64, outputs=32, reduced=16, side=16),
    PointwiseCase(channels=32, outputs=32, reduced=16, side=8),
    PointwiseCase(channels=8, outputs=8, reduced=4, side=16),
)
"""The first is the 5x5 branch of Inception's module 3a as printed (Szegedy et al. 2015, table 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """A cost with and without 1x1 convolutions.

    Args:
        name: Of what.
        parameters: Without, and with.
        macs: Without, and with; of one sample.
        seconds: Without, and with, forward and backward of a batch; None where it was not timed.
    """

    name: str
    parameters: tuple[int, int]
    macs: tuple[int, int]
    seconds: tuple[float, float] | None = None

    @property
    def fewer_macs(self) -> float:
        """How many times fewer multiplications."""
        return self.macs[0] / self.macs[1]

    @property
    def faster(self) -> float:
        """How many times faster; nan where it was not timed."""
        return float("nan") if self.seconds is None else self.seconds[0] / self.seconds[1]


def savings(cases: Sequence[PointwiseCase], *, batch: int, seconds: float) -> tuple[Saving, ...]:
    """Count and time convolutions with and without a 1x1 before them.

    Args:
        cases: The convolutions.
        batch: Samples a call.
        seconds: That the timing of one case may take.

    Returns:
        One saving a case.
    """
    found = []
    for case in cases:
        specs = {"without": case.spec(reduce=False), "with": case.spec(reduce=True)}
        sample = torch.rand(batch, case.channels, case.side, case.side, generator=torch.Generator().manual_seed(0))
        sample.requires_grad_()
        calls = {name: partial(_there_and_back, build(spec, seed=0), sample) for name, spec in specs.items()}
        times = fastest_seconds(calls, seconds=seconds)
        found.append(_saving(case.name, specs["without"], specs["with"], (times["without"], times["with"])))
    return tuple(found)


def _there_and_back(module: torch.nn.Module, sample: torch.Tensor) -> None:
    module(sample).square().mean().backward()


def _saving(name: str, without: NetworkSpec, with_: NetworkSpec, seconds: tuple[float, float] | None = None) -> Saving:
    plain, reduced = count(without), count(with_)
    return Saving(
        name=name,
        parameters=(plain.parameters, reduced.parameters),
        macs=(plain.macs or 0, reduced.macs or 0),
        seconds=seconds,
    )


def published() -> tuple[Saving, ...]:
    """Count ResNet's bottleneck and GoogLeNet's reductions, and what they would cost without.

    Returns:
        A bottleneck block of ResNet-50's first stage against two 3x3 convolutions at full width, and GoogLeNet with
        its 1x1 reductions against the same network whose large windows read all channels.

    Example:
        >>> [round(each.fewer_macs, 1) for each in published()]
        [16.9, 2.2]
    """
    whole = network("googlenet", Shape(3, (224, 224)), 1000)
    return (
        _saving("ResNet-50's first bottleneck block, 256 channels at 56x56", _block(narrow=None), _block(narrow=64)),
        _saving("GoogLeNet, 18 reductions, at 224x224", without_reductions(whole), whole),
    )


def _block(narrow: int | None) -> NetworkSpec:
    start = Input(256, 56, 56)
    x = start
    if narrow is None:
        for last in (False, True):
            x = BatchNorm()(Conv2d(256, 3, padding=1, bias=False)(x))
            x = x if last else ReLU()(x)
    else:
        x = ReLU()(BatchNorm()(Conv2d(narrow, 1, bias=False)(x)))
        x = ReLU()(BatchNorm()(Conv2d(narrow, 3, padding=1, bias=False)(x)))
        x = BatchNorm()(Conv2d(256, 1, bias=False)(x))
    return Network(start, ReLU()(Add()(x, start)))


def without_reductions(spec: NetworkSpec) -> NetworkSpec:
    """Take the 1x1 convolutions (with their normalisation and ReLU) out that lie before GoogLeNet's large windows.

    Args:
        spec: GoogLeNet.

    Returns:
        The same network whose 3x3 windows read every channel.
    """
    instead: dict[str, str] = {}
    kept: list[LayerSpec] = []
    for layer in spec.layers:
        reads = tuple(instead.get(source, source) for source in layer.inputs)
        branch = next((part for part in layer.block if part in {"branch2", "branch3"}), None)
        if branch is not None and layer.block[-1] == "0":
            instead[layer.name] = reads[0]
        else:
            kept.append(replace(layer, inputs=reads))
    return replace(spec, layers=tuple(kept), name=f"{spec.name} without reductions")
