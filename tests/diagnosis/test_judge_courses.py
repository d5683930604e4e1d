"""Courses that people ask about: what is said of each, what is not, and that its numbers stand in the log."""

import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.signal import Signal
from thalweg.diagnosis.case import open_case
from thalweg.diagnosis.judge import judge

N = np.arange(40)
CHANCE = np.log(10)


def run(verdict="about_right", first=1, **curves):
    signals = tuple(
        Signal(name=name, unit="1", steps=tuple(range(first, first + len(values))), values=tuple(map(float, values)))
        for name, values in curves.items()
    )
    return judge(open_case(RunHistory(signals=signals), LearningRateEstimate(verdict=verdict, confidence=0.9)))


def names(findings, *, grave=False):
    return [each.name for each in findings if not grave or each.severity != "info"]


def noise(seed, size=40):
    return np.random.default_rng(seed).normal(size=size)


def one(findings, name):
    (found,) = [each for each in findings if each.name == name]
    return found


# overfitting


def test_the_best_epoch_is_one_that_the_log_shows():
    found = one(run(train_loss=[1.4, 0.5, 0.05, 0.01, 0.005], val_loss=[1.25, 1.2, 1.7, 2.1, 2.4]), "overfitting")
    assert "rises from 1.2 at epoch 2 to 2.4" in found.claim
    assert dict(found.remedies[0].edit) == {"epochs": 2}


def test_what_falls_late_and_ends_at_its_best_does_not_overfit():
    steps = np.arange(200)
    learned = 1 / (1 + np.exp(-(steps - 140) / 6))
    held = 4.6 + 2 * (1 - np.exp(-steps / 20)) - 6.4 * learned
    found = run(train_loss=0.001 + 4.6 * np.exp(-steps / 8), val_loss=held, val_accuracy=learned)
    assert not {"overfitting", "validation_irregular"} & set(names(found))  # nor is so slow a hill a jump


def test_where_training_gets_worse_too_nothing_is_learned_by_heart():
    right = np.concatenate((0.86 + 0.01 * noise(1, 9), np.full(13, 0.5)))
    assert "overfitting" not in names(run(train_accuracy=right, val_accuracy=right + 0.01))


def test_a_last_value_that_is_no_higher_than_jumps_before_is_no_rise():
    held = [3.29, 0.92, 1.43, 1.85, 0.58, 2.30, 0.17, 1.52, 0.14, 1.9]
    train = [2.27, 1.55, 1.07, 0.87, 0.59, 0.52, 0.38, 0.32, 0.21, 0.2]
    assert names(run("undetermined", train_loss=train, val_loss=held), grave=True) == ["validation_irregular"]


def test_no_more_epochs_are_advised_to_a_run_that_overfits():
    held = np.maximum(2.0 - 0.05 * N, 1.2 + 0.015 * (N - 16))
    found = run("too_low", train_loss=2.0 - 0.045 * N, val_loss=held)
    assert "overfitting" in names(found)
    assert "more_epochs" not in {each.code for finding in found for each in finding.remedies}


def test_a_first_epoch_that_was_the_best_is_not_advised_to_be_kept():
    found = one(run(train_loss=0.69 * np.exp(-N / 6), val_loss=0.69 + 0.03 * N), "overfitting")
    assert "stop_earlier" not in {each.code for each in found.remedies}


# rising and falling back


@pytest.mark.parametrize(
    "loss",
    [
        [4.6, 2.3, 1.6, 1.46, 1.41, 1.8, 2.4, 3.1],
        [0.69, 0.28, 0.18, 0.69, 0.69, 0.69],
        np.concatenate((0.2 + 0.5 * np.exp(-N[:8] / 2), 0.21 * 1.15 ** N[:8])),
    ],
)
def test_short_runs_that_rise_and_stay_up_diverge(loss):
    assert "diverging" in names(run("undetermined", train_loss=loss), grave=True)


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_loss_that_is_wild_after_it_left_the_valley_diverges(seed):
    wild = np.concatenate((0.69 - 0.02 * N[:12], np.random.default_rng(seed).uniform(0.72, 1.39, 12)))
    assert names(run("undetermined", train_loss=wild), grave=True)[0] == "diverging"


