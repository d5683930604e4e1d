"""The guard waits out hard batches and catapults, and sees a loss that stays up."""

import math
import random

from thalweg.monitoring.guard import PATIENCE, Guard


def follow(guard: Guard, losses: list[float]) -> int | None:
    return next((step for step, loss in enumerate(losses) if guard.spiked(loss)), None)


def falling(steps: int) -> list[float]:
    noise = random.Random(0)
    return [2.3 * math.exp(-step / 100) + 0.3 + 0.1 * noise.random() for step in range(steps)]


def test_a_healthy_course_is_left_alone() -> None:
    assert follow(Guard(), falling(600)) is None


def test_a_single_spike_and_a_catapult_pass() -> None:
    losses = falling(300)
    losses[150] = 50.0
    losses[200:210] = [2.2] * 10
    assert follow(Guard(), losses) is None


def test_a_collapse_is_seen_soon() -> None:
    seen = follow(Guard(), falling(200) + [2.3] * 100)
    assert seen is not None
    assert 200 + PATIENCE / 2 < seen < 200 + 2 * PATIENCE


def test_a_loss_that_was_never_low_must_double() -> None:
    assert follow(Guard(), [2.3] * 300) is None
    assert follow(Guard(), [2.3] * 20 + [8.0] * 100) is not None


def test_values_that_are_not_finite_count_as_high() -> None:
    assert follow(Guard(), falling(100) + [math.nan] * 60) is not None


def test_state_comes_back() -> None:
    guard, again = Guard(), Guard()
    follow(guard, falling(100) + [2.3] * 20)
    again.restore(guard.state())
    assert [guard.spiked(2.3) for _ in range(40)] == [again.spiked(2.3) for _ in range(40)]
    assert not guard.calm


def test_noise_without_any_learning_is_no_trouble() -> None:
    for seed in range(20):
        noise = random.Random(seed)
        assert follow(Guard(), [max(0.0, noise.gauss(0.69, 0.25)) for _ in range(3000)]) is None


def test_a_collapse_under_noise_is_seen() -> None:
    for seed in range(20):
        noise = random.Random(seed)
        losses = [0.35 + 0.34 * math.exp(-step / 60) + noise.gauss(0, 0.1) for step in range(400)]
        seen = follow(Guard(), losses + [0.69 + noise.gauss(0, 0.1) for _ in range(200)])
        assert seen is not None
        assert seen >= 400
