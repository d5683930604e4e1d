"""The pilot in somebody's loop: rates far too low and far too high end alike, right ones are left alone."""

import json
import math
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from thalweg.monitoring.pilot import Pilot
from thalweg.monitoring.seat import Seat

STEPS = 260


class Loop:
    """A foreign loop: it knows nothing of thalweg but two lines."""

    def __init__(self, rate: float, kind: str = "sgd", *, late: int = 0, **options: object) -> None:
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(torch.nn.Linear(8, 24), torch.nn.ReLU(), torch.nn.Linear(24, 4))
        groups = self.net.parameters()
        made = {
            "sgd": lambda: torch.optim.SGD(groups, lr=rate, momentum=0.9),
            "adamw": lambda: torch.optim.AdamW(groups, lr=rate),
        }
        self.optimizer = made[kind]()
        self.rng = torch.Generator().manual_seed(1)
        self.truth = torch.randn(8, 4, generator=self.rng)
        self.done, self.criterion = 0, functional.cross_entropy
        self.run(late)
        self.seat = Seat(self.net, self.optimizer)
        self.pilot = Pilot(self.seat, **{"steps": STEPS - late, "wait": 40} | options)
        self.seat.passengers.append(self.pilot)

    def run(self, steps: int, *, spoil: Callable[[int, torch.Tensor], torch.Tensor] = lambda _, loss: loss) -> "Loop":
        for _ in range(steps):
            x = torch.randn(32, 8, generator=self.rng)
            loss = spoil(self.done, self.criterion(self.net(x), (x @ self.truth).argmax(1)))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.done += 1
        return self

    @property
    def accuracy(self) -> float:
        x = torch.randn(2000, 8, generator=torch.Generator().manual_seed(9))
        return float((self.net(x).argmax(1) == (x @ self.truth).argmax(1)).float().mean())

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.pilot.interventions]


@pytest.mark.parametrize(("rate", "kind"), [(1e-6, "sgd"), (1e2, "sgd"), (1e-6, "adamw"), (1e1, "adamw")])
def test_absurd_rates_end_like_a_good_one(rate: float, kind: str) -> None:
    loop = Loop(rate, kind).run(STEPS)
    assert loop.seat.taken, loop.seat.closed_because
    assert loop.accuracy > 0.95
    assert loop.kinds[0] == ("raise_rate" if rate < 1 else "restart")
    assert loop.optimizer.param_groups[0]["lr"] == rate  # the user's own number is not touched


def test_nothing_happens_before_the_pilot_may_act() -> None:
    loop = Loop(0.01).run(39)
    twin = Loop(0.01, wait=1000).run(39)
    assert all(torch.equal(a, b) for a, b in zip(loop.net.parameters(), twin.net.parameters(), strict=True))
    assert not loop.pilot.interventions


def test_ruined_weights_are_drawn_anew_when_nobody_knows_the_initial_ones() -> None:
    loop = Loop(1e2, late=30, wait=30).run(STEPS)
    assert "reinitialise" in loop.kinds
    assert loop.accuracy > 0.9


def test_a_scheduled_rate_that_is_right_is_left_alone_to_the_bit() -> None:
    def scheduled(**options: object) -> Loop:
        loop = Loop(0.05, **options)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(loop.optimizer, STEPS)
        for _ in range(STEPS):
            loop.run(1)
            decay.step()
        return loop

    watched, alone = scheduled(), scheduled(wait=10_000)
    assert watched.pilot.chosen is not None
    assert not watched.pilot.interventions
    assert all(torch.equal(a, b) for a, b in zip(watched.net.parameters(), alone.net.parameters(), strict=True))


def test_a_scheduled_rate_that_is_far_off_keeps_its_schedule_at_another_height() -> None:
    loop = Loop(1e-5)
    decay = torch.optim.lr_scheduler.StepLR(loop.optimizer, 100, gamma=0.1)
    rates = []
    for _ in range(STEPS):
        loop.run(1)
        rates.append(loop.seat.scale * loop.optimizer.param_groups[0]["lr"])
        decay.step()
    assert loop.kinds == ["raise_rate"]
    assert rates[60] == pytest.approx(loop.pilot.chosen.rate)
    assert rates[150] == pytest.approx(rates[60] / 10)


def test_a_batch_that_is_not_finite_is_skipped() -> None:
    loop = Loop(0.05).run(100)
    loop.run(1, spoil=lambda _, loss: loss * math.nan)
    assert all(bool(weight.isfinite().all()) for weight in loop.net.parameters())
    assert loop.kinds[-1] == "skip_update"
    assert loop.run(STEPS - 101).accuracy > 0.95


