"""Training a network of one's own: a file, a line of layers, `net.py:build`, or a description made in Python."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.core.errors import PlanError
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.networks.adapted import adapted
from thalweg.networks.catalogue import NAMES, SEGMENTERS
from thalweg.workbench.describing.describing import describe

if TYPE_CHECKING:
    from torch import nn

__all__ = ["OwnNetwork", "own_network"]

_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNetwork:
    """A network that is not of the catalogue.

    Args:
        named: What the user gave.
        label: What it is called in plans and reports.
        own_shape: Shape of its input where it says one itself.
    """

    named: "str | Path | NetworkSpec | nn.Module"
    label: str
    own_shape: Shape | None

    def planned(self, plan: TrainingPlan, axes: int) -> TrainingPlan:
        """Write into a plan what follows from the network.

        Args:
            plan: The user's plan.
            axes: Spatial axes of the source's samples.

        Returns:
            The plan with the network's own picture size, where the user gave none.

        Raises:
            PlanError: The plan wants what only networks of the catalogue do.
        """
        if plan.context is not None:
            raise PlanError(
                f"--context {plan.context} is part of the catalogue's segmentation networks: take unet-small"
            )
        side = max(self.own_shape.extents, default=None) if self.own_shape else None
        return replace(plan, own_axes=axes, image_size=plan.image_size or side)

    def fitted(self, shape: Shape, classes: int, say: Callable[[str], None]) -> NetworkSpec:
        """Fit the network to a source.

        Args:
            shape: Channels and size of one sample.
            classes: Number of classes.
            say: Told what is changed.

        Returns:
            The network to train.

        Raises:
            SpecError: It does not give one score a class.
            ShapeError: Its layers do not fit the samples.
        """
        told = None if isinstance(self.named, NetworkSpec) or self.own_shape is not None else shape
        spec, changes = adapted(describe(self.named, input=told).spec, shape, classes)
        if changes:
            say(f"The network {self.label}: {', '.join(changes)}.")
        return spec


def own_network(named: "str | Path | NetworkSpec | nn.Module") -> OwnNetwork | None:
    """Tell a network of one's own from one of the catalogue; a name that is neither is refused at once.

    Args:
        named: What the user gave as network.

    Returns:
        The network, or None where the catalogue has it.

    Raises:
        SpecError: Nothing is called that, or the description is not well formed.
        PlanError: It is a network of timm, which is trained as a backbone.

    Example:
        >>> own_network("small") is None, own_network("conv2d(8,3) relu flatten dense(2)").label
        (True, 'conv2d(8,3) relu flatten dense(2)')
    """
    if isinstance(named, str) and named in (*NAMES, *SEGMENTERS):
        return None
    if isinstance(named, str) and named.startswith("timm:"):
        raise PlanError(f"--network {named}: networks of timm are trained with --backbone {named}")
    try:
        spec: NetworkSpec | None = describe(named).spec
    except PlanError:  # layers in a line and torch modules have no input of their own: the source gives it
        spec = None
    shape = next(iter(spec.inputs.values())) if spec is not None else None
    if isinstance(named, NetworkSpec):
        label = named.name
    else:
        label = str(named) if isinstance(named, str | Path) else type(named).__name__
    if label in (*NAMES, *SEGMENTERS):
        label = f"own {label}"
    return OwnNetwork(named=named, label=label[:_LONGEST_LABEL], own_shape=shape)
