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


def descent(seed: int, *, rate: float, batch: int, steps: int = 200) -> np.ndarray:
    """Descent of a small network on 160 samples, all of them or some a step."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(160, 12))
    y = (np.tanh(x @ rng.normal(size=(12, 3))).sum(1) + 0.5 * rng.normal(size=160) > 0).astype(float)
    w, v, losses = rng.normal(size=(12, 16)) / 3.5, rng.normal(size=16) / 4, []
    for _ in range(steps):
        pick = slice(None) if batch == 160 else rng.choice(160, batch, replace=False)
        hidden = np.tanh(x[pick] @ w)
        score = hidden @ v
        losses.append(float(np.mean(np.logaddexp(0, score) - y[pick] * score)))
        error = (1 / (1 + np.exp(-score)) - y[pick]) / batch
        w, v = w - rate * x[pick].T @ (error[:, None] * v * (1 - hidden**2)), v - rate * hidden.T @ error
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


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_chaos_beyond_the_edge_of_stability_is_full_batch_and_its_batches_are_not(seed: int) -> None:
    rate, steps = 25.0, 300  # more than 256, so that an average of neighbours would show
    whole = np.round(descent(seed, rate=rate, batch=160, steps=steps), 4)
    reversed_share = np.mean(np.diff(whole)[1:] * np.diff(whole)[:-1] < 0)
    assert np.abs(np.diff(np.log(whole[:40]))).max() > 0.2, "it is thrown up and down"
    assert reversed_share < 0.95, "and does not merely alternate"
    assert judge(batches(whole)).kind == "full_batch_like"
    for batch in (80, 16):
        assert judge(batches(descent(seed, rate=rate, batch=batch, steps=steps))).kind == "mini_batch_like"


def test_what_no_logarithm_shows_is_left_undecided_but_single_examples_are_not() -> None:
    assert judge(batches(-1.0 - np.random.default_rng(3).random(100))).kind == ""
    single = descent(0, rate=5.0, batch=1)
    assert (single < 1e-6).mean() > 0.5
    assert judge(batches(single)).kind == "mini_batch_like"


def test_every_so_many_steps_only_a_clear_case_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.diagnosis.noise._chance", lambda _: 0.8)
    values = tuple(map(float, 2.0 * 0.95 ** np.arange(50)))
    each = RunHistory(signals=(Signal(name="batch_loss", unit="nats", steps=tuple(range(1, 51)), values=values),))
    some = RunHistory(signals=(Signal(name="batch_loss", unit="nats", steps=tuple(range(1, 2501, 50)), values=values),))
    assert judge(each).kind == "full_batch_like"
    assert judge(some).kind == ""


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


def test_a_smooth_average_over_many_batches_is_not_called_full_batch() -> None:
    rng = np.random.default_rng(4)
    falls = 0.2 + 1.2 * np.exp(-np.arange(30) / 6)
    assert judge(batches(np.round(falls * np.exp(0.004 * rng.normal(size=30)), 4), "train_loss")).kind == ""
    assert judge(batches(falls, "train_loss")).kind == "full_batch_like"
    assert judge(batches(falls[:15], "train_loss")).kind == ""
