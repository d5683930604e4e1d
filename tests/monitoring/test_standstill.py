import torch
from torch import nn

from thalweg.curvature.critical import critical_point
from thalweg.monitoring.escape import shake
from thalweg.monitoring.pilot import Pilot
from thalweg.monitoring.seat import Seat
from thalweg.monitoring.standstill import identical_units

RANDOM = torch.Generator().manual_seed(3)
INPUTS = torch.randn(128, 8, generator=RANDOM)
TEACHER = 0.5 * torch.randn(8, 4, generator=RANDOM)
TARGETS = torch.tanh(INPUTS @ TEACHER) @ torch.tensor([1.0, -1.0, 1.0, -1.0])


LOSS = nn.MSELoss()


def student(value=None):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4, bias=False), nn.Tanh(), nn.Linear(4, 1, bias=False), nn.Flatten(0))
    if value is not None:
        for weight in model.parameters():
            nn.init.constant_(weight, value)
    return model


def train(model, *, repair, steps=400):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    seat = Seat(model, optimizer)
    pilot = Pilot(seat, steps=steps)
    if repair:
        seat.passengers.append(pilot)
    for step in range(steps):
        chosen = slice(32 * (step % 4), 32 * (step % 4) + 32)
        optimizer.zero_grad()
        LOSS(model(INPUTS[chosen]), TARGETS[chosen]).backward()
        optimizer.step()
    seat.close()
    with torch.no_grad():
        return float(LOSS(model(INPUTS), TARGETS)), pilot.interventions


def test_a_planted_saddle_is_found_and_escaped():
    stuck = student(0.1)
    high, _ = train(stuck, repair=False)
    verdict = critical_point(lambda: LOSS(stuck(INPUTS), TARGETS), list(stuck.parameters()))
    assert verdict.verdict == "saddle"
    low, done = train(student(0.1), repair=True)
    assert low < high / 2
    told = [each.reason for each in done if each.kind == "perturb"]
    assert len(told) == 1
    assert "100 % of the units of 0.weight are identical" in told[0]


def test_a_network_of_zeros_is_brought_to_life():
    dead, _ = train(student(0.0), repair=False)
    alive, done = train(student(0.0), repair=True)
    assert alive < dead / 3
    assert any(each.kind == "perturb" for each in done)


def test_units_that_differ_are_left_alone():
    model = student()
    _, done = train(model, repair=True, steps=200)
    assert identical_units(model) == ("", 0.0)
    assert not [each for each in done if each.kind == "perturb"]


def test_few_copies_are_no_saddle_and_many_are():
    layer = nn.Linear(5, 8)
    with torch.no_grad():
        layer.weight[1] = layer.weight[0]
    assert identical_units(layer) == ("", 0.0)
    with torch.no_grad():
        layer.weight[2:4] = layer.weight[0]
    assert identical_units(layer) == ("weight", 0.5)
    layer.weight.requires_grad_(requires_grad=False)
    assert identical_units(layer) == ("", 0.0)


def test_broken_weights_are_no_copies():
    layer = nn.Linear(5, 8)
    nn.init.constant_(layer.weight, torch.nan)
    assert identical_units(layer) == ("", 0.0)
    layer = nn.Linear(5, 8)
    with torch.no_grad():
        layer.weight[0] = 1e9  # one huge row makes the others no copies of each other
    assert identical_units(layer) == ("", 0.0)


def test_a_shake_moves_a_matrix_of_zeros():
    layer = nn.Linear(4, 3)
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    shake(layer, strength=0.05, seed=1)
    assert identical_units(layer) == ("", 0.0)
    assert float(layer.weight.detach().abs().max()) < 0.02
