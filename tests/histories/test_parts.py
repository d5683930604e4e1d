"""Rows that belong apart are kept apart: splits, metrics and runs that a column names, not batches of one run."""

import json

import pytest

from thalweg.core.errors import LogError

T, V = [3.0, 2.0, 1.5], [4.0, 3.5, 3.25]
ROWS = list(enumerate(zip(T, V, strict=True), start=1))


def _lines(*patterns):
    return "".join(json.dumps(each(n, t, v)) + "\n" for n, (t, v) in ROWS for each in patterns)


OLD_MMCV = _lines(
    lambda n, t, _v: {"mode": "train", "epoch": n, "iter": 50, "lr": 0.1, "loss": t + 0.5},
    lambda n, t, _v: {"mode": "train", "epoch": n, "iter": 100, "lr": 0.1, "loss": t - 0.5},
    lambda n, _t, v: {"mode": "val", "epoch": n, "iter": 20, "lr": 0.1, "loss": v},
)
LONG = "".join(
    f'{n},{pair[which]},"loss","{name}"\n' for which, name in enumerate(("training", "validation")) for n, pair in ROWS
)
SHAPES = {
    "one.log.json": json.dumps({"env_info": "linux", "seed": None}) + "\n" + OLD_MMCV,
    "phases.jsonl": _lines(
        lambda n, t, _v: {"phase": "train_epoch", "epoch": n, "loss": t},
        lambda n, _t, v: {"phase": "val_epoch", "epoch": n, "loss": v},
    ),
    "steps.jsonl": _lines(
        lambda n, t, _v: {"split": "train", "step": n, "loss": t},
        lambda n, _t, v: {"split": "valid", "step": n, "loss": v},
    ),
    "rows.json": json.dumps([
        {"epoch": n, "set": name, "loss": pair[k]} for n, pair in ROWS for k, name in enumerate(("train", "test"))
    ]),
    "comet.json": json.dumps([
        {"metricName": f"{name}_loss", "metricValue": str(pair[k]), "step": n}
        for k, name in enumerate(("train", "val"))
        for n, pair in ROWS
    ]),
    "keras of R.csv": '"epoch","value","metric","data"\n' + LONG,
    "ends.csv": "epoch,event,loss\n" + "".join(f"{n},train_end,{t}\n{n},val_end,{v}\n" for n, (t, v) in ROWS),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_row_a_split(log, curve, points, name):
    (run,) = log(name, SHAPES[name])
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


KEYS = {
    "fold": ("0", "1"),
    "run": ("a", "b"),
    "trial number": ("3", "7"),
    "optimizer": ("adam", "sgd"),
    "learning_rate": ("0.1", "0.01"),
    "model": ("train-small", "train-large"),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("woven", [True, False])
def test_runs_that_a_column_names(log, curve, points, key, woven):
    cells = [(k, n, t, v) for n, (t, v) in ROWS for k in (0, 1)]
    cells = cells if woven else sorted(cells)
    text = "".join(f"{KEYS[key][k]},{n},{t - k},{v + k}\n" for k, n, t, v in cells)
    one, two = log("grid.csv", f"{key},epoch,train_loss,val_loss\n{text}")
    assert curve(one, "train_loss") == points(T)
    assert curve(two, "val_loss") == points([each + 1 for each in V])
    assert one.place.endswith(f"{key} {KEYS[key][0]}")


def test_rows_of_json_name_their_run_too(log, curve, points):
    text = _lines(*(lambda n, t, _v, k=k: {"fold": k, "epoch": n, "loss": t + k} for k in (0, 1)))
    one, two = log("folds.jsonl", text)
    assert curve(one, "train_loss") == points(T)
    assert curve(two, "train_loss") == points([each + 1 for each in T])


@pytest.mark.parametrize(
    "text",
    [
        "epoch,batch,loss\n" + "".join(f"{n},{b},{t}\n" for n, (t, _) in ROWS for b in (0, 1)),
        "epoch,lr,loss\n" + "".join(f"{n},{0.1 / n},{t}\n" for n, (t, _) in ROWS for _ in (0, 1)),
        "epoch,note,loss\n" + "".join(f"{n},{note},{t}\n" for n, (t, _) in ROWS for note in ("a", "a")),
    ],
)
def test_batches_are_no_runs(log, curve, points, text):
    (run,) = log("batches.csv", text)
    assert curve(run, "train_loss") == points(T)


def test_a_batch_that_has_the_same_number_in_each_epoch_is_no_step(log, curve, points):
    lines = "".join(
        f"INFO:root:Epoch[{n - 1}] Batch [0-50]\tSpeed: 1200.12 samples/sec\taccuracy=0.1\n"
        f"INFO:root:Epoch[{n - 1}] Train-cross-entropy={t}\nINFO:root:Epoch[{n - 1}] Validation-cross-entropy={v}\n"
        for n, (t, v) in ROWS
    )
    (run,) = log("mxnet.log", lines)
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


@pytest.mark.parametrize("name", ["evals.json", "printed.txt", "evals.csv"])
def test_data_sets_that_are_only_numbered_are_not_guessed(log, curve, points, name):
    if name == "evals.json":
        text, mark = json.dumps({"validation_0": {"logloss": T}, "validation_1": {"logloss": V}}), "/"
    elif name == "printed.txt":
        lines = (f"[{n - 1}]\tvalidation_0-logloss:{t}\tvalidation_1-logloss:{v}\n" for n, (t, v) in ROWS)
        text, mark = "".join(lines), "-"
    else:
        rows = "".join(f"{n},{t},{v}\n" for n, (t, v) in ROWS)
        text, mark = f"epoch,validation_0-logloss,validation_1-logloss\n{rows}", "-"
    with pytest.raises(LogError, match="does not say which was trained on: say --columns train_loss=validation_0"):
        log(name, text)
    told = {"train_loss": f"validation_0{mark}logloss", "val_loss": f"validation_1{mark}logloss"}
    (run,) = log(name, text, columns=told)
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


def test_a_numbered_split_beside_training_is_validation(log, curve, points):
    (run,) = log("evals.json", json.dumps({"training": {"binary_logloss": T}, "valid_1": {"binary_logloss": V}}))
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)
    lines = (f"[{n}]\tvalid_0's binary_logloss: {v}\tvalid_1's binary_logloss: 9.5\n" for n, (_, v) in ROWS)
    (run,) = log("lightgbm.txt", "".join(lines))
    assert curve(run, "val_loss") == points(V)
    assert "could be val_loss too" in " ".join(run.notes)


def test_the_last_batch_is_not_the_epoch_where_its_mean_is_printed(log, curve, near, points):
    text = "".join(
        f"----------\nepoch {n}/3\n1/2, train_loss: {t + 0.1:.4f}\n2/2, train_loss: {t - 0.1:.4f}\n"
        f"epoch {n} average loss: {t:.4f}\n"
        for n, (t, _) in ROWS
    )
    (run,) = log("monai.txt", text)
    assert near(curve(run, "train_loss"), points(T))


def test_the_learning_rate_in_other_words(log, curve, points):
    for name in ("LearnRate", "Lernrate", "taux d'apprentissage", "学习率", "نرخ یادگیری"):
        (run,) = log("log.csv", f"epoch,loss,{name}\n1,3,0.1\n2,2,0.1\n")
        assert curve(run, "learning_rate") == points([0.1, 0.1]), name
