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


CASES = {
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
    seat, _ = batch_after(nn.Linear(4, 3), lambda z, y: nn.CrossEntropyLoss()(torch.tanh(3 * z), y))
    assert seat.replay.batches[0].loss is None
    assert not seat.replay.ready
