import gzip
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.signal import Signal
from thalweg.diagnosis.learning_rate import estimate

RUNS = Path(__file__).parents[2] / "benchmarks" / "sweeps" / "runs.jsonl.gz"
T = np.arange(1, 31)


def history(**curves: np.ndarray) -> RunHistory:
    return RunHistory(
        signals=tuple(
            Signal(name=name, unit="1", steps=tuple(range(1, len(values) + 1)), values=tuple(map(float, values)))
            for name, values in curves.items()
        )
    )


def test_a_loss_that_hardly_falls_is_too_low_and_open_below() -> None:
    loss = 2.303 - 0.001 * T
    found = estimate(
        history(train_loss=loss, val_loss=loss, train_accuracy=0.1 + 0.0005 * T, val_accuracy=0.1 + 0.0005 * T)
    )
    assert found.verdict == "too_low"
    assert found.interval is not None
    assert found.interval[0] is None
    assert found.interval[1] is not None
    assert found.interval[1] < 1
    assert found.confidence > 0.8


def test_no_number_from_the_first_epoch_on_is_too_high_and_open_above() -> None:
    nothing = np.full(10, np.nan)
    found = estimate(history(train_loss=nothing, val_loss=nothing))
    assert found.verdict == "too_high"
    assert found.interval is not None
    assert found.interval[1] is None
    assert found.factor is not None
    assert found.factor > 1


def test_a_course_that_breaks_is_too_high() -> None:
    loss = np.concatenate([[2.2, 2.5, 9.0, 300.0], np.full(6, np.nan)])
    assert estimate(history(train_loss=loss, val_loss=loss * 1.1)).verdict == "too_high"


@pytest.mark.parametrize("end", [1.09, 1.5, 10.0, 100.0])
@pytest.mark.parametrize("size", [6, 30])
def test_a_training_loss_that_only_rises_is_never_too_low(end: float, size: int) -> None:
    loss = 0.7 * end ** np.linspace(0, 1, size)
    for curves in ({"train_loss": loss}, {"train_loss": loss, "val_loss": 1.1 * loss}):
        found = estimate(history(**curves))
        assert found.verdict == "too_high"
        assert found.factor is not None
        assert found.factor > 1


def test_nothing_recorded_is_undetermined() -> None:
    found = estimate(RunHistory())
    assert found.verdict == "undetermined"
    assert found.factor is None


@pytest.mark.parametrize("values", [(1.0,), (), (float("inf"),), (1e300, -1e300), (0.0,) * 40, (5.0,) * 3])
@pytest.mark.parametrize("name", ["train_loss", "val_loss", "train_accuracy", "val_accuracy", "batch_loss"])
def test_odd_curves_get_an_answer_whose_parts_agree(name: str, values: tuple[float, ...]) -> None:
    found = estimate(history(**{name: np.array(values)}))
    assert 0 <= found.confidence <= 1
    if found.verdict != "undetermined":
        assert found.factor is not None
        assert found.interval != (None, None)  # where nothing is known there is none
        low, high = found.interval or (None, None)
        assert low is None or low <= found.factor * 1.01
        assert high is None or high >= found.factor * 0.99


def test_evidence_names_curve_window_number_and_healthy_range() -> None:
    loss = 2.303 - 0.001 * T
    found = estimate(history(train_loss=loss, val_loss=loss))
    assert found.evidence
    for piece in found.evidence:
        assert piece.signal in {"train_loss", "val_loss"}
        assert piece.window.startswith("epoch")
        assert piece.threshold is not None
        assert "healthy runs" in piece.source
    assert "fell by 1.2 %" in found.reason
    assert "hardly any step upward" in found.reason


