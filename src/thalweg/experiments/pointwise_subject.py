"""The network that `lab pointwise` looks into: the one of a finished run, or one that is trained here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.experiments.data import LabData
from thalweg.experiments.lab import LabRequest
from thalweg.experiments.variants import RECIPE, Variant, restored, train_one
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input
from thalweg.networks.layers import BatchNorm, GlobalAvgPool, ReLU
from thalweg.networks.sequential import Sequential
from thalweg.networks.spatial import CONV, MAX_POOL, scaled_input
from thalweg.networks.writing import Layer, Value
from thalweg.workbench.answering.model import open_model
from thalweg.workbench.environment import find_source
from thalweg.workbench.loading.batching import batches_of
from thalweg.workbench.loading.loading import load, same_split

__all__ = ["Subject", "is_run", "of_run", "subject_network", "trained_here"]

_BATCH = 32
_LEAST = 20


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A trained network and samples to show it.

    Args:
        said: What it is, for the set-up.
        spec: The network, without its last activation.
        module: In evaluation mode, giving logits.
        train: Batches of training samples.
        test: Batches of held-out samples.
        targets: Their classes, `(N,)`.
    """

    said: str
    spec: NetworkSpec
    module: nn.Module
    train: tuple[Tensor, ...]
    test: tuple[Tensor, ...]
    targets: Tensor

    @torch.inference_mode()
    def answers(self) -> Tensor:
        """Classes that the network gives the held-out samples, `(N,)`."""
        found = [self.module(batch) for batch in self.test]
        logits = torch.cat(found)
        return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)


def is_run(source: str | None) -> bool:
    """Whether a source is the folder of a run.

    Args:
        source: As the user named it.

    Returns:
        Whether there is a plan inside.

    Example:
        >>> is_run(None), is_run("photos")
        (False, False)
    """
    return source is not None and Path(source, "plan.toml").is_file()


def of_run(request: LabRequest, *, most: int) -> Subject:
    """Open a run's network with its own samples.

    Args:
        request: Its source is the folder.
        most: Samples of each kind that are shown to it.

    Returns:
        The network.

    Raises:
        RunError: Too few of its samples are held out.
    """
    model = open_model(str(request.source), device="cpu")
    place = printable(model.folder.path)
    plan = model.plan
    loaded = load(find_source(model.folder, plan.source), image_size=model.side, listener=request.listener, least=1, wanted=plan.wanted, like=model.shape)  # fmt: skip  # noqa: E501
    parts = same_split(loaded, model.summary)
    held = parts.test or parts.validation
    if len(held) < _LEAST:
        raise RunError(f"{place} holds out {len(held)} samples: at least {_LEAST} are needed to judge by")
    random = np.random.default_rng((request.seed, 23))

    def some(indices: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        chosen = tuple(np.sort(random.permutation(np.asarray(indices))[:most]).tolist())
        batches = batches_of(loaded, chosen, replace(plan, batch_size=_BATCH), training=False).epoch(0)
        return [(batch.pixels, batch.labels) for batch in batches]

    train, test = some(parts.train), some(held)
    return Subject(
        said=f"the network of {place} ({model.spec.name}, {model.shape}) on {sum(len(y) for _, y in test)} of its "
        f"held-out samples",
        spec=model.spec.logits()[0],
        module=model.module,
        train=tuple(pixels for pixels, _ in train),
        test=tuple(pixels for pixels, _ in test),
        targets=torch.cat([labels for _, labels in test]),
    )


def subject_network(shape: Shape, classes: int) -> NetworkSpec:
    """A network of five windowed layers, 16 to 64 channels.

    Args:
        shape: Channels and size of one sample.
        classes: Number of classes.

    Returns:
        The network.

    Example:
        >>> subject_network(Shape(1, (32, 32)), 2).name
        'five windows'
    """
    axes = shape.axes
    conv, pool = CONV[axes], MAX_POOL[axes]
    layers: list[Value | Layer] = [Input(*shape.as_tuple()), scaled_input(axes)]
    for width, pooled in ((16, True), (32, False), (32, True), (64, False), (64, False)):
        layers += [conv(width, 3, padding="same", bias=False), BatchNorm(), ReLU()]
        layers += [pool(2)] if pooled else []
    return Sequential([*layers, GlobalAvgPool(), *classifier(classes)], name="five windows")


def trained_here(data: LabData, request: LabRequest, *, epochs: float) -> Subject:
    """Train a network to look into.

    Args:
        data: What to train on.
        request: For its seed.
        epochs: Passes over the training samples.

    Returns:
        The network.
    """
    spec = subject_network(data.shape, len(data.classes))
    request.listener.say("Training the network that is looked into ...")
    done = train_one({"": data}, (Variant(name=spec.name, spec=spec, epochs=epochs, keep=True), request.seed))
    return Subject(
        said=f"{spec.name}: 3x3 convolutions of 16, 32, 32, 64 and 64 channels, trained here for {epochs:g} epochs; "
        f"{RECIPE}; {data.said()}",
        spec=spec.logits()[0],
        module=restored(spec, done.weights),
        train=tuple(torch.split(data.train.inputs, _BATCH)),
        test=tuple(torch.split(data.test.inputs, _BATCH)),
        targets=data.test.targets,
    )
