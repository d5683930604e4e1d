"""What a pilot knows, as numbers that JSON can hold and named tensors, and back again."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Protocol, cast

import torch

from thalweg.core.intervention import Intervention
from thalweg.monitoring.guard import Guard
from thalweg.monitoring.horizon import Horizon, NoiseFloor
from thalweg.monitoring.lookout import Lookout
from thalweg.monitoring.rate_search import Chosen
from thalweg.monitoring.snapshot import Snapshot
from thalweg.monitoring.standstill import Standstill
from thalweg.monitoring.trials import Trial

__all__ = ["pack_pilot", "unpack_pilot"]

_NUMBERS = (
    *("wait", "decided", "governs", "peak", "factor", "began", "retries", "bad", "spent", "unable"),
    *("revived", "careful", "steps"),
)
_SNAPSHOTS = ("initial", "kept", "origin")


class _Pilot(Protocol):
    """The parts of a pilot that are no plain numbers."""

    lookout: Lookout
    course: Horizon | None
    guard: Guard
    floor: NoiseFloor
    still: Standstill
    chosen: Chosen | None
    interventions: list[Intervention]


def pack_pilot(pilot: _Pilot) -> dict[str, object]:
    """Give what a checkpoint must hold.

    Args:
        pilot: The pilot.

    Returns:
        `plain`: numbers and texts that JSON can hold; `tensors`: snapshots, by name.
    """
    plain: dict[str, object] = {name: _plain(getattr(pilot, name)) for name in _NUMBERS}
    plain["rates"] = [_plain(rate) for rate in pilot.lookout.rates]
    plain["course"] = None if pilot.course is None else [pilot.course.begin, pilot.course.end]
    plain["guard"] = {name: _plain(value) for name, value in pilot.guard.state().items()}
    plain["floor"] = pilot.floor.state()
    plain["still"] = pilot.still.state()
    plain["chosen"] = None if pilot.chosen is None else _row(pilot.chosen)
    plain["interventions"] = [_row(each) for each in pilot.interventions]
    tensors: dict[str, torch.Tensor] = {}
    for name in _SNAPSHOTS:
        snapshot = getattr(pilot, name)
        if snapshot is not None:
            tensors |= {f"{name}/{key}": value for key, value in snapshot.pack().items()}
    return {"plain": plain, "tensors": tensors}


def unpack_pilot(pilot: _Pilot, state: Mapping[str, object]) -> None:
    """Make a pilot know what was packed.

    Args:
        pilot: The pilot.
        state: What `pack_pilot` gave, or its parts after a way through JSON and a file of tensors.
    """
    plain, tensors = cast("dict[str, Any]", state["plain"]), cast("dict[str, torch.Tensor]", state["tensors"])
    for name in _NUMBERS:
        setattr(pilot, name, _number(plain[name]))
    pilot.lookout.rates = [float(rate) for rate in plain["rates"]]
    pilot.course = None if plain["course"] is None else Horizon(begin=plain["course"][0], end=plain["course"][1])
    pilot.guard.restore({name: _number(value) for name, value in plain["guard"].items()})
    pilot.floor.restore(plain["floor"])
    if "still" in plain:  # checkpoints of before do not know it
        pilot.still.restore(plain["still"])
    pilot.chosen = None
    if plain["chosen"] is not None:
        row = _numbers(plain["chosen"])
        trials = tuple(Trial(**_numbers(each)) for each in row.pop("trials"))
        pilot.chosen = Chosen(**row, trials=trials)
    pilot.interventions = [Intervention(**_numbers(each)) for each in plain["interventions"]]
    for name in _SNAPSHOTS:
        packed = {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
        setattr(pilot, name, Snapshot.unpack(packed) if packed else None)


def _plain(value: object) -> object:
    """JSON has no number for what is not finite."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: object) -> object:
    return float(value) if isinstance(value, str) and value in {"inf", "-inf", "nan"} else value


def _row(value: Chosen | Intervention) -> dict[str, object]:
    row = dataclasses.asdict(value)
    if "trials" in row:
        row["trials"] = [{name: _plain(each) for name, each in trial.items()} for trial in row["trials"]]
    return {name: _plain(each) for name, each in row.items()}


def _numbers(row: Mapping[str, object]) -> dict[str, Any]:
    return {name: _number(value) for name, value in row.items()}
