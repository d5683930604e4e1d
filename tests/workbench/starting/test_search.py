"""Which rate a run gets: the user's where it is right, the recipe's where trials agree, theirs where they do not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from thalweg.core.plan import Augmentation, TrainingPlan
from thalweg.data.batching.batches import Batches
from thalweg.monitoring.rate_search import Chosen
from thalweg.monitoring.trials import Trial, TrialGround
from thalweg.training.device import Device
from thalweg.workbench.starting import search
from thalweg.workbench.starting.recipes import peak_rate, resolved
from thalweg.workbench.starting.search import decide_rate, weighed


def chosen(rate: float, edge: float | None = None) -> Chosen:
    return Chosen(rate=rate, edge=edge, trials=(), spent=0.0)


@pytest.fixture(scope="module")
def pictures() -> Batches:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 64)
    pixels = (labels[:, None, None, None] * 120 + random.integers(0, 100, (64, 8, 8, 3))).astype(np.uint8)
    return Batches(pixels, np.arange(64), labels, batch_size=8, seed=0, augmentation=Augmentation.none())


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    first = torch.nn.Linear(192, 16)
    first.weight.data /= 100  # pixels go from 0 to 255
    return torch.nn.Sequential(torch.nn.Flatten(), first, torch.nn.ReLU(), torch.nn.Linear(16, 1))


def plan(**options: object) -> TrainingPlan:
    return resolved(replace(TrainingPlan(source="x", network="small"), **options), picture_side=32)


@pytest.mark.parametrize(
    ("trial", "edge", "given", "rate", "whose"),
    [
        (4e-3, None, None, 2e-3, "recipe"),
        (4e-3, None, 1e2, 2e-3, "recipe"),
        (4e-3, None, 3e-3, 3e-3, "user"),
        (4e-3, 1e-3, None, 4e-3, "trials"),  # the recipe's rate breaks training here
        (4e-5, None, 1e-6, 4e-5, "trials"),
        (4e-5, None, 5e-5, 5e-5, "user"),
    ],
)
def test_who_decides(trial: float, edge: float | None, given: float | None, rate: float, whose: str) -> None:
    found = weighed(chosen(trial, edge), given=given, usual=2e-3, trusted=8.0)
    assert (found.rate, found.rate_from) == (rate, whose)


@pytest.mark.parametrize(
    ("edge", "rate", "whose"), [(None, 2e-3, "recipe"), (6e-3, 2e-3, "recipe"), (1e-3, 4e-6, "trials")]
)
def test_a_fitted_head_hides_what_trials_could_say_of_low_rates(edge: float | None, rate: float, whose: str) -> None:
    found = weighed(chosen(4e-6, edge), given=None, usual=2e-3, trusted=8.0, fitted=True)
    assert (found.rate, found.rate_from) == (rate, whose)
    assert ("do not break at it" in found.message) == (whose == "recipe")


@pytest.mark.parametrize(
    ("loss", "edge", "rate", "whose"),
    [(1.26, None, 2e-3, "recipe"), (1.26, 1e-3, 8e-6, "trials"), (1.0, None, 8e-6, "trials")],
)
def test_trials_that_learned_nothing_do_not_choose_the_rate_that_did_least(
    loss: float, edge: float | None, rate: float, whose: str
) -> None:
    trials = tuple(Trial(rate=each, loss=loss, start=1.257, moved=0.01, steps=60) for each in (2.5e-5, 2.5e-3))
    found = weighed(Chosen(rate=8e-6, edge=edge, trials=trials, spent=120), given=None, usual=2e-3, trusted=16.0)
    assert (found.rate, found.rate_from) == (rate, whose)
    assert ("too short to learn anything" in found.message) == (whose == "recipe")


@pytest.mark.parametrize("breaks", [False, True])
def test_before_fine_tuning_one_trial_is_enough_unless_it_breaks(
    pictures: Batches, monkeypatch: pytest.MonkeyPatch, breaks: bool
) -> None:
    tried = []

    def run(_: TrialGround, rate: float, steps: int) -> Trial:
        tried.append(rate)
        loss = 9.0 if breaks and rate > 2 * usual else 0.6 - 100 * rate
        return Trial(rate=rate, loss=loss, start=0.6, moved=0.1, steps=steps)

    monkeypatch.setattr(TrialGround, "run", run)
    fitted = replace(plan(epochs=4, network="resnet18", backbone="resnet18"), learning_rate=None)
    usual = peak_rate(fitted, 4 * pictures.steps)[0]
    assert usual < peak_rate(fitted, 200)[0] == peak_rate(fitted)[0]  # 32 updates take a share of the rate
    found = decide_rate(network(), pictures, Device("cpu", None), plan=fitted, weights=None)
    assert tried[0] > 2 * usual
    assert (len(tried) > 1) == breaks
    assert ("break nothing" in found.message) != breaks
    assert found.rate == usual


def test_absurd_rates_lead_to_the_same_one_and_the_network_is_left_alone(pictures: Batches) -> None:
    net, cpu = network(), Device("cpu", None)
    before = [weight.clone() for weight in net.parameters()]
    rates = {
        decide_rate(net, pictures, cpu, plan=plan(epochs=4, learning_rate=given), weights=None).rate
        for given in (None, 1e-6, 1e2)
    }
    assert len(rates) == 1
    assert all(torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))


def test_no_time_is_taken_for_trials_where_there_is_none(pictures: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SHARE_OF_MINUTES", 1e-9)
    found = decide_rate(network(), pictures, Device("cpu", None), plan=plan(minutes=1.0), weights=None)
    assert (found.rate, found.rate_from) == (2e-3, "recipe")
    assert "no time" in found.message
