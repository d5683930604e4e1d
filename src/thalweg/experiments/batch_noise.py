"""What `lab batch-size` measures beside trainings: the noise of gradients, and curves to be told apart blind.

    noise scale = tr(covariance of one sample's gradient) / |gradient|^2

(McCandlish et al. 2018, "An empirical model of large-batch training"): a batch of so many samples has as much noise as
signal. Far below it, twice the batch is worth twice the steps; far above, hardly anything.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from thalweg.core.history import RunHistory
from thalweg.core.signal import Signal
from thalweg.curvature.flat import flatten, inner
from thalweg.curvature.lanczos import extreme_eigenvalues
from thalweg.curvature.objective import Objective
from thalweg.diagnosis.noise import judge
from thalweg.experiments.data import LabData, LabPart
from thalweg.experiments.fit import fit
from thalweg.experiments.optimizers import OptimizerChoice
from thalweg.modules.numbers import drawing_from
from thalweg.training.loss import cross_entropy

__all__ = ["BlindCase", "BlindCurve", "blind_curve", "draw_blind", "noise_scale", "pooled"]

RATES = {"SGD": (-2.5, 0.3), "SGD with momentum": (-3.0, -0.5), "Adam": (-4.0, -2.0)}
"""Powers of ten between which the rates of blind curves are drawn."""
EDGE_FROM = 0.5
"""At the edge of stability: the sharpness times the rate is within this of 2 (or above) at the end of a full batch."""


def noise_scale(module: nn.Module, part: LabPart, *, samples: int, seed: int) -> float:
    """Measure the noise scale of the gradient at a network's weights, by single samples.

    Args:
        module: The network, giving logits.
        part: The samples.
        samples: How many single gradients to take.
        seed: Which ones.

    Returns:
        In samples; infinite where the gradient cannot be told from zero.
    """
    some = part.some(samples, seed)
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    total, squares = torch.zeros(sum(weight.numel() for weight in weights)), 0.0
    for place in range(len(some)):
        loss = cross_entropy(module(some.inputs[place : place + 1]), some.targets[place : place + 1])
        gradient = flatten(torch.autograd.grad(loss, weights)).detach()
        total += gradient
        squares += inner(gradient, gradient)
    count = len(some)
    mean = inner(total, total) / count**2
    covariance = (squares / count - mean) * count / (count - 1)
    signal = mean - covariance / count  # the mean's own noise taken off
    return covariance / signal if signal > 0 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindCase:
    """A curve to be drawn.

    Args:
        number: Decides everything about it.
        seed: Of the experiment.
        full: Whether it descends on the whole data set.
    """

    number: int
    seed: int
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindCurve:
    """A curve, what it is, and what was said of it.

    Args:
        case: Which one.
        setting: How it was made, in words.
        losses: Loss of every step.
        said: What the diagnosis says, from the losses alone.
        edge: Whether it is full batch at the edge of stability.
    """

    case: BlindCase
    setting: str
    losses: tuple[float, ...]
    said: str
    edge: bool

    @property
    def right(self) -> bool:
        """Whether it was told right."""
        return self.said == ("full_batch_like" if self.case.full else "mini_batch_like")


def draw_blind(count: int, seed: int) -> list[BlindCase]:
    """Choose curves, half of them full batch.

    Args:
        count: How many.
        seed: Decides them.

    Returns:
        The cases.
    """
    return [BlindCase(number=number, seed=seed, full=number % 2 == 0) for number in range(count)]


def blind_curve(data: LabData, case: BlindCase) -> BlindCurve:
    """Train a small network for a while and let its curve be judged.

    Args:
        data: Small samples.
        case: Which curve.

    Returns:
        The curve with the verdict.
    """
    random = np.random.default_rng((case.seed, 53, case.number))
    some = data.some(int(random.integers(64, 257)), 20, seed=case.number)
    name = list(RATES)[int(random.integers(len(RATES)))]
    if case.full and case.number % 4 == 0:
        name = "SGD"
    low, high = RATES[name]
    steps, hidden = int(random.integers(60, 301)), int(random.choice((8, 16, 32)))
    power = random.uniform(high - 0.5 if case.full and case.number % 4 == 0 else low, high)
    batch = len(some.train) if case.full else int(random.choice((1, 2, 4, 8, 16, 32)))
    rate = 10**power

    def network(seed: int) -> nn.Module:
        with drawing_from(seed):
            size = int(np.prod(some.train.values.shape[1:]))
            last = nn.Linear(hidden, 1 if len(some.classes) == 2 else len(some.classes))  # noqa: PLR2004 - two classes
            return nn.Sequential(nn.Flatten(), nn.Linear(size, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.ReLU(), last)  # fmt: skip  # noqa: E501

    for _ in range(6):
        choice = OptimizerChoice(name=name, rate=rate)
        done = fit(network, some, choice, steps=steps, batch_size=batch, seed=case.number, keep=True)
        if not done.broken and max(done.losses[-10:]) < 4 * max(done.losses[0], 0.7):
            break
        rate /= 2  # a run that is lost is no picture of either kind
    signal = Signal(name="batch_loss", unit="nats", steps=tuple(range(1, len(done.losses) + 1)), values=done.losses)
    return BlindCurve(
        case=case,
        setting=f"{name}, rate {rate:.2g}, {batch} of {len(some.train)} samples, {steps} steps",
        losses=done.losses,
        said=judge(RunHistory(signals=(signal,))).kind,
        edge=case.full and name == "SGD" and not done.broken and _at_edge(done.module, some, rate),
    )


def _at_edge(module: nn.Module | None, data: LabData, rate: float) -> bool:
    assert module is not None  # noqa: S101 - kept
    objective = Objective(module=module, batches=[(data.train.inputs, data.train.targets)], loss=cross_entropy)
    found = extreme_eigenvalues(
        objective.product(keep_graph=True), objective.parameters, 1, bottom=0, tolerance=0.05, most_products=20
    )
    return found.top[0].value * rate > 2 - EDGE_FROM


def pooled(data: LabData, side: int) -> LabData:
    """Bring samples to few numbers each, with mean 0 and deviation 1.

    Args:
        data: The samples.
        side: Values an axis, about.

    Returns:
        The same samples, smaller.
    """

    def apply(part: LabPart) -> LabPart:
        values = part.inputs
        for axis in range(2, values.ndim):
            step = max(1, values.shape[axis] // side)
            length = values.shape[axis] // step * step
            whole = values.narrow(axis, 0, length)
            shape = (*whole.shape[:axis], length // step, step, *whole.shape[axis + 1 :])
            values = whole.reshape(shape).mean(dim=axis + 1)
        return LabPart(values=((values - values.mean()) / (values.std() + 1e-6)).movedim(1, -1).numpy(), labels=part.labels)  # fmt: skip  # noqa: E501

    return replace(data, train=apply(data.train), test=apply(data.test))
