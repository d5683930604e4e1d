"""A measured quantity over steps: name, unit, subject, and the values."""

from dataclasses import dataclass

__all__ = ["Signal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One curve.

    Args:
        name: What is measured, such as `val_loss`.
        unit: Its unit: `nats`, `fraction`, `1/step`, `seconds`.
        subject: What it was measured on: `run`, a layer's name, a class.
        steps: Where each value was taken: epochs counted from 1, or steps counted from 1.
        values: The values; nan where there is none.

    Raises:
        ValueError: Steps and values differ in number.
    """

    name: str
    unit: str
    subject: str = "run"
    steps: tuple[int, ...] = ()
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.steps) != len(self.values):
            raise ValueError(f"signal {self.name}: {len(self.steps)} steps, {len(self.values)} values")
