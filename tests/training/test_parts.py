"""Schedules, losses, averages, optimizers and interruptions, each against a slow or independent truth."""

import copy
import math
import os
import signal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.errors import PlanError
from thalweg.training.averaging import WeightAverage
from thalweg.training.device import choose_device
from thalweg.training.interruption import listening
from thalweg.training.loss import class_weights, cross_entropy, probabilities
from thalweg.training.optimizers import make_optimizer
from thalweg.training.schedule import rate_factor, stage_side


@given(st.floats(0, 1), st.floats(0.01, 0.5))
def test_the_rate_rises_then_falls_and_stays_within_bounds(progress, warmup):
    factor = rate_factor(progress, warmup)
    assert 0 <= factor <= 1
    step = 1e-3
    if progress + step < warmup:
        assert rate_factor(progress + step, warmup) > factor
    elif warmup < progress < 1 - step:
        assert rate_factor(progress + step, warmup) < factor


def test_the_last_stage_is_the_full_side():
    assert stage_side(1.0, (0.5, 0.75, 1.0), 200) == 200
    assert stage_side(0.0, (0.5, 0.75, 1.0), 200) == 96
    assert stage_side(0.0, (0.01,), 200) == 16


def test_one_logit_equals_two_logits_with_the_first_at_zero():
    logit = torch.randn(7, 1, generator=torch.Generator().manual_seed(0))
    pair = torch.cat((torch.zeros_like(logit), logit), dim=1)
    labels = torch.tensor([0, 1, 1, 0, 1, 0, 0])
    weights = torch.tensor([0.5, 2.0])
    for smoothing in (0.0, 0.2):
        one = cross_entropy(logit, labels, weights=weights, smoothing=smoothing)
        two = cross_entropy(pair, labels, weights=weights, smoothing=smoothing)
        torch.testing.assert_close(one, two)
    torch.testing.assert_close(probabilities(logit), probabilities(pair))


def test_cross_entropy_is_the_mean_negative_log_probability():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 3.0]])
    shares = torch.softmax(logits, dim=1)
    expected = -(math.log(shares[0, 0]) + math.log(shares[1, 2])) / 2
    assert float(cross_entropy(logits, torch.tensor([0, 2]))) == pytest.approx(expected, rel=1e-6)


def test_class_weights_have_mean_one_over_the_files():
    weights = class_weights((900, 90, 10), "auto")
    assert np.dot(weights, (900, 90, 10)) == pytest.approx(1000)
    assert weights[2] > weights[1] > weights[0]
    assert class_weights((900, 10), "none") is None
    assert class_weights((100, 99), "balanced") is not None


def test_decay_spares_biases_and_scales():
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimizer = make_optimizer(module, "adamw", learning_rate=0.1, weight_decay=0.05)
    decays = {
        group["weight_decay"]: [parameter.ndim for parameter in group["params"]] for group in optimizer.param_groups
    }
    assert decays == {0.05: [4], 0.0: [1, 1, 1]}


def test_the_average_follows_its_formula():
    module = torch.nn.Linear(2, 1)
    average = WeightAverage(module, 0.5)
    expected = module.weight.detach().clone()
    for step in (1, 2, 30):
        with torch.no_grad():
            module.weight.add_(1.0)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * module.weight.detach()
    torch.testing.assert_close(average.module.weight.detach(), expected)


def test_an_average_leaves_the_network_alone():
    module = torch.nn.Linear(2, 1)
    before = copy.deepcopy(module.state_dict())
    WeightAverage(module, 0.9).update(1)
    torch.testing.assert_close(module.state_dict(), before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_remembered_and_the_old_handler_comes_back(number):
    former = signal.getsignal(number)
    with listening() as interruption:
        assert not interruption
        os.kill(os.getpid(), number)
        assert interruption.exit_status == 128 + number
    assert signal.getsignal(number) is former


def test_a_second_ctrl_c_does_not_wait():
    with listening():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_device_that_is_not_there_is_named():
    if not torch.cuda.is_available():
        with pytest.raises(PlanError, match=r"--device cuda: torch .* finds none"):
            choose_device("cuda")
