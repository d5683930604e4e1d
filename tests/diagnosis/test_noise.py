import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.signal import Signal
from thalweg.diagnosis.noise import judge


def batches(values: np.ndarray, name: str = "batch_loss") -> RunHistory:
    signal = Signal(name=name, unit="nats", steps=tuple(range(1, len(values) + 1)), values=tuple(map(float, values)))
    return RunHistory(signals=(signal,))


def edge_of_stability(steps: int) -> np.ndarray:
    """Descent on a quartic valley with a step between 2 and 4 over its sharpness: it rises, falls, and swings."""
    x, y, losses = 1.3, 0.02, []
    for _ in range(steps):
        losses.append(0.5 + 0.5 * (x * y - 1) ** 2)
        x, y = x - 0.9 * (x * y - 1) * y, y - 0.9 * (x * y - 1) * x
    return np.array(losses)


def test_a_smooth_fall_is_full_batch() -> None:
    found = judge(batches(0.3 + 2 * np.exp(-np.arange(200) / 60)))
    assert found.kind == "full_batch_like"
    assert found.level < 0.001


def test_swings_that_follow_a_law_are_full_batch() -> None:
    t = np.arange(200)
    losses = 0.3 + 2 * np.exp(-t / 60) + 0.05 * (1 + np.sin(t / 15)) * (-1.0) ** t
    assert judge(batches(losses)).kind == "full_batch_like"
    assert judge(batches(edge_of_stability(200))).kind == "full_batch_like"


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.4])
def test_scatter_is_mini_batches_and_its_level_is_measured(spread: float) -> None:
    rng = np.random.default_rng(1)
    losses = (0.3 + 2 * np.exp(-np.arange(200) / 60)) * np.exp(spread * rng.normal(size=200))
    found = judge(batches(losses))
    assert found.kind == "mini_batch_like"
    assert found.level == pytest.approx(spread, rel=0.25)


def test_scatter_of_a_fall_too_steep_to_be_turned_is_seen() -> None:
    rng = np.random.default_rng(2)
    steep = 2 * 0.95 ** np.arange(60) + 0.05
    assert judge(batches(steep)).kind == "full_batch_like"
    assert judge(batches(steep * np.exp(0.01 * rng.normal(size=60)))).kind == "mini_batch_like"


def test_epochs_are_judged_only_where_clear() -> None:
    rng = np.random.default_rng(2)
    rough = (0.3 + np.exp(-np.arange(100) / 9)) * np.exp(0.2 * rng.normal(size=100))
    assert judge(batches(rough, "train_loss")).kind == "mini_batch_like"
    assert judge(RunHistory()).kind == ""
    assert judge(batches(np.array([1.0, 0.9, 0.8]))).kind == ""
