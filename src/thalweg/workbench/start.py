"""The network that a run begins with: drawn at random, or pretrained, or read back from the run's folder."""

from dataclasses import dataclass

import torch

from thalweg.workbench.transfer import Probe

__all__ = ["Start"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A network before the first step.

    Args:
        module: It, giving logits; what is pretrained as published, with its head fitted.
        probe: Cached features, where the head of a pretrained network is trained alone.
        notes: What happened before the first step, for the run's events.
        about: What was done, for `backbone.json`; None where nothing is pretrained, or where that is written already.
    """

    module: torch.nn.Module
    probe: Probe | None = None
    notes: tuple[str, ...] = ()
    about: dict[str, object] | None = None

    @property
    def trained(self) -> torch.nn.Module:
        """What is trained: the network, or its head alone."""
        return self.probe.module if self.probe else self.module
