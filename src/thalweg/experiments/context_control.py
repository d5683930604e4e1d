"""The control of the context curve: the run's network, trained further on crops that end at each radius.

A filled picture is strange to a network that was trained on whole ones, so that a wrong answer may be the fill's fault.
Here nothing is filled: for every radius a copy of the run's network is trained further on squares as large as what is
kept, and asked at the middle of such a square. One more copy gets as many steps on whole pictures, so that what differs
between them is what they see and not how long they learned. Where the square leaves the picture stands the picture's
mean, in training and in asking alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from thalweg.core.masks import VOID
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.data.batching.batches import as_tensor
from thalweg.experiments.at_speed import at_speed
from thalweg.experiments.context_runs import BATCH
from thalweg.experiments.data import LabPart
from thalweg.experiments.foreseen import Work
from thalweg.experiments.many import in_processes
from thalweg.experiments.variants import restored, share_of_rate
from thalweg.explanation.context_use import crop_around
from thalweg.modules.held import hold_statistics
from thalweg.modules.numbers import drawing_from
from thalweg.networks.catalogue import network
from thalweg.networks.segmentation import encoder_layers
from thalweg.training.loss import objective, pixel_weights
from thalweg.workbench.context_use import usual_radii
from thalweg.workbench.starting.segmenting import parts_of_segmenter
from thalweg.workbench.telling.telling import Listener

__all__ = ["ControlData", "control_radii", "control_works", "crops_a_step", "train_controls"]

SHARE = 0.3
"""Of the run's learning rate: the network is trained already."""
_LEAST = 8
"""Radius: a square of 17x17, of which an encoder that halves five times leaves one position."""
_MOST_CROPS = 64
_RATE = 1e-3  # where a plan names none
_STEEPEST = 5.0  # longest gradient of a step


@dataclass(frozen=True, kw_only=True)
class ControlData:
    """What all controls begin with.

    Args:
        part: The run's training pictures and masks, at the size of the network.
        spec: Its network.
        plan: Its plan.
        weights: Its trained weights.
        pixels: Training pixels of each class, which the loss is weighted by.
        steps: Updates of each control.
        seed: Which crops.
    """

    part: LabPart
    spec: NetworkSpec
    plan: TrainingPlan
    weights: Mapping[str, torch.Tensor]
    pixels: tuple[int, ...]
    steps: int
    seed: int


