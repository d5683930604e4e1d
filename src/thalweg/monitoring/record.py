"""What instruments measured: numbers by name, subject and step, small enough to keep for a whole run."""

import math
from array import array
from collections.abc import Iterable, Mapping

import torch

from thalweg.core.signal import Signal

__all__ = ["UNITS", "Record"]

UNITS: Mapping[str, str] = {
    "batch_loss": "nats",
    "batch_learning_rate": "1",
    "batch_gradient_norm": "nats",
    "batch_update_ratio": "1",
    "batch_alignment": "1",
    "batch_critical_step": "1",
    "batch_rate_to_edge": "1",
    "batch_sharpness": "nats",
    "batch_noise_scale": "samples",
    "batch_actual_decrease": "nats",
    "batch_predicted_decrease": "nats",
    "batch_dead_fraction": "fraction",
    "batch_saturated_fraction": "fraction",
    "batch_activation_std": "1",
    "batch_input_min": "1",
    "batch_input_max": "1",
    "batch_input_mean": "1",
    "batch_input_std": "1",
    "batch_loss_at_start": "nats",
    "batch_loss_expected": "nats",
    "batch_non_finite": "1",
    "batch_weight_norm": "1",
    "batch_frozen": "1",
    "batch_trial_rate": "1",
    "batch_trial_level": "1",
    "batch_trial_steps": "1",
    "batch_steps_wanted": "1",
}
"""Signals and their units; those of a layer have its name as subject, those of a trial its number."""


class Record:
    """Measurements of one run."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, str], array[int]] = {}
        self._values: dict[tuple[str, str], array[float]] = {}
        self._waiting: list[tuple[int, torch.Tensor]] = []

    def note(self, name: str, step: int, value: float, subject: str = "run") -> None:
        """Note a number.

        Args:
            name: One of `UNITS`.
            step: Step counted from 1.
            value: The number; one that is not finite is kept as such.
            subject: `run`, or a layer's name.

        Raises:
            KeyError: There is no such signal.
        """
        key = (name, subject)
        if key not in self._steps:
            UNITS[name]  # an unknown name is a mistake of ours
            self._steps[key], self._values[key] = array("q"), array("d")
        self._steps[key].append(step)
        self._values[key].append(value)

    def note_loss(self, step: int, loss: torch.Tensor) -> None:
        """Note a loss without waiting for the device.

        Args:
            step: Step counted from 1.
            loss: A scalar.
        """
        self._waiting.append((step, loss))

    def settle(self) -> None:
        """Fetch the losses that wait, all at once."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        values = torch.stack([loss.detach().float() for _, loss in waiting]).tolist()
        for (step, _), value in zip(waiting, values, strict=True):
            self.note("batch_loss", step, value)

    @property
    def newest(self) -> int:
        """The last step of which anything was noted."""
        return max((steps[-1] for steps in self._steps.values()), default=0)

    def last(self, name: str, subject: str = "run") -> float:
        """Give the newest number.

        Args:
            name: One of `UNITS`.
            subject: `run`, or a layer's name.

        Returns:
            The number, nan where there is none.
        """
        values = self._values.get((name, subject))
        return values[-1] if values else math.nan

    def at(self, name: str, step: int, subject: str = "run") -> float:
        """Give the number noted at a step that has just been.

        Args:
            name: One of `UNITS`.
            step: Step counted from 1.
            subject: `run`, or a layer's name.

        Returns:
            The number, nan where none was noted then.
        """
        steps = self._steps.get((name, subject))
        return self._values[name, subject][-1] if steps and steps[-1] == step else math.nan

    def recent(self, name: str, number: int, subject: str = "run") -> list[float]:
        """Give the newest numbers.

        Args:
            name: One of `UNITS`.
            number: How many at most.
            subject: `run`, or a layer's name.

        Returns:
            The numbers, oldest first.
        """
        return list(self._values.get((name, subject), ()))[-number:]

    def signals(self) -> tuple[Signal, ...]:
        """Everything as curves.

        Returns:
            A signal a name and subject, in the order in which they were first noted.
        """
        self.settle()
        return tuple(
            Signal(name=name, unit=UNITS[name], subject=subject, steps=tuple(steps), values=tuple(self._values[key]))
            for key, steps in self._steps.items()
            for name, subject in [key]
        )

    def rows_after(self, step: int) -> Iterable[tuple[int, str, str, float]]:
        """Everything noted after a step.

        Args:
            step: Step counted from 1; 0 for all.

        Returns:
            Step, name, subject and value, ordered by step.
        """
        self.settle()
        found = [
            (at, name, subject, value)
            for (name, subject), steps in self._steps.items()
            for at, value in zip(steps, self._values[name, subject], strict=True)
            if at > step
        ]
        return sorted(found, key=lambda row: row[0])
