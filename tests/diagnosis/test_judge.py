"""Rules together: healthy runs of many kinds get no warning, causes come first, nothing is said twice."""

import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.signal import Signal
from thalweg.diagnosis.case import open_case
from thalweg.diagnosis.judge import judge

N = np.arange(60)


def run(verdict="about_right", **curves):
    signals = tuple(
        Signal(name=name, unit="1", steps=tuple(range(1, len(values) + 1)), values=tuple(map(float, values)))
        for name, values in curves.items()
    )
    return judge(open_case(RunHistory(signals=signals), LearningRateEstimate(verdict=verdict, confidence=0.9)))


def grave(findings):
    return [finding.name for finding in findings if finding.severity != "info"]


def noise(seed, size=60):
    return np.random.default_rng(seed).normal(size=size)


def steps(seed):
    """A residual network with a schedule of two steps: loss and error drop at once where the rate does."""
    level = np.where(N < 25, 0.9, np.where(N < 45, 0.35, 0.2))
    loss = level + 1.4 * np.exp(-N / 4)
    held = loss * 1.15 * np.exp(np.where(N < 25, 0.2, 0.03) * noise(seed))
    return {"train_loss": loss * (1 + 0.01 * noise(seed + 1)), "val_loss": held,
            "train_accuracy": np.exp(-loss), "val_accuracy": np.exp(-held)}  # fmt: skip


def cosine(seed):
    loss = 0.05 + 1.9 * np.exp(-N / 8) + 0.5 * (1 + np.cos(np.pi * N / 60)) / 2
    held = 0.45 + loss * (1 + 0.05 * noise(seed))
    return {"train_loss": loss * (1 + 0.01 * noise(seed + 1)), "val_loss": held, "train_accuracy": np.exp(-loss),
            "learning_rate": 0.1 * (1 + np.cos(np.pi * N / 60)) / 2}  # fmt: skip


def warm_up(seed):
    loss = 2.3 / (1 + np.exp((N - 6) / 3)) + 0.4 + 0.01 * noise(seed)
    return {"train_loss": loss, "val_loss": loss * 1.1}


def small_validation(seed):
    loss = 0.1 + 0.6 * np.exp(-N / 10)
    held = (0.3 + 0.4 * np.exp(-N / 10)) * np.exp(0.15 * noise(seed))
    return {"train_loss": loss, "val_loss": held, "val_accuracy": 1 - held / 2}


def fine_tuning(seed):
    loss = 0.12 + 0.05 * np.exp(-N / 10) + 0.004 * noise(seed)
    return {"train_loss": loss, "val_loss": loss + 0.02, "train_accuracy": 0.96 + 0.002 * noise(seed + 1)}


def language_model(seed):
    loss = 3.0 - 0.15 * np.log1p(N) + 0.01 * noise(seed)
    return {"train_loss": loss, "val_loss": loss + 0.02, "gradient_norm": 1.0 + 0.1 * noise(seed + 1)}


def restarts(seed):
    """Warm restarts: the loss rises at each, and comes down further."""
    loss = 0.3 + 1.5 * np.exp(-N / 15) + 0.25 * (1 + np.cos(np.pi * (N % 20) / 20)) / 2
    return {"train_loss": loss + 0.005 * noise(seed), "val_loss": loss + 0.1 + 0.03 * noise(seed + 1)}


def regression(seed):
    loss = 1e-4 * (0.2 + np.exp(-N / 10)) * (1 + 0.03 * noise(seed))
    return {"train_loss": loss, "val_loss": loss * 1.2}


def first_validations_wild(seed):
    """Batch normalisation at the start: two validation losses far off, then none."""
    kept = cosine(seed)
    held = kept["val_loss"].copy()
    held[[0, 2]] *= 4
    return kept | {"val_loss": held}


HEALTHY = (
    *(steps, cosine, warm_up, small_validation, fine_tuning, language_model, restarts, regression),
    first_validations_wild,
)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("make", HEALTHY)
def test_healthy_runs_get_no_warning(make, seed):
    curves = make(10 * seed)
    assert grave(run(**curves)) == []
    losses = {name: curves[name] for name in ("train_loss", "val_loss")}
    assert grave(run(**losses)) == []


@pytest.mark.parametrize("make", [make for make in HEALTHY if make is not first_validations_wild])
def test_healthy_runs_get_no_warning_when_nothing_is_known_of_the_rate(make):
    assert grave(run("undetermined", **make(3))) == []


