"""What a pilot gathers while it may not yet act: the user's rates, batches with a known loss, and the loss's scale."""

import math
from collections import deque
from collections.abc import Sequence

import torch

from thalweg.monitoring.rate_search import Chosen
from thalweg.monitoring.replay import Batch, Replay
from thalweg.monitoring.snapshot import Snapshot
from thalweg.monitoring.trials import HELD, Objective, TrialGround, clip_gradients, norm_of

__all__ = ["FEWEST", "Lookout", "amp_scale", "worth_keeping"]

FEWEST = 6
"""Batches without which no trial is made."""
MOST, BYTES = 24, 256 * 2**20
"""Batches kept at most, and bytes of their inputs together."""
_STEADY = 1e-3  # relative change of the rate below which there is no schedule
_MOVED = 0.02  # relative distance from the initial weights below which these are no other place
_MUCH = 1.2  # times the loss of the best trial
_OTHER_SCALE = 8.0  # a ratio of gradient norms nearer to 1 comes from accumulated or other batches


class Lookout:
    """Looks on.

    Attributes:
        rates: The user's learning rate at each update seen.
        scale: How much larger the loop's loss is than the one computed again.
    """

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.scale = 1.0
        self._known: deque[Batch] = deque()
        self._others: list[tuple[torch.Tensor, int]] = []

    def leave_others(self, module: torch.nn.Module, weights: Sequence[torch.Tensor]) -> None:
        """Note the weights that this optimizer does not train, after an update of it.

        Args:
            module: The network.
            weights: Those that it trains.
        """
        own = {id(weight) for weight in weights}
        rest = (each for each in module.parameters() if each.requires_grad and id(each) not in own)
        self._others = [(each, each._version) for each in rest]  # noqa: SLF001

    @property
    def others_move(self) -> bool:
        """Whether these have been written to since: another optimizer trains them."""
        return any(weight._version != version for weight, version in self._others)  # noqa: SLF001

    def see(self, rate: float | None, replay: Replay) -> None:
        """Take one update in.

        Args:
            rate: The user's learning rate; None where it was not the one used.
            replay: Recent batches; the newest is kept where its loss is known.
        """
        if rate is not None:
            self.rates.append(rate)
        newest = replay.batches[-1] if replay.batches else None
        if newest is None or newest.objective is None or newest.partial:
            return  # trials on a part of the loss, such as a likelihood without its prior, would lead elsewhere
        if self._known.maxlen is None:
            size = sum(each.numel() * each.element_size() for each in newest.inputs) or 1
            self._known = deque(maxlen=max(FEWEST, min(MOST, BYTES // size)))
        self._known.append(newest)

    @property
    def batches(self) -> list[Batch]:
        """Batches whose loss can be computed again, oldest first."""
        return [batch for batch in self._known if batch.whole]

    @property
    def rising(self) -> bool:
        """Whether a warm-up is under way: nobody knows yet where it leads."""
        return len(self.rates) > 1 and self.rates[-1] > self.rates[-2] * (1 + _STEADY)

    @property
    def steady(self) -> bool:
        """Whether the rate has not changed."""
        return bool(self.rates) and max(self.rates) <= min(self.rates) * (1 + _STEADY)

    def forget(self) -> None:
        """Let go of the batches."""
        self._known.clear()
        self._others = []

    def ground(self, replay: Replay, module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> TrialGround:
        """Lay a ground for trials on the batches of a replay, the newest of which judge.

        Args:
            replay: The batches.
            module: The network.
            optimizer: What trains it.

        Returns:
            The ground.
        """
        count = len(replay.batches)
        held = min(HELD, count // 3)

        def loss(which: int, scale: float = 1.0) -> Objective:
            return lambda: scale * replay.loss_with_graph(which)

        train = [loss(which, self.scale) for which in range(held, count)]
        return TrialGround(module, optimizer, train=train, held=[loss(which) for which in range(held)])

    def compare_scales(self, replay: Replay, weights: Sequence[torch.Tensor], optimizer: torch.optim.Optimizer) -> None:
        """See how much larger the loop's loss is than the one computed again, whose scale could not be seen.

        Args:
            replay: Recent batches, the newest of which the gradients are of.
            weights: Parameters with the loop's gradients.
            optimizer: What will use them.
        """
        if not replay.ready:
            return
        own = float(clip_gradients(weights, math.inf)) / amp_scale(optimizer)
        again = torch.autograd.grad(replay.loss_with_graph(0), list(weights), allow_unused=True)
        norm = float(norm_of([each for each in again if each is not None]))
        ratio = own / norm if norm > 0 else math.nan
        if math.isfinite(ratio) and ratio > 0 and not 1 / _OTHER_SCALE < ratio < _OTHER_SCALE:
            self.scale = ratio


def amp_scale(optimizer: torch.optim.Optimizer) -> float:
    """What gradients are multiplied with that a fused optimizer of mixed precision divides by later.

    Args:
        optimizer: Any.

    Returns:
        The scale; 1 without one.
    """
    scale = getattr(optimizer, "grad_scale", None)
    return 1.0 if scale is None else float(scale)


def worth_keeping(ground: TrialGround, chosen: Chosen, initial: Snapshot, length: int) -> bool:
    """Whether training can go on from the present weights, told by a trial from here beside the best from the start.

    Gradients that nobody clips kill a network also at rates that are not too high: it is dead where a trial scarcely
    moves its weights and ends no lower, and ruined where a trial ends much higher. A careful rate is tried first; the
    best one then, lest weights be given up that only came less far because the loop's own rate is lower.

    Args:
        ground: The present weights, and batches.
        chosen: Trials from the initial weights.
        initial: These.
        length: Updates of a trial.

    Returns:
        True also where the weights have hardly moved.
    """
    if initial.distance(ground.module) < _MOVED:
        return True
    best = min(chosen.trials, key=lambda trial: trial.loss)
    for rate in (best.rate / 3, best.rate):
        here = ground.run(rate, length)
        dead = here.moved < _MOVED and not here.loss < best.loss
        if not dead and here.loss <= _MUCH * best.loss:
            return True
    return False
