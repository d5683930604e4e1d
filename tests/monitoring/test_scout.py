"""Trials beside a training that goes on as if there were none."""

import logging

import pytest
import torch
from torch import nn
from torch.nn import functional

import thalweg
from thalweg.monitoring.pilot import Pilot
from thalweg.monitoring.record import Record
from thalweg.monitoring.scout import Scout
from thalweg.monitoring.seat import Seat


def parts(kind=torch.optim.SGD, **settings):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    return model, kind(model.parameters(), **settings)


def loop(model, optimizer, *, steps=50, loss=functional.cross_entropy):
    torch.manual_seed(3)
    teacher = torch.randn(8, 3)
    for _ in range(steps):
        x = torch.randn(16, 8)  # drawn from the generator that dropout and trials use, too
        optimizer.zero_grad(set_to_none=False)
        loss(model(x), (x @ teacher).argmax(1)).backward()
        optimizer.step()


def everything(model, optimizer):
    memory = [value for each in optimizer.state.values() for value in each.values() if isinstance(value, torch.Tensor)]
    gradients = [weight.grad for weight in model.parameters()]
    return [*model.state_dict().values(), *memory, *gradients, torch.get_rng_state()]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
        (torch.optim.AdamW, {"lr": 0.01}),
        (torch.optim.SGD, {"lr": 30.0}),
    ],
)
@pytest.mark.parametrize("steps", [32, 40])  # right after the trials, and some updates later
def test_training_goes_on_to_the_bit(kind, settings, steps):
    alone = parts(kind, **settings)
    loop(*alone, steps=steps)
    watched = parts(kind, **settings)
    watching = thalweg.watch(*watched, trials=True)
    loop(*watched, steps=steps)
    assert watching.spent > 50
    assert watched[1].param_groups[0]["lr"] == settings["lr"]
    for one, other in zip(everything(*alone), everything(*watched), strict=True):
        assert torch.equal(one.nan_to_num(7.0), other.nan_to_num(7.0))


def test_trials_are_made_once_and_noted():
    model, optimizer = parts(lr=1e-4, momentum=0.9)
    with thalweg.watch(model, optimizer, trials=True) as watching:
        loop(model, optimizer, steps=31)
        assert watching.spent == 0
        loop(model, optimizer, steps=1)
        spent = watching.spent
        loop(model, optimizer, steps=40)
        assert watching.spent == spent > 0
    noted = {name: [each for each in watching.history().signals if each.name == f"batch_trial_{name}"]
             for name in ("rate", "level", "steps")}  # fmt: skip
    assert [each.subject for each in noted["rate"]] == [f"trial {n}" for n in range(1, len(noted["rate"]) + 1)]
    assert len(noted["rate"]) >= 3
    assert {each.steps for each in noted["level"]} == {(32,)}
    assert {each.values for each in noted["steps"]} <= {(float(n),) for n in range(1, 31)}
    assert all(0 < each.values[0] <= 4 for each in noted["level"])
    best = min(noted["level"], key=lambda each: each.values).subject
    assert 1e-3 < next(each.values[0] for each in noted["rate"] if each.subject == best) < 10


def test_trials_begin_at_the_initial_weights_whatever_became_of_them():
    model, optimizer = parts(lr=30.0, momentum=0.9)
    seat = Seat(model, optimizer)
    scout = Scout(seat, Record())
    seat.passengers.append(scout)
    loop(model, optimizer, steps=32)
    assert len(scout.chosen.trials) >= 3
    assert {trial.start for trial in scout.chosen.trials} == {scout.chosen.trials[0].start}
    assert scout.chosen.trials[0].start < 1.5  # about ln 3; by now it is far higher


def test_with_repair_the_pilots_trials_are_noted_and_none_made_besides():
    model, optimizer = parts(lr=1e-6, momentum=0.9)
    seat, record = Seat(model, optimizer), Record()
    pilot = Pilot(seat, steps=200)
    scout = Scout(seat, record, steps=200, pilot=pilot)
    seat.passengers += [pilot, scout]
    loop(model, optimizer, steps=60)
    assert pilot.chosen is not None
    assert scout.chosen is pilot.chosen
    assert scout.spent == pilot.spent
    assert record.last("batch_trial_rate", "trial 1") == pilot.chosen.trials[0].rate


def test_where_trials_cannot_be_it_is_said(caplog):
    model, optimizer = parts(lr=0.1)
    loop(model, optimizer, steps=1)
    optimizer.state[model[0].weight]["momentum_buffer"] = torch.zeros(16, 8)
    with caplog.at_level(logging.WARNING, logger="thalweg"):
        thalweg.watch(model, optimizer, trials=True).close()
    assert "trials begin at the initial weights: none are made" in caplog.text
    model, optimizer = parts(lr=0.1)
    seat = Seat(model, optimizer)
    scout = Scout(seat, Record())
    seat.passengers.append(scout)
    loop(model, optimizer, steps=90, loss=lambda z, y: functional.cross_entropy(torch.sin(z), y))
    assert "cannot be computed again" in scout.unable
    assert scout.state() == {"done": True}


def test_a_log_keeps_the_trials(tmp_path):
    model, optimizer = parts(lr=1e-5, momentum=0.9)
    with thalweg.watch(model, optimizer, trials=True, steps=600, log=tmp_path / "steps.csv") as watching:
        loop(model, optimizer, steps=60)
    (run,) = thalweg.diagnose(tmp_path / "steps.csv").results
    assert run.learning_rate == watching.verdict()
    assert "trials of 18 steps" in run.learning_rate.reason


def test_a_training_that_goes_on_makes_no_trials_anew():
    model, optimizer = parts(lr=0.1)
    scout = Scout(Seat(model, optimizer), Record())
    scout.restore({"done": False})
    assert scout.waits
    scout.restore({"done": True})
    assert not scout.waits


def test_the_rate_is_held_against_the_trials():
    verdicts = {}
    for rate in (1e-5, 0.05, 30.0):
        model, optimizer = parts(lr=rate, momentum=0.9)
        watching = thalweg.watch(model, optimizer, trials=True)
        loop(model, optimizer, steps=80)
        said = watching.verdict()
        verdicts[rate] = said.verdict
        shown = next(each for each in said.evidence if "went lowest" in each.source)
        assert (shown.signal, shown.window) == ("batch_trial_rate", "step 32")
        assert shown.observed == pytest.approx(rate / float(shown.source.split()[-3]), rel=0.1)
        if said.verdict in {"too_low", "too_high"}:
            finding = next(each for each in watching.findings() if each.name == f"learning_rate_{said.verdict}")
            assert any("went lowest" in each.source for each in finding.evidence)
    assert verdicts == {1e-5: "too_low", 0.05: "about_right", 30.0: "too_high"}
