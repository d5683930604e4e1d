"""What the channels of a network respond to: where in which samples each is strongest.

Zeiler and Fergus (2014) and Zhou et al. (2015) looked at the patches that excite a unit most: edges and colours in
early layers, textures and parts in later ones. A patch is cut where the channel can see at all: its receptive field.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from thalweg.explanation.activation import untouched, watching

__all__ = ["Responses", "responses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """How strongly the channels of one layer answer to samples.

    Args:
        peaks: Largest value of each channel over the positions of each sample, `(samples, channels)`.
        places: The position of it, counted row by row, `(samples, channels)`.
        extents: Positions along each axis of the layer.
    """

    peaks: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]
    extents: tuple[int, ...]

    @property
    def silent(self) -> int:
        """Channels that give the same for every sample."""
        return int((np.ptp(self.peaks, axis=0) == 0).sum())

    def telling(self, count: int) -> tuple[int, ...]:
        """The channels whose answers differ most from sample to sample.

        Args:
            count: How many are wanted.

        Returns:
            Their numbers, the most telling first; silent ones are left out.
        """
        spread = self.peaks.std(axis=0)
        order = np.argsort(-spread, kind="stable")
        return tuple(int(channel) for channel in order[:count] if np.ptp(self.peaks[:, channel]) > 0)

    def strongest(self, channel: int, count: int) -> list[tuple[int, tuple[int, ...], float]]:
        """The samples that a channel answers to most strongly.

        Args:
            channel: Its number.
            count: How many are wanted.

        Returns:
            Number of the sample, position in the layer and value, the strongest first.
        """
        order = np.argsort(-self.peaks[:, channel], kind="stable")[:count]
        return [
            (
                int(sample),
                tuple(int(place) for place in np.unravel_index(self.places[sample, channel], self.extents)),
                float(self.peaks[sample, channel]),
            )
            for sample in order
        ]


def responses(module: nn.Module, layers: Sequence[str], batches: Iterable[Tensor]) -> dict[str, Responses]:
    """Run samples through a network and keep where each channel is strongest.

    Args:
        module: The network.
        layers: Layers with spatial axes.
        batches: The samples, in batches.

    Returns:
        The responses of each layer.

    Example:
        >>> net = nn.Sequential(nn.Identity())
        >>> found = responses(net, ["0"], [torch.tensor([[[0.0, 2.0]], [[5.0, 1.0]]])])["0"]
        >>> found.strongest(0, 1)
        [(1, (0,), 5.0)]
    """
    peaks: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    places: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    extents: dict[str, tuple[int, ...]] = {}
    with untouched(module), torch.no_grad(), watching(module, layers) as seen:
        for batch in batches:
            module(batch.clone())
            for name in layers:
                high, where = seen[name].float().flatten(2).max(2)
                extents[name] = tuple(seen[name].shape[2:])
                peaks[name].append(high.cpu().numpy())
                places[name].append(where.cpu().numpy())
    return {
        name: Responses(peaks=np.concatenate(peaks[name]), places=np.concatenate(places[name]), extents=extents[name])
        for name in layers
        if peaks[name]
    }
