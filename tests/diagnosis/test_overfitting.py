import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.signal import Signal
from thalweg.diagnosis.overfitting import judge

T = np.arange(1, 41)


def history(**curves: np.ndarray) -> RunHistory:
    rows = [{"epoch": n + 1, **{name: float(v[n]) for name, v in curves.items()}} for n in range(len(T))]
    return RunHistory.from_epochs(rows)


def test_validation_that_rises_while_training_falls_overfits() -> None:
    found = judge(history(train_loss=2 * np.exp(-T / 8), val_loss=0.5 + np.abs(T - 12) / 30))
    assert found.probability > 0.9
    assert found.best_epoch == 12
    assert found.rise > 0.5
    assert {piece.signal for piece in found.evidence} == {"val_loss", "train_loss"}


@pytest.mark.parametrize("seed", range(5))
def test_validation_that_levels_off_with_noise_does_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    val = 0.5 + np.exp(-T / 6) + 0.02 * rng.normal(size=len(T))
    assert judge(history(train_loss=0.3 + np.exp(-T / 6), val_loss=val)).probability < 0.2


def test_training_that_rises_too_is_no_overfitting() -> None:
    rising = 0.5 + np.abs(T - 12) / 30
    assert judge(history(train_loss=rising, val_loss=rising + 0.05)).probability < 0.5


def test_a_drop_of_the_schedule_is_no_overfitting() -> None:
    loss = np.where(T < 20, 0.9 + np.exp(-T / 4), 0.6 + 0.2 * np.exp(-(T - 20) / 4))
    assert judge(history(train_loss=loss, val_loss=loss + 0.1)).probability < 0.1


def test_without_validation_nothing_is_said() -> None:
    found = judge(history(train_loss=1.0 / T))
    assert found.probability == 0.0
    assert found.best_epoch is None


def test_the_best_epoch_of_a_long_log_is_told_in_its_own_epochs() -> None:
    steps = np.arange(1, 401)
    rows = [
        {"epoch": int(n), "train_loss": float(2 * np.exp(-n / 60)), "val_loss": float(0.5 + abs(n - 150) / 400)}
        for n in steps
    ]
    found = judge(RunHistory.from_epochs(rows))
    assert found.best_epoch is not None
    assert abs(found.best_epoch - 150) <= 3


def test_training_is_read_at_the_epochs_of_a_validation_every_few_epochs() -> None:
    train = tuple(float(v) for v in 2 * np.exp(-T / 8))
    held = tuple(float(v) for v in 0.5 + np.abs(T[1::2] - 10) / 30)
    history = RunHistory(
        signals=(
            Signal(name="train_loss", unit="nats", steps=tuple(map(int, T)), values=train),
            Signal(name="val_loss", unit="nats", steps=tuple(map(int, T[1::2])), values=held),
        )
    )
    found = judge(history)
    gained = next(piece.observed for piece in found.evidence if piece.signal == "train_loss")
    assert found.best_epoch == 10
    assert gained == pytest.approx(3.0)  # read in its own first 20 epochs it would be less than 2
