"""A moving average of the weights is what is evaluated and saved: it is less noisy than the last step."""

import copy

import torch

from thalweg.modules.sharded import is_sharded, local

__all__ = ["WeightAverage"]


class WeightAverage:
    """Exponential moving average of parameters and running statistics.

        average <- d average + (1 - d) weights,   d = min(decay, (1 + t) / (10 + t))

    The growing decay forgets the random start (the form that TensorFlow's ExponentialMovingAverage uses).

    Args:
        module: The network being trained.
        decay: The decay a step, 0 to 1.
    """

    def __init__(self, module: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.module = copy.deepcopy(module).eval().requires_grad_(requires_grad=False)
        self._source = module
        self._kept: tuple[list[torch.Tensor], list[torch.Tensor]] | None = None

    def _pairs(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Averages, and what they are of; looked up anew where torch moves shards about."""
        if self._kept is None or is_sharded(self._source):
            self._kept = self._tensors(self.module), self._tensors(self._source)
        return self._kept

    @staticmethod
    def _tensors(module: torch.nn.Module) -> list[torch.Tensor]:
        return [local(each.detach()) for each in module.state_dict().values() if each.is_floating_point()]

    @torch.no_grad()
    def restart(self) -> None:
        """Begin anew from the present weights, after these have gone back."""
        torch._foreach_copy_(*self._pairs())

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights after a step in.

        Args:
            step: Counted from 1.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(*self._pairs(), 1 - decay)
