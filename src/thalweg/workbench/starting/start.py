"""The network that a run begins with: drawn at random, or pretrained, or read back from the run's folder."""

from dataclasses import dataclass

import torch

from thalweg.core.codec import from_plain
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.run_folder import RunFolder
from thalweg.modules.build import build
from thalweg.monitoring.initial_scale import Rescaling, rescale
from thalweg.workbench.starting.transfer import Probe

__all__ = ["SCALING", "Start", "start_from_seed"]

SCALING = "initial_scale.json"
"""In a run's folder: what the weights drawn from the seed were divided by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A network before the first step.

    Args:
        module: It, giving logits; what is pretrained as published, with its head fitted.
        probe: Cached features, where the head of a pretrained network is trained alone.
        notes: What happened before the first step, for the run's events.
        about: What was done, for `backbone.json`; None where nothing is pretrained, or where that is written already.
        scaling: What the weights drawn from the seed were divided by, where signals exploded or died in them.
    """

    module: torch.nn.Module
    probe: Probe | None = None
    notes: tuple[str, ...] = ()
    about: dict[str, object] | None = None
    scaling: Rescaling | None = None

    @property
    def trained(self) -> torch.nn.Module:
        """What is trained: the network, or its head alone."""
        return self.probe.module if self.probe else self.module


def start_from_seed(plan: TrainingPlan, spec: NetworkSpec, folder: RunFolder | None = None) -> Start:
    """Draw a network's weights, and scale them as a run did that began with them.

    Args:
        plan: Names the seed.
        spec: The network.
        folder: The run that began, or None for a new one.

    Returns:
        The start.
    """
    module = build(spec.logits()[0], seed=plan.seed)
    if folder is None or not (folder.path / SCALING).exists():
        return Start(module=module)
    scaling = from_plain(Rescaling, folder.read_json(SCALING), SCALING)
    rescale(module, scaling.sizes)
    return Start(module=module, scaling=scaling)
