"""The trainings of `lab learning-rate`: one rate, one optimizer, with or without a pilot, and the curves' diagnosis."""

import math
from dataclasses import dataclass

import torch

from thalweg.core.history import RunHistory
from thalweg.core.run_log import NamedHistory
from thalweg.core.signal import Signal
from thalweg.experiments.data import LabData
from thalweg.experiments.fit import Fit, fit
from thalweg.experiments.lab_network import lab_network
from thalweg.experiments.optimizers import OptimizerChoice, make_lab_optimizer
from thalweg.monitoring.pilot import Pilot
from thalweg.monitoring.seat import Seat
from thalweg.workbench.diagnose import diagnose_history

__all__ = ["Bench", "Case", "Done", "Size", "train"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done."""

    side: int
    samples: int
    epochs: int
    batch: int
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all trainings share."""

    data: LabData
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A training: optimizer, rate that it starts with, seed, and whether the rate is left to the repair."""

    name: str
    rate: float
    seed: int
    repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of it.

    Args:
        case: Which one.
        course: Epoch, training loss, training accuracy, held-out loss and held-out accuracy.
        said: The diagnosis of the curves: `too_low`, `about_right`, `too_high` or `undetermined`.
        factor: By what the rate should be multiplied, as the diagnosis says; nan where it does not.
        found: Names of the warnings.
        broken: Whether the loss left all numbers.
    """

    case: Case
    course: tuple[tuple[float, float, float, float, float], ...]
    said: str
    factor: float
    found: tuple[str, ...]
    broken: bool

    @property
    def accuracy(self) -> float:
        """On held-out samples, at the end."""
        return self.course[-1][4]

    @property
    def gap(self) -> float:
        """Training less held-out accuracy, at the end."""
        return self.course[-1][2] - self.course[-1][4]


def train(bench: Bench, case: Case) -> Done:
    """Train once and let the curves be judged, rate unseen.

    Args:
        bench: What all share.
        case: Which training.

    Returns:
        Course and verdict.
    """
    data, size = bench.data, bench.size
    choice = OptimizerChoice(name=case.name, rate=case.rate)
    steps = size.epochs * math.ceil(len(data.train) / size.batch)
    seats: list[Seat] = []

    def repaired(module: torch.nn.Module) -> torch.optim.Optimizer:
        optimizer = make_lab_optimizer(module, choice)
        seat = Seat(module, optimizer)
        seat.passengers.append(Pilot(seat, steps=steps))
        seats.append(seat)
        return optimizer

    done = fit(
        lab_network(data.shape, len(data.classes)),
        data,
        repaired if case.repaired else choice,
        steps=steps,
        batch_size=size.batch,
        seed=case.seed,
        looks=size.epochs,
        give_up=not case.repaired,
    )
    for seat in seats:
        seat.close()
    judged = diagnose_history(NamedHistory(place="", format="in memory", history=_history(done)))
    factor = judged.learning_rate.factor
    return Done(
        case=case,
        course=tuple(
            (each.epoch, each.train_loss, each.train_accuracy, each.test_loss, each.test_accuracy)
            for each in done.looks
        ),
        said=judged.learning_rate.verdict,
        factor=math.nan if factor is None else float(factor),
        found=tuple(each.name for each in judged.findings if each.severity != "info"),
        broken=done.broken,
    )


def _history(done: Fit) -> RunHistory:
    """Curves as anybody's log has them; the rate is not in it."""
    epochs = tuple(range(1, len(done.looks) + 1))
    columns = {
        "train_loss": ("nats", [each.train_loss for each in done.looks]),
        "train_accuracy": ("fraction", [each.train_accuracy for each in done.looks]),
        "val_loss": ("nats", [each.test_loss for each in done.looks]),
        "val_accuracy": ("fraction", [each.test_accuracy for each in done.looks]),
    }
    return RunHistory(
        signals=tuple(
            Signal(name=name, unit=unit, steps=epochs, values=tuple(values)) for name, (unit, values) in columns.items()
        )
    )
