"""What is different where every pixel has a class: the network, its pretrained encoder, and what of it learns.

The encoder is a network of the catalogue, so published weights fit it strictly; decoder and context module begin at
random. There is no head to fit beforehand: the decoder learns at the full rate, the encoder at a share of it, from the
first step.
"""

from dataclasses import replace
from pathlib import Path

import torch

from thalweg.core.batch_of_one import explain_batch_of_one
from thalweg.core.dataset import DataSummary
from thalweg.core.errors import PlanError
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.data.splitting.split import Split
from thalweg.modules.build import build
from thalweg.modules.held import hold_statistics
from thalweg.networks.backbones import preprocessing
from thalweg.networks.catalogue import network
from thalweg.networks.context import CONTEXTS
from thalweg.networks.segmentation import (
    ENCODERS,
    SEGMENTERS,
    encoder_layers,
    encoder_stages,
    frozen_encoder,
    outside_encoder,
    parts_of_name,
)
from thalweg.pretrained.fitting import fit
from thalweg.pretrained.obtaining import Weights
from thalweg.rendering.markup import capitalised
from thalweg.training.checkpoint import load_weights
from thalweg.training.device import Device, move
from thalweg.training.unfreezing import Part
from thalweg.workbench.loading.loading import Loaded
from thalweg.workbench.starting.start import Start
from thalweg.workbench.starting.transfer_start import START
from thalweg.workbench.telling.telling import Listener

__all__ = [
    "describe_segmenter",
    "parts_of_segmenter",
    "refuse_batch_of_one",
    "refuse_segmenters",
    "restore_masks",
    "segmenting",
    "start_masks",
]

ENCODER_SHARE = 0.3
"""Share of the learning rate at which a pretrained encoder learns."""


def segmenting(plan: TrainingPlan) -> TrainingPlan:
    """Make a plan one of segmentation: the network's name becomes that of a segmenter.

    Args:
        plan: As the user gave it.

    Returns:
        The plan with its task and network.

    Raises:
        PlanError: The network has no kin that gives every pixel a class, or an option is for classifiers.

    Example:
        >>> segmenting(TrainingPlan(source="street", context="pyramid")).network
        'unet-small+pyramid'
    """
    if plan.trains_head_only:
        raise PlanError(
            "--head-only is for classifiers: with masks the decoder is learned; leave it out, or --freeze 5"
        )
    name = plan.network if plan.network in SEGMENTERS else f"unet-{plan.network}"
    if plan.context:
        if plan.context not in CONTEXTS:
            raise PlanError(f"--context {plan.context}: choose one of {', '.join(CONTEXTS)}")
        encoder, own = parts_of_name(name) if name in SEGMENTERS else (plan.network, "none")
        if own not in {"none", plan.context}:
            raise PlanError(f"--context {plan.context} and --network {plan.network} name two context modules: give one")
        name = f"unet-{encoder}" + ("" if plan.context == "none" else f"+{plan.context}")
    if name not in SEGMENTERS:
        raise PlanError(
            f"{plan.network} gives a picture one class, and the source holds masks: take unet-small or --backbone "
            f"{', '.join(ENCODERS)} (or --task classification)"
        )
    context = parts_of_name(name)[1]
    return replace(plan, task="segmentation", network=name, context=context)


def refuse_segmenters(plan: TrainingPlan, *, source: str) -> None:
    """Refuse what only makes sense with masks, where there are none.

    Args:
        plan: The plan.
        source: Its source, for the message.

    Raises:
        PlanError: The network or an option is for masks.
    """
    if plan.network in SEGMENTERS or plan.context or plan.overlap_loss:
        what = f"--context {plan.context}" if plan.context else f"--network {plan.network}"
        if plan.overlap_loss:
            what = f"--overlap-loss {plan.overlap_loss:g}"
        raise PlanError(f"{what} is for pictures with masks, and {source} has none; see docs/segmentation.md")


def describe_segmenter(plan: TrainingPlan, shape: Shape, classes: int, weights: Weights | None) -> NetworkSpec:
    """The network of a plan.

    Args:
        plan: Names the network and what of its encoder is frozen.
        shape: Of a picture.
        classes: Number of classes.
        weights: Of the encoder, or None.

    Returns:
        The network.

    Raises:
        PlanError: The weights take other pixels, or more stages shall be frozen than there are.
    """
    spec = network(plan.network, shape, classes)
    if weights is not None and weights.hed:
        raise PlanError(f"--weights {plan.weights} are VGG-16's, which is no encoder: {', '.join(ENCODERS)} are")
    stages = 1 + max(encoder_stages(spec).values())
    if plan.frozen_stages > stages:
        raise PlanError(
            f"--freeze {plan.freeze}: the encoder of {plan.network} has {stages} stages; give 0 to {stages}"
        )
    return frozen_encoder(spec, plan.frozen_stages) if plan.frozen_stages else spec


