"""Scaling and skipping change what they say, nothing in here ends a training, and hooks go as they came."""

import copy
import gc
import io
import logging

import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.monitoring.seat import Seat
from thalweg.monitoring.unwrapped import inner_module, inner_optimizer


@pytest.fixture(autouse=True)
def _nothing_of_earlier_tests():
    gc.collect()  # an optimizer and its seat hold each other, and a seat in mid-update holds a global hook


class Looker:
    """Looks at losses and rates."""

    def __init__(self):
        self.losses, self.rates, self.state_ = [], [], {}

    def before_update(self, moment):
        moment.replay.losses(3)

    def after_update(self, moment):
        self.losses.append(moment.loss)
        self.rates.append(moment.rate)

    def state(self):
        return {"seen": len(self.losses)}

    def restore(self, state):
        self.state_ = dict(state)


class Block(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(36, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 5))


def loop(model, optimizer, step, *, steps=6):
    torch.manual_seed(5)
    for _ in range(steps):
        step(model, optimizer)
    return [*model.state_dict().values()]


def batch(size=12, classes=5):
    return torch.randn(size, 1, 6, 6), torch.randint(0, classes, (size,))


def plain(model, optimizer):
    x, y = batch()
    optimizer.zero_grad()
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def sgd(weights):
    return torch.optim.SGD(weights, lr=0.1, momentum=0.9)


def adamw(weights):
    return torch.optim.AdamW(weights, lr=0.01)


class Scaler(Looker):
    """Sets the seat's scale, or skips."""

    def __init__(self, seat, *, scale=1.0, skip=False):
        super().__init__()
        self.seat, self.scale, self.skip = seat, scale, skip

    def before_update(self, _):
        self.seat.scale, self.seat.skip = self.scale, self.skip


def test_the_scale_multiplies_the_rate_under_any_schedule():
    ends = []
    for factor, rate in ((0.25, 0.4), (None, 0.1)):
        torch.manual_seed(1)
        model = Block()
        optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
        if factor:
            seat = Seat(model, optimizer)
            seat.passengers.append(Scaler(seat, scale=factor))

        def step(model, optimizer, schedule=schedule):
            plain(model, optimizer)
            schedule.step()

        ends.append(loop(model, optimizer, step))
        if factor:
            assert seat.passengers[0].rates == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025, 0.025])
            assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(*ends, strict=True))


def test_a_skipped_update_leaves_weights_and_gradients():
    model = Block()
    optimizer = adamw(model.parameters())
    seat = Seat(model, optimizer)
    seat.passengers.append(Scaler(seat, skip=True))
    before = [weight.detach().clone() for weight in model.parameters()]
    loop(model, optimizer, plain, steps=1)
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))
    assert not optimizer.state
    assert all(weight.grad is not None for weight in model.parameters())
    seat.passengers.clear()
    loop(model, optimizer, plain, steps=1)
    assert any(not torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


class Breaks(Looker):
    def after_update(self, _):
        raise RuntimeError("a mistake of ours")


def test_a_passenger_that_fails_ends_the_watching_and_not_the_training(caplog):
    torch.manual_seed(1)
    model = Block()
    optimizer = sgd(model.parameters())
    seat = Seat(model, optimizer)
    seat.scale, seat.passengers = 3.0, [Breaks()]
    with caplog.at_level(logging.WARNING, logger="thalweg"):
        loop(model, optimizer, plain)
    assert [record.getMessage() for record in caplog.records] == [
        "thalweg watches no longer: RuntimeError in after_step: a mistake of ours"
    ]
    assert not seat.taken
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert not model._forward_hooks


def test_an_exception_in_the_loop_leaves_rate_and_seat_usable():
    model = Block()
    optimizer = sgd(model.parameters())
    seat = Seat(model, optimizer)
    seat.scale = 0.5
    original, own = optimizer.param_groups[0]["lr"], optimizer.param_groups[0].pop("momentum")
    with pytest.raises(KeyError):  # in the middle of an update
        loop(model, optimizer, plain, steps=1)
    assert optimizer.param_groups[0]["lr"] == 0.5 * original
    optimizer.param_groups[0]["momentum"] = own
    loop(model, optimizer, plain, steps=2)
    assert seat.step == 2
    assert optimizer.param_groups[0]["lr"] == original


def test_copies_and_pickles_of_a_watched_model_are_unwatched():
    model = Block()
    optimizer = sgd(model.parameters())
    seat = Seat(model, optimizer, [Looker()])
    loop(model, optimizer, plain, steps=1)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    for other in (copy.deepcopy(model), loaded):
        loop(other, sgd(other.parameters()), plain, steps=2)
    assert seat.step == 1
    assert len(seat.replay.batches) == 1


def test_closing_twice_removes_every_hook_once():
    model = Block()
    optimizer = sgd(model.parameters())
    seat = Seat(model, optimizer, [Looker()])
    model(batch()[0])  # no backward pass follows
    seat.close()
    seat.close()
    loop(model, optimizer, plain)
    assert seat.step == 0
    assert not model._forward_hooks
    assert not model._forward_pre_hooks
    assert not optimizer._optimizer_step_pre_hooks
    assert not nn.modules.module._has_any_global_hook()


def test_a_closure_is_told_in_one_line(caplog):
    model = Block()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.01, max_iter=2)
    Seat(model, optimizer, [Looker()])
    x, y = batch()

    def closure():
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    with caplog.at_level(logging.WARNING, logger="thalweg"):
        optimizer.step(closure)
        optimizer.step(closure)
    assert len(caplog.records) == 1
    assert "several gradients a step, as LBFGS does" in caplog.text


