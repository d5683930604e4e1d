"""Faulty programs in the style of those that public studies collected from questions and issues, ported to torch.

Each is written as its author might have: plain loops, functions for activations, losses and labels as they come. They
are kinds of mistakes, not copies of anybody's code: Islam et al. 2019, Humbatova et al. 2020 and Wardat et al. 2021
list them. They were written before the rules had met any of them and are not used to set thresholds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_moons
from torch import Tensor, nn
from torch.nn import functional

Began = Callable[[nn.Module, torch.optim.Optimizer], None]


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program.

    Args:
        name: The mistake.
        wanted: Findings that name it; empty where the program is sound.
        train: Runs it; calls back before the first step.
    """

    name: str
    wanted: frozenset[str]
    train: Callable[[Began], float]


def table(which: Callable[..., object], *, scaled: bool = True) -> tuple[Tensor, Tensor]:
    """A small table of features with labels."""
    x, y = which(return_X_y=True)  # type: ignore[misc]
    if scaled:
        x = (x - x.mean(0)) / x.std(0)
    return torch.tensor(np.asarray(x), dtype=torch.float32), torch.tensor(np.asarray(y), dtype=torch.int64)


def digits(scale: float = 1 / 16) -> tuple[Tensor, Tensor]:
    """Digits as rows of 64."""
    x, y = load_digits(return_X_y=True)
    return torch.tensor(x * scale, dtype=torch.float32), torch.tensor(y)


def hot(y: Tensor, classes: int = 10) -> Tensor:
    """One-hot labels."""
    return functional.one_hot(y, classes).float()


def fit(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    began: Began,
    *,
    batch: int = 32,
    steps: int = 300,
) -> float:
    """The loop that all of them have."""
    began(network, optimizer)
    draw = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randint(0, len(x), (batch,), generator=draw)
        optimizer.zero_grad()
        loss(network(x[chosen]), y[chosen]).backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        out = network(x)
    guessed = out.argmax(1) if out.ndim > 1 and out.shape[1] > 1 else (out.flatten() > 0.5).long()
    return float((guessed == y).float().mean())