def test_overfitting_is_found_in_noise_and_in_accuracies_alone():
    loss = 2.0 * np.exp(-N / 8) + 0.02
    held = np.maximum(2.0 * np.exp(-N / 8) + 0.5, 0.5 + 0.02 * (N - 15)) * (1 + 0.04 * noise(1))
    assert grave(run(train_loss=loss, val_loss=held)) == ["overfitting"]
    assert grave(run(train_loss=loss, val_loss=np.full(60, 0.6) + np.exp(-N / 6))) == []
    right = 0.8 - 0.005 * np.maximum(N - 10, 0) + 0.004 * noise(2)
    errors = {"train_accuracy": 1 - loss / 3, "val_accuracy": right}
    assert grave(run(**errors)) == ["overfitting"]


@pytest.mark.parametrize(("end", "severity"), [(0.53, "info"), (0.6, "warning")])
def test_a_small_rise_of_the_validation_loss_is_told_without_alarm(end, severity):
    loss = 2.0 * np.exp(-N / 8) + 0.02
    held = 0.5 + 2.0 * np.exp(-N / 4) + (end - 0.5) * np.maximum(N - 30, 0) / (N[-1] - 30)
    found = [each for each in run(train_loss=loss, val_loss=held) if each.name == "overfitting"]
    assert [each.severity for each in found] == [severity]


@pytest.mark.parametrize(("answers", "told"), [(0.0, ["not_learning"]), (0.1, [])])
def test_a_first_loss_that_sinks_to_that_of_guessing_is_no_learning(answers, told):
    loss = 2.303 + 0.07 * np.exp(-N / 3) + 0.004 * noise(3)
    right = 0.1 + 0.01 * noise(4) + answers * N / N[-1]
    found = run("undetermined", train_loss=loss, train_accuracy=right)
    assert [name for name in grave(found) if name == "not_learning"] == told


def test_not_a_number_comes_with_its_cause_first_and_without_consequences():
    found = run("too_high", train_loss=[2.3, 2.3, 2.3, np.nan, np.nan], train_accuracy=[0.1] * 5)
    assert [finding.name for finding in found][:2] == ["learning_rate_too_high", "non_finite"]
    assert "not_learning" not in grave(found)


def test_no_remedy_speaks_against_the_verdict():
    spiked = 2.3 * np.exp(-N / 6) + 0.2
    spiked[[10, 20, 30]] *= 4
    lower, higher = "lower_learning_rate", "raise_learning_rate"
    for verdict, forbidden in (("about_right", {lower, higher}), ("too_low", {lower}), ("too_high", {higher})):
        for curves in ({"train_loss": spiked}, {"train_loss": 2.3 - 0.001 * N}, {"train_loss": 2.3 + 0.5 * noise(3)}):
            told = {remedy.code for finding in run(verdict, **curves) for remedy in finding.remedies}
            assert not told & forbidden, verdict


def test_what_speaks_against_a_verdict_is_a_remark_only():
    spiked = 2.3 - 0.01 * N
    spiked[[10, 20, 30, 40, 45, 50]] *= 4
    assert "overshooting" not in grave(run("too_low", train_loss=spiked))
    assert "overshooting" in [finding.name for finding in run("too_low", train_loss=spiked)]


def test_validation_that_is_apart_at_once_is_not_learned_by_heart():
    right, wrong = 1 - 0.4 * 0.5**N, 0.62 + 0.1 * (1 - 0.9**N)
    (found,) = [each for each in run(train_loss=0.5 * 0.7**N + 0.01, val_loss=1.3 - 0.3 * (1 - 0.9**N),
                                     train_accuracy=right, val_accuracy=wrong) if each.severity != "info"]  # fmt: skip
    assert found.name == "validation_irregular"
    assert "in epochs 2-4 its loss is" in found.claim
    assert found.alternatives[0] == "batchnorm_mismatch"


def test_a_loss_thrown_up_at_once_and_flat_afterwards_does_not_learn():
    flat = 2.303 + 0.001 * noise(4)
    flat[0] = 4e9
    found = run("too_high", train_loss=flat, train_accuracy=0.1 + 0.003 * noise(5))
    assert [finding.name for finding in found][:3] == ["learning_rate_too_high", "overshooting", "not_learning"]
    assert "not_learning" not in [finding.name for finding in run("too_high", train_loss=flat)]


@pytest.mark.parametrize(("confidence", "severity"), [(0.95, "warning"), (0.9, "warning"), (0.89, "info")])
@pytest.mark.parametrize("verdict", ["too_high", "too_low"])
def test_an_unsure_verdict_is_told_without_alarm(verdict, confidence, severity):
    signal = Signal(name="train_loss", unit="nats", steps=(1, 2, 3), values=(0.9, 0.8, 0.7))
    estimate = LearningRateEstimate(verdict=verdict, confidence=confidence)
    found = judge(open_case(RunHistory(signals=(signal,)), estimate))
    assert [each.severity for each in found if each.code.startswith("LRN")] == [severity]
