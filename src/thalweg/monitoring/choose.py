"""Before the first step: which learning rate serves this network, this optimizer and these batches?"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from thalweg.monitoring.initial_scale import Rescaling, is_usual, search_well_scaled
from thalweg.monitoring.rate_search import Chosen, search_rate, trial_steps
from thalweg.monitoring.trials import CLIP, Objective, TrialGround

__all__ = ["KEPT_STARTING", "batches_wanted", "choose_rate", "choose_start"]

KEPT_STARTING = 2.0
"""A starting rate within this factor of the chosen one is used as it is."""

_HELD = 4


def batches_wanted(steps: int | None) -> int:
    """How many batches `choose_rate` makes good use of.

    Args:
        steps: Updates of the run, where known.

    Returns:
        One for each update of a trial, and some to judge by.

    Example:
        >>> batches_wanted(1000)
        34
    """
    return trial_steps(steps) + _HELD


def choose_rate(
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Objective],
    *,
    start: float | None = None,
    steps: int | None = None,
    length: int | None = None,
    usual: float | None = None,
    clip: float = CLIP,
) -> Chosen:
    """Choose the peak learning rate by short trials; the network is as before afterwards.

    Args:
        module: The network at its initial weights.
        optimizer: What will train it; its rate is not looked at.
        batches: Losses of training batches at the present weights, with graph; `batches_wanted` of them or more.
        start: The user's rate: kept where it is within a factor 2 of the chosen one, without influence otherwise.
        steps: Updates of the run, where known.
        length: Updates of a trial; by default what suits a run of so many steps.
        usual: Best rate of whole runs of this network, where it is known: trials start there.
        clip: Norm that gradients are clipped at.

    Returns:
        The rate and what it rests on.
    """
    ground = _ground(module, optimizer, batches, clip)
    return _kept(_search(ground, length or trial_steps(steps), usual), ground, start)


def choose_start(
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Objective],
    *,
    start: float | None = None,
    steps: int | None = None,
    length: int | None = None,
    usual: float | None = None,
    clip: float = CLIP,
) -> tuple[Chosen, Rescaling | None]:
    """Choose the peak learning rate as `choose_rate` does, and scale initial weights in which signals explode or die.

    Args:
        module: The network at its initial weights; they are scaled in place where they are at fault.
        optimizer, batches, start, steps, length, usual, clip: As of `choose_rate`.

    Returns:
        The rate; and what the weights were divided by, or None.
    """
    ground = _ground(module, optimizer, batches, clip)
    chosen, scaling = search_well_scaled(
        module, ground.held[0], lambda: _search(ground, length or trial_steps(steps), usual)
    )
    ground.spent += 2 / 3  # two forward passes
    return _kept(chosen, ground, start), scaling


def _ground(
    module: torch.nn.Module, optimizer: torch.optim.Optimizer, batches: Sequence[Objective], clip: float
) -> TrialGround:
    held = min(_HELD, max(1, len(batches) // 3))
    return TrialGround(module, optimizer, train=batches[held:] or batches, held=batches[:held], clip=clip)


def _search(ground: TrialGround, length: int, usual: float | None) -> Chosen:
    return search_rate(
        lambda rate: ground.run(rate, length), ground.optimizer, usual=usual, fresh=is_usual(ground.module)
    )


def _kept(chosen: Chosen, ground: TrialGround, start: float | None) -> Chosen:
    keeps = start is not None and start > 0 and 1 / KEPT_STARTING <= start / chosen.rate <= KEPT_STARTING
    return replace(chosen, spent=ground.spent, rate=start if keeps and start else chosen.rate)
