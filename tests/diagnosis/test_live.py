"""Measurements are gathered by name and layer, in depth order; a history that was only logged has none."""

import pytest

from thalweg.core.history import RunHistory
from thalweg.core.network_facts import LayerFacts, NetworkFacts
from thalweg.core.signal import Signal
from thalweg.diagnosis.case import open_case
from thalweg.diagnosis.learning_rate import estimate
from thalweg.diagnosis.live import Live, late_level, start_level


def signal(name, values, subject="run"):
    return Signal(name=name, unit="1", subject=subject, steps=tuple(range(1, len(values) + 1)), values=tuple(values))


FACTS = NetworkFacts(
    layers=(
        LayerFacts(name="b", kind="Linear", parameters=2),
        LayerFacts(name="n", kind="BatchNorm1d", parameters=2),
        LayerFacts(name="a", kind="Linear", parameters=2),
    )
)


def test_a_logged_history_is_not_live_and_a_watched_one_is():
    logged = RunHistory(signals=(signal("batch_loss", (2.0, 1.0)), signal("train_loss", (2.0, 1.0))))
    assert open_case(logged, estimate(logged)).live is None
    assert Live.of(RunHistory(network=FACTS)) is not None
    assert Live.of(RunHistory(signals=(signal("batch_dead_fraction", (0.1,), "a"),))) is not None


def test_layers_come_in_depth_order_and_normalisations_are_no_weights():
    history = RunHistory(
        signals=tuple(signal("batch_weight_norm", (1.0, 2.0), name) for name in ("a", "unknown", "n", "b")),
        network=FACTS,
    )
    live = Live.of(history)
    assert list(live.layers("batch_weight_norm")) == ["b", "n", "a", "unknown"]
    assert list(live.weighted("batch_weight_norm")) == ["b", "a", "unknown"]
    assert live.steps == 2


def test_levels_are_medians_that_one_wild_value_does_not_move():
    curve = Live.of(RunHistory(signals=(signal("batch_alignment", [1.0, 99.0, 1.0] + [5.0] * 8 + [-99.0]),)))
    curve = curve.run("batch_alignment")
    assert (start_level(curve), late_level(curve)) == (1.0, 5.0)


def test_what_was_learned_is_a_share_of_the_first_loss():
    live = Live.of(RunHistory(signals=(signal("batch_loss", [2.0] * 5 + [0.5] * 5),), network=FACTS))
    assert live.learned == pytest.approx(0.75)
    assert Live.of(RunHistory(network=FACTS)).learned is None