def program(
    name: str,
    wanted: str,
    layers: Callable[[], list[nn.Module]],
    data: Callable[[], tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
    rate: float = 1e-3,
    **options: int,
) -> Program:
    """Write a program down in one line."""

    def train(began: Began) -> float:
        torch.manual_seed(0)
        network = nn.Sequential(*layers())
        x, y = data()
        return fit(network, x, y, loss, optimizer(network.parameters(), lr=rate), began, **options)

    return Program(name=name, wanted=frozenset(wanted.split()), train=train)


def dense(*widths: int, act: type[nn.Module] = nn.ReLU, end: nn.Module | None = None) -> Callable[[], list[nn.Module]]:
    """Dense layers with an activation between them."""

    def made() -> list[nn.Module]:
        layers: list[nn.Module] = []
        for number, (one, other) in enumerate(pairwise(widths)):
            layers += [nn.Linear(one, other), *([act()] if number < len(widths) - 2 else [])]
        return [*layers, *([end] if end is not None else [])]

    return made


class Functional(nn.Module):
    """A network whose activations are functions, as most people write them."""

    def __init__(self, *, softmax: bool = False, bias: float | None = None) -> None:
        super().__init__()
        self.one, self.two, self.three = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 10)
        self.softmax = softmax
        if bias is not None:
            nn.init.constant_(self.two.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        """As in a tutorial."""
        x = functional.relu(self.one(x))
        x = self.three(functional.relu(self.two(x)))
        return functional.softmax(x, dim=1) if self.softmax else x


SGD, ADAM = torch.optim.SGD, torch.optim.Adam
HEAD = "wrong_head_or_loss"
PROGRAMS = (
    program("relu on the output of a classifier", HEAD, dense(64, 64, 10, end=nn.ReLU()), digits),
    program("sigmoid output with cross-entropy over ten classes", HEAD, dense(64, 64, 10, end=nn.Sigmoid()), digits),
    program("softmax before cross-entropy", HEAD, dense(64, 64, 10, end=nn.Softmax(dim=1)), digits),
    program("softmax as a function before cross-entropy", HEAD, lambda: [Functional(softmax=True)], digits),
    program("mean squared error for ten classes", HEAD, dense(64, 64, 10, end=nn.Softmax(dim=1)), digits,
            lambda z, y: functional.mse_loss(z, hot(y))),
    program("mean squared error for two classes", HEAD, dense(30, 16, 1, end=nn.Sigmoid()),
            lambda: table(load_breast_cancer), lambda z, y: nn.MSELoss()(z[:, 0], y.float())),
    program("absolute error for three classes", HEAD, dense(4, 16, 3, end=nn.Softmax(dim=1)), lambda: table(load_iris),
            lambda z, y: nn.L1Loss()(z, hot(y, 3))),
    program("binary cross-entropy on a softmax of ten", HEAD, dense(64, 64, 10, end=nn.Softmax(dim=1)), digits,
            lambda z, y: nn.BCELoss()(z, hot(y))),
    program("softmax on one output", HEAD, dense(30, 16, 1, end=nn.Softmax(dim=1)), lambda: table(load_breast_cancer),
            lambda z, y: nn.BCELoss()(z[:, 0], y.float())),
    program("sigmoid before a loss that has its own", HEAD, dense(30, 16, 1, end=nn.Sigmoid()),
            lambda: table(load_breast_cancer), lambda z, y: nn.BCEWithLogitsLoss()(z[:, 0], y.float())),
    program("negative log likelihood without log_softmax", HEAD, dense(64, 64, 10), digits, nn.NLLLoss()),
    program("cross-entropy with a single output", HEAD, dense(30, 16, 1), lambda: table(load_breast_cancer),
            lambda z, y: functional.cross_entropy(z, torch.zeros_like(y))),
    program("optimizer at rate 1 with Adam", "learning_rate_too_high", dense(64, 64, 10), digits, rate=1.0),
    program("SGD at rate 10", "learning_rate_too_high", dense(64, 64, 10), digits, optimizer=SGD, rate=10.0),
    program("SGD at rate 1e-5", "learning_rate_too_low", dense(64, 64, 10), digits, optimizer=SGD, rate=1e-5),
    program("Adam at rate 1e-6", "learning_rate_too_low", dense(30, 32, 2), lambda: table(load_breast_cancer),
            rate=1e-6),
    program("features of a table as they come", "input_scale", dense(13, 32, 3),
            lambda: table(load_wine, scaled=False), optimizer=SGD, rate=0.01),
    program("pictures of 0 to 255", "input_scale", dense(64, 64, 10), lambda: digits(255 / 16), optimizer=SGD,
            rate=0.01),
    program("ten sigmoid layers", "vanishing_gradient", dense(64, *[32] * 10, 10, act=nn.Sigmoid), digits,
            optimizer=SGD, rate=0.1),
    program("labels that lost their order", "label_noise", dense(64, 128, 10),
            lambda: (digits()[0], digits()[1].roll(700)[torch.randperm(1797)])),
    program("bias of -30 before a rectifier as a function", "dying_relu frozen_parameters",
            lambda: [Functional(bias=-30.0)], digits),
    program("sound: a table", "", dense(30, 32, 2), lambda: table(load_breast_cancer), rate=3e-3),
    program("sound: activations as functions", "", lambda: [Functional()], digits, rate=2e-3),
    program("sound: two moons", "", dense(2, 32, 32, 1),
            lambda: table(lambda **_: make_moons(600, noise=0.1, random_state=0)),
            lambda z, y: nn.BCEWithLogitsLoss()(z[:, 0], y.float()), rate=1e-2),
)  # fmt: skip
