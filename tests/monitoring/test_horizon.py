"""Courses of the rate."""

import random

from thalweg.monitoring.horizon import Horizon, NoiseFloor


def test_a_course_rises_once_and_falls_to_zero() -> None:
    course = Horizon(begin=50, end=550)
    shares = [course.share(step) for step in range(50, 550)]
    top = shares.index(max(shares))
    assert 45 <= top <= 51
    assert shares[:top] == sorted(shares[:top])
    assert shares[top:] == sorted(shares[top:], reverse=True)
    assert shares[-1] < 1e-4


def test_the_floor_is_reached_only_when_the_loss_has_stopped() -> None:
    noise = random.Random(0)
    floor = NoiseFloor(window=100)
    going_down = [floor.reached(2 - step / 500 + noise.gauss(0, 0.1)) for step in range(600)]
    flat = [floor.reached(0.8 + noise.gauss(0, 0.1)) for _ in range(600)]
    assert not any(going_down)
    assert any(flat)


def test_state_comes_back() -> None:
    floor, again = NoiseFloor(window=10), NoiseFloor()
    for loss in (3.0, 2.0, 2.5):
        floor.reached(loss)
    again.restore(floor.state())
    assert again == floor
