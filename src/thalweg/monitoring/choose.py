"""Before the first step: which learning rate serves this network, this optimizer and these batches?"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from thalweg.monitoring.initial_scale import is_usual
from thalweg.monitoring.rate_search import MOST, Chosen, search_rate, trial_steps
from thalweg.monitoring.trials import CLIP, HELD, Objective, TrialGround

__all__ = ["KEPT_STARTING", "batches_wanted", "choose_rate"]

KEPT_STARTING = 2.0
"""A starting rate within this factor of the chosen one is used as it is."""


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
    return trial_steps(steps) + HELD


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
    most: int = MOST,
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
        most: Trials at most; a single one is made well above `usual`, and tells whether training breaks there.

    Returns:
        The rate and what it rests on.
    """
    held = min(HELD, max(1, len(batches) // 3))
    length = length or trial_steps(steps)
    ground = TrialGround(module, optimizer, train=batches[held:] or batches, held=batches[:held], clip=clip)
    fresh = usual is None and is_usual(module)
    chosen = search_rate(lambda rate: ground.run(rate, length), optimizer, most=most, usual=usual, fresh=fresh)
    keeps = start is not None and start > 0 and 1 / KEPT_STARTING <= start / chosen.rate <= KEPT_STARTING
    return replace(chosen, spent=ground.spent, rate=start if keeps and start else chosen.rate)