def test_diverging_and_underfitting_are_not_said_together():
    loss = np.concatenate((1.2 + np.exp(-N[:6] / 2), 1.25 + 0.08 * N[:14]))
    right = np.concatenate((0.6 - 0.4 * np.exp(-N[:6] / 2), 0.56 - 0.02 * N[:14]))
    found = run("undetermined", train_loss=loss, val_loss=loss * 1.08, train_accuracy=right)
    assert names(found, grave=True) == ["diverging"]
    assert "jumped" not in found[0].claim  # it rose over fourteen epochs


def test_peaks_do_not_hide_one_another():
    loss = 0.25 + 2 * np.exp(-N / 8)
    loss[5::5] *= 3
    claim = one(run(train_loss=loss), "overshooting").claim
    assert "such jumps at epochs 6, 11, 16, 21, 26 and 2 more" in claim


def test_a_collapse_of_several_epochs_that_is_made_good_is_overshooting():
    loss = np.where((N >= 20) & (N < 24), CHANCE, 0.25 + 2 * np.exp(-N / 8))
    claim = one(run(train_loss=loss), "overshooting").claim
    assert "in epochs 21-24 and comes back to 0.3496" in claim
    slow = 0.25 + 2 * np.exp(-N / 8) + 1.5 * np.exp(-(((N - 22) / 3) ** 2))
    assert "overshooting" not in names(run(train_loss=slow))


def test_fine_tuning_that_puts_mistakes_right_at_once_is_not_thrown_up():
    right = [0.9493, 0.9861, 0.9902, 0.9934, 0.9954, 0.9965, 0.9972, 0.9969]
    found = run(train_loss=[0.1161, 0.0362, 0.0280, 0.0184, 0.0146, 0.0113, 0.0099, 0.0099], train_accuracy=right)
    assert "overshooting" not in names(found)


def test_swings_are_told_as_large_as_they_are():
    found = one(run("undetermined", train_loss=1.8 + 0.4 * (-1.0) ** N), "oscillating")
    assert "swings by 23 % around 1.8" in found.claim
    assert "oscillating" not in names(run("undetermined", train_loss=[2.3, 1.1, 0.9, 0.85, 0.83, 0.82, 0.81, 2.3]))


# standing still


def test_the_end_of_a_longer_log_is_not_held_against_a_start_that_it_lacks():
    flat = 0.0064 + 1e-4 * noise(3, 12)
    assert "not_learning" in names(run("undetermined", train_loss=flat))
    assert "not_learning" not in names(run("undetermined", first=65, train_loss=flat))


def test_a_loss_near_its_bound_below_zero_is_not_held_against_its_size():
    assert "not_learning" not in names(run(train_loss=-1 + 0.01 * np.exp(-N / 8)))
    assert "not_learning" in names(run("undetermined", train_loss=-0.5 + 0.001 * noise(4)))


@pytest.mark.parametrize("rises", [0.0, 0.015])
def test_fine_tuning_that_begins_where_it_ends_is_no_standstill(rises):
    loss = (0.392 if rises == 0 else 0.42) + 0.03 * np.exp(-N / 8) + 1e-4 * noise(10)
    right = 0.856 + rises * (1 - np.exp(-N / 8)) + 5e-4 * noise(11)
    assert "not_learning" not in names(run("undetermined", train_loss=loss, train_accuracy=right))


@pytest.mark.parametrize(("right", "told"), [([0.88] + [0.9] * 9, True), (0.88 + 0.002 * N[:10], False)])
def test_answers_that_are_all_the_largest_class_are_no_learning(right, told):
    loss = [0.42, 0.327, 0.326, 0.3255, 0.3252, 0.3251, 0.325, 0.325, 0.325, 0.325]
    found = run("undetermined", train_loss=loss, train_accuracy=right)
    assert ("not_learning" in names(found, grave=True)) == told
    if told:
        assert one(found, "not_learning").alternatives[0] == "class_imbalance"


def test_a_first_epoch_of_any_size_before_guessing_is_no_learning():
    loss = CHANCE + 0.03 * noise(5)
    loss[0] = 2.7
    found = run("undetermined", train_loss=loss, train_accuracy=0.1 + 0.004 * noise(6))
    assert "not_learning" in names(found, grave=True)


