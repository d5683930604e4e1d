"""Losses are computed again without a trace, and a batch that was overwritten is left out."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from thalweg.monitoring.replay import undisturbed
from thalweg.monitoring.seat import Seat


def watched(steps=5, *, dropout=0.0):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(dropout), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seat = Seat(model, optimizer)
    batches = []
    for _ in range(steps):
        x, y = torch.randn(16, 4), torch.randint(0, 3, (16,))
        batches.append((x, y))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model, seat, batches


def test_losses_are_those_of_the_newest_batches_at_the_present_weights():
    model, seat, batches = watched()
    with torch.no_grad(), undisturbed(model):
        own = [float(nn.functional.cross_entropy(model(x), y)) for x, y in reversed(batches)]
    assert seat.replay.losses(2) == pytest.approx(own[:2])
    assert seat.replay.losses(2, skip=1) == pytest.approx(own[1:3])
    assert seat.replay.losses(9) == pytest.approx(own[:4])
    loss = seat.replay.loss_with_graph(1)
    assert float(loss.detach()) == pytest.approx(own[1])
    assert torch.autograd.grad(loss, model[0].weight)[0].abs().sum() > 0


def test_two_replays_draw_the_same_dropout_mask():
    _, seat, _ = watched(dropout=0.5)
    assert seat.replay.losses(2) == seat.replay.losses(2)


def test_a_batch_that_was_overwritten_is_left_out():
    _, seat, batches = watched()
    assert len(seat.replay.losses(4)) == 4
    batches[-1][0].zero_()
    assert len(seat.replay.losses(4)) == 3


class Untidy(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0
        self.register_buffer("sum", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        self.extra = random.random() + np.random.rand()  # noqa: NPY002 - as user code does
        self.sum += x.sum()
        return x + torch.rand(())


def generators():
    return [torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()]  # noqa: NPY002


def test_undisturbed_puts_back_buffers_attributes_and_every_generator():
    model = Untidy()
    states = generators()
    buffer = model.sum
    with undisturbed(model):
        model(torch.ones(3))
        assert model.calls == 1
    assert (model.calls, float(model.sum), hasattr(model, "extra")) == (0, 0.0, False)
    assert model.sum is buffer
    assert generators() == states
