"""Which epoch's weights are kept where validation may choose: the last, unless an earlier one is known to be better.

The best accuracy of many epochs on a few hundred files is mostly luck: on 98 volumes it was the second epoch of twenty,
with a test AUC of 0.807, while the last had 0.903 (decision 0044). So the last epoch, which saw the whole schedule,
stays unless its loss on the same files is higher by two standard errors.
"""

from typing import TYPE_CHECKING

from thalweg.evaluation.nearest import is_known_worse, losses_of
from thalweg.training.scoring import predict

if TYPE_CHECKING:  # a session ends here, and this is where it is known
    import numpy as np
    import torch

    from thalweg.training.loop import Trainer
    from thalweg.workbench.runs.session import Session

__all__ = ["keep_epoch", "validation_losses"]


def keep_epoch(run: "Session", trainer: "Trainer") -> int:
    """Put the weights that are kept into the evaluated network.

    Args:
        run: The run.
        trainer: Its trainer, which has just finished: `evaluated` holds the last epoch's weights.

    Returns:
        The epoch they are of. Only where a validation split stands apart from the reported one is there a choice; where
        every pixel has a class, the epoch with the best mean intersection over union is kept.
    """
    last, best = len(trainer.state.rows), trainer.state.best_epoch
    if not (run.parts.test and run.parts.validation) or best in {0, last}:
        return last
    if run.summary.masks:
        trainer.use_best()
        return best
    learned = {name: value.detach().clone() for name, value in trainer.evaluated.state_dict().items()}
    of_last = validation_losses(run, trainer.evaluated)
    trainer.use_best()
    if is_known_worse(of_last, validation_losses(run, trainer.evaluated)):
        return best
    trainer.evaluated.load_state_dict(learned)
    files = len(run.parts.validation)
    message = (
        f"Kept the last epoch: on {files:,} validation files its loss is not known to be worse than that of epoch "
        f"{best}, which answered most of them rightly."
    )
    trainer.state.note("kept_epoch", message)
    run.folder.write_json("events.json", {"events": trainer.state.events})
    run.listener.say(message)
    return last


def validation_losses(run: "Session", network: "torch.nn.Module") -> "np.ndarray":
    """Ask a network about every validation file.

    Args:
        run: The run.
        network: Its network, or of a head alone that head.

    Returns:
        Cross-entropies in nats, one a file.
    """
    probe = run.start.probe
    batches = probe.heldout if probe else run.batches(run.parts.validation)
    scores = predict(network, batches, run.device)
    return losses_of(scores.probabilities, scores.labels)
