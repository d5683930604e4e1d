"""Twelve faults, each planted into a network that is healthy otherwise, and healthy runs of the same networks."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional

from networks import KINDS, Kind, build, pictures

STEPS, BATCH = 300, 32
OPTIMIZERS = ("sgd", "adam", "adamw")
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training run, ready to start.

    Args:
        kind: The network's name.
        seed: Of initialisation, pictures and batches.
        fault: What was planted; `healthy` for nothing.
        wanted: The finding that names it; empty for a healthy run.
        optimizer: Which optimizer.
        rate: Its learning rate.
        decay: Its weight decay.
        schedule: `constant`, `cosine` or `warm-up`.
        batch: Samples a batch.
        steps: Updates.
        shuffled: Whether labels are shuffled.
        scale: What inputs are multiplied with, and shifted to begin at zero where it is not 1.
        change: Changes the network before training.
        make: Makes the network.
        loss: The loss.
        held: Which parameters the optimizer gets.
    """

    kind: str
    seed: int
    fault: str = "healthy"
    wanted: str = ""
    optimizer: str = "sgd"
    rate: float = 0.05
    decay: float = 0.0
    schedule: str = "constant"
    batch: int = BATCH
    steps: int = STEPS
    shuffled: bool = False
    scale: float = 1.0
    change: Callable[[nn.Sequential], None] | None = None
    make: Callable[[Kind], nn.Sequential] = build
    loss: Loss = functional.cross_entropy
    held: Callable[[nn.Sequential], list[nn.Parameter]] = lambda network: list(network.parameters())

    @property
    def name(self) -> str:
        """What tells it from the others."""
        words = (self.fault, self.kind, self.optimizer, f"{self.rate:g}", self.schedule, self.seed)
        return "/".join(map(str, words))


def hidden(network: nn.Sequential) -> list[nn.Module]:
    """Layers with weights but the last."""
    return [layer for layer in network if isinstance(layer, nn.Linear | nn.Conv2d)][:-1]


