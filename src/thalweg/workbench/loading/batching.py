"""Loaded samples as batches: shuffled and augmented as the plan says for training, plain for everything else."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.core.plan import TrainingPlan
from thalweg.data.batching.augment import augmentation_for
from thalweg.data.batching.batches import Batches
from thalweg.data.health.alignment import ALIGNED, SHIFT, common_motion
from thalweg.data.health.mirroring import try_mirroring
from thalweg.data.health.sides import sided_classes
from thalweg.data.measured.values import standardisation
from thalweg.training.ranks import ALONE, Ranks
from thalweg.workbench.loading.loaded import Loaded
from thalweg.workbench.telling.telling import Listener

__all__ = ["batches_of", "settle_changes"]


def settle_changes(plan: TrainingPlan, loaded: Loaded, train: Sequence[int], listener: Listener) -> TrainingPlan:
    """Decide whether training samples are mirrored and shifted, where the user left it open (decision 0052).

    Args:
        plan: With the user's wishes.
        loaded: The samples.
        train: Those of the training part, which alone are looked at.
        listener: Who is told what is not done, and why.

    Returns:
        The plan of the run, which keeps the answers.

    Raises:
        PlanError: Signals shall be mirrored.
    """
    if plan.mirror and loaded.form == "signal":
        raise PlanError("--mirror is for pictures and volumes: signals have a direction, that of time")
    if plan.augment == "none" or loaded.masks is not None:
        return plan
    chosen = np.asarray(train, dtype=np.int64)
    samples, rows = loaded.pictures.pixels, loaded.rows[chosen]
    shared = common_motion(samples, rows) if plan.shift is None else 0.0
    if shared >= ALIGNED:
        plan = replace(plan, shift=False)
        listener.say(
            f"Samples are cut alike: what a shift of {100 * SHIFT:g} % changes in all of them is {shared:.1f} times "
            f"what they differ by. They are neither shifted nor scaled; --shift does it all the same."
        )
    if plan.mirror is not None or loaded.form == "signal":
        return plan
    sides = sided_classes(loaded.scan.classes)
    tried = try_mirroring(samples, rows, loaded.labels[chosen]) if not sides and loaded.form == "picture" else None
    if sides is not None:
        one, other = map(printable, sides)
        listener.say(f"{one} and {other} differ by their side: nothing is mirrored; --mirror does it all the same.")
    elif tried is not None and tried.costs:
        listener.say(
            f"Mirrored copies cost answers: of {tried.files} training files, a small classifier was right on "
            f"{tried.lost} only without and on {tried.won} only with them. Nothing is mirrored; --mirror does it all "
            f"the same."
        )
    return replace(plan, mirror=False) if sides or (tried and tried.costs) else plan


def batches_of(
    loaded: Loaded,
    indices: Sequence[int],
    plan: TrainingPlan,
    *,
    training: bool,
    ranks: Ranks = ALONE,
    device: str = "cpu",
) -> Batches:
    """Batches of some samples.

    Args:
        loaded: The pictures.
        indices: Which of them.
        plan: With batch size, seed and augmentation.
        training: Whether to shuffle and augment.
        ranks: With whom each batch is shared.
        device: Where pictures are changed and end.

    Returns:
        The batches.
    """
    chosen = np.asarray(indices, dtype=np.int64)
    changes = (
        augmentation_for(
            plan.augment,
            upright=loaded.scan.upright,
            form=loaded.form,
            masks=loaded.masks is not None,
            mirror=plan.mirror,
            shift=plan.shift,
        )
        if training
        else None
    )
    noisy = changes is not None and (changes.noise or changes.gain)
    mean, deviation = standardisation(loaded.pictures, loaded.rows[chosen]) if noisy else ((), ())
    return Batches(
        loaded.pictures.pixels,
        loaded.rows[chosen],
        loaded.labels[chosen],
        batch_size=plan.batch_size or 32,
        seed=plan.seed,
        augmentation=changes,
        mean=mean,
        deviation=deviation,
        masks=loaded.masks.pixels if loaded.masks else None,
        mask_rows=chosen if loaded.masks else (),
        part=ranks.part if ranks.size > 1 else None,
        device=device,
    )
