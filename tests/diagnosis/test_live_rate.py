"""The live verdict: first steps that throw weights away, and updates that stay far from the edge."""

import gzip
import itertools
import json
import pathlib

import numpy as np
import pytest

from thalweg.core.history import Event, RunHistory
from thalweg.core.network_facts import NetworkFacts
from thalweg.core.signal import Signal
from thalweg.diagnosis.live_rate import live_estimate

STEPS = (3, 10, 25, 50, 100, 151)


def run(edges, *, rate=0.1, losses=None, ratios=(0.004,) * 6, dead=None, events=(), epochs=None, rates=150):
    losses = np.geomspace(2.3, 0.3, 150) if losses is None else losses
    given = {
        ("batch_critical_step", "run"): (STEPS, [rate / each for each in edges]),
        ("batch_learning_rate", "run"): (range(1, rates + 1), [rate] * rates),
        ("batch_loss", "run"): (range(1, len(losses) + 1), losses),
        ("batch_update_ratio", "layer"): ((1, 2, 3, 10, 20, 30), ratios),
    }
    if dead is not None:
        given["batch_dead_fraction", "layer"] = ((1, 5, 16, 51), dead)
    signals = tuple(
        Signal(name=name, unit="1", subject=subject, steps=tuple(steps), values=tuple(map(float, values)))
        for (name, subject), (steps, values) in given.items()
    )
    signals += tuple(
        Signal(name=name, unit="nats", steps=tuple(range(1, 31)), values=tuple(map(float, values)))
        for name, values in (epochs or {}).items()
    )
    return live_estimate(RunHistory(signals=signals, events=tuple(events), network=NetworkFacts(optimizer="SGD")))


def test_a_rate_whose_edge_comes_nearer_is_not_too_low():
    assert run([0.006, 0.008, 0.01, 0.03, 0.25, 0.16], ratios=(0.002,) * 6).verdict == "about_right"
    moving = run([0.006, 0.008, 0.01, 0.003, 0.02, 0.01], ratios=(0.002,) * 6)  # far from the edge, but it moves
    assert (moving.verdict, moving.factor >= 0.2) == ("about_right", True)
    hardly = np.linspace(2.3, 2.28, 150)
    slow = run([0.0006, 0.0008, 0.001, 0.003, 0.002, 0.001], ratios=(5e-5,) * 6, losses=hardly)
    assert (slow.verdict, slow.factor < 0.5) == ("too_low", True)


SLOWLY = np.geomspace(2.3, 1.3, 150)


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ({"losses": [2.3, 2.9, 6.8, *[2.3] * 147]}, "about_right"),
        ({"losses": [2.3, 2.9, 7.0, *[2.3] * 147]}, "too_high"),
        ({"ratios": (0.14, 0.14, 0.14, 1e-6, 1e-6, 1e-6), "losses": SLOWLY}, "about_right"),
        ({"ratios": (0.16, 0.16, 0.16, 1e-6, 1e-6, 1e-6), "losses": SLOWLY}, "too_high"),
        ({"ratios": (0.16, 0.16, 0.16, 1e-6, 1e-6, 1e-6)}, "about_right"),  # small weights move far, and it learns
        ({"dead": (0.1, 0.6, 0.98, 0.98)}, "about_right"),
        ({"dead": (0.1, 0.6, 1.0, 1.0)}, "too_high"),
        ({"dead": (1.0, 1.0, 1.0, 1.0)}, "about_right"),
    ],
)
def test_the_first_steps_tell_of_a_rate_that_threw_the_weights_away(signs, verdict):
    found = run([0.2, 0.3, 0.2, 0.3, 0.2, 0.3], **signs)
    assert (found.verdict == "too_high") is (verdict == "too_high")
    assert found.confidence >= 0.95 or verdict == "about_right"


def test_after_a_repair_only_the_new_rate_is_judged():
    far = run([0.2] * 6, losses=[2.3, 9.0, *[5.0] * 98])
    assert far.verdict == "too_high"
    repaired = run(
        [0.2] * 6,
        losses=[2.3, 9.0, *[5.0] * 28, *np.geomspace(2.3, 0.3, 120)],
        events=(Event(epoch=0, step=30, kind="restart", message="begun anew"),),
    )
    assert repaired.verdict != "too_high"


def test_a_run_that_has_ended_is_judged_by_its_curves_as_well():
    falling = 2.3 * np.exp(-np.arange(30) / 4) + 0.1
    ended = run([0.2, 0.3] * 3, epochs={"train_loss": falling, "val_loss": falling + 0.05})
    going = run([0.2, 0.3] * 3)
    assert ended.probabilities != going.probabilities
    assert {piece.signal for piece in ended.evidence} & {"train_loss", "val_loss"}
    told = [(piece.signal, piece.observed, piece.source) for piece in ended.evidence]
    assert len(set(told)) == len(told)


def test_few_steps_say_nothing():
    assert run([0.2] * 6, losses=[2.3] * 150, rates=5).verdict == "undetermined"


@pytest.fixture(scope="module")
def recorded():
    folder = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "sweeps"
    with gzip.open(folder / "watched.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in itertools.islice(file, 0, None, 12)]


def test_recorded_runs_far_from_the_best_rate_are_on_its_right_side(recorded):
    """The lowest and highest rate of recorded problems, 2 decades and more from the best."""
    right = total = 0
    for record in recorded:
        if 1e-5 < record["rate"] < 10.0:
            continue
        found = live_estimate(_history(record))
        total += 1
        right += found.verdict == ("too_low" if record["rate"] <= 1e-5 else "too_high")
    assert total > 10
    assert right >= 0.9 * total


def _history(record):
    signals = [
        Signal(
            name=name,
            unit="1",
            subject="run",
            steps=tuple(steps),
            values=tuple(np.nan if v is None else v for v in values),
        )
        for name, (steps, values) in record["signals"].items()
    ]
    for name, layers in record["layers"].items():
        for layer, (steps, values) in layers.items():
            known = tuple(np.nan if v is None else v for v in values)
            signals.append(Signal(name=name, unit="1", subject=layer, steps=tuple(steps), values=known))
    steps = tuple(range(1, record["seen"] + 1))
    rates = (record["seen_rate"],) * len(steps)
    signals.append(Signal(name="batch_learning_rate", unit="1", subject="run", steps=steps, values=rates))
    return RunHistory(signals=tuple(signals), network=NetworkFacts(optimizer=record["optimizer"]))
