import json

import pytest


def test_what_the_trainer_logged(sample, curve, near, points):
    (run,), truth = sample("transformers", "trainer_state.json")
    told = truth["log"]
    losses = [row for row in told if "loss" in row]
    assert near(curve(run, "batch_loss"), {row["step"]: row["loss"] for row in losses})
    assert near(curve(run, "batch_gradient_norm"), {row["step"]: row["grad_norm"] for row in losses})
    assert near(curve(run, "val_loss"), points([row["eval_loss"] for row in told if "eval_loss" in row]))
    assert near(curve(run, "val_accuracy"), points([row["eval_accuracy"] for row in told if "eval_loss" in row]))
    means = [(one["loss"] + two["loss"]) / 2 for one, two in zip(losses[::2], losses[1::2], strict=True)]
    assert near(curve(run, "train_loss"), points(means))


def test_an_evaluation_before_the_first_step_is_left_out(log, curve):
    rows = [
        {"epoch": 0, "step": 0, "eval_loss": 9.0},
        {"epoch": 1.0, "step": 4, "loss": 3.0},
        {"epoch": 1.0, "step": 4, "eval_loss": 4.0},
        {"epoch": 2.0, "step": 8, "loss": 1.0},
        {"epoch": 2.0, "step": 8, "eval_loss": 2.0},
    ]
    (run,) = log("trainer_state.json", json.dumps({"log_history": rows}))
    assert curve(run, "val_loss") == {1: 4.0, 2: 2.0}
    assert "before the first step" in " ".join(run.notes)


def test_the_log_as_a_table_of_pandas(log, curve):
    header = "loss,epoch,step,eval_loss,train_runtime,train_loss\n"
    (run,) = log("log.csv", f"{header}3.0,0.5,4,,,\n2.0,1.0,8,,,\n,1.0,8,5.0,,\n,1.0,8,,9.9,2.5\n")
    assert curve(run, "batch_loss") == {4: 3.0, 8: 2.0}
    assert curve(run, "train_loss") == {1: 2.5}
    assert curve(run, "val_loss") == {1: 5.0}


@pytest.mark.parametrize("history", [[], [{"epoch": 1}], ["x"]])
def test_a_state_without_losses_is_refused(log, history):
    from thalweg.core.errors import LogError

    with pytest.raises(LogError, match="trainer_state"):
        log("trainer_state.json", json.dumps({"log_history": history}))
