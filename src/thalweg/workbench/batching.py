"""Loaded samples as batches: shuffled and augmented as the plan says for training, plain for everything else."""

from collections.abc import Sequence

import numpy as np

from thalweg.core.plan import TrainingPlan
from thalweg.data.augment import augmentation_for
from thalweg.data.batches import Batches
from thalweg.data.values import standardisation
from thalweg.training.ranks import ALONE, Ranks
from thalweg.workbench.loaded import Loaded

__all__ = ["batches_of"]


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
        augmentation_for(plan.augment, upright=loaded.scan.upright, form=loaded.form, masks=loaded.masks is not None)
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
