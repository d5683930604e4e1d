"""Running statistics forget their start at once, and decay as usual later."""

import copy

import pytest
import torch

from thalweg.training.statistics import FirstStatistics


@pytest.mark.parametrize("momentum", [0.01, 0.1])
def test_running_statistics_are_the_mean_of_all_batches_until_there_are_enough(momentum):
    layer = torch.nn.BatchNorm2d(3, momentum=momentum)
    first, batches = FirstStatistics(torch.nn.Sequential(layer)), torch.randn(7, 8, 3, 4, 4) * 5 + 20
    for step, batch in enumerate(batches, start=1):
        first.before(step)
        layer(batch)
    assert torch.allclose(layer.running_mean, batches.mean(dim=(0, 1, 3, 4)), atol=1e-4)


def test_later_steps_decay_as_the_layer_says_also_when_a_run_goes_on():
    usual = torch.nn.BatchNorm1d(2, momentum=0.25)
    layer = copy.deepcopy(usual)
    first = FirstStatistics(layer)
    first.before(4)
    assert layer.momentum == 0.25
    again = copy.deepcopy(usual)
    FirstStatistics(again).before(3)
    assert again.momentum == pytest.approx(1 / 3)


def test_layers_without_a_decaying_statistic_are_left_alone():
    layers = torch.nn.Sequential(
        torch.nn.BatchNorm1d(2, momentum=None),
        torch.nn.BatchNorm1d(2, track_running_stats=False),
        torch.nn.Linear(2, 2),
    )
    FirstStatistics(layers).before(1)
    assert layers[0].momentum is None
    assert layers[1].momentum == 0.1
