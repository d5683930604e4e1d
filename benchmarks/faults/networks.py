"""Six small networks on small pictures: three to set thresholds on, three others to report on.

Each is built with what a fault may change about it: its activation, its depth, its normalisation.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

FASHION = Path(__file__).resolve().parents[3] / "shared" / "data" / "fashion-mnist"
PICTURES = 2000


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A network and the rates that suit it.

    Args:
        name: What it is called in tables.
        fashion: Whether it learns from Fashion-MNIST (28x28), else from digits (8x8).
        widths: Channels or units of its hidden layers.
        convolutional: Whether they are convolutions of 3x3.
        normalised: Whether batch normalisation follows each.
        activation: What follows.
        rates: Learning rate that suits it, an optimizer each, in the middle of the good plateau.
    """

    name: str
    fashion: bool
    widths: tuple[int, ...]
    convolutional: bool
    normalised: bool
    activation: type[nn.Module]
    rates: dict[str, float]


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="dense-digits", fashion=False, widths=(64, 64, 64), convolutional=False, normalised=False,
             activation=nn.ReLU, rates={"sgd": 0.03, "adam": 0.003, "adamw": 0.003}),
        Kind(name="conv-digits", fashion=False, widths=(16, 32, 32), convolutional=True, normalised=False,
             activation=nn.ReLU, rates={"sgd": 0.025, "adam": 0.002, "adamw": 0.002}),
        Kind(name="conv-bn-fashion", fashion=True, widths=(8, 16, 32), convolutional=True, normalised=True,
             activation=nn.ReLU, rates={"sgd": 0.02, "adam": 0.003, "adamw": 0.003}),
        Kind(name="dense-fashion", fashion=True, widths=(128, 64, 64), convolutional=False, normalised=False,
             activation=nn.ReLU, rates={"sgd": 0.02, "adam": 0.002, "adamw": 0.002}),
        Kind(name="conv-fashion", fashion=True, widths=(8, 16, 16, 32), convolutional=True, normalised=False,
             activation=nn.ReLU, rates={"sgd": 0.02, "adam": 0.004, "adamw": 0.004}),
        Kind(name="conv-bn-digits", fashion=False, widths=(12, 24, 24), convolutional=True, normalised=True,
             activation=nn.ReLU, rates={"sgd": 0.03, "adam": 0.002, "adamw": 0.002}),
    )
}  # fmt: skip
CALIBRATION = ("dense-digits", "conv-digits", "conv-bn-fashion")
REPORT = ("dense-fashion", "conv-fashion", "conv-bn-digits")


def build(
    kind: Kind,
    *,
    activation: Callable[[], nn.Module] | None = None,
    normalised: bool | None = None,
    repeats: int = 1,
    stem: bool = False,
) -> nn.Sequential:
    """Make a network, as torch initialises it.

    Args:
        kind: Which.
        activation: Another activation.
        normalised: Whether to normalise after all.
        repeats: How often each hidden layer comes.
        stem: Whether a dense network gets a convolution first, so that it has batch statistics in the plane.
    """
    make = activation or kind.activation
    normal = kind.normalised if normalised is None else normalised
    layers: list[nn.Module] = []
    width, side = 1, 28 if kind.fashion else 8
    if stem and not kind.convolutional:
        layers += [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), make()]
        width = 4
    if not kind.convolutional:
        layers.append(nn.Flatten())
        width *= side * side
    for number, wanted in enumerate(kind.widths):
        for _ in range(repeats):
            layers.append(nn.Conv2d(width, wanted, 3, padding=1) if kind.convolutional else nn.Linear(width, wanted))
            if normal and (kind.convolutional or not stem):
                layers.append(nn.BatchNorm2d(wanted) if kind.convolutional else nn.BatchNorm1d(wanted))
            layers.append(make())
            width = wanted
        if kind.convolutional and number < (3 if kind.fashion else 1):
            layers.append(nn.MaxPool2d(2))
            side //= 2
    if kind.convolutional:
        layers += [nn.Flatten()]
        width *= side * side
    layers.append(nn.Linear(width, 10))
    return nn.Sequential(*layers)


def pictures(kind: Kind, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Take some pictures, brought to 0 to 1 and centred, with their labels."""
    if kind.fashion:
        if not FASHION.exists():
            raise SystemExit(f"{FASHION} is not there: put Fashion-MNIST's four idx files there")
        with gzip.open(FASHION / "train-images-idx3-ubyte.gz") as file:
            images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
        with gzip.open(FASHION / "train-labels-idx1-ubyte.gz") as file:
            labels = np.frombuffer(file.read(), np.uint8, offset=8)
        chosen = np.random.default_rng(seed).choice(len(images), PICTURES, replace=False)
        images, labels = images[chosen] / 255.0, labels[chosen]
    else:
        digits = load_digits()
        images, labels = digits.images[:, None] / 16.0, digits.target
    x = torch.tensor(images, dtype=torch.float32)
    return (x - x.mean()) / x.std(), torch.tensor(labels.astype(np.int64))
