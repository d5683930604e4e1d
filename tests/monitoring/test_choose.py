"""The rate chosen before the first step does not depend on the user's, unless that is right."""

import torch

from thalweg.monitoring.choose import choose_rate


def problem() -> tuple[torch.nn.Module, torch.optim.Optimizer, list]:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
    truth = torch.randn(6, 3)
    pictures = [torch.randn(32, 6) for _ in range(14)]
    losses = [lambda x=x: torch.nn.functional.cross_entropy(net(x), (x @ truth).argmax(1)) for x in pictures]
    return net, torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9), losses


def test_absurd_starts_lead_to_one_rate_and_a_good_start_is_kept() -> None:
    net, optimizer, losses = problem()
    before = [weight.clone() for weight in net.parameters()]
    rates = {choose_rate(net, optimizer, losses, start=start, steps=300).rate for start in (None, 1e-6, 1e2)}
    assert len(rates) == 1
    (rate,) = rates
    assert 0.01 < rate < 1.0
    assert choose_rate(net, optimizer, losses, start=1.5 * rate, steps=300).rate == 1.5 * rate
    assert all(torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))


def test_the_cost_is_told() -> None:
    net, optimizer, losses = problem()
    chosen = choose_rate(net, optimizer, losses, steps=300)
    assert chosen.spent > sum(trial.steps for trial in chosen.trials)
