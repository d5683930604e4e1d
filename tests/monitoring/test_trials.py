"""Trials leave no trace, and tell good rates from bad ones."""

import math

import pytest
import torch

from thalweg.monitoring.trials import TrialGround, clip_gradients


def ground() -> tuple[TrialGround, torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.7, momentum=0.9)
    truth = torch.randn(6, 3)
    pictures = [torch.randn(32, 6) for _ in range(8)]
    losses = [lambda x=x: torch.nn.functional.cross_entropy(net(x), (x @ truth).argmax(1)) for x in pictures]
    return TrialGround(net, optimizer, train=losses[2:], held=losses[:2]), net, optimizer


def test_a_trial_leaves_weights_buffers_gradients_rates_and_randomness_as_they_were() -> None:
    tried, net, optimizer = ground()
    tried.train[0]().backward()
    gradient = net[0].weight.grad
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(5)
    tried.run(0.1, 10)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net[0].weight.grad is gradient
    assert optimizer.param_groups[0]["lr"] == 0.7
    assert not optimizer.state
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))


def test_a_middling_rate_beats_extremes() -> None:
    tried, _, _ = ground()
    low, good, high = (tried.run(rate, 15) for rate in (1e-6, 0.1, 1e4))
    assert good.loss < 0.8 * good.start
    assert abs(low.loss - low.start) < 1e-2
    assert not high.loss < good.loss
    assert low.moved < 1e-3 < good.moved


def test_the_same_trial_comes_out_the_same() -> None:
    tried, _, _ = ground()
    assert tried.run(0.1, 8) == tried.run(0.1, 8)
    assert tried.spent > 16


def test_groups_keep_their_ratio() -> None:
    tried, net, _ = ground()
    still = torch.optim.SGD([{"params": net[0].parameters(), "lr": 1.0}, {"params": net[3].parameters(), "lr": 1e-9}])
    tried.optimizer, moved = still, []
    tried.train = [*tried.train, lambda: moved.append(net[3].weight.clone()) or tried.train[0]()]
    before = net[3].weight.clone()
    tried.run(0.1, 7)
    assert torch.allclose(moved[0], before, atol=1e-6)


def test_what_is_not_finite_ends_a_trial() -> None:
    tried, _, _ = ground()
    tried.train = [lambda: tried.held[0]() * math.nan]
    broken = tried.run(0.1, 10)
    assert math.isinf(broken.loss)
    assert broken.steps == 1


def test_clipping_tells_the_norm_before() -> None:
    weight = torch.nn.Parameter(torch.zeros(4))
    weight.grad = torch.full((4,), 3.0)
    assert float(clip_gradients([weight], 1.0)) == 6.0
    assert abs(float(weight.grad.norm()) - 1.0) < 1e-4
    assert float(clip_gradients([weight], math.inf)) < 1.1


def test_a_trial_leaves_gradients_of_other_optimizers_as_they_were() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 3))
    net[1].weight.grad = torch.ones(3, 4)
    x, y = torch.randn(6, 4), torch.arange(6) % 3

    def loss() -> torch.Tensor:
        return torch.nn.functional.cross_entropy(net(x), y)

    TrialGround(net, torch.optim.SGD(net[0].parameters(), lr=0.1), train=[loss], held=[loss]).run(0.1, 3)
    assert torch.equal(net[1].weight.grad, torch.ones(3, 4))
    assert net[1].bias.grad is None


def test_sparse_gradients_are_clipped_with_the_others() -> None:
    one, other = torch.nn.Parameter(torch.zeros(4)), torch.nn.Parameter(torch.zeros(2))
    one.grad, other.grad = torch.tensor([0.0, 3.0, 0.0, 0.0]).to_sparse(), torch.tensor([4.0, 0.0])
    assert float(clip_gradients([one, other], 1.0)) == 5.0
    assert float(one.grad.to_dense()[1]) == pytest.approx(0.6, rel=1e-4)
    assert float(other.grad[0]) == pytest.approx(0.8, rel=1e-4)
