"""Whoever sits in during a run of ours: told every loss, asked what was measured and repaired, kept in checkpoints."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch

__all__ = ["Companion"]


class Companion(Protocol):
    """A place beside the trainer; what sits there lives in another room and is put in by the workbench."""

    @property
    def repairs(self) -> bool:
        """Whether it acts: then a loss that is not finite is its business, not the end of the run."""

    @property
    def remembers(self) -> int:
        """How many of the last batches it holds, to be shown again when a run goes on."""

    def saw(self, objective: Callable[[object], torch.Tensor], value: torch.Tensor) -> None:
        """Be told the loss of the forward pass just made.

        Args:
            objective: The loss as a function of the network's output.
            value: What it came to.
        """

    def begin_again(self) -> None:
        """Be told that the step's passes so far do not count: it is computed anew."""

    def measured(self) -> tuple[float, ...]:
        """Give what was measured at the update just made.

        Returns:
            The learning rate really used, then the further columns of `steps.csv`; nan where there is nothing.
        """

    def repaired(self, epoch: int) -> Sequence[Mapping[str, object]]:
        """Give the repairs since it was last asked.

        Args:
            epoch: The epoch under way, from 1.

        Returns:
            Fields of events; `steps_rolled_back` above 0 where weights went back.
        """

    def line(self) -> str:
        """Say how the learning rate stands, in a line."""

    def flush(self) -> None:
        """Write to disk what was measured; a checkpoint follows."""

    def pack(self) -> tuple[dict[str, object], dict[str, torch.Tensor]]:
        """Give what a checkpoint must hold.

        Returns:
            Plain data, and tensors by name.
        """

    def unpack(self, plain: Mapping[str, object], tensors: Mapping[str, torch.Tensor]) -> None:
        """Go back to a checkpoint.

        Args:
            plain: Plain data.
            tensors: Tensors by name.
        """

    def recall(
        self,
        pixels: torch.Tensor,
        objective: Callable[[object], torch.Tensor],
        *,
        update: int,
        autocast: tuple[str, torch.dtype] | None,
    ) -> None:
        """Be shown a batch of before the checkpoint again, in the order in which they came.

        Args:
            pixels: What the network was shown.
            objective: The loss as a function of its output.
            update: Updates done by then.
            autocast: Device kind and type of the products, or None.
        """

    def close(self) -> None:
        """Leave."""
