"""The live verdict: first steps that throw weights away, and updates that stay far from the edge."""

import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.network_facts import NetworkFacts
from thalweg.core.signal import Signal
from thalweg.diagnosis.live_rate import live_estimate

STEPS = (3, 10, 25, 50, 100, 151)


def run(edges, *, rate=0.1, losses=None, ratios=(0.004,) * 6, dead=None):
    losses = np.geomspace(2.3, 0.3, 150) if losses is None else losses
    given = {
        ("batch_critical_step", "run"): (STEPS, [rate / each for each in edges]),
        ("batch_learning_rate", "run"): (range(1, 151), [rate] * 150),
        ("batch_loss", "run"): (range(1, len(losses) + 1), losses),
        ("batch_update_ratio", "layer"): ((1, 2, 3, 10, 20, 30), ratios),
    }
    if dead is not None:
        given["batch_dead_fraction", "layer"] = ((1, 5, 16, 51), dead)
    signals = tuple(
        Signal(name=name, unit="1", subject=subject, steps=tuple(steps), values=tuple(map(float, values)))
        for (name, subject), (steps, values) in given.items()
    )
    return live_estimate(RunHistory(signals=signals, network=NetworkFacts(optimizer="SGD")))


def test_a_rate_whose_edge_comes_nearer_is_not_too_low():
    assert run([0.006, 0.008, 0.01, 0.03, 0.25, 0.16], ratios=(0.002,) * 6).verdict == "about_right"
    moving = run([0.006, 0.008, 0.01, 0.003, 0.02, 0.01], ratios=(0.002,) * 6)  # far from the edge, but it moves
    assert (moving.verdict, moving.factor >= 0.2) == ("about_right", True)
    slow = run([0.0006, 0.0008, 0.001, 0.003, 0.002, 0.001], ratios=(5e-5,) * 6)
    assert (slow.verdict, slow.factor < 0.1) == ("too_low", True)


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ({"losses": [2.3, 2.9, 6.8, *[2.3] * 147]}, "about_right"),
        ({"losses": [2.3, 2.9, 7.0, *[2.3] * 147]}, "too_high"),
        ({"ratios": (0.14, 0.14, 0.14, 1e-6, 1e-6, 1e-6)}, "about_right"),
        ({"ratios": (0.16, 0.16, 0.16, 1e-6, 1e-6, 1e-6)}, "too_high"),
        ({"dead": (0.1, 0.6, 0.98, 0.98)}, "about_right"),
        ({"dead": (0.1, 0.6, 1.0, 1.0)}, "too_high"),
        ({"dead": (1.0, 1.0, 1.0, 1.0)}, "about_right"),
    ],
)
def test_the_first_steps_tell_of_a_rate_that_threw_the_weights_away(signs, verdict):
    found = run([0.2, 0.3, 0.2, 0.3, 0.2, 0.3], **signs)
    assert found.verdict == verdict
    assert found.confidence >= 0.95 or verdict == "about_right"
