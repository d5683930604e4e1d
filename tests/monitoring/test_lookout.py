"""What is gathered before the pilot may act."""

import torch

from thalweg.monitoring.lookout import FEWEST, Lookout, amp_scale
from thalweg.monitoring.seat import Seat


def test_rates_tell_schedules_from_none() -> None:
    steady, rising, falling = Lookout(), Lookout(), Lookout()
    for step in range(5):
        steady.rates.append(0.1)
        rising.rates.append(0.1 * (step + 1))
        falling.rates.append(0.1 * 0.9**step)
    assert (steady.steady, steady.rising) == (True, False)
    assert (rising.steady, rising.rising) == (False, True)
    assert (falling.steady, falling.rising) == (False, False)
    assert not Lookout().steady


def test_batches_are_kept_while_they_are_whole_and_few_where_they_are_large() -> None:
    net = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    seat, lookout = Seat(net, optimizer), Lookout()
    seen = []
    for _ in range(40):
        seen.append(torch.randn(5, 4))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(seen[-1]), torch.arange(5) % 3).backward()
        optimizer.step()
        lookout.see(0.1, seat.replay)
    assert len(lookout.batches) == 24
    seen[-1].zero_()
    assert len(lookout.batches) == 23
    lookout.forget()
    assert not lookout.batches
    assert FEWEST < 24


def test_the_scale_of_fused_mixed_precision_is_seen() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    assert amp_scale(optimizer) == 1.0
    optimizer.grad_scale = torch.tensor(1024.0)
    assert amp_scale(optimizer) == 1024.0