def kill_by_bias(network: nn.Sequential) -> None:
    """Bias of the middle hidden layer so low that no unit ever fires, behind a normalisation where there is one."""
    layers = list(network)
    relus = [place for place, layer in enumerate(layers) if isinstance(layer, nn.ReLU)]
    place = relus[len(relus) // 2] - 1
    nn.init.constant_(layers[place].bias, -20.0)


def explode(network: nn.Sequential) -> None:
    """Weights ten times as wide as torch makes them."""
    with torch.no_grad():
        for layer in network:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                layer.weight.mul_(10.0)


def freeze(network: nn.Sequential) -> None:
    """Nothing but the head may learn."""
    for layer in hidden(network):
        layer.requires_grad_(requires_grad=False)


class Cut(nn.Module):
    """A detach in the middle, as it slips into a forward pass."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Cut the graph."""
        return x.detach()


def cut(kind: Kind) -> nn.Sequential:
    """A network whose graph is cut before its last hidden layer."""
    layers = list(build(kind))
    place = max(place for place, layer in enumerate(layers[:-1]) if isinstance(layer, nn.Linear | nn.Conv2d))
    return nn.Sequential(*layers[:place], Cut(), *layers[place:])


def ending(*modules: nn.Module) -> Callable[[Kind], nn.Sequential]:
    """A network with something behind its head."""
    return lambda kind: nn.Sequential(*build(kind), *modules)


def hot(labels: torch.Tensor) -> torch.Tensor:
    """Labels as rows of zeros and a one."""
    return functional.one_hot(labels, 10).float()


WRONG_LOSSES: tuple[tuple[Callable[[Kind], nn.Sequential], Loss], ...] = (
    (build, functional.nll_loss),
    (ending(nn.Softmax(dim=1)), lambda z, y: functional.l1_loss(z, hot(y))),
    (ending(nn.Softmax(dim=1)), lambda z, y: functional.mse_loss(z, hot(y))),
)


def faults(kind: str, seed: int) -> Iterator[Run]:
    """Every fault in one network with one seed; seeds go through the optimizers and the ways to make a fault."""
    way = seed % 3
    optimizer = OPTIMIZERS[way]
    good = KINDS[kind].rates[optimizer]
    sound = Run(kind=kind, seed=seed, optimizer=optimizer, rate=good)
    wrong, loss = WRONG_LOSSES[way]
    yield replace(sound, fault="rate 100x too high", wanted="learning_rate_too_high", rate=100 * good)
    yield replace(sound, fault="rate 100x too low", wanted="learning_rate_too_low", rate=good / 100)
    yield replace(sound, fault="dead relu by bias", wanted="dying_relu", change=kill_by_bias)
    yield replace(sound, fault="sigmoid stack", wanted="vanishing_gradient",
                  make=lambda each: build(each, activation=nn.Sigmoid, normalised=False, repeats=2))  # fmt: skip
    yield replace(sound, fault="exploding initialisation", wanted="exploding_gradient", change=explode)
    yield replace(sound, fault="labels shuffled", wanted="label_noise", shuffled=True)
    yield replace(sound, fault="inputs 0 to 255", wanted="input_scale", scale=255.0)
    yield replace(sound, fault="softmax twice", wanted="wrong_head_or_loss", make=ending(nn.Softmax(dim=1)))
    yield replace(sound, fault="wrong loss", wanted="wrong_head_or_loss", make=wrong, loss=loss)
    frozen = replace(sound, fault="frozen layers", wanted="frozen_parameters")
    yield (
        replace(frozen, change=freeze),
        replace(frozen, held=lambda network: list(network[-1].parameters())),
        replace(frozen, make=cut),
    )[way]
    yield replace(sound, fault="batch of 1 with batch norm", wanted="batchnorm_mismatch", batch=1,
                  make=lambda each: build(each, normalised=True, stem=True))  # fmt: skip
    yield replace(sound, fault="weight decay 10", wanted="excessive_regularization", decay=10.0)


def healthy(kind: str, seeds: tuple[int, ...]) -> Iterator[Run]:
    """Healthy runs of one network: every optimizer, rates within the plateau, three schedules, some weight decay."""
    for seed in seeds:
        for number, optimizer in enumerate(OPTIMIZERS):
            good = KINDS[kind].rates[optimizer]
            sound = Run(kind=kind, seed=seed, optimizer=optimizer, rate=good)
            yield sound
            yield replace(sound, rate=good / 2, schedule="cosine")
            other = (0.5, 1.0, 2.0)[(number + seed) % 3]
            decay = 5e-4 if optimizer == "sgd" else 0.05 if optimizer == "adamw" else 0.0
            yield replace(sound, rate=good * other, schedule="warm-up", decay=decay)


def start(run: Run) -> tuple[nn.Sequential, torch.optim.Optimizer, torch.Tensor, torch.Tensor]:
    """Make network, optimizer, pictures and labels of a run."""
    kind = KINDS[run.kind]
    x, y = pictures(kind, run.seed)
    if run.shuffled:
        y = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(run.seed))]
    if run.scale != 1.0:
        x = (x - x.min()) / (x.max() - x.min()) * run.scale
    torch.manual_seed(run.seed)
    network = run.make(kind)
    if run.change is not None:
        run.change(network)
    held = run.held(network)
    if run.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(held, run.rate, momentum=0.9, weight_decay=run.decay)
    else:
        which = torch.optim.Adam if run.optimizer == "adam" else torch.optim.AdamW
        optimizer = which(held, run.rate, weight_decay=run.decay)
    return network, optimizer, x, y


def rate_at(run: Run, step: int) -> float:
    """Share of the rate that a schedule allows at a step."""
    if run.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * step / run.steps))
    if run.schedule == "warm-up":
        return min(1.0, (step + 1) / 30)
    return 1.0


def train(run: Run, began: Callable[[nn.Module, torch.optim.Optimizer], None]) -> float:
    """Train as anybody would.

    Args:
        run: What to train.
        began: Called with network and optimizer before the first step; where `thalweg.watch` is called.

    Returns:
        Accuracy on what it has learned from, in evaluation mode.
    """
    network, optimizer, x, y = start(run)
    began(network, optimizer)
    draw = torch.Generator().manual_seed(run.seed)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(run, step))
    order = torch.empty(0, dtype=torch.long)
    network.train()
    for _ in range(run.steps):
        if len(order) < run.batch:
            order = torch.randperm(len(x), generator=draw)
        chosen, order = order[: run.batch], order[run.batch :]
        optimizer.zero_grad()
        loss = run.loss(network(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()
    with torch.no_grad():
        return float((network(x).argmax(1) == y).float().mean())
