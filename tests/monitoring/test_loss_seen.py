"""The loss is caught where a module makes it or the network itself does, and its parts are put together."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.monitoring.seat import Seat


def batch_after(model, loss):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seat = Seat(model, optimizer)
    torch.manual_seed(0)
    x, y = torch.randn(12, 4), torch.arange(12) % 3
    value = loss(model(x), y)
    value.backward()
    return seat, float(value.detach())


class Both(nn.Module):
    """Gives a second head, as networks with auxiliary classifiers do."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x):
        return self.one(x), self.two(x)


class Own(nn.Linear):
    """Computes its loss itself, as transformers do."""

    def __init__(self):
        super().__init__(4, 3)

    def forward(self, x):
        z = super().forward(x)
        return {"loss": z.pow(2).mean(), "logits": z}


class Parts(nn.Linear):
    """Gives a dictionary of losses, as detectors do."""

    def __init__(self):
        super().__init__(4, 3)

    def forward(self, x):
        z = super().forward(x)
        return {"far": z.pow(2).mean(), "near": z.abs().mean(), "told": z.max()}


class Answer(dict):
    """A mapping of a class of its own, which pytrees do not look into."""

    def __getattr__(self, name):
        return self[name]


class Answering(nn.Linear):
    """Gives such a mapping."""

    def __init__(self):
        super().__init__(4, 3)

    def forward(self, x):
        return Answer(logits=super().forward(x))


def mixed(z, y):
    criterion = nn.CrossEntropyLoss()
    return 0.3 * criterion(z, y) + 0.7 * criterion(z, y.flip(0))


def two_modules(z, y):
    return nn.CrossEntropyLoss()(z, y) + 0.1 * nn.MultiMarginLoss()(z, y)


def with_metric(z, y):
    nn.MultiMarginLoss()(z, y)  # looked at only
    return nn.CrossEntropyLoss()(z, y)


CASES = {
    "parts of its own": (Parts, lambda z, _: z["far"] + 0.5 * z["near"]),
    "a mapping of its own": (Answering, lambda z, y: functional.cross_entropy(z.logits, y)),
    "a mixture of labels": (lambda: nn.Linear(4, 3), mixed),
    "a metric beside": (lambda: nn.Linear(4, 3), with_metric),
    "two modules": (
        lambda: nn.Linear(4, 3),
        lambda z, y: nn.CrossEntropyLoss()(z, y) + 0.1 * nn.MultiMarginLoss()(z, y),
    ),
    "module": (lambda: nn.Linear(4, 3), nn.CrossEntropyLoss()),
    "module of a view": (lambda: nn.Linear(4, 1), lambda z, y: nn.SmoothL1Loss()(z[:, 0], y.float())),
    "module by name": (lambda: nn.Linear(4, 3), lambda z, y: nn.MultiMarginLoss()(input=z, target=y)),
    "two outputs": (Both, lambda z, y: functional.cross_entropy(z[0], y) + 0.3 * functional.cross_entropy(z[1], y)),
    "its own": (Own, lambda z, _: z["loss"]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_loss_is_caught(name):
    torch.manual_seed(1)
    make, loss = CASES[name]
    seat, value = batch_after(make(), loss)
    (held,) = seat.replay.batches
    assert held.loss == pytest.approx(value, rel=1e-4)
    assert seat.replay.losses(1) == pytest.approx([value], rel=1e-4)


def test_a_loss_of_something_else_is_not_made_up():
    seat, value = batch_after(nn.Linear(4, 3), lambda z, y: nn.CrossEntropyLoss()(torch.tanh(3 * z), y))
    assert seat.replay.batches[0].loss == pytest.approx(value)  # the number is that of `backward()`
    assert not seat.replay.ready


def test_two_backward_passes_of_one_output_are_not_taken_for_the_last():
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seat = Seat(model, optimizer)
    z = model(torch.randn(12, 4))
    one = functional.cross_entropy(z, torch.arange(12) % 3)
    two = (z - z.detach().round()).pow(2).mean()
    one.backward(retain_graph=True)
    (0.1 * two).backward()
    assert seat.replay.batches[0].loss == pytest.approx(float((one + 0.1 * two).detach()))
    assert not seat.replay.ready


def test_a_network_that_takes_derivatives_inside_is_computed_again():
    class Slope(nn.Linear):
        def forward(self, x):
            x = x.requires_grad_()
            return torch.autograd.grad(super().forward(x).tanh().sum(), x, create_graph=True)[0]

    seat, value = batch_after(Slope(4, 1), lambda z, _: nn.MSELoss()(z, torch.ones(12, 4)))
    assert seat.replay.losses(1) == pytest.approx([value], rel=1e-4)


@pytest.mark.parametrize(("prior", "partial"), [(0.0, False), (0.1, True)])
def test_a_loss_with_a_part_that_is_not_seen_is_known_to_be_partial(prior, partial):
    def loss(z, y):
        likelihood = nn.CrossEntropyLoss()(z[0], y)
        return likelihood + prior * z[1].sin().sum() if prior else likelihood

    seat, _ = batch_after(Both(), loss)
    (held,) = seat.replay.batches
    assert held.loss is not None
    assert held.partial is partial


def test_an_output_that_nobody_holds_is_waited_for_no_longer():
    hooks = nn.modules.module._global_forward_hooks
    before, model = len(hooks), nn.Linear(4, 3)
    seat = Seat(model, torch.optim.SGD(model.parameters(), lr=0.1))
    output = model(torch.randn(12, 4))
    assert len(hooks) == before + 1
    del output
    assert len(hooks) == before
    assert seat.taken
