"""Several networks, several seeds each, on the same data: trained side by side, by one recipe, and gathered by name."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from thalweg.core.network_spec import NetworkSpec
from thalweg.experiments.data import LabData
from thalweg.experiments.fit import fit
from thalweg.experiments.foreseen import Work
from thalweg.experiments.lab import LabRequest
from thalweg.experiments.many import in_processes
from thalweg.experiments.optimizers import OptimizerChoice
from thalweg.experiments.seeds import Seeds
from thalweg.modules.build import build

__all__ = ["RECIPE", "Trained", "Variant", "accuracies", "restored", "train_variants", "works_of"]

RATE, BATCH, WARM = 0.003, 32, 0.1
RECIPE = (
    f"Adam at {RATE:g} after a warm-up over {WARM:.0%} of the steps, then along a cosine to nought; batches of {BATCH}"
)
"""One recipe for every variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A network to train.

    Args:
        name: What it is called in table and figures.
        spec: The network.
        epochs: Passes over its training samples.
        data: Which of the data it is trained on.
        keep: Whether its weights are wanted.
    """

    name: str
    spec: NetworkSpec
    epochs: float
    data: str = ""
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """One training of a variant.

    Args:
        accuracy: On the held-out samples.
        train_accuracy: On those it was trained on.
        seconds: Processor time of the training.
        steps: Updates made.
        weights: The state dict, where it was wanted.
    """

    accuracy: float
    train_accuracy: float
    seconds: float
    steps: int
    weights: Mapping[str, torch.Tensor] | None


def train_variants(
    variants: Sequence[Variant], data: Mapping[str, LabData] | LabData, seeds: int, request: LabRequest
) -> dict[str, list[Trained]]:
    """Train every variant with every seed.

    Args:
        variants: The networks.
        data: By name, as the variants name it; or one for all.
        seeds: How many seeds.
        request: What the user asked for; its seed is the first one.

    Returns:
        The trainings of each variant, in the order of seeds.
    """
    shared = {"": data} if isinstance(data, LabData) else dict(data)
    cases = [(variant, request.seed + number) for number in range(seeds) for variant in variants]
    done = in_processes(train_one, shared, cases, workers=request.workers, listener=request.listener)
    found: dict[str, list[Trained]] = {variant.name: [] for variant in variants}
    for (variant, _), trained in zip(cases, done, strict=True):
        found[variant.name].append(trained)
    return found


def works_of(variants: Sequence[Variant], data: Mapping[str, LabData] | LabData, seeds: int) -> list[Work]:
    """What the trainings of variants consist of, to foresee how long they take.

    Args:
        variants: The networks.
        data: By name, as the variants name it; or one for all.
        seeds: How many seeds.

    Returns:
        An entry a variant.
    """
    shared = {"": data} if isinstance(data, LabData) else dict(data)
    return [
        Work(
            spec=each.spec,
            steps=each.epochs * math.ceil(len(shared[each.data].train) / BATCH),
            batch=BATCH,
            trainings=seeds,
            at_speed=True,
        )
        for each in variants
    ]


def train_one(data: Mapping[str, LabData], case: tuple[Variant, int]) -> Trained:
    """Train one variant with one seed.

    Args:
        data: By name.
        case: The variant and the seed.

    Returns:
        How it ended.
    """
    variant, seed = case
    done = fit(
        variant.spec,
        data[variant.data],
        OptimizerChoice(name="Adam", rate=RATE),
        epochs=variant.epochs,
        batch_size=BATCH,
        seed=seed,
        schedule=share_of_rate,
        keep=variant.keep,
        fast=True,
    )
    weights = {name: each.detach().clone() for name, each in done.module.state_dict().items()} if done.module else None
    return Trained(
        accuracy=done.last.test_accuracy,
        train_accuracy=done.last.train_accuracy,
        seconds=done.seconds,
        steps=len(done.losses),
        weights=weights,
    )


def share_of_rate(share: float) -> float:
    """Warm up in a line, then fall along half a cosine.

    Args:
        share: Of the steps that were made, 0 to 1.

    Returns:
        What the rate is multiplied with.

    Example:
        >>> share_of_rate(0.1), round(share_of_rate(0.55), 2), round(share_of_rate(1.0), 2)
        (1.0, 0.5, 0.0)
    """
    if share < WARM:
        return max(share / WARM, 0.01)
    return (1 + math.cos(math.pi * (share - WARM) / (1 - WARM))) / 2


def restored(spec: NetworkSpec, weights: Mapping[str, torch.Tensor] | None) -> nn.Module:
    """Build a trained network again.

    Args:
        spec: The network.
        weights: What a training of it kept.

    Returns:
        The module in evaluation mode, giving logits.
    """
    module = build(spec.logits()[0], seed=0)
    module.load_state_dict(dict(weights or {}))
    return module.eval()


def accuracies(found: Mapping[str, Sequence[Trained]]) -> Seeds:
    """Gather the accuracies on held-out samples.

    Args:
        found: The trainings of each variant.

    Returns:
        Accuracies by variant and seed.
    """
    return Seeds(values={name: tuple(each.accuracy for each in runs) for name, runs in found.items()})
