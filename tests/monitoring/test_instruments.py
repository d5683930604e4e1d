"""Every instrument against a problem whose answer is known, and all of them together against an unwatched run."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.monitoring.instruments import Instruments
from thalweg.monitoring.measures_edge import EdgeSearch
from thalweg.monitoring.measures_norms import Layers, Norms
from thalweg.monitoring.record import Record
from thalweg.monitoring.seat import Seat


def train(model, optimizer, batches, *, watched=True, loss=functional.cross_entropy):
    seat = Seat(model, optimizer)
    instruments = Instruments(seat)
    if watched:
        seat.passengers.append(instruments)
    else:
        seat.close()
        instruments.close()
    for x, y in batches:
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    assert seat.taken is watched, seat.closed_because
    return instruments


def batches(steps, *, width=6, classes=3, size=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        x = torch.randn(size, width, generator=generator)
        yield x, x[:, :classes].argmax(1)


def small(activation=nn.ReLU):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), activation(), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 3))


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.AdamW])
def test_all_instruments_together_leave_the_weights_alone(make):
    ends = []
    for watched in (True, False):
        model = small()
        optimizer = make(model.parameters(), lr=0.05)
        torch.manual_seed(7)
        instruments = train(model, optimizer, batches(60), watched=watched)
        ends.append(list(model.state_dict().values()))
        if watched:
            names = {signal.name for signal in instruments.record.signals()}
            assert {"batch_critical_step", "batch_noise_scale", "batch_alignment", "batch_activation_std"} <= names
            assert [
                signal.values for signal in instruments.record.signals() if signal.name == "batch_loss_expected"
            ] == [(pytest.approx(math.log(3)),)]
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


class Bowl(nn.Module):
    """Half the curvature times the square of the distance: everything about it is known."""

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.tensor([3.0, -2.0, 1.0]))
        self.register_buffer("bends", torch.tensor([1.0, 4.0, 0.5]))

    def forward(self, x):
        return ((self.place - x) ** 2 * self.bends).sum(1).mean() / 2


@pytest.mark.parametrize("rate", [1e-5, 0.01, 0.3, 20.0, 1e4])
def test_the_critical_step_of_a_quadratic_is_found_from_any_rate(rate):
    bowl = Bowl()
    optimizer = torch.optim.SGD(bowl.parameters(), lr=rate)
    seat = Seat(bowl, optimizer)
    search, norms = EdgeSearch(seat.replay), Norms(Layers(bowl, optimizer), Record())
    x = torch.zeros(4, 3)
    found = []

    class Looks:
        def before_update(self, moment):
            if moment.step == 2:
                search.before()
                self.held = norms.before()
                self.gradient = bowl.place.grad.clone()

        def after_update(self, moment):
            if moment.step == 2:
                moved = norms.update(3)
                after = bowl.place.detach().clone()
                found.append(search.after([bowl.place], self.held, moved, moment.rate))
                assert torch.equal(bowl.place, after)
            with torch.no_grad():
                bowl.place.copy_(torch.tensor([3.0, -2.0, 1.0]))

    seat.passengers.append(Looks())
    for _ in range(3):
        optimizer.zero_grad()
        bowl(x).backward()
        optimizer.step()
    g, bends = seat.passengers[0].gradient, bowl.bends
    exact = 2 * float(g @ g) / float(g @ (bends * g))  # 2 / curvature along the gradient
    assert found[0].multiple * rate == pytest.approx(exact, rel=0.02)
    assert found[0].open == ""


def test_the_noise_scale_of_a_known_noise_is_found():
    torch.manual_seed(0)
    width, size, noise = 50, 8, 2.0
    target = torch.ones(width)
    weight = nn.Parameter(torch.zeros(width))
    record = Record()
    model = nn.Module()
    model.weight = weight
    norms = Norms(Layers(model, torch.optim.SGD([weight], lr=0.0)), record)
    for step in range(1, 400):  # gradient of a sample: G plus noise; |G|^2 = width, tr(Sigma) = width noise^2
        weight.grad = -target + noise * torch.randn(size, width).mean(0)
        norms.gradient(step, size=size, keep=True)
    found = record.recent("batch_noise_scale", 300)
    assert sum(found) / len(found) == pytest.approx(noise**2, rel=0.1)
    alignment = record.recent("batch_alignment", 300)
    assert sum(alignment) / len(alignment) == pytest.approx(1 / (1 + noise**2 / size), rel=0.1)


def test_update_ratios_and_predictions_are_those_of_the_update():
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    start = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    instruments = train(model, optimizer, batches(1))
    moved = torch.nn.utils.parameters_to_vector(model.parameters()).detach() - start
    record = instruments.record
    assert record.last("batch_update_ratio", "Linear") == pytest.approx(float(moved.norm() / start.norm()))
    assert record.last("batch_gradient_norm") == pytest.approx(float(moved.norm() / 0.5))
    assert record.last("batch_predicted_decrease") == pytest.approx(float(moved.norm() ** 2 / 0.5))
    assert record.last("batch_weight_norm", "Linear") == pytest.approx(float(start.norm()))


def test_dead_and_saturated_units_are_counted_and_the_last_activation_is_not():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 3), nn.Sigmoid())
    with torch.no_grad():
        model[0].bias[:6] = -1e3
        model[2].bias[:4] = 1e3
        model[4].bias.fill_(1e3)
    record = train(model, torch.optim.SGD(model.parameters(), lr=1e-3), batches(1)).record
    assert record.last("batch_dead_fraction", "1") == 0.75
    assert record.last("batch_saturated_fraction", "3") == pytest.approx(0.5)
    assert math.isnan(record.last("batch_saturated_fraction", "5"))
    assert record.last("batch_activation_std", "0") > 100


def test_the_scale_of_the_input_is_seen():
    record = train(
        small(), torch.optim.SGD(small().parameters(), lr=0.1), [(torch.full((8, 6), 255.0), torch.zeros(8).long())]
    ).record
    assert [record.last(f"batch_input_{name}") for name in ("min", "max", "mean", "std")] == [255, 255, 255, 0]


class Bad(nn.Module):
    """Divides by nothing when told to."""

    def __init__(self):
        super().__init__()
        self.on = False

    def forward(self, x):
        return x / 0.0 if self.on else x


def test_the_layer_that_made_the_first_non_finite_number_is_named():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), Bad(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def source():
        for number, pair in enumerate(batches(20)):
            model[2].on = number == 13
            yield pair

    record = train(model, optimizer, source()).record
    found = [signal for signal in record.signals() if signal.name == "batch_non_finite"]
    assert (found[0].subject, found[0].steps[0]) == ("2", 14)
    broken = [(torch.full((8, 6), float("nan")), torch.zeros(8).long())]
    model = small()
    record = train(model, torch.optim.SGD(model.parameters(), lr=0.1), broken).record
    assert [each.subject for each in record.signals() if each.name == "batch_non_finite"] == ["input"]


def test_a_layer_that_the_optimizer_leaves_out_is_frozen():
    model = small()
    record = train(model, torch.optim.SGD(model[0].parameters(), lr=0.1), batches(3)).record
    assert record.last("batch_frozen", "4") == 1
    assert record.last("batch_frozen", "0") == 0


def test_measurements_thin_out_in_a_long_run():
    seat = Seat(small(), torch.optim.SGD(small().parameters(), lr=0.1))
    instruments = Instruments(seat)
    times = [step for step in range(200_000) if instruments._due(step, 1, frozenset())]
    assert times[1] - times[0] == 10
    assert times[-1] - times[-2] > 100
    assert len(times) < 4000
    instruments.close()


def test_sparse_and_complex_gradients_are_measured():
    class Looked(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows = nn.Embedding(20, 4, sparse=True)
            self.turn = nn.Parameter(torch.ones(4, dtype=torch.cfloat))

        def forward(self, x):
            return (self.rows(x) * self.turn).real

    model = Looked()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    norms = Norms(Layers(model, optimizer), Record())
    functional.cross_entropy(model(torch.arange(6)), torch.arange(6) % 3).backward()
    norms.gradient(1, size=6, keep=True)
    norms.before()
    optimizer.step()
    norms.update(1)
    expected = sum(float(each.grad.to_dense().abs().square().sum()) for each in model.parameters())
    assert norms.record.last("batch_gradient_norm") == pytest.approx(expected**0.5, rel=1e-5)
    assert norms.record.last("batch_predicted_decrease") == pytest.approx(0.1 * expected, rel=1e-4)
    assert norms.record.last("batch_frozen", "rows") == 0


def test_layers_unfrozen_and_given_to_the_optimizer_later_are_measured():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
    layers = Layers(model, optimizer)
    assert (layers.names, layers.refresh()) == (["1"], False)
    model[0].requires_grad_(True)
    optimizer.add_param_group({"params": model[0].parameters()})
    assert (layers.refresh(), layers.names, layers.left_out) == (True, ["0", "1"], set())
