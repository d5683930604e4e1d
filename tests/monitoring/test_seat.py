"""Watching changes nothing, scaling and skipping change what they say, and nothing in here ends a training."""

import copy
import io
import logging

import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.monitoring.moment import Moment
from thalweg.monitoring.seat import Seat, inner_module, inner_optimizer


class Looker:
    """Looks at everything there is to see, at every update."""

    def __init__(self):
        self.losses, self.rates, self.replayed, self.state_ = [], [], [], {}

    def before_update(self, moment: Moment):
        moment.replay.losses(3)
        if moment.replay.ready:
            moment.replay.loss_with_graph(0)

    def after_update(self, moment: Moment):
        self.losses.append(moment.loss)
        self.rates.append(moment.rate)
        self.replayed.append(moment.replay.losses(3))

    def state(self):
        return {"seen": len(self.losses)}

    def restore(self, state):
        self.state_ = dict(state)


class Block(nn.Module):
    """Counts its calls, draws from Python's generator, and gives a dictionary."""

    def __init__(self, *, many=False):
        super().__init__()
        self.calls, self.many = 0, many
        self.register_buffer("mean", torch.zeros(8))
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3), nn.Flatten())
        self.shared = nn.Linear(8, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, x, gain=None):
        self.calls += 1
        hidden = self.body(x).reshape(len(x), 8, -1).mean(2)
        self.mean = 0.9 * self.mean + 0.1 * hidden.detach().mean(0)  # a state without batch normalisation
        hidden = self.shared(functional.relu(self.shared(hidden)))
        z = self.head(hidden) * (1 if gain is None else gain)
        return {"logits": z, "features": hidden} if self.many else z


class Double(torch.autograd.Function):
    """A function with a backward pass of its own."""

    @staticmethod
    def forward(_, x):
        return 2 * x

    @staticmethod
    def backward(_, g):
        return 2 * g


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


def module_loss(model, optimizer):
    x, y = batch()
    optimizer.zero_grad()
    nn.CrossEntropyLoss(label_smoothing=0.1)(model(x), y).backward()
    optimizer.step()


def dictionary(model, optimizer):
    x, y = batch()
    optimizer.zero_grad()
    functional.cross_entropy(model(x, gain=torch.tensor(2.0))["logits"], y).backward()
    optimizer.step()


def accumulated(model, optimizer):
    optimizer.zero_grad()
    for _ in range(3):
        x, y = batch()
        (functional.cross_entropy(model(x), y) / 3).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()


def scaled(model, optimizer):
    x, y = batch()
    optimizer.zero_grad()
    (functional.cross_entropy(model(x), y) * 1024).backward()
    for weight in model.parameters():
        if weight.grad is not None:
            weight.grad.div_(1024)
    optimizer.step()


def validated(model, optimizer):
    plain(model, optimizer)
    model.eval()
    model(batch()[0])
    with torch.no_grad():
        model(batch()[0])
    model.train()


def custom(model, optimizer):
    x, y = batch()
    optimizer.zero_grad()
    functional.cross_entropy(Double.apply(model(x)), y).backward()
    optimizer.step()


def mixed(model, optimizer):
    x, y = batch()
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = model(x)
    functional.cross_entropy(z.float(), y).backward()
    optimizer.step()


def sgd(weights):
    return torch.optim.SGD(weights, lr=0.1, momentum=0.9)


def adamw(weights):
    return torch.optim.AdamW(weights, lr=0.01)


@pytest.mark.parametrize("make", [sgd, adamw])
@pytest.mark.parametrize(
    ("step", "seen"),
    [
        (plain, True),
        (module_loss, True),
        (dictionary, True),
        (accumulated, True),
        (scaled, True),
        (validated, True),
        (custom, False),
        (mixed, True),
    ],
)
def test_a_watched_run_has_the_weights_of_an_unwatched_one(make, step, seen):
    results, looker = [], Looker()
    for watched in (False, True):
        torch.manual_seed(1)
        model = Block(many=step is dictionary)
        model.body[0].weight.requires_grad_(False)
        optimizer = make(weight for weight in model.parameters() if weight.requires_grad)
        seat = Seat(model, optimizer, [looker]) if watched else None
        results.append((loop(model, optimizer, step), model.calls, torch.get_rng_state()))
        assert not watched or (seat.taken and seat.step == 6)
    (weights, calls, random), (weights_watched, calls_watched, random_watched) = results
    assert all(torch.equal(one, other) for one, other in zip(weights, weights_watched, strict=True))
    assert calls == calls_watched
    assert torch.equal(random, random_watched)
    assert (looker.losses[-1] is not None) is seen
    assert [len(each) for each in looker.replayed] == ([1, 2, 3, 3, 3, 3] if seen else [0] * 6)


def test_the_loss_is_the_one_the_loop_computed():
    torch.manual_seed(1)
    model = Block()
    optimizer = sgd(model.parameters())
    looker, own = Looker(), []
    Seat(model, optimizer, [looker])
    for _ in range(4):
        x, y = batch()
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        own.append(float(loss.detach()))
        loss.backward()
        optimizer.step()
    assert looker.losses == pytest.approx(own, rel=1e-5)


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
    assert not nn.modules.module._global_forward_hooks


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
    assert "closure" in caplog.text


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
