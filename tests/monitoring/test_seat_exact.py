"""A watched run has the weights of an unwatched one to the bit, in every kind of loop."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.monitoring.moment import Moment
from thalweg.monitoring.seat import Seat


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


def closed(model, optimizer):
    x, y = batch()

    def closure():
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    optimizer.step(closure)


def sgd(weights):
    return torch.optim.SGD(weights, lr=0.1, momentum=0.9)


def adamw(weights):
    return torch.optim.AdamW(weights, lr=0.01)


@pytest.mark.parametrize("make", [sgd, adamw])
@pytest.mark.parametrize(
    ("step", "known"),
    [
        (plain, True),
        (module_loss, True),
        (dictionary, True),
        (accumulated, True),
        (scaled, True),
        (validated, True),
        (custom, False),
        (mixed, True),
        (closed, True),
    ],
)
def test_a_watched_run_has_the_weights_of_an_unwatched_one(make, step, known):
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
    assert looker.losses[-1] is not None
    assert [len(each) for each in looker.replayed] == ([1, 2, 3, 3, 3, 3] if known else [0] * 6)


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
