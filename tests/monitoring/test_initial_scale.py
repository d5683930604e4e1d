"""Initial weights in which signals explode or die are scaled, and others are left alone."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

import thalweg
from thalweg.monitoring.choose import choose_rate
from thalweg.monitoring.initial_scale import Rescaling, find_rescaling, is_usual, rescale, search_well_scaled
from thalweg.monitoring.pilot import Pilot
from thalweg.monitoring.seat import Seat

RANDOM = torch.Generator().manual_seed(4)
CLASSES = 4
INPUTS = torch.randn(256, 12, generator=RANDOM)
LABELS = (INPUTS @ torch.randn(12, CLASSES, generator=RANDOM)).argmax(1)
LOSS = nn.CrossEntropyLoss()
STEPS = 600


def deep(gain=None, layers=8, *, norm=False):
    """A plain network; PyTorch's own initial weights without a gain, He's times the gain with one."""
    torch.manual_seed(1)
    parts: list[nn.Module] = []
    for number in range(layers):
        parts += [nn.Linear(12 if number == 0 else 24, 24), *([nn.BatchNorm1d(24)] if norm else []), nn.ReLU()]
    network = nn.Sequential(*parts, nn.Linear(24, CLASSES))
    if gain is not None:
        for module in network:
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                module.weight.data.mul_(gain)
                nn.init.zeros_(module.bias)
    return network


def batch(network, number):
    chosen = slice(32 * (number % 8), 32 * (number % 8) + 32)
    return LOSS(network(INPUTS[chosen]), LABELS[chosen])


def start_of(network, kind=torch.optim.Adam):
    losses = [lambda number=number: batch(network, number) for number in range(8)]
    optimizer = kind(network.parameters(), lr=1e-3)
    return search_well_scaled(network, losses[0], lambda: choose_rate(network, optimizer, losses, steps=STEPS))


def test_exploding_signals_are_seen_and_the_loss_becomes_that_of_guessing():
    network = deep(2.5)
    chosen, scaling = start_of(network)
    assert scaling is not None
    assert scaling.wild
    assert scaling.before > 100
    assert float(batch(network, 0).detach()) == pytest.approx(scaling.after, rel=1e-5)
    assert scaling.after < 2 * math.log(CLASSES)
    assert chosen.learned


def test_dying_signals_are_seen_where_trials_then_learn_more():
    network = deep(layers=8)
    _, scaling = start_of(network)
    assert scaling is not None
    assert not scaling.wild
    assert scaling.faint
    assert "from sample to sample" in scaling.reason


@pytest.mark.parametrize("network", [deep(1.0), deep(layers=2), deep(3.0, norm=True)], ids=["he", "shallow", "norm"])
def test_sound_weights_are_left_to_the_bit(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    _, scaling = start_of(network)
    assert scaling is None
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_trained_weights_are_left_alone():
    network = deep(2.5)
    with torch.no_grad():
        for weight in network.parameters():
            weight[torch.rand(weight.shape, generator=RANDOM) < 0.02] *= 12  # tails as trained weights have them
    _, scaling = start_of(network)
    assert scaling is None


def test_what_is_shared_frozen_or_zero_is_not_divided():
    network = deep(2.5, layers=4)
    network[2].weight = network[4].weight
    network[6].weight.requires_grad_(requires_grad=False)
    nn.init.zeros_(network[8].weight)
    found = find_rescaling(network, lambda: batch(network, 0))
    assert found is not None
    assert set(found.sizes) == {"0"}
    kept = network[4].weight.clone()
    rescale(network, found.sizes)
    assert torch.equal(network[4].weight, kept)


def test_measuring_leaves_running_means_and_random_state():
    network = nn.Sequential(nn.Linear(12, 24), nn.BatchNorm1d(24), nn.Dropout(0.5), nn.Linear(24, CLASSES))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert find_rescaling(network, lambda: batch(network, 0)) is not None
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_a_loss_that_may_be_negative_says_nothing_of_explosions():
    found = Rescaling(sizes={"0": 2.0}, before=-1.0, after=-5.0, largest=2.0, spread=1.0, scaled=1.0)
    assert not found.wild
    assert replace(found, before=16.0, after=5.0).wild


def test_usual_rates_are_asked_of_small_fresh_networks_alone():
    network = deep()
    assert is_usual(network)
    assert not is_usual(nn.Linear(2300, 2300))
    with torch.no_grad():
        for weight in network.parameters():
            weight[torch.rand(weight.shape, generator=RANDOM) < 0.02] *= 12
    assert not is_usual(network)


def test_inputs_that_are_not_numbers_end_in_nothing():
    network = deep(2.5)
    assert find_rescaling(network, lambda: LOSS(network(INPUTS * torch.nan), LABELS)) is None


def test_worse_trials_undo_the_scaling():
    network = deep(layers=8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    chosen, _ = start_of(deep(1.0))
    asleep = chosen.__class__(
        rate=1.0, edge=None, spent=0.0, trials=tuple(each.__class__(**_as_if(each)) for each in chosen.trials)
    )
    _, scaling = search_well_scaled(network, lambda: batch(network, 0), lambda: asleep)
    assert scaling is None
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def _as_if(trial):
    return {"rate": trial.rate, "loss": 1.386, "start": 1.386, "moved": 1.0, "steps": trial.steps}


def test_where_outputs_are_the_same_for_all_samples_trials_must_only_not_be_worse():
    chosen, _ = start_of(deep(1.0))
    asleep = replace(chosen, trials=tuple(replace(each, **_as_if(each)) for each in chosen.trials))
    network = deep(layers=12)
    _, scaling = search_well_scaled(network, lambda: batch(network, 0), lambda: asleep)
    assert scaling is not None
    assert scaling.spread < 1e-4
    assert scaling.scaled > 0.1


def test_a_watched_loop_is_led_back_to_scaled_weights():
    def train(*, repair):
        network = deep(layers=8)
        optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)
        watching = thalweg.watch(network, optimizer, repair=repair, steps=STEPS)
        for step in range(STEPS):
            optimizer.zero_grad()
            batch(network, step).backward()
            optimizer.step()
        watching.close()
        with torch.no_grad():
            return float(LOSS(network(INPUTS), LABELS)), watching.interventions

    asleep, _ = train(repair=False)
    awake, done = train(repair=True)
    assert awake < asleep / 2
    assert [each.kind for each in done][:1] == ["rescale"]
    assert done[0].steps_rolled_back > 0
    assert "steps undone" in done[0].message


def test_a_pilot_told_of_the_rate_scales_nothing():
    network = deep(2.5)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    chosen, _ = start_of(deep(1.0))
    seat = Seat(network, optimizer)
    pilot = Pilot(seat, steps=STEPS, chosen=chosen)
    seat.passengers.append(pilot)
    for step in range(20):
        optimizer.zero_grad()
        batch(network, step).backward()
        optimizer.step()
    seat.close()
    assert "rescale" not in [each.kind for each in pilot.interventions]


def test_a_batch_of_one_sample_tells_nothing_of_how_outputs_vary() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    x, y = torch.randn(1, 4), torch.tensor([1])
    found = find_rescaling(net, lambda: nn.functional.cross_entropy(net(x), y))
    assert found is None or not found.faint