def recorded(count: int) -> list[dict[str, object]]:
    if not RUNS.exists():
        pytest.skip("the recorded sweeps are not here")
    with gzip.open(RUNS, "rt") as file:
        records = [json.loads(line) for line in file]
    return records[:: max(1, len(records) // count)][:count]


def test_recorded_runs_are_judged_quickly() -> None:
    histories = []
    for record in recorded(60):
        curves = {
            name: np.array([np.nan if v is None else v for v in record[name]])
            for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
        }
        histories.append(history(**curves))
    estimate(histories[0])
    begun = time.process_time()
    found = [estimate(one) for one in histories]
    assert (time.process_time() - begun) / len(found) < 0.05
    assert {one.verdict for one in found} >= {"too_low", "about_right", "too_high"}
    assert all(one.verdict == "undetermined" or abs(sum(one.probabilities.values()) - 1) < 0.01 for one in found)


def test_one_epoch_is_no_course():
    row = {"epoch": 1, "train_loss": 0.7, "val_loss": 0.69}
    one = estimate(RunHistory.from_epochs([row]))
    assert (one.verdict, one.reason) == ("undetermined", "one epoch shows a place and no course")
    assert estimate(RunHistory.from_epochs([{**row, "train_loss": math.nan}])).verdict == "too_high"
    two = estimate(RunHistory.from_epochs([row, {**row, "epoch": 2, "train_loss": 0.65}]))
    assert two.reason != one.reason


@pytest.mark.parametrize("name", ["train_loss", "batch_loss", "val_loss"])
def test_a_training_loss_that_ends_without_a_number_is_never_too_low(name: str) -> None:
    for start in (3, 5, 10, 20):
        loss = np.where(start > T, 1.2 + 1.1 * np.exp(-T / 4), math.nan)
        found = estimate(history(**{name: loss, "val_accuracy": np.where(start > T, 0.6 - 0.5 * np.exp(-T / 4), 0.1)}))
        assert found.verdict in {"too_high", "undetermined"}
        assert found.probabilities["too_low"] == 0


def test_a_loss_below_zero_is_not_judged_by_logarithms_that_it_has_not() -> None:
    loss = 1.5 * np.exp(-T / 6) - 1
    found = estimate(history(train_loss=loss, val_loss=loss + 0.1))
    assert found.verdict == "undetermined"
    assert "below zero" in found.reason


def test_a_loss_of_nothing_is_not_judged() -> None:
    found = estimate(history(train_loss=np.zeros(30)))
    assert found.verdict == "undetermined"
    assert "zero from its first value on" in found.reason


def test_beside_a_loss_below_zero_accuracies_are_judged() -> None:
    accuracy = 0.9 - 0.8 * np.exp(-T / 5)
    curves = {"train_accuracy": accuracy, "val_accuracy": accuracy - 0.02}
    with_loss = estimate(history(train_loss=1.5 * np.exp(-T / 6) - 1, **curves))
    assert with_loss.probabilities == estimate(history(**curves)).probabilities


@pytest.mark.parametrize(
    ("loss", "interval"),
    [
        ([math.nan] * 5, (30.0, None)),
        ([math.nan] * 2, (30.0, None)),
        ([2.3, math.nan, math.nan], (30.0, None)),
        ([2.3, 4e5, 3e9, math.inf], (30.0, None)),
        ([2.3, 1.8, 1.5, 1.2, math.nan], (1.0, None)),  # it was learning: how far off its rate is, no curve tells
    ],
)
def test_a_training_loss_that_ends_in_nan_is_beyond_what_curves_tell(loss, interval):
    found = estimate(history(train_loss=np.array(loss)))
    assert (found.verdict, found.interval) == ("too_high", interval)
    assert ("more than 30x too high" in str(found)) == (interval[0] == 30)
    assert found.factor is not None
    assert found.factor >= interval[0]


ONE_CHANGE = "two epochs show one change"


@pytest.mark.parametrize(
    ("loss", "why"),
    [([2.3, 2.2], ONE_CHANGE), ([2.3, 2.0], "too low and about right are both possible"), ([0.69, 0.6], ONE_CHANGE)],
)
def test_two_epochs_are_one_change(loss, why):
    found = estimate(history(train_loss=np.array(loss), val_loss=np.array(loss) * 0.98))
    assert (found.verdict, found.factor, found.interval) == ("undetermined", None, None)
    assert why in found.reason
    longer = estimate(history(train_loss=2.303 - 0.001 * T, val_loss=2.303 - 0.001 * T))
    assert longer.verdict == "too_low"


def test_a_high_floor_is_no_low_rate():
    """Letters of a text from the one before: 2.5 nats cannot be foretold, and this was the best rate of its sweep."""
    train = [
        3.265, 2.861, 2.776, 2.735, 2.703, 2.685, 2.662, 2.649, 2.633, 2.630, 2.622, 2.622,
        2.610, 2.602, 2.601, 2.592, 2.594, 2.586, 2.587, 2.579, 2.578, 2.577, 2.569, 2.570,
    ]  # fmt: skip
    held = [
        2.937, 2.860, 2.809, 2.792, 2.794, 2.781, 2.756, 2.759, 2.781, 2.763, 2.761, 2.740,
        2.760, 2.769, 2.743, 2.744, 2.746, 2.751, 2.759, 2.744, 2.758, 2.734, 2.731, 2.742,
    ]  # fmt: skip
    assert estimate(history(train_loss=np.array(train), val_loss=np.array(held))).verdict == "about_right"


def test_two_epochs_that_tell_more_are_judged():
    told = {
        "train_loss": [2.3, 2.2],
        "val_loss": [2.25, 2.16],
        "train_accuracy": [0.1, 0.15],
        "val_accuracy": [0.1, 0.2],
    }
    found = estimate(history(**{name: np.array(values) for name, values in told.items()}))
    assert (found.verdict, found.confidence > 0.7) == ("too_low", True)
