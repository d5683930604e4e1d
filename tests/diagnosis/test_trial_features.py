"""Trials made beside a run, as numbers and as evidence."""

import math

import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.network_facts import NetworkFacts
from thalweg.core.signal import Signal
from thalweg.diagnosis.live import Live
from thalweg.diagnosis.live_rate import live_estimate
from thalweg.diagnosis.rate_model import RateModel
from thalweg.diagnosis.trial_features import LINE, lowest, measure_trials, trial_evidence, trials_of

WALK = ((0.1, 0.5), (0.3162, 0.25), (1.0, 4.0))


def history(walk=WALK, *, rate=0.01, optimizer="SGD", momentum=0.9, steps=60, wanted=None):
    """A run with trials at step 32."""
    seen = tuple(range(1, steps + 1))
    losses = tuple(2.3 * math.exp(-0.01 * step) for step in seen)
    signals = [
        Signal(name="batch_learning_rate", unit="1", subject="run", steps=seen, values=(rate,) * steps),
        Signal(name="batch_loss", unit="nats", subject="run", steps=seen, values=losses),
        Signal(name="batch_update_ratio", unit="1", subject="0", steps=seen[::10], values=(1e-3,) * len(seen[::10])),
    ]
    for number, (tried, level) in enumerate(walk, 1):
        for name, value in (("rate", tried), ("level", level), ("steps", 30.0)):
            subject = f"trial {number}"
            signals.append(Signal(name=f"batch_trial_{name}", unit="1", subject=subject, steps=(32,), values=(value,)))
    if wanted:
        signals.append(Signal(name="batch_steps_wanted", unit="1", subject="run", steps=(32,), values=(wanted,)))
    return RunHistory(signals=tuple(signals), network=NetworkFacts(optimizer=optimizer, momentum=momentum))


def test_numbers_of_a_rate_below_the_trials_best():
    found = measure_trials(Live.of(history()), 0.01, 1000, 0.6)
    assert found["try_gain"] == pytest.approx(math.log(0.25))
    assert found["try_rate"] == pytest.approx(-2 - lowest(np.log10([0.1, 0.3162, 1.0]), np.log([0.5, 0.25, 4.0])))
    assert -1.5 < found["try_rate"] < -1.0
    assert found["try_here"] == pytest.approx(math.log(2.0))  # below the walk: as at its lowest rate
    assert found["try_up"] == found["try_here"]
    assert found["try_edge"] == pytest.approx(-2.0)
    assert found["try_behind"] == pytest.approx(-0.6 - math.log(0.25))
    told = (1.0, 0.0, 1.0, -2 - found["try_rate"], 3.0, math.log(0.25))
    assert found["try_place"] == pytest.approx(-2 - sum(a * b for a, b in zip(LINE, told, strict=True)))


def test_longer_runs_want_lower_rates_within_what_was_fitted():
    live = Live.of(history())
    short, long, longest = (measure_trials(live, 0.01, steps, None)["try_place"] for steps in (300, 3000, 5000))
    assert short < long < longest == measure_trials(live, 0.01, 1e7, None)["try_place"]
    adam = Live.of(history(optimizer="AdamW"))
    assert measure_trials(adam, 0.01, 300, None)["try_place"] != short
    assert "try_behind" not in measure_trials(live, 0.01, 300, None)


def test_no_walk_no_numbers():
    for walk in ((), WALK[:2]):
        live = Live.of(history(walk))
        assert trials_of(live) is None
        assert trial_evidence(live, 0.01) is None
        assert measure_trials(live, 0.01, 300, 0.1) == {}
    assert measure_trials(Live.of(history()), 0.0, 300, 0.1) == {}


def test_the_verdict_says_what_trials_showed():
    evidence, words = trial_evidence(Live.of(history(rate=1e-3)), 1e-3)
    assert words == "of 3 trials of 30 steps 0.32 went lowest"
    assert (evidence.signal, evidence.window) == ("batch_trial_rate", "step 32")
    assert evidence.observed == pytest.approx(0.00316, rel=0.01)
    said = live_estimate(history(rate=1e-3))
    assert said.verdict == "too_low"
    assert said.reason.startswith(words)
    assert said.evidence[0] == evidence
    assert "trials" not in live_estimate(history((), rate=1e-3)).reason


def test_trials_and_the_length_of_the_run_move_the_factor():
    near = [(rate / 30, level) for rate, level in WALK]
    far = live_estimate(history(rate=1e-3)).factor
    assert live_estimate(history(near, rate=1e-3)).factor > 2 * far
    assert live_estimate(history(wanted=40.0, rate=1e-3)) != live_estimate(history(wanted=5000.0, rate=1e-3))


def test_a_share_of_the_place_is_added_to_the_trees():
    model = RateModel.named("live_rate_trials_model")
    assert RateModel.named("live_rate_model").beside is None
    name, share = model.beside
    assert name == "try_place"
    one, other = (model.weigh({"try_place": place}).factor[1] for place in (-5.0, -4.0))
    assert other - one == pytest.approx(share)  # beyond all thresholds the trees say the same