def control_radii(height: int, width: int, most: int) -> tuple[int, ...]:
    """The radii of the controls: some of the curve's, and the whole picture.

    Args:
        height: Rows of a picture.
        width: Columns of it.
        most: How many are trained, the whole picture's included.

    Returns:
        Pixels on each side, growing; the last one is that of whole pictures.

    Example:
        >>> control_radii(180, 240, 9), control_radii(180, 240, 3), control_radii(32, 32, 3)
        ((8, 16, 32, 64, 240), (8, 32, 240), (8, 32))
    """
    *inside, whole = usual_radii(height, width)
    fitting = [radius for radius in inside if radius >= _LEAST and 2 * radius + 1 < max(height, width)]
    step = max(1, -(-len(fitting) // max(1, most - 1)))
    return (*fitting[::step], whole)


def crops_a_step(radius: int, height: int, width: int) -> int:
    """How many crops a step takes: as many pixels as a batch of whole pictures has, within bounds.

    Args:
        radius: Of a crop.
        height: Rows of a picture.
        width: Columns of it.

    Returns:
        The number.

    Example:
        >>> crops_a_step(8, 180, 240), crops_a_step(64, 180, 240), crops_a_step(240, 180, 240)
        (64, 21, 8)
    """
    if radius >= max(height, width):
        return BATCH
    return min(_MOST_CROPS, max(BATCH, round(BATCH * height * width / (2 * radius + 1) ** 2)))


def control_works(name: str, shape: Shape, classes: int, radii: Sequence[int], steps: int) -> list[Work]:
    """What the controls cost, for `foresee`.

    Args:
        name: The network's name in the catalogue.
        shape: Of a whole picture.
        classes: Number of classes.
        radii: Of the controls.
        steps: Updates of each.

    Returns:
        A training for each radius.
    """
    whole = max(shape.extents)
    works = []
    for radius in radii:
        extents = shape.extents if radius >= whole else (2 * radius + 1, 2 * radius + 1)
        spec = network(name, Shape(shape.channels, extents), classes)
        works.append(Work(spec=spec, steps=steps, batch=crops_a_step(radius, *shape.extents), at_speed=True))
    return works


def train_controls(
    data: ControlData, radii: Sequence[int], *, workers: int, listener: Listener
) -> dict[int, nn.Module]:
    """Train a control for each radius.

    Args:
        data: What they begin with.
        radii: Growing; the last one is that of whole pictures.
        workers: Processes at the same time.
        listener: Whoever shows progress.

    Returns:
        Their modules in evaluation mode, giving logits.
    """
    states = in_processes(_train, data, list(radii), workers=workers, listener=listener, what="networks on crops")
    return {radius: restored(data.spec, state) for radius, state in zip(radii, states, strict=True)}


def _train(data: ControlData, radius: int) -> Mapping[str, torch.Tensor]:
    """Train one control; the same bits in whatever process."""
    module, device = at_speed(restored(data.spec, data.weights), data.spec)
    groups = [{"params": list(module.parameters()), "share": 1.0}]
    if data.plan.backbone is not None:
        named = dict(module.named_parameters())
        groups = [
            {"params": [named[name] for name in part.parameters], "share": part.share}
            for part in parts_of_segmenter(data.spec, module)
        ]
        if data.plan.batch_norm == "frozen":
            hold_statistics(module, only=set(encoder_layers(data.spec)))
    optimizer = torch.optim.Adam(groups)
    weights = pixel_weights(data.pixels, data.plan.class_weights)
    tensor = None if weights is None else torch.tensor(weights)
    loss_of = partial(objective, weights=tensor, overlap=data.plan.overlap_loss or 0.0)
    rate, draw = SHARE * (data.plan.learning_rate or _RATE), _drawn(data, radius)
    module.train()
    with drawing_from(data.seed):
        for step in range(data.steps):
            inputs, labels = draw()
            for group in optimizer.param_groups:
                group["lr"] = rate * group["share"] * share_of_rate(step / data.steps)
            optimizer.zero_grad(set_to_none=True)
            with device.context():
                logits = module(inputs)
            loss = loss_of(logits.float(), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(module.parameters(), _STEEPEST)
            optimizer.step()
    return {name: each.detach().clone() for name, each in module.state_dict().items()}


def _drawn(data: ControlData, radius: int) -> Callable[[], tuple[torch.Tensor, torch.Tensor]]:
    """Crops around random pixels of random pictures, or whole pictures; mirrored half of the time."""
    chance = np.random.default_rng((data.seed, 43, radius))
    height, width = data.part.values.shape[1:3]
    count = crops_a_step(radius, height, width)
    whole = radius >= max(height, width)

    def draw() -> tuple[torch.Tensor, torch.Tensor]:
        inputs, labels = [], []
        for _ in range(count):
            one = int(chance.integers(len(data.part)))
            row, column = int(chance.integers(height)), int(chance.integers(width))
            mirrored = bool(chance.integers(2))
            picture = as_tensor(data.part.values[one : one + 1], ordered=False)[0]
            mask = torch.from_numpy(data.part.labels[one])
            if not whole:
                beyond = picture.mean((1, 2), keepdim=True)
                picture = crop_around(picture, row, column, radius, beyond=beyond)
                mask = crop_around(mask, row, column, radius, beyond=VOID)
            inputs.append(picture.flip(-1) if mirrored else picture)
            labels.append(mask.flip(-1) if mirrored else mask)
        return torch.stack(inputs), torch.stack(labels)

    return draw
