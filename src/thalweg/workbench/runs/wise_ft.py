"""How far a pretrained network goes from its start to what was learned, when it is kept (WiSE-FT).

Weights on the line between the two are as right on files like the training ones, and righter on files of another
origin (Wortsman et al. 2022, arXiv:2109.01903). Where on the line is asked of the validation split: of the places that
it cannot tell from the best one, the nearest to the start (decision 0040). The split that is reported has no say.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch

from thalweg.evaluation.nearest import nearest_as_good
from thalweg.training.checkpoint import weights_of
from thalweg.workbench.runs.kept_epoch import validation_losses
from thalweg.workbench.starting.transfer_start import START

if TYPE_CHECKING:  # a session ends here, and this is where it is known
    from thalweg.workbench.runs.session import Session

__all__ = ["SHARES", "asks", "place", "step_back"]

SHARES = (1.0, 0.75, 0.5, 0.25)
"""Places on the line that are tried, from the trained network towards its start."""
FEWEST = 50
"""Fewer validation files tell nothing: what was learned is kept as it is."""


def asks(run: "Session") -> bool:
    """Whether the validation split is asked.

    Args:
        run: The run; a plan that names a share has decided.

    Returns:
        Whether it is: only where another split is reported, and there are files enough.
    """
    parts, plan = run.parts, run.plan
    return plan.fine_tunes and plan.wise_ft is None and bool(parts.test) and len(parts.validation) >= FEWEST


def step_back(run: "Session", network: torch.nn.Module) -> dict[str, object] | None:
    """Put the weights that are kept into a trained network.

    Args:
        run: The run.
        network: Its trained network, as it was evaluated; changed in place.

    Returns:
        What was chosen, for `backbone.json`; None where nothing was to be chosen.
    """
    share = run.plan.wise_ft
    chooses = asks(run)
    if not chooses and share in {None, 1}:
        return None
    start = weights_of(run.folder.path / START)
    learned = {name: value.detach().clone() for name, value in network.state_dict().items()}
    told: dict[str, object] = {"share": share, "chosen_on": ""}
    if chooses:
        losses = []
        for each in SHARES:
            place(network, start, learned, each)
            losses.append(validation_losses(run, network))
        share = SHARES[nearest_as_good(np.stack(losses))]
        tried = {f"{each:g}": float(loss.mean()) for each, loss in zip(SHARES, losses, strict=True)}
        told = {"share": share, "chosen_on": "validation", "files": len(run.parts.validation), "losses": tried}
    place(network, start, learned, 1.0 if share is None else share)
    return told


@torch.no_grad()
def place(
    network: torch.nn.Module, start: dict[str, torch.Tensor], learned: dict[str, torch.Tensor], share: float
) -> None:
    """Put the weights of a place on the line into a network.

    Args:
        network: Changed in place.
        start: Its weights before training.
        learned: Its weights after it.
        share: How far from the start, from 0 to 1.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.lerp(start[name].to(value.device), learned[name], share))