def test_weights_that_break_on_the_way_are_rolled_back() -> None:
    loop = Loop(0.05).run(120)
    with torch.no_grad():
        loop.net[0].weight.fill_(torch.nan)
    loop.run(STEPS - 120)
    assert "roll_back" in loop.kinds
    back = next(each for each in loop.pilot.interventions if each.kind == "roll_back")
    assert 0 < back.steps_rolled_back <= 100
    assert back.learning_rate_after < back.learning_rate_before
    assert loop.accuracy > 0.9


def test_a_loss_that_stays_up_is_rolled_back() -> None:
    loop = Loop(0.05).run(120)
    with torch.no_grad():
        for weight in loop.net.parameters():
            weight.mul_(-10.0)
    loop.run(80)
    assert "roll_back" in loop.kinds
    assert loop.accuracy > 0.9


def test_an_unknown_horizon_decays_at_the_noise_floor() -> None:
    loop = Loop(1e-6, steps=None)
    loop.pilot.floor.window = 30
    loop.run(60)
    loop.pilot.floor.window = 30
    loop.run(300)
    assert "decay" in loop.kinds


def test_one_seed_one_story_and_a_state_goes_on_to_the_bit() -> None:
    first, second = Loop(1e-6).run(STEPS), Loop(1e-6).run(150)
    state = second.seat.state()["passengers"]["Pilot"]
    plain, tensors = json.loads(json.dumps(state["plain"])), {k: v.clone() for k, v in state["tensors"].items()}
    again = Pilot(second.seat, steps=1)
    again.restore({"plain": plain, "tensors": tensors})
    second.seat.passengers[:] = [again]
    second.run(STEPS - 150)
    assert again.interventions == first.pilot.interventions
    assert all(torch.equal(a, b) for a, b in zip(first.net.parameters(), second.net.parameters(), strict=True))


def test_where_no_loss_is_known_it_says_so_and_leaves_training_alone() -> None:
    loop = Loop(0.05)
    loop.criterion = functional.multi_margin_loss
    loop.run(150)
    assert "cannot be computed" in loop.pilot.unable
    assert not loop.pilot.interventions


def test_a_bare_rate_of_unknown_horizon_is_left_alone_unless_far_off() -> None:
    watched, alone = Loop(0.05, steps=None).run(120), Loop(0.05, steps=None, wait=10_000).run(120)
    assert watched.pilot.chosen is not None
    assert not watched.pilot.interventions
    assert all(torch.equal(a, b) for a, b in zip(watched.net.parameters(), alone.net.parameters(), strict=True))


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_a_loss_of_another_scale_is_noticed(scale: float) -> None:
    loop = Loop(1e-6).run(STEPS, spoil=lambda _, loss: scale * loss)
    assert loop.accuracy > 0.9
    assert loop.pilot.lookout.scale == pytest.approx(scale, rel=0.1)


def test_a_rate_of_zero_cannot_be_raised_and_is_told() -> None:
    loop = Loop(0.0).run(80)
    assert "zero" in loop.pilot.unable
    assert not loop.pilot.interventions


def test_weights_that_died_at_a_rate_that_is_not_too_high_are_not_kept() -> None:
    loop = Loop(0.05).run(20)
    with torch.no_grad():
        loop.net[0].bias.fill_(-1e3)  # every unit dead: no rate learns from here
    loop.run(STEPS - 20)
    assert loop.kinds[0] == "restart"
    assert loop.accuracy > 0.95


def test_a_network_fed_by_another_that_trains_is_left_alone() -> None:
    loop = Loop(0.05)
    loop.seat.fed = True
    loop.run(60)
    assert "another network feeds this one" in loop.pilot.unable
    assert loop.pilot.initial is None
    assert not loop.pilot.interventions


def test_a_training_that_goes_on_beyond_the_end_it_was_told_does_not_stand_still() -> None:
    loop = Loop(0.05, steps=60).run(100)
    assert "goes on beyond the 60 updates" in loop.pilot.interventions[-1].message
    assert loop.seat.scale > 0.5


def test_a_sound_rate_that_is_low_is_no_reason_to_begin_anew() -> None:
    loop = Loop(1e-2, steps=None).run(60)
    assert "restart" not in loop.kinds


def test_a_model_that_another_optimizer_trains_as_well_is_left_alone() -> None:
    loop = Loop(0.05)
    extra = torch.nn.Parameter(torch.zeros(1))
    loop.net.register_parameter("extra", extra)
    for _ in range(3):
        loop.run(1)
        with torch.no_grad():
            extra.add_(1.0)  # as a step of it does
    loop.run(60)
    assert "another optimizer trains this model" in loop.pilot.unable
    assert not loop.pilot.interventions


def test_weights_that_have_learned_keep_their_rate_where_trials_gain_nothing() -> None:
    loop = Loop(0.02, late=STEPS, steps=None).run(STEPS + 60)
    assert loop.pilot.chosen is not None
    assert "lower_rate" not in loop.kinds
