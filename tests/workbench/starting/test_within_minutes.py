"""A plan in minutes is fitted to the machine's speed, and never against what the user asked for."""

import dataclasses
import pathlib
import time

import pytest

from thalweg.core.dataset import Sample
from thalweg.core.plan import TrainingPlan
from thalweg.data.finding.scan import Scan
from thalweg.training.device import Device
from thalweg.workbench.loading.loaded import Looked
from thalweg.workbench.starting import within_minutes
from thalweg.workbench.starting.recipes import resolved
from thalweg.workbench.starting.within_minutes import fit_to_minutes
from thalweg.workbench.telling.telling import silent

COST = {(96, 16): 1.2e-3, (96, 32): 0.9e-3, (96, 64): 0.8e-3}
SMALL_COST = {(32, 16): 1.4e-3, (32, 32): 1.2e-3, (32, 64): 1.0e-3, (24, 64): 0.6e-3, (16, 64): 0.4e-3}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []

    def cost(side: int, batch: int, classes: int, device: Device) -> float:
        seen.append((side, batch))
        return (COST | SMALL_COST)[side, batch]

    monkeypatch.setattr(within_minutes, "_seconds_a_picture", cost)
    return seen


def source_of(files: int, side: int) -> Looked:
    scan = Scan(
        root=pathlib.Path("photos"),
        layout="class folders",
        classes=("a", "b"),
        samples=(Sample("a/1.png", 0),) * files,
    )
    return Looked(scan=scan, channels=3, extents=(side, side))


def fitted(
    files: int, side: int, *, minutes: float | None = 1.0, ranks: int = 1, spent: float = 0.0, **wishes: object
) -> tuple[int | None, int | None, str]:
    wished = TrainingPlan(source="photos").with_options(minutes=minutes, **wishes)
    plan = resolved(wished, picture_side=side)
    told: list[str] = []
    plan = fit_to_minutes(
        plan,
        wished,
        source_of(files, side),
        device=Device("cpu", None),
        ranks=ranks,
        started=time.perf_counter() - spent,
        listener=dataclasses.replace(silent(), say=told.append),
    )
    return plan.image_size, plan.batch_size, " ".join(told)


def test_with_enough_time_the_recipe_stands_and_only_one_step_is_timed(asked: list[tuple[int, int]]) -> None:
    side, batch, why = fitted(2_000, 300)
    assert (side, batch) == (96, 16)
    assert "about 27 passes over 1,600 files at 1.2 ms a picture" in why
    assert asked == [(96, 16)]


def test_batches_grow_before_pictures_shrink() -> None:
    assert fitted(5_000, 300)[:2] == (96, 32)
    assert fitted(10_000, 300)[:2] == (96, 64)


def test_what_was_spent_before_is_no_more_there() -> None:
    assert fitted(2_000, 300, minutes=2.0, spent=100.0)[:2] == (96, 64)


def test_small_pictures_shrink_where_not_even_three_passes_fit() -> None:
    side, batch, why = fitted(40_000, 32, minutes=2.0)
    assert (side, batch) == (32, 64)
    side, batch, why = fitted(50_000, 28)
    assert (side, batch) == (16, 64)
    assert "where 32 pixels in batches of 16 allow 0.9" in why


def test_photos_are_not_shrunk_since_it_gains_nothing() -> None:
    assert fitted(500_000, 300)[:2] == (96, 64)


@pytest.mark.parametrize("wish", [{"image_size": 32}, {"batch_size": 8}, {"network": "plain"}])
def test_what_was_asked_for_stays(wish: dict[str, object], asked: list[tuple[int, int]]) -> None:
    *chosen, why = fitted(50_000, 28, **wish)
    assert why == ""
    assert asked == []
    expected = resolved(TrainingPlan(source="photos").with_options(minutes=1.0, **wish), picture_side=28)
    assert chosen == [expected.image_size, expected.batch_size]


def test_without_minutes_or_among_ranks_nothing_is_timed(asked: list[tuple[int, int]]) -> None:
    assert fitted(50_000, 28, minutes=None, epochs=3) == (32, 16, "")
    assert fitted(50_000, 28, ranks=2) == (32, 16, "")
    assert asked == []