def refuse_batch_of_one(spec: NetworkSpec, plan: TrainingPlan, pictures: int) -> None:
    """Refuse batches that a normalisation over the whole picture could not be trained with, before any is tried.

    Args:
        spec: The network.
        plan: With the batch size.
        pictures: Pictures to train on.

    Raises:
        PlanError: A batch would hold one picture, and the network averages it to one position.
    """
    size = plan.batch_size or 1
    smallest = pictures // max(1, -(-pictures // size))  # batches of an epoch differ by one picture at most
    held = encoder_layers(spec) if plan.backbone and plan.batch_norm == "frozen" else ()
    complaint = explain_batch_of_one(spec, smallest, held=held)
    if complaint:
        raise PlanError(f"--batch-size {plan.batch_size}, {pictures} training pictures: {complaint}")


def parts_of_segmenter(spec: NetworkSpec, module: torch.nn.Module) -> tuple[Part, ...]:
    """What learns, and at which share of the rate, where the encoder is pretrained.

    Args:
        spec: The network.
        module: Its module.

    Returns:
        Decoder, context module and head at the whole rate, the encoder at a share.
    """
    inside = set(encoder_layers(spec))
    learned = [name for name, weight in module.named_parameters() if weight.requires_grad]
    own = tuple(name for name in learned if name.rpartition(".")[0] in inside)
    rest = tuple(name for name in learned if name.rpartition(".")[0] not in inside)
    return tuple(
        part
        for part in (Part(parameters=rest, share=1.0), Part(parameters=own, share=ENCODER_SHARE))
        if part.parameters
    )


def start_masks(
    plan: TrainingPlan,
    spec: NetworkSpec,
    weights: Weights,
    loaded: Loaded,  # noqa: ARG001 - the same form as for a classifier, whose head is fitted to the pictures
    parts: Split,  # noqa: ARG001 - the same
    summary: DataSummary,  # noqa: ARG001 - the same
    device: Device,
    listener: Listener,
) -> Start:
    """Build the network and give its encoder published weights.

    Args:
        plan: The plan.
        spec: The network.
        weights: Of the encoder.
        loaded: The pictures.
        parts: Their split.
        summary: Their description.
        device: Where to compute.
        listener: Told how it went.

    Returns:
        The network, ready to be trained.
    """
    module = _built(spec, plan)
    fit(module, weights.tensors, name=plan.network, place=weights.place, leave=outside_encoder(spec))
    move(module, device)
    given = sum(weight.numel() for name, weight in module.named_parameters() if _inside(name, spec))
    whole = sum(weight.numel() for weight in module.parameters())
    note = f"the encoder's {given:,} parameters are published ones; {whole - given:,} begin at random"
    listener.say(f"{capitalised(note)}.")
    about: dict[str, object] = {
        "name": plan.backbone,
        "weights": {"about": weights.about, "place": weights.place, "sha256": weights.sha256},
        "preprocessing": dict(zip(("scale", "offset"), preprocessing(spec), strict=True)),
        "image_size": plan.size_option,
        "stages": 1 + max(encoder_stages(spec).values()),
        "frozen": plan.frozen_stages,
        "encoder_share": ENCODER_SHARE,
        "batch_norm": plan.batch_norm,
    }
    return Start(module=module, about=about, notes=(note,))


def _inside(name: str, spec: NetworkSpec) -> bool:
    return not name.startswith(outside_encoder(spec))


def _built(spec: NetworkSpec, plan: TrainingPlan) -> torch.nn.Module:
    module = build(spec.logits()[0], seed=plan.seed)
    if plan.batch_norm == "frozen":
        hold_statistics(module, only=set(encoder_layers(spec)))
    return module


def restore_masks(folder: Path, plan: TrainingPlan, spec: NetworkSpec) -> Start:
    """The network of a run with a pretrained encoder as it was at its start.

    Args:
        folder: The run.
        plan: Its plan.
        spec: Its network.

    Returns:
        It, with no cached features.
    """
    module = _built(spec, plan)
    load_weights(module, folder / START)
    return Start(module=module)
