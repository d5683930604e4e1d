"""A curve called error is a rate of wrong answers where it can be one and nothing else is there."""

import pytest

from thalweg.core.errors import LogError


def lone_errors(log, names, scale=1.0, extra="", **options):
    rows = [[round(scale * (0.6 - 0.03 * row - 0.1 * place), 4) for place in range(len(names))] for row in range(10)]
    head = ",".join(["epoch", *names, *([extra] if extra else [])])
    lines = [",".join(map(str, [row, *values, *([0.5] if extra else [])])) for row, values in enumerate(rows, 1)]
    return log("log.csv", "\n".join([head, *lines]), **options)


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("name", ["error", "err", "val_error", "test err"])
def test_a_lone_curve_of_errors_is_an_error_rate_where_it_can_be_one(log, name, scale):
    (run,) = lone_errors(log, [name], scale)
    split = "val" if name[0] in "vt" else "train"
    (signal,) = [each for each in run.history.signals if each.name == f"{split}_accuracy"]
    assert signal.values == pytest.approx([0.4 + 0.03 * row for row in range(10)])
    assert (
        f"{name} was taken as an error rate, since nothing else tells how the run goes: say --columns "
        f"{split}_loss={name} where it is a loss"
    ) in run.notes
    assert f"{name} is an error rate: converted to accuracy" in run.notes


def test_errors_of_both_splits_beside_a_learning_rate_are_error_rates(log):
    (run,) = lone_errors(log, ["train_error", "val_error"], extra="lr")
    assert {each.name for each in run.history.signals} == {"train_accuracy", "val_accuracy", "learning_rate"}


@pytest.mark.parametrize(("scale", "extra"), [(3.0, ""), (400.0, ""), (-1.0, ""), (1.0, "r2")])
def test_errors_that_need_not_be_rates_are_refused_with_the_way_out(log, scale, extra):
    with pytest.raises(LogError, match=r"no curve that is a loss or an accuracy .* --columns train_loss=NAME"):
        lone_errors(log, ["error"], scale, extra)


def test_a_column_that_the_user_names_a_loss_is_one(log):
    (run,) = lone_errors(log, ["error"], columns={"train_loss": "error"})
    assert [each.name for each in run.history.signals] == ["train_loss"]
