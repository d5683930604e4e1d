"""Starting from a pretrained network: its weights, what of it learns, and a head that is fitted before all else.

1. The weights are had and compared with their checksum before any picture is read.
2. The trunk runs once over the pictures; a head is fitted to what it says (`training.features`).
3. `--head-only` goes on with the head alone, on these features. Otherwise stages are opened one after the other, the
   deepest first, each earlier one at a smaller rate (`training.unfreezing`).

Batch normalisations keep the statistics that they came with. What was done stands in the run's `backbone.json`.
"""

from dataclasses import dataclass, replace

import torch

from thalweg.core.errors import PlanError
from thalweg.core.files import cache_folder, printable
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.data.opening.fetch import fetch
from thalweg.modules.build import build
from thalweg.modules.held import hold_statistics
from thalweg.networks.backbones import HED_PIXELS, backbone, frozen, head_of, stage_count, stages
from thalweg.pretrained.obtaining import Weights, obtain
from thalweg.pretrained.published import TIMM, backbone_names
from thalweg.pretrained.timm_source import timm_network, timm_weights
from thalweg.training.features import FeatureBatches, Scaling, fold_in
from thalweg.training.unfreezing import Part, parts_of
from thalweg.workbench.telling.telling import Listener

__all__ = ["Probe", "ask_weights", "construct", "describe", "learning_parts", "make_probe", "named_backbone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A head that learns from cached features, and the network that it belongs to.

    Args:
        whole: The network.
        head: Name of its head.
        module: The head alone, taking standardised features.
        scaling: Of the features.
        train: Features of the training part, in several views.
        heldout: Features of the split that is watched.
    """

    whole: torch.nn.Module
    head: str
    module: torch.nn.Module
    scaling: Scaling
    train: FeatureBatches
    heldout: FeatureBatches

    def assembled(self, learned: torch.nn.Module) -> torch.nn.Module:
        """Put the head that was learned into the network.

        Args:
            learned: The head, or its average.

        Returns:
            The whole network.
        """
        layer = learned.get_submodule(self.head)
        place = self.whole.get_submodule(self.head)
        assert isinstance(layer, torch.nn.Linear) and isinstance(place, torch.nn.Linear)  # noqa: S101, PT018 - a head
        fold_in(place, layer.weight.detach().cpu(), layer.bias.detach().cpu(), self.scaling)
        return self.whole

    def tensors(self) -> dict[str, torch.Tensor]:
        """What must be kept to go on without the trunk.

        Returns:
            Features and scaling by name.
        """
        return {
            "train": self.train.views.contiguous(),
            "heldout": self.heldout.views.contiguous(),
            "mean": self.scaling.mean,
            "deviation": self.scaling.deviation,
        }


def named_backbone(plan: TrainingPlan) -> TrainingPlan:
    """Bring network and backbone of a plan together.

    Args:
        plan: As the user gave it.

    Returns:
        The plan with the backbone as its network.

    Raises:
        PlanError: Another network is named, or none is published under that name.
    """
    if plan.backbone is None:
        return plan
    if plan.network not in {"small", plan.backbone}:
        raise PlanError(f"--backbone {plan.backbone} is the network itself: leave --network {plan.network} out")
    if plan.backbone not in backbone_names() and not plan.backbone.startswith(TIMM):
        known = ", ".join(backbone_names())
        raise PlanError(f"--backbone {printable(plan.backbone)}: weights are known of {known} and {TIMM}NAME")
    return replace(plan, network=plan.backbone)


def ask_weights(plan: TrainingPlan, listener: Listener) -> Weights:
    """Have the weights, before anything else is done.

    Args:
        plan: With a backbone.
        listener: Told of downloads and of what the weights are.

    Returns:
        The weights.
    """
    assert plan.backbone is not None  # noqa: S101 - asked for with one only
    if plan.backbone.startswith(TIMM) and plan.weights is None:
        weights = timm_weights(plan.backbone)
    else:
        weights = obtain(
            plan.backbone,
            plan.weights,
            shelf=cache_folder() / "weights",
            download=lambda link: fetch(link, progress=listener.say),
        )
    digest = f", SHA-256 {weights.sha256[:8]}..." if weights.sha256 else ""
    listener.say(f"Weights of {plan.backbone}: {weights.about} ({printable(weights.place)}{digest}).")
    return weights


def describe(plan: TrainingPlan, shape: Shape, classes: int, weights: Weights) -> NetworkSpec:
    """The network of a plan with a backbone, with what is frozen marked.

    Args:
        plan: With a backbone.
        shape: Of a picture.
        classes: Number of classes.
        weights: Its weights.

    Returns:
        The network.

    Raises:
        PlanError: More stages shall be frozen than there are.
    """
    if plan.network.startswith(TIMM):
        spec = timm_network(plan.network, shape, classes)
    else:
        spec = backbone(plan.network, shape, classes, pixels=HED_PIXELS if weights.hed else None)
    count = stage_count(spec)
    if plan.frozen_stages > count:
        raise PlanError(f"--freeze {plan.freeze}: {plan.network} has {count} stages; give 0 to {count}, or all")
    return frozen(spec, count if plan.trains_head_only else plan.frozen_stages)


def construct(spec: NetworkSpec, plan: TrainingPlan) -> torch.nn.Module:
    """The module of a network with a backbone, its batch normalisations as the plan says.

    Args:
        spec: The network.
        plan: Its plan.

    Returns:
        The module, giving logits.
    """
    module = build(spec.logits()[0], seed=plan.seed)
    if plan.batch_norm == "frozen":
        hold_statistics(module)
    return module


def learning_parts(spec: NetworkSpec, plan: TrainingPlan, module: torch.nn.Module) -> tuple[Part, ...]:
    """What learns, when, and at which share of the rate.

    Args:
        spec: The network.
        plan: Its plan.
        module: Its module.

    Returns:
        The parts, the head first; none where the plan has no backbone or trains the head alone.
    """
    if plan.backbone is None or plan.trains_head_only:
        return ()
    if plan.task == "segmentation":
        from thalweg.workbench.starting.segmenting import parts_of_segmenter

        return parts_of_segmenter(spec, module)
    at, last = stages(spec), stage_count(spec)
    stage_of = {
        name: at.get(name.rpartition(".")[0], last)
        for name, weight in module.named_parameters()
        if weight.requires_grad
    }
    return parts_of(stage_of, decay=plan.layer_decay or 1.0, opened=plan.unfreeze or 0.0)


def make_probe(
    plan: TrainingPlan,
    spec: NetworkSpec,
    module: torch.nn.Module,
    train: torch.Tensor,
    heldout: torch.Tensor,
    scaling: Scaling,
    labels: torch.Tensor,
    truth: torch.Tensor,
) -> Probe:
    """A head that learns from cached features.

    Args:
        plan: The plan.
        spec: The network.
        module: Its module.
        train: Standardised features of the training part, `(views, pictures, features)`.
        heldout: Those of the split that is watched, in one view.
        scaling: How they were standardised.
        labels: Of the training part.
        truth: Of the split that is watched.

    Returns:
        The probe.
    """
    head, size = head_of(spec), plan.batch_size or 64
    layer = LayerSpec(name=head.name, kind="linear", settings=head.settings, inputs=("features",))
    alone = NetworkSpec(
        name=f"head of {spec.name}",
        inputs={"features": Shape(train.shape[-1])},
        layers=(layer,),
        outputs=(head.name,),
    )
    learner = build(alone, seed=plan.seed)
    return Probe(
        whole=module,
        head=head.name,
        module=learner,
        scaling=scaling,
        train=FeatureBatches(train, labels, batch_size=size, seed=plan.seed, shuffled=True),
        heldout=FeatureBatches(heldout, truth, batch_size=max(size, 256)),
    )
