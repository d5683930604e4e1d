"""Where memory does not suffice for a batch, it is computed in twice as many pieces from then on, and the run says so.

What a pass that did not end has changed (gradients, running statistics, what a companion was told) is put back first,
so that the step is the same as if it had been made in those pieces at once.
"""

import torch

from thalweg.core.errors import TrainingFailedError
from thalweg.training.backward import Backward, Learned
from thalweg.training.progress import State
from thalweg.training.rank_layers import has_batch_statistics, spread_layers
from thalweg.training.within_memory import is_out_of_memory

__all__ = ["learn_within_memory"]


def learn_within_memory(
    backward: Backward, state: State, pixels: torch.Tensor, labels: torch.Tensor, *, seed: int, whole: int
) -> Learned:
    """Make the gradients of a batch, in more pieces than before where they are needed.

    Args:
        backward: Makes them.
        state: Where the run is; `pieces` grows, and an event tells it.
        pixels: This process's samples, on the device.
        labels: Their classes.
        seed: Where dropout's random numbers start.
        whole: Samples of the batch over all ranks.

    Returns:
        The losses.

    Raises:
        TrainingFailedError: A single sample is too much, or the batch is shared with other ranks.
        RuntimeError: Something else went wrong.
        MemoryError: Never; told as TrainingFailedError.
    """
    buffers = backward.module.buffers() if backward.ranks.size == 1 else ()  # ranks do not begin a step again
    statistics = [buffer for buffer in buffers if buffer.is_floating_point()]
    kept = torch._foreach_add(statistics, 0.0) if statistics else []  # noqa: SLF001 - copies, in one launch on a GPU
    while True:
        try:
            return backward.run(pixels, labels, seed=seed, whole=whole, pieces=state.pieces)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            _take_less_at_once(backward, state, error, len(labels))
        with torch.no_grad():  # a pass that did not end has changed running statistics already
            for buffer, value in zip(statistics, kept, strict=True):
                buffer.copy_(value)


def _take_less_at_once(backward: Backward, state: State, error: BaseException, count: int) -> None:
    module, ranks = backward.module, backward.ranks
    where = f"at epoch {state.epoch}, step {state.step + 1}"
    if ranks.size > 1 or 2 * state.pieces > count:
        whose = f"rank {ranks.rank} has too little memory" if ranks.size > 1 else "memory is too small"
        raise TrainingFailedError(
            f"{whose} {where}: what was saved is whole; train with a smaller --batch-size or --image-size"
        ) from error
    module.zero_grad(set_to_none=True)
    if backward.device.kind == "cuda":
        torch.cuda.empty_cache()
    state.pieces *= 2
    spread_layers(module, sums=False)  # dropout goes by the whole batch, so that a step is the same in pieces
    if backward.companion:
        backward.companion.begin_again()
    changed = ""
    if has_batch_statistics(module):
        changed = f"; batch normalisation now sees {count // state.pieces} samples at a time, not {count}"
    state.note(
        "memory", f"memory was too small {where}: each batch is computed in {state.pieces} pieces from here{changed}"
    )
