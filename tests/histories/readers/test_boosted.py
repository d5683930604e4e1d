import json

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.boosting import ADDS_TREES
from thalweg.histories.reading import read_mapping

T, V = [0.6, 0.4, 0.25], [0.65, 0.5, 0.45]
ROWS = list(enumerate(zip(T, V, strict=True)))
LINES = {
    "xgboost": "[{z}]\ttrain-logloss:{t:.5f}\teval-logloss:{v:.5f}\n",
    "its sets by other names": "[{z}]\tdtrain-logloss:{t:.5f}\tdtest-logloss:{v:.5f}\n",
    "behind a clock": "[10:11:1{z}] [{z}]\ttrain-logloss:{t:.5f}\ttest-logloss:{v:.5f}\n",
    "in R": "[{n}]\ttrain-rmse:{t:.5f}\ttest-rmse:{v:.5f} \n",
    "its cross validation": "[{z}]\ttrain-mlogloss:{t:.5f}+0.01000\ttest-mlogloss:{v:.5f}+0.02000\n",
    "several metrics": "[{z}]\ttrain-auc:0.9\ttrain-mlogloss:{t}\teval-auc:0.8\teval-mlogloss:{v}\n",
    "a set of another name": "[{z}]\ttrain-logloss:{t}\tholdout-logloss:{v}\n",
    "lightgbm": "[{n}]\ttraining's binary_logloss: {t}\tvalid_1's binary_logloss: {v}\n",
    "a regression": "[{n}]\ttraining's l2: {t}\tvalid_1's l2: {v}\n",
    "lightgbm in R": "[{n}]:  train's l2:{t}  test's l2:{v}  \n",
    "lightgbm's folds": "[{n}]\tcv_agg's train l1: {t} + 0.01\tcv_agg's valid l1: {v} + 0.02\n",
    "lightgbm's program": (
        "[LightGBM] [Info] Iteration:{n}, training l2 : {t}\n[LightGBM] [Info] Iteration:{n}, valid_1 l2 : {v}\n"
        "[LightGBM] [Info] 0.1 seconds elapsed, finished iteration {n}\n"
    ),
}
ELSEWHERE = {
    "histograms": "[{n}/3] 1 tree, 31 leaves, max depth = 9, train loss: {t}, val loss: {v}, in 0.010s\n",
    "histograms of classes": (
        "[{n}/3] 3 trees, 93 leaves (31 on avg), max depth = 9, train loss: {t}, val loss: {v}, in 1s\n"
    ),
}


def printed(line):
    return "".join(line.format(z=place, n=place + 1, t=t, v=v) for place, (t, v) in ROWS)


@pytest.mark.parametrize("line", [*LINES.values(), *ELSEWHERE.values()], ids=[*LINES, *ELSEWHERE])
def test_printed_lines_of_trees_are_read_and_so_called(log, curve, points, line):
    (run,) = log("run.log", "Training until validation scores don't improve for 9 rounds\n" + printed(line))
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)
    assert ADDS_TREES in run.notes


def test_what_is_folds_alone_is_validation(log, curve, points):
    (run,) = log("run.log", printed("[{n}]\tcv_agg's binary_logloss: {v} + 0.01\n"))
    assert curve(run, "val_loss") == points(V)
    assert curve(run, "train_loss") is None


def test_an_error_is_the_share_of_wrong_answers(log, curve, near, points):
    lines = printed("[{z}]\ttrain-merror:{t}\ttrain-mlogloss:{t}\teval-merror:{v}\teval-mlogloss:{v}\n")
    (run,) = log("run.log", lines)
    assert curve(run, "train_loss") == points(T)
    assert near(curve(run, "val_accuracy"), points([1 - each for each in V]))


@pytest.mark.parametrize("told", ["Early stopping, best iteration is:", "Stopping. Best iteration:"])
def test_the_best_row_is_not_a_run_that_was_resumed(log, curve, points, told):
    line = "[{n}]\ttraining's l2: {t}\tvalid_1's l2: {v}\n"
    fit = printed(line) + f"{told}\n[2]\ttraining's l2: 0.4\tvalid_1's l2: 0.5\n"
    (run,) = log("run.log", fit)
    assert curve(run, "val_loss") == points(V)
    assert not any("resumed" in note for note in run.notes)
    assert [curve(run, "val_loss") for run in log("folds.log", fit + fit)] == [points(V)] * 2


def test_rows_that_leave_iterations_out_keep_their_numbers(log, curve):
    (run,) = log("run.log", "[0]\teval-rmse:3.0\n[50]\teval-rmse:2.0\n[99]\teval-rmse:1.5\n")
    assert curve(run, "val_loss") == {1: 3.0, 51: 2.0, 100: 1.5}


@pytest.mark.parametrize(
    ("train", "val", "metric"),
    [("training", "valid_0", "l2"), ("train", "eval", "mlogloss"), ("train", "valid_0", "rmse")],
)
def test_results_as_json_and_in_memory(log, curve, points, train, val, metric):
    results = {val: {metric: V, "auc": [0.5, 0.6, 0.7]}, train: {metric: T, "auc": [0.6, 0.7, 0.8]}}
    for run in (log("evals.json", json.dumps(results))[0], read_mapping(results)):
        assert curve(run, "train_loss") == points(T)
        assert curve(run, "val_loss") == points(V)
        assert ADDS_TREES in run.notes


def test_a_score_alone_is_refused(log):
    with pytest.raises(LogError, match=r"no curve that is a loss .* \(it has train-auc, eval-auc\)"):
        log("run.log", printed("[{z}]\ttrain-auc:{t}\teval-auc:{v}\n"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.csv", "epoch,loss,val_logloss\n1,3,2\n2,2,2\n"),
        ("log.json", '{"train": {"loss": [3, 2]}, "val": {"loss": [3, 2]}}'),
        ("log.txt", "Epoch 1: train-loss: 0.5 val-loss: 0.6\nEpoch 2: train-loss: 0.4 val-loss: 0.5\n"),
        ("log.txt", "[1] loss: 0.5, there is 1 tree\n[2] loss: 0.4, there is 1 tree\n"),
    ],
)
def test_a_network_is_not_called_a_sum_of_trees(log, name, text):
    assert ADDS_TREES not in log(name, text)[0].notes


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cv.csv", ",train-logloss-mean,train-logloss-std\n0,3,0.1\n1,2,0.1\n"),
        ("log.csv", "step,valid_0-multi_logloss\n1,3\n2,2\n"),
        ("log.csv", "timestamp,number_of_trees,training_logloss\n2024-01-01,1,3\n2024-01-01,2,2\n"),
        ("gb.log", "      Iter       Train Loss   Remaining Time \n         1  3.0   0.5s \n         2   2.0  0.1s \n"),
        ("cv.json", '{"valid binary_logloss-mean": [3, 2], "valid binary_logloss-stdv": [0.1, 0.1]}'),
    ],
)
def test_tables_of_trees_are_so_called(log, name, text):
    assert ADDS_TREES in log(name, text)[0].notes
