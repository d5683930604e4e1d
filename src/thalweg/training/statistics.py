"""Running statistics of batch normalisation from the first steps on: their mean, until there are enough for a decay.

    running <- (1 - m_t) running + m_t batch,   m_t = max(m, 1 / t)

They begin at mean 0 and variance 1, which no batch has. With the usual constant share (0.1, or 0.01 as in Keras) that
start still counts for 37 % after 10 or 100 steps: a network that has learnt its few photos by heart then answers by
chance as soon as it is evaluated. As a mean over the first 1/m steps the start is forgotten after one step.
"""

import torch
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["FirstStatistics"]


class FirstStatistics:
    """The share of each new batch in the running statistics, step by step.

    Args:
        module: The network being trained, from its random start; pretrained statistics are worth keeping.

    Example:
        >>> layer = torch.nn.BatchNorm1d(1, momentum=0.01)
        >>> first = FirstStatistics(layer)
        >>> for step, value in enumerate((10.0, 20.0), start=1):
        ...     first.before(step)
        ...     _ = layer(torch.full((2, 1), value))
        >>> layer.running_mean.item()
        15.0
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self._usual = [
            (layer, float(layer.momentum))
            for layer in module.modules()
            if isinstance(layer, _BatchNorm) and layer.track_running_stats and layer.momentum
        ]
        self._least = min((share for _, share in self._usual), default=1.0)
        self._settled = False

    def before(self, step: int) -> None:
        """Set the shares for a step.

        Args:
            step: Counted from 1.
        """
        if self._settled:
            return
        for layer, share in self._usual:
            layer.momentum = max(share, 1 / step)
        self._settled = step * self._least >= 1
