"""Training the variants of `lab context`: the same pictures, seeds, steps and recipe for each; scored by class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from thalweg.core.context_use import overlap_of
from thalweg.core.network_spec import NetworkSpec
from thalweg.evaluation.segmentation import VOID, confusion_of
from thalweg.experiments.at_speed import at_speed
from thalweg.experiments.context_scenes import SceneData
from thalweg.experiments.fit import minibatches
from thalweg.experiments.variants import RATE, share_of_rate
from thalweg.modules.build import build
from thalweg.modules.numbers import drawing_from

__all__ = ["BATCH", "SceneRun", "SceneTrial", "train_scene"]

BATCH = 8
_BLOCK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneTrial:
    """One network to train once.

    Args:
        spec: The network.
        steps: Updates.
        seed: Of weights and order.
        keep: Whether its weights are wanted.
    """

    spec: NetworkSpec
    steps: int
    seed: int
    keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRun:
    """How it ended on the held-out pictures.

    Args:
        confusion: Pixels by true and predicted class.
        iou: By class; nan where a class is nowhere.
        weights: The state dict, where it was wanted.
    """

    confusion: tuple[tuple[int, ...], ...]
    iou: tuple[float, ...]
    weights: Mapping[str, torch.Tensor] | None

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that have one."""
        return float(np.nanmean(self.iou))

    def mean_of(self, places: Sequence[int]) -> float:
        """Mean IoU of some classes.

        Args:
            places: Their numbers.

        Returns:
            The mean; nan where none of them has one.
        """
        known = [self.iou[place] for place in places if np.isfinite(self.iou[place])]
        return float(np.mean(known)) if known else float("nan")


def train_scene(data: SceneData, trial: SceneTrial) -> SceneRun:
    """Train one network and score it.

    Args:
        data: What to train on, and to judge by.
        trial: Which network, how long, from which seed.

    Returns:
        Its scores.
    """
    module, device = at_speed(build(trial.spec.logits()[0], seed=trial.seed), trial.spec)
    optimizer = torch.optim.Adam(module.parameters(), lr=RATE)
    batches = minibatches(data.train, BATCH, trial.seed)
    with drawing_from(trial.seed):
        step = 0
        while step < trial.steps:
            inputs, targets = next(batches)
            if len(inputs) == 1:  # nothing to normalise over where a module has pooled to one position
                continue
            for group in optimizer.param_groups:
                group["lr"] = RATE * share_of_rate(step / trial.steps)
            optimizer.zero_grad(set_to_none=True)
            with device.context():
                logits = module(inputs)
            loss = functional.cross_entropy(logits.float(), targets, ignore_index=VOID)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1
    confusion = _judged(module.eval(), data)
    table = tuple(tuple(map(int, row)) for row in confusion)
    weights = {name: each.detach().clone() for name, each in module.state_dict().items()} if trial.keep else None
    return SceneRun(confusion=table, iou=overlap_of(table), weights=weights)


def _judged(module: nn.Module, data: SceneData) -> np.ndarray:
    total = np.zeros((len(data.classes), len(data.classes)), dtype=np.int64)
    with torch.inference_mode():
        for start in range(0, len(data.test), _BLOCK):
            called = module(data.test.inputs[start : start + _BLOCK]).argmax(1).numpy()
            total += confusion_of(called, data.test.labels[start : start + _BLOCK], len(data.classes)).sum(0)
    return total
