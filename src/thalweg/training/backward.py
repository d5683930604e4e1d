"""From a batch to the gradients of its mean loss: at once, in pieces where memory is short, or with other ranks.

The mean is over the whole batch however it is divided. A piece, or a rank's part, with the share s of what counts
(samples, or pixels that have a class) adds s times its own mean and s times its own gradient,

    L = sum_i s_i L_i,    grad L = sum_i s_i grad L_i,    sum_i s_i = 1

so parts need not be of one size. Dropout draws the mask of the whole batch each time and uses the rows of the part.
Batch normalisation goes by the whole batch over ranks (`rank_layers`); over pieces it cannot, and the run says so.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch

from thalweg.core.masks import VOID
from thalweg.modules.numbers import draw_from
from thalweg.modules.sharded import is_sharded
from thalweg.training.companion import Companion
from thalweg.training.device import Device
from thalweg.training.gradients import GradientSum
from thalweg.training.loss import cross_entropy
from thalweg.training.rank_layers import of_the_whole_batch
from thalweg.training.ranks import ALONE, Ranks, part_of
from thalweg.training.scoring import right_share

__all__ = ["Backward", "Learned"]


@dataclass(frozen=True, slots=True)
class Learned:
    """What a forward and backward pass came to; the gradients are with the parameters.

    Args:
        logits: Of the last forward pass made here.
        objective: What is minimised, a scalar tensor, over the whole batch.
        loss: Mean cross-entropy of the whole batch, in nats.
        right: Right answers of the whole batch, in samples.
        samples: Samples of the whole batch.
    """

    logits: torch.Tensor
    objective: torch.Tensor
    loss: torch.Tensor
    right: torch.Tensor
    samples: int


class Backward:
    """Makes gradients.

    Args:
        module: The network.
        device: Where to compute.
        objective: What is minimised, from logits and `labels`.
        companion: Told every forward pass and its loss.
        ranks: With whom batches are shared.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        device: Device,
        objective: Callable[..., torch.Tensor],
        *,
        companion: Companion | None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.module, self.device, self.objective = module, device, objective
        self.companion, self.ranks = companion, ranks
        self._sum, self._parameters = GradientSum(ranks), list(module.parameters())

    def run(self, pixels: torch.Tensor, labels: torch.Tensor, *, seed: int, whole: int, pieces: int) -> Learned:
        """Put the gradients of the whole batch's mean objective into the parameters.

        Args:
            pixels: This process's samples, on the device.
            labels: Their classes.
            seed: Where dropout's random numbers start.
            whole: Samples of the batch over all ranks.
            pieces: Passes to make; 1 for all at once.

        Returns:
            The losses.
        """
        if self.ranks.size > 1:
            with self.ranks.noticing():
                return self._spread(pixels, labels, seed, whole)
        if pieces > 1:
            return self._in_pieces(pixels, labels, seed, pieces)
        draw_from(seed, self.device.kind)
        logits, objective = self._forward(pixels, labels)
        self._tell(labels, objective.detach())
        self._forget_gradients()
        objective.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            loss, right = cross_entropy(logits.detach(), labels), right_share(logits.detach(), labels)
        return Learned(logits.detach(), objective.detach(), loss, right, len(labels))

    def last_piece(
        self, pixels: torch.Tensor, labels: torch.Tensor, pieces: int
    ) -> tuple[torch.Tensor, Callable[[object], torch.Tensor]]:
        """What whoever sits in was shown last of a batch, and its objective.

        Args:
            pixels: The batch.
            labels: Its classes.
            pieces: Passes it was made in.

        Returns:
            The samples of the last pass, and the objective as a function of the network's output.
        """
        first, last = part_of(len(labels), pieces - 1, pieces)
        return pixels[first:last], functools.partial(self.objective, labels=labels[first:last])

    def _forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with self.device.context():
            logits = self.module(pixels)
        return logits, self.objective(logits, labels)

    def _tell(self, labels: torch.Tensor, value: torch.Tensor) -> None:
        if self.companion:
            self.companion.saw(functools.partial(self.objective, labels=labels), value)

    def _forget_gradients(self) -> None:
        for each in self._parameters:
            each.grad = None

    def _in_pieces(self, pixels: torch.Tensor, labels: torch.Tensor, seed: int, pieces: int) -> Learned:
        self._forget_gradients()
        count, total = len(labels), float(_weight(labels))
        sums = torch.zeros(3, device=labels.device)
        for number in range(pieces):
            first, last = part_of(count, number, pieces)
            part = labels[first:last]
            draw_from(seed, self.device.kind)
            with of_the_whole_batch(first, last, count):
                logits, objective = self._forward(pixels[first:last], part)
            self._tell(part, objective.detach())
            share = float(_weight(part)) / max(total, 1.0)
            (objective * share).backward()  # type: ignore[no-untyped-call]
            with torch.no_grad():
                sums += share * torch.stack(_means(logits.detach(), objective.detach(), part))
        return Learned(logits.detach(), sums[0], sums[1], sums[2] * count, count)

    def _spread(self, pixels: torch.Tensor, labels: torch.Tensor, seed: int, whole: int) -> Learned:
        ranks = self.ranks
        draw_from(seed, self.device.kind)
        with of_the_whole_batch(*part_of(whole, ranks.rank, ranks.size), whole, ranks=ranks):
            logits, objective = self._forward(pixels, labels)
            weight = float(_weight(labels))
            with torch.no_grad():
                means = torch.stack(_means(logits.detach(), objective.detach(), labels)).tolist()
            total, *sums = ranks.total((weight, *(weight * each for each in means)))
            total = max(total, 1.0)
            told = torch.tensor([each / total for each in sums], device=labels.device)
            self._tell(labels, told[0])
            self._forget_gradients()
            (objective * (weight / total)).backward()  # type: ignore[no-untyped-call]
        if not is_sharded(self.module):  # shards have added theirs up on the way
            self._sum.add(self._parameters)
        return Learned(logits.detach(), told[0], told[1], told[2] * whole, whole)


def _weight(labels: torch.Tensor) -> int:
    """What the mean is over: samples, or pixels that have a class."""
    return len(labels) if labels.ndim == 1 else int((labels != VOID).sum())


def _means(logits: torch.Tensor, objective: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Objective, loss and share of right answers."""
    right = right_share(logits, labels) / len(labels)
    return objective.float(), cross_entropy(logits, labels), right.float()
