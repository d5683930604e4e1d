import math

import torch

from thalweg.experiments.fit import fit
from thalweg.experiments.lab_network import lab_network
from thalweg.experiments.optimizers import OptimizerChoice


def test_the_same_seed_gives_the_same_losses_and_another_does_not(blue_and_red):
    spec = lab_network(blue_and_red.shape, 2, width=2)
    choice = OptimizerChoice(name="Adam", rate=0.01)
    one, same, other = (fit(spec, blue_and_red, choice, epochs=4, batch_size=16, seed=seed) for seed in (1, 1, 2))
    assert one.losses == same.losses != other.losses
    assert len(one.losses) == 12
    assert one.last.test_accuracy == same.last.test_accuracy


def test_it_learns_and_the_course_is_looked_at(blue_and_red):
    spec = lab_network(blue_and_red.shape, 2, width=2)
    done = fit(spec, blue_and_red, OptimizerChoice(name="Adam", rate=0.02), steps=40, batch_size=24, looks=4, keep=True)
    assert [look.step for look in done.looks] == [10, 20, 30, 40]
    assert done.last.epoch == 20
    assert done.last.test_accuracy > 0.9
    assert 0 < done.looks[0].seconds <= done.seconds
    assert done.module.training


def test_a_training_that_breaks_ends_there_and_says_so(blue_and_red):
    spec = lab_network(blue_and_red.shape, 2, width=2)
    done = fit(spec, blue_and_red, OptimizerChoice(name="SGD", rate=1e12), steps=30, batch_size=16)
    assert done.broken
    assert len(done.losses) < 30
    assert not math.isfinite(done.losses[-1]) or done.losses[-1] > 1e6


def test_full_batch_descends_without_chance(blue_and_red):
    spec = lab_network(blue_and_red.shape, 2, width=2)
    seen = []
    done = fit(spec, blue_and_red, OptimizerChoice(name="SGD", rate=0.01), steps=5, batch_size=1000,
               after_step=lambda step, _: seen.append(step))  # fmt: skip
    assert seen == [1, 2, 3, 4, 5]
    assert all(late < early for early, late in zip(done.losses, done.losses[1:], strict=False))


def test_a_schedule_changes_the_rate_and_random_state_is_left_alone(blue_and_red):
    spec = lab_network(blue_and_red.shape, 2, width=2)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    plain = fit(spec, blue_and_red, OptimizerChoice(name="SGD", rate=0.1), steps=4, batch_size=16)
    still = fit(spec, blue_and_red, OptimizerChoice(name="SGD", rate=0.1), steps=4, batch_size=16,
                schedule=lambda share: 1.0 if share == 0 else 0.0)  # fmt: skip
    assert torch.equal(torch.get_rng_state(), before)
    assert still.losses[:2] == plain.losses[:2]
    assert still.losses[3] != plain.losses[3]
