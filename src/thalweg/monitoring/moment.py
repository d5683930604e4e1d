"""What passengers of the seat are shown around an update, and what they must answer to."""

from collections.abc import Callable, Mapping
from typing import Protocol

import torch

from thalweg.monitoring.replay import Replay

__all__ = ["Moment", "Passenger"]


class Moment:
    """One update of the weights, shown before and after it happens.

    Args:
        step: Updates done before this one, from 0.
        module: The network itself, without wrappers such as `DistributedDataParallel` or a compiled shell.
        optimizer: What makes the update.
        replay: Recent batches whose loss can be computed again.
        loss: Training loss of this step's batch, or what fetches it when it is first asked for; None where it cannot
            be seen.
        rate: Learning rate that this update uses, the seat's scale included; settled once every passenger was asked
            before the update.
    """

    __slots__ = ("_loss", "module", "optimizer", "rate", "replay", "step")

    def __init__(
        self,
        *,
        step: int,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        replay: Replay,
        loss: float | Callable[[], float | None] | None,
        rate: float,
    ) -> None:
        self.step, self.module, self.optimizer, self.replay = step, module, optimizer, replay
        self._loss, self.rate = loss, rate

    @property
    def loss(self) -> float | None:
        """Training loss of this step's batch, computed when first asked for (on a GPU that waits for the device)."""
        if callable(self._loss):
            self._loss = self._loss()
        return self._loss


class Passenger(Protocol):
    """Whoever measures or repairs; an exception of a passenger ends the watching, never the training."""

    def before_update(self, moment: Moment) -> None:
        """Look on while the gradients are there and the weights have not moved.

        Args:
            moment: The update to come.
        """

    def after_update(self, moment: Moment) -> None:
        """Look on right after the weights moved.

        Args:
            moment: The update that happened.
        """

    def state(self) -> Mapping[str, object]:
        """Give what a checkpoint must hold to go on to the bit.

        Returns:
            Plain data, and tensors.
        """

    def restore(self, state: Mapping[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