def test_nobody_knows_how_low_a_loss_without_accuracy_can_be():
    text = 1.75 + 0.35 * np.exp(-N / 5)
    assert "plateau" not in names(run("undetermined", train_loss=text))
    assert "plateau" not in names(run("too_low", train_loss=text), grave=True)
    known = run("too_low", train_loss=text, train_accuracy=0.4 - 0.3 * np.exp(-N / 5))
    assert "plateau" in names(known, grave=True)


def test_a_stretch_with_a_peak_in_it_does_not_stand_still():
    loss = [1.8, 1.2, 0.9, 0.7, 4.5, 0.8, 0.6, 0.5, 0.45, 0.4, 0.38, 0.36]
    assert "plateau" not in names(run(train_loss=loss))


def test_few_noisy_values_that_may_still_fall_have_reached_no_floor():
    still = [1.146, 0.664, 0.646, 0.532, 0.482, 0.437, 0.417, 0.424, 0.406, 0.365, 0.351, 0.335, 0.344, 0.337, 0.289]
    assert "noise_floor" not in names(run(train_loss=still))
    rest = np.concatenate((0.3 + 2 * np.exp(-N / 4), 0.3 + 0.01 * noise(7)))
    assert "noise_floor" in names(run(train_loss=rest))


def test_a_loss_that_is_zero_while_answers_are_wrong_does_not_look_at_them():
    found = run("undetermined", train_loss=[0.0] * 6, train_accuracy=[0.1] * 6)
    assert names(found, grave=True) == ["wrong_head_or_loss"]
    assert names(run("undetermined", train_loss=[0.0] * 6, train_accuracy=[1.0] * 6), grave=True) == []


def test_more_of_a_loss_that_measures_the_wrong_thing_is_not_advised():
    loss = 0.7 - 0.001 * 1.4 ** np.arange(30)
    found = run(train_loss=loss, val_loss=loss, train_accuracy=0.36 + 0.002 * np.arange(30))
    assert names(found)[0] == "wrong_head_or_loss"
    assert not {"too_few_epochs", "plateau"} & set(names(found))


# validation


def test_validation_inputs_scaled_otherwise_are_seen_by_how_sure_wrong_answers_are():
    train = 0.25 + 1.3 * np.exp(-N[:10] / 2)
    curves = {"train_loss": train, "val_loss": 40 + 5 * noise(8, 10), "train_accuracy": 0.9 - 0.4 * np.exp(-N[:10] / 2),
              "val_accuracy": 0.7 + 0.02 * noise(9, 10)}  # fmt: skip
    found = one(run("undetermined", **curves), "validation_irregular")
    assert found.alternatives[0] == "input_scale"
    assert found.remedies[0].code == "rescale_input"
    assert "validation_irregular" not in names(run("undetermined", **curves | {"val_loss": train + 0.4}))


def test_validation_that_was_high_once_is_not_said_never_to_leave_its_end():
    right = [0.5678, 0.7678, 0.4506, 0.5117, 0.5586, 0.6019, 0.3551, 0.4901]
    held = [2.49, 1.15, 5.46, 5.23, 4.26, 4.5, 6.94, 5.82]
    train = [0.116, 0.036, 0.028, 0.018, 0.015, 0.011, 0.010, 0.010]
    found = run("undetermined", train_loss=train, val_loss=held, train_accuracy=1 - np.array(train) / 2.3,
                val_accuracy=right)  # fmt: skip
    assert "between 35.5% and 76.8%" in one(found, "validation_irregular").claim


def test_losses_of_any_size_are_judged_without_a_number_that_overflows():
    huge, tiny, right = 1e250 * (1 + 0.1 * (-1.0) ** N), np.full(40, 1e-300), np.linspace(0.1, 0.9, 40)
    for train, held in ((huge, huge), (tiny, huge), (huge, tiny)):
        run("undetermined", train_loss=train, val_loss=held, train_accuracy=right, val_accuracy=right / 2)
    rising = [10.0 ** (30 * n) for n in range(9)]
    assert "diverging" in names(run("undetermined", train_loss=rising), grave=True)
