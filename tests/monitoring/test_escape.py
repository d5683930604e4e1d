"""New weights and shaken ones."""

import torch

from thalweg.monitoring.escape import draw_anew, shake


def test_new_weights_repeat_for_a_seed_and_leave_randomness_alone() -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    net[1].running_mean.fill_(torch.nan)
    torch.manual_seed(3)
    draw_anew(net, seed=1)
    first, drawn = net[0].weight.clone(), torch.rand(1)
    draw_anew(net, seed=1)
    assert torch.equal(first, net[0].weight)
    assert bool(net[1].running_mean.isfinite().all())
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))


def test_layers_without_a_method_are_named_and_left() -> None:
    net = torch.nn.Module()
    net.own = torch.nn.Module()
    net.own.weight = torch.nn.Parameter(torch.full((3,), 7.0))
    assert draw_anew(net, seed=1) == ["own"]
    assert net.own.weight[0] == 7.0


def test_a_shake_moves_in_proportion_and_spares_what_is_frozen() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(30, 30), torch.nn.Linear(30, 30))
    net[1].weight.requires_grad_(False)
    before = [net[0].weight.detach().clone(), net[1].weight.detach().clone()]
    shake(net, strength=0.1, seed=1)
    moved = (net[0].weight.detach() - before[0]).norm() / before[0].norm()
    assert 0.08 < float(moved) < 0.12
    assert torch.equal(net[1].weight, before[1])
