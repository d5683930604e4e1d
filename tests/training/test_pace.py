"""Progress and time left: by steps in a run of epochs, by seconds in one of minutes, evaluations included."""

import pytest

from thalweg.training.pace import Pace
from thalweg.training.progress import Recipe, State

NUMBERS = {
    "learning_rate": 0.01,
    "optimizer": "sgd",
    "weight_decay": 0.0,
    "warmup": 0.1,
    "smoothing": 0.0,
    "weights": None,
    "average": 0.0,
    "patience": 0,
    "stages": (1.0,),
    "side": 16,
    "seed": 0,
}


def pace(state, *, epochs=None, seconds=None, evaluations=2.0, evaluation_steps=2):
    recipe = Recipe(epochs=epochs, deadline_seconds=seconds, evaluations=evaluations, **NUMBERS)
    state.deadline_seconds = seconds
    return Pace(state, recipe, steps=5, evaluation_steps=evaluation_steps)


def test_epochs_are_counted_in_steps():
    state = State(step=10, epoch=4)
    clock = pace(state, epochs=4)
    assert clock.fraction == 0.5
    assert clock.is_last_epoch
    assert not clock.out_of_time
    state.epoch = 3
    assert not clock.is_last_epoch


def test_minutes_end_before_the_evaluations_that_are_still_to_come():
    state = State(seconds=6.0, batch=4, epoch_seconds=4.0)
    clock = pace(state, seconds=10.0)
    clock.evaluation_seconds = 1.0
    assert clock.fraction == pytest.approx(6 / 8)
    assert not clock.out_of_time  # a step takes 1 s, two evaluations 2 s, and 4 s are left
    state.seconds = 7.1
    assert clock.out_of_time
    assert clock.is_last_epoch


def test_time_is_kept_for_a_reported_split_larger_than_the_watched_one():
    reserves = []
    for evaluations in (2.0, 5.0):
        clock = pace(State(), seconds=10.0, evaluations=evaluations)
        clock.evaluation_seconds = 1.5
        reserves.append(clock.reserve)
    assert reserves == [3.0, 7.5]


def test_before_the_first_evaluation_a_forward_pass_is_taken_for_half_a_step():
    clock = pace(State(batch=4, epoch_seconds=8.0), seconds=100.0, evaluation_steps=3)
    assert clock.reserve == pytest.approx(2 * 3 * 0.5 * 2.0)
    clock.first_batch = 2  # half of the steps were made before a resumption, in no time of this session
    assert clock.reserve == pytest.approx(2 * 3 * 0.5 * 4.0)


def test_an_observer_is_told_means_of_the_epoch_and_the_time_left():
    state = State(step=5, batch=5, seconds=3.0, epoch_seconds=2.0, loss_sum=12.0, right=6.0, seen=8, rate=0.1)
    told = pace(state, epochs=4).progress(monitor="about right")
    assert (told.loss, told.accuracy, told.images_per_second) == (1.5, 0.75, 4.0)
    assert told.seconds_left == pytest.approx(9.0)
    assert (told.step, told.steps, told.row, told.monitor) == (5, 5, None, "about right")
    assert pace(State(), epochs=4).progress().seconds_left == 0.0
