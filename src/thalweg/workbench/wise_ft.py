"""How far a pretrained network goes from its start to what was learned, when it is kept (WiSE-FT).

Weights on the line between the two are as right on files like the training ones, and righter on files of another
origin (Wortsman et al. 2022, arXiv:2109.01903). Where on the line is asked of the validation split: of the places that
it cannot tell from the best one, the nearest to the start (decision 0040). The split that is reported has no say.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch

from thalweg.core.plan import TrainingPlan
from thalweg.evaluation.nearest import losses_of, nearest_as_good
from thalweg.training.checkpoint import weights_of
from thalweg.training.scoring import predict
from thalweg.workbench.transfer_start import START

if TYPE_CHECKING:  # a session ends here, and this is where it is known
    from thalweg.workbench.session import Session

__all__ = ["SHARES", "asks", "step_back"]

SHARES = (1.0, 0.75, 0.5, 0.25)
"""Places on the line that are tried, from the trained network towards its start."""
FEWEST = 50
"""Fewer validation files tell nothing: what was learned is kept as it is."""


def asks(plan: TrainingPlan, validation: int, *, apart: bool) -> bool:
    """Whether the validation split is asked.

    Args:
        plan: The plan; one that names a share has decided.
        validation: Files of the validation split.
        apart: Whether another split is reported.

    Returns:
        Whether it is.
    """
    tunes = plan.backbone is not None and plan.task == "classification" and not plan.trains_head_only
    return tunes and plan.wise_ft is None and apart and validation >= FEWEST


def step_back(run: "Session", network: torch.nn.Module) -> dict[str, object] | None:
    """Put the weights that are kept into a trained network.

    Args:
        run: The run.
        network: Its trained network, as it was evaluated; changed in place.

    Returns:
        What was chosen, for `backbone.json`; None where nothing was to be chosen.
    """
    share = run.plan.wise_ft
    chooses = asks(run.plan, len(run.parts.validation), apart=bool(run.parts.test))
    if not chooses and (share is None or share == 1):
        return None
    start, learned = weights_of(run.folder.path / START), _copy(network)
    if not chooses:
        assert share is not None  # noqa: S101 - said above
        _place(network, start, learned, share)
        return {"share": share, "chosen_on": ""}
    losses = []
    for each in SHARES:
        _place(network, start, learned, each)
        scores = predict(network, run.batches(run.parts.validation), run.device)
        losses.append(losses_of(scores.probabilities, scores.labels))
    chosen = SHARES[nearest_as_good(np.stack(losses))]
    _place(network, start, learned, chosen)
    tried = {f"{each:g}": float(loss.mean()) for each, loss in zip(SHARES, losses, strict=True)}
    return {"share": chosen, "chosen_on": "validation", "files": len(run.parts.validation), "losses": tried}


def _copy(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


@torch.no_grad()
def _place(
    network: torch.nn.Module, start: dict[str, torch.Tensor], learned: dict[str, torch.Tensor], share: float
) -> None:
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(learned[name] if share == 1 else torch.lerp(start[name].to(value.device), learned[name], share))
