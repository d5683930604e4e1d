"""The trainings of lab transfer: a head on cached features of any depth, fine-tuning, and the same from scratch."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from thalweg.core.network_spec import NetworkSpec
from thalweg.experiments.data import LabData, LabPart
from thalweg.experiments.fit import fit
from thalweg.experiments.optimizers import OptimizerChoice
from thalweg.experiments.variants import RATE, share_of_rate
from thalweg.explanation.activation import untouched, watching
from thalweg.modules.build import build
from thalweg.training.features import Scaling, fit_head, fold_in, scaling_of

__all__ = ["Case", "Ended", "Head", "Subject", "coloured", "head_on", "stage_features", "train_case"]

TUNING_RATE = 3e-4
TUNING_BATCH, SCRATCH_BATCH = 16, 32
_BLOCK = 64
_LEAST_SIDE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A linear head that was fitted to features.

    Args:
        weight: `(outputs, features)`, for standardised features.
        bias: `(outputs,)`.
        scaling: What standardises them.
        accuracy: On the held-out samples.
        seconds: Processor time of the fit, without the features.
    """

    weight: Tensor
    bias: Tensor
    scaling: Scaling
    accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What all trainings share.

    Args:
        data: The samples.
        scratch: The network that starts from nothing.
        backbone: The pretrained network.
        weights: Its state, the head untrained.
        head: Name of its head.
    """

    data: LabData
    scratch: NetworkSpec
    backbone: NetworkSpec
    weights: Mapping[str, Tensor]
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One training.

    Args:
        count: Samples to train on.
        seed: Which samples, and of everything random.
        steps: Updates.
        start: The fitted head that fine-tuning starts from; None trains from scratch.
    """

    count: int
    seed: int
    steps: int
    start: Head | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a training ended.

    Args:
        accuracy: On the held-out samples.
        seconds: Processor time.
    """

    accuracy: float
    seconds: float


def coloured(data: LabData) -> LabData:
    """Give grey pictures three times, and enlarge tiny ones: the backbone knows colour, and halves five times.

    Args:
        data: Pictures of one or three channels.

    Returns:
        Pictures of three channels, with at least 40 pixels along each axis; an enlarged pixel becomes a square.
    """
    times = -(-_LEAST_SIDE // min(data.shape.extents))
    channels = 3 if data.shape.channels == 1 else 1

    def taken(part: LabPart) -> LabPart:
        large = part.values.repeat(times, axis=1).repeat(times, axis=2)
        return LabPart(values=np.repeat(large, channels, axis=-1), labels=part.labels)

    return replace(data, train=taken(data.train), test=taken(data.test))


def stage_features(module: nn.Module, layers: list[str], part: LabPart) -> dict[str, Tensor]:
    """What each stage says of every sample, averaged over the places of its maps.

    Args:
        module: The network.
        layers: Where the stages end.
        part: The samples.

    Returns:
        `(samples, channels)` by layer.
    """
    rows: dict[str, list[Tensor]] = {name: [] for name in layers}
    with untouched(module), torch.no_grad(), watching(module, layers) as seen:
        for block in torch.split(part.inputs, _BLOCK):
            module(block)
            for name in layers:
                rows[name].append(seen[name].flatten(2).mean(2))
    return {name: torch.cat(found) for name, found in rows.items()}


def head_on(features: Tensor, labels: Tensor, held: Tensor, truth: Tensor, classes: int, seed: int) -> Head:
    """Fit a linear head to features, and judge it by held-out ones.

    Args:
        features: `(samples, channels)` to train on.
        labels: Their classes.
        held: Held-out features.
        truth: Their classes.
        classes: How many classes.
        seed: Of the quarter that the weight decay is chosen by.

    Returns:
        The head.

    Example:
        >>> x = torch.tensor([[0.0], [1.0], [0.1], [0.9]])
        >>> head_on(x, torch.tensor([0, 1, 0, 1]), x, torch.tensor([0, 1, 0, 1]), 2, seed=0).accuracy
        1.0
    """
    began = time.process_time()
    scaling = scaling_of(features[None])
    scaled = (features - scaling.mean) / scaling.deviation
    outputs = 1 if classes == 2 else classes  # noqa: PLR2004 - one logit tells two classes apart
    weight, bias, _ = fit_head(scaled[None], labels, outputs, seed=seed)
    logits = ((held - scaling.mean) / scaling.deviation) @ weight.T + bias
    answers = (logits[:, 0] > 0).long() if outputs == 1 else logits.argmax(dim=1)
    accuracy = float((answers == truth).float().mean())
    seconds = time.process_time() - began
    return Head(weight=weight, bias=bias, scaling=scaling, accuracy=accuracy, seconds=seconds)


class _Steady(nn.Module):
    """A pretrained network whose batch normalisations keep the statistics they came with."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.trunk(x)
        return scores

    def train(self, mode: bool = True) -> "_Steady":
        super().train(mode)
        for each in self.modules():
            if isinstance(each, nn.BatchNorm2d):
                each.eval()
        return self


def train_case(subject: Subject, case: Case) -> Ended:
    """Train once: from scratch, or on from the pretrained trunk and a fitted head.

    Args:
        subject: What all trainings share.
        case: This training.

    Returns:
        How it ended.
    """
    data = subject.data.some(case.count, seed=case.seed)
    start = case.start
    if start is None:
        choice = OptimizerChoice(name="Adam", rate=RATE)
        done = fit(subject.scratch, data, choice, steps=case.steps, batch_size=SCRATCH_BATCH, seed=case.seed, schedule=share_of_rate)  # fmt: skip  # noqa: E501
        return Ended(accuracy=done.last.test_accuracy, seconds=done.seconds)

    def begin(seed: int) -> nn.Module:
        module = build(subject.backbone.logits()[0], seed=seed)
        module.load_state_dict(dict(subject.weights))
        place = module.get_submodule(subject.head)
        assert isinstance(place, nn.Linear)  # noqa: S101 - a head is one
        fold_in(place, start.weight, start.bias, start.scaling)
        return _Steady(module)

    choice = OptimizerChoice(name="Adam", rate=TUNING_RATE)
    done = fit(begin, data, choice, steps=case.steps, batch_size=TUNING_BATCH, seed=case.seed, schedule=share_of_rate)
    return Ended(accuracy=done.last.test_accuracy, seconds=start.seconds + done.seconds)
