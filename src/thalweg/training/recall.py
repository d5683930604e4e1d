"""Whoever sits in holds the last few batches; a run that goes on shows them again instead of storing pictures.

Batches are functions of seed and step, so what was shown just before a checkpoint can be made once more.
"""

from thalweg.training.backward import Backward
from thalweg.training.companion import Companion
from thalweg.training.progress import Recipe, State
from thalweg.training.schedule import stage_side
from thalweg.training.scoring import BatchSource

__all__ = ["show_again"]


def show_again(companion: Companion, state: State, recipe: Recipe, train: BatchSource, backward: Backward) -> None:
    """Show the batches just before a checkpoint to whoever holds the last ones.

    Args:
        companion: Who is shown them, as many as it remembers.
        state: Where the run went back to.
        recipe: The numbers of the run; decide the size of the pictures then.
        train: Training batches.
        backward: Knows the device, the pieces a batch was made in and the objective.
    """
    device = backward.device
    autocast = None if device.autocast is None else (device.kind, device.autocast)
    for update in range(max(0, state.step - companion.remembers), state.step):
        epoch, number = update // train.steps + 1, update % train.steps
        side = state.side
        if recipe.epochs is not None:
            side = stage_side((epoch - 1) / recipe.epochs, recipe.stages, recipe.side)
        batch = next(iter(train.epoch(epoch, first=number, side=side)))
        pixels, labels = (each.to(device.kind) for each in (batch.pixels, batch.labels))
        pixels, objective = backward.last_piece(pixels, labels, state.pieces)
        companion.recall(pixels, objective, update=update, autocast=autocast)
