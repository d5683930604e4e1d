"""`thalweg demo`: real photos, a good classifier and a report within five minutes on two cores."""

from pathlib import Path

from thalweg.core.results import TrainResult
from thalweg.workbench.telling.telling import Listener
from thalweg.workbench.train import train

__all__ = ["demo"]

MINUTES = 4.0
"""Leaves a minute for a slow start: importing torch, and reading the photos for the first time."""


def demo(*, full: bool = False, out: str | Path | None = None, listener: Listener | None = None) -> TrainResult:
    """Train `small` on the 2,624 solar-cell photos of the package `elpv-dataset`.

    Args:
        full: Train for the network's whole recipe, however long that takes.
        out: The run folder to make.
        listener: Whoever shows progress.

    Returns:
        As `train`.

    Raises:
        MissingExtraError: The extra `demo` is not installed.
    """
    return train("elpv", minutes=None if full else MINUTES, out=out, listener=listener)
