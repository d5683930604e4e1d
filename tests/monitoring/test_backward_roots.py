"""The number at which a backward pass begins, without what multiplies it; torch's own function before and after."""

import threading

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from thalweg.monitoring import backward_roots
from thalweg.monitoring.backward_roots import BackwardRoots, now
from thalweg.monitoring.seat import Seat

OWN = torch.autograd.backward


def seen_in(begin):
    """What a hook on an output knows of the backward pass that reaches it."""
    found = []
    weight = torch.full((3,), 2.0, requires_grad=True)
    output = weight * 1.0
    output.register_hook(lambda _: found.append(now()))
    roots = BackwardRoots()
    roots.listen()
    begin(output)
    roots.rest()
    assert torch.autograd.backward is OWN
    assert now() is None
    return found


@pytest.mark.parametrize(
    ("begin", "value", "factor"),
    [
        (lambda z: z.sum().backward(), 6.0, 1.0),
        (lambda z: (z.sum() / 4).backward(), 6.0, 0.25),
        (lambda z: (0.5 * z.sum()).backward(), 6.0, 0.5),
        (lambda z: (z.sum() * torch.tensor(65536.0) / 8).backward(), 6.0, 8192.0),
        (lambda z: (torch.tensor(65536.0) * z.sum()).backward(), 6.0, 65536.0),
        (lambda z: (0.0 * z.sum()).backward(), 0.0, 1.0),
        (lambda z: (z.sum() * z.mean()).backward(), 12.0, 1.0),
        (lambda z: (z.sum() + 0.1 * z.square().sum()).backward(), 7.2, 1.0),
        (lambda z: torch.autograd.backward([z.sum(), z[0]]), 8.0, 1.0),
        (lambda z: z.sum().backward(torch.tensor(3.0)), 18.0, 1.0),
        (lambda z: checkpoint(torch.exp, z, use_reentrant=True).sum().backward(), 3 * 7.389056, 1.0),
    ],
)
def test_the_number_is_seen_without_what_multiplies_all_of_it(begin, value, factor):
    found = seen_in(begin)
    assert float(found[0].value) == pytest.approx(value)
    assert found[0].factor == pytest.approx(factor)


def test_what_begins_at_no_number_is_known_as_nothing():
    assert [root.value for root in seen_in(lambda z: z.backward(torch.ones(3)))] == [None]
    assert seen_in(lambda z: torch.autograd.grad(z.sum(), z)) == [None]


def test_a_listener_that_nobody_holds_listens_no_more():
    first, second = BackwardRoots(), BackwardRoots()
    for _ in range(2):
        first.listen()
        second.listen()
    first.rest()
    first.rest()
    assert torch.autograd.backward is not OWN
    del second
    assert torch.autograd.backward is OWN


def test_what_somebody_else_puts_in_between_stays(monkeypatch):
    roots, calls = BackwardRoots(), []
    roots.listen()
    ours = torch.autograd.backward

    def theirs(*args, **kwargs):
        calls.append(args)
        return ours(*args, **kwargs)

    monkeypatch.setattr(torch.autograd, "backward", theirs)
    roots.rest()
    assert torch.autograd.backward is theirs
    roots.listen()
    torch.ones(1, requires_grad=True).sum().backward()
    roots.rest()
    assert torch.autograd.backward is theirs
    assert len(calls) == 1
    monkeypatch.undo()
    torch.autograd.backward = OWN


def test_passes_of_two_threads_are_not_taken_for_each_other():
    def begin(output):
        def other():
            torch.ones(1, requires_grad=True).sum().backward()

        def meanwhile(_):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

        output.register_hook(meanwhile)
        output.sum().backward()

    assert seen_in(begin)[0].value is None


class Noting:
    """A passenger that asks for the loss."""

    def __init__(self, moments):
        self.moments = moments

    def before_update(self, moment):
        self.moments.append((moment.loss, moment.replay.batches[-1].objective))

    def after_update(self, moment):
        pass


def losses(loss, *, batches=1):
    """What a seat knows of the loss of one update, and what it really was."""
    torch.manual_seed(0)
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    seat = Seat(net, optimizer)
    real = []
    moments = []
    seat.passengers.append(Noting(moments))
    for _ in range(batches):
        x, y = torch.randn(12, 4), torch.randn(12, 2)
        value = loss(net(x), y)
        (value / batches).backward()
        real.append(float(value.detach()))
    replayed = seat.replay.losses(1)
    optimizer.step()
    seat.close()
    assert torch.autograd.backward is OWN
    ((known, objective),) = moments
    return known, objective, sum(real) / len(real), real[-1], replayed


@pytest.mark.parametrize("batches", [1, 3])
@pytest.mark.parametrize(
    "loss",
    [
        functional.mse_loss,
        lambda z, y: functional.mse_loss(z, y, reduction="sum"),
        lambda z, y: (z - y).square().sum(1).mean(),
        lambda z, y: 0.5 * ((z - y) ** 2).mean(),
        lambda z, y: (0.5 * (z - y) ** 2).sum(),
    ],
)
def test_a_squared_error_of_real_labels_is_seen_wholly(loss, batches):
    known, objective, mean, last, replayed = losses(loss, batches=batches)
    share = 0.5 if loss(torch.ones(1, 1), torch.zeros(1, 1)) == 0.5 and known > 1.5 * mean else 1.0
    assert known * share == pytest.approx(mean, rel=1e-4)
    assert objective is not None
    assert replayed[0] * share == pytest.approx(last, rel=1e-4)


@pytest.mark.parametrize(
    "loss",
    [
        functional.l1_loss,
        lambda z, y: functional.smooth_l1_loss(z, y, beta=0.1),
        lambda z, y: 1 - functional.cosine_similarity(z, y).mean(),
        lambda z, y: functional.mse_loss(z, y) + 0.3 * z.abs().mean(),
        lambda z, y: (z - y).cosh().log().mean(),
    ],
)
def test_of_another_loss_the_number_is_seen(loss):
    known, objective, mean, *_ = losses(loss)
    assert known == pytest.approx(mean, rel=1e-5)
    assert objective is None


def test_an_error_in_looking_is_no_error_of_the_loop(monkeypatch):
    monkeypatch.setattr(backward_roots, "_factors_of", lambda _: 1 / 0)
    assert [root.value for root in seen_in(lambda z: z.sum().backward())] == [None]
