"""The loss of a network on fixed samples as a function of its weights alone, so that it can be differentiated twice.

Two layers make a training loss something else than a function of the weights. Batch normalisation couples the samples
of a batch and moves running statistics; dropout draws anew at every pass. Neither may happen while curvature is
measured: which way out was taken changes the numbers, so it is said along with them.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from thalweg.core.errors import PlanError
from thalweg.curvature.product import HessianProduct, hessian_product

__all__ = ["Objective"]

Normalisation = Literal["running", "batch"]
Dropping = Literal["off", "frozen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A mean loss over microbatches at the present weights.

    Args:
        module: The network.
        batches: Inputs and targets of each microbatch.
        loss: Mean loss of one microbatch from outputs and targets.
        normalisation: `running` normalises with the running statistics, as the network answers; `batch` with each
            microbatch's own, as it trains; the running statistics are not moved either way.
        dropout: `off`, or `frozen`: one draw a microbatch, the same at every pass.
        seed: Decides the frozen draw.

    Raises:
        PlanError: There is no sample.
    """

    module: nn.Module
    batches: Sequence[tuple[Tensor, Tensor]]
    loss: Callable[[Tensor, Tensor], Tensor]
    normalisation: Normalisation = "running"
    dropout: Dropping = "off"
    seed: int = 0

    def __post_init__(self) -> None:
        if not any(len(targets) for _, targets in self.batches):
            raise PlanError("curvature needs at least one sample to compute a loss on")

    @property
    def parameters(self) -> list[Tensor]:
        """The weights that are trained."""
        return [parameter for parameter in self.module.parameters() if parameter.requires_grad]

    @property
    def samples(self) -> int:
        """Number of samples."""
        return sum(len(targets) for _, targets in self.batches)

    def product(self, *, keep_graph: bool = False) -> HessianProduct:
        """The Hessian of the mean loss over all samples.

        Args:
            keep_graph: Keep every microbatch's graph: about twice as fast, and pictures make large ones.

        Returns:
            The product.
        """
        losses = [self._loss_of(number) for number in range(len(self.batches))]
        weights = [len(targets) for _, targets in self.batches]
        return hessian_product(losses, self.parameters, weights=weights, keep_graph=keep_graph)

    def value(self) -> float:
        """The mean loss over all samples at the present weights.

        Returns:
            The loss.
        """
        with torch.no_grad():
            parts = [float(self._loss_of(number)()) * len(targets) for number, (_, targets) in enumerate(self.batches)]
        return math.fsum(parts) / self.samples

    def said(self) -> str:
        """Tell how batch normalisation and dropout were taken, as far as the network has them.

        Returns:
            A sentence.
        """
        words = []
        if any(_normalises(part) for part in self.module.modules()):
            sizes = sorted({len(targets) for _, targets in self.batches})
            each = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
            words.append(
                "batch normalisation with its running statistics, as the network answers"
                if self.normalisation == "running"
                else f"batch normalisation with the statistics of each microbatch of {each} samples, as it trains"
            )
        if any(_drops(part) for part in self.module.modules()):
            words.append("dropout off" if self.dropout == "off" else "dropout with one draw that stays the same")
        return "; ".join(words) or "the network has neither batch normalisation nor dropout"

    def _loss_of(self, number: int) -> Callable[[], Tensor]:
        inputs, targets = self.batches[number]

        def compute() -> Tensor:
            with self._steady(number):
                return self.loss(self.module(inputs), targets)

        return compute

    @contextlib.contextmanager
    def _steady(self, number: int) -> Iterator[None]:
        """Put the network into the wanted modes, and leave it and torch's random state as they were."""
        from torch.nn.attention import SDPBackend, sdpa_kernel

        modes = [(part, part.training, getattr(part, "track_running_stats", None)) for part in self.module.modules()]
        devices = sorted({each.device.index or 0 for each in self.module.parameters() if each.is_cuda})
        with torch.random.fork_rng(devices=devices), sdpa_kernel(SDPBackend.MATH):  # fused attention bends only once
            torch.manual_seed(self.seed * 1_000_003 + number)
            try:
                for part, *_ in modes:
                    part.training = (_normalises(part) and self.normalisation == "batch") or (
                        _drops(part) and self.dropout == "frozen"
                    )
                    if part.training and _normalises(part):
                        part.track_running_stats = False  # type: ignore[assignment]  # uses the batch, moves nothing
                yield
            finally:
                for part, training, tracks in modes:
                    part.training = training
                    if tracks is not None:
                        part.track_running_stats = tracks


def _normalises(part: nn.Module) -> bool:
    return isinstance(part, nn.modules.batchnorm._NormBase)  # noqa: SLF001 - the one base of them all


def _drops(part: nn.Module) -> bool:
    return isinstance(part, nn.modules.dropout._DropoutNd) or (  # noqa: SLF001 - the one base of them all
        isinstance(part, nn.MultiheadAttention | nn.RNNBase) and part.dropout > 0
    )