class Nested(torch.optim.SGD):
    """Steps through its parent, whose step has hooks as well."""

    def step(self, closure=None):
        return super().step(closure)


def test_an_optimizer_that_steps_through_its_parent_counts_once():
    sgd([nn.Parameter(torch.zeros(1))])  # so that the parent's step has its hooks
    model = Block()
    optimizer = Nested(model.parameters(), lr=0.1)
    looker = Looker()
    seat = Seat(model, optimizer, [looker])
    loop(model, optimizer, plain, steps=3)
    assert seat.step == 3
    assert len(looker.losses) == 3


def test_wrappers_are_looked_through():
    class Wrapped:
        def __init__(self, optimizer):
            self.optimizer = optimizer

    model = nn.Linear(2, 2)
    optimizer = sgd(model.parameters())
    assert inner_optimizer(Wrapped(optimizer)) is optimizer
    assert inner_module(nn.DataParallel(model)) is model
    with pytest.raises(TypeError, match="no torch optimizer"):
        inner_optimizer(object())


def test_the_state_goes_through_passengers():
    model = Block()
    optimizer = sgd(model.parameters())
    seat = Seat(model, optimizer, [Looker()])
    loop(model, optimizer, plain, steps=3)
    again = Seat(model, optimizer, [Looker()])
    again.restore(seat.state())
    assert again.step == 3
    assert again.passengers[0].state_ == {"seen": 3}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, while it compiles
@pytest.mark.filterwarnings("ignore:Profiler record function")
@pytest.mark.parametrize("what", ["model", "step"])
def test_compiled_models_are_watched_and_compiled_steps_left_alone(what):
    ends = []
    for watched in (False, True):
        torch.manual_seed(1)
        torch._dynamo.reset()
        model = Block()
        compiled = torch.compile(model, backend="eager") if what == "model" else model
        optimizer = sgd(model.parameters())
        looker = Looker()
        seat = Seat(compiled, optimizer, [looker]) if watched else None
        step = torch.compile(optimizer.step, backend="eager") if what == "step" else optimizer.step
        for number in range(3):
            torch.manual_seed(number)
            x, y = batch()
            optimizer.zero_grad()
            functional.cross_entropy(compiled(x), y).backward()
            step()
        ends.append(list(model.state_dict().values()))
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))
    assert seat.step == (3 if what == "model" else 0)
    assert len(looker.losses) == seat.step


def test_a_step_that_never_comes_is_told_once_and_holds_few_batches(caplog):
    model = nn.Linear(4, 3)
    seat = Seat(model, sgd(model.parameters()))
    with caplog.at_level(logging.WARNING, logger="thalweg"):
        for _ in range(150):
            functional.cross_entropy(model(torch.randn(6, 4)), torch.arange(6) % 3).backward()
    assert [record.getMessage()[:46] for record in caplog.records] == ["thalweg has seen 100 backward passes and no st"]
    assert len(seat._calls) == 16


def test_an_input_with_a_graph_is_held_without_it():
    before, model = nn.Linear(2, 4), nn.Linear(4, 3)
    seat = Seat(model, sgd(model.parameters()))
    assert not seat.fed
    functional.cross_entropy(model(before(torch.randn(6, 2))), torch.arange(6) % 3).backward()
    assert seat.fed
    assert before.weight.grad is not None
    assert not seat.replay.batches[0].inputs[0].requires_grad


def test_a_model_compiled_in_place_is_seen_and_left_as_it_was():
    model = nn.Linear(4, 3)
    model.compile(backend="eager")
    program, looker = model._compiled_call_impl, Looker()
    optimizer = sgd(model.parameters())
    seat = Seat(model, optimizer, [looker])
    for _ in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(model(torch.randn(6, 4)), torch.arange(6) % 3).backward()
        optimizer.step()
    assert None not in looker.losses
    seat.close()
    assert model._compiled_call_impl is program
