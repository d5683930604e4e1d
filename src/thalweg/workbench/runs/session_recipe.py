"""The numbers that a plan comes down to once its data are known, for the loop."""

import time
from typing import TYPE_CHECKING

from thalweg.monitoring.trials import CLIP
from thalweg.training.progress import Recipe
from thalweg.workbench.runs.wise_ft import SHARES, asks
from thalweg.workbench.starting.balance import balance_of
from thalweg.workbench.starting.transfer import learning_parts

if TYPE_CHECKING:  # a session asks for its numbers, and this is where it is known
    from thalweg.workbench.runs.session import Session

__all__ = ["loop_recipe"]

REPORT_SECONDS = 6.0
"""Of a plan in minutes, so much is kept for the report and the end of the process, besides the evaluation."""
FULL_SIZE = 2.5
"""Scoring masks at their own size takes so many times as long a picture as at the size of training."""


def loop_recipe(run: "Session", *, resuming: bool) -> Recipe:
    """The numbers of a run.

    Args:
        run: The run.
        resuming: Whether it goes on, so that what was used of its minutes is known already.

    Returns:
        The numbers.
    """
    plan = run.plan
    deadline = None
    if plan.minutes is not None:
        used = 0.0 if resuming else time.perf_counter() - run.started
        deadline = max(1.0, plan.minutes * 60 - used - REPORT_SECONDS)
    return Recipe(
        epochs=plan.epochs,
        deadline_seconds=deadline,
        learning_rate=plan.learning_rate or 0.0,
        optimizer=plan.optimizer or "adam",
        weight_decay=plan.weight_decay or 0.0,
        warmup=plan.warmup,
        smoothing=plan.label_smoothing or 0.0,
        weights=balance_of(plan, run.summary),
        average=plan.average or 0.0,
        patience=plan.patience,
        stages=plan.stages or (1.0,),
        side=max(plan.image_size or 0, plan.image_height or 0),
        seed=plan.seed,
        clip=CLIP if plan.rate_from == "trials" and not plan.repair else None,  # else the pilot clips
        evaluations=1
        + (FULL_SIZE if run.summary.masks else 1.0) * len(run.scored) / max(1, len(run.heldout))
        + (len(SHARES) if asks(run) else 0),
        parts=learning_parts(run.spec, plan, run.start.module),
        overlap=plan.overlap_loss or 0.0,
    )
