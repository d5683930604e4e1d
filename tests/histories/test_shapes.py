"""One run in the many shapes in which people save it; none may be read as another."""

import json

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read

T, V = [3.0, 2.0, 1.5], [4.0, 3.5, 3.25]
ROWS = list(enumerate(zip(T, V, strict=True), start=1))
SHAPES = {
    "by quantity.json": {"loss": {"train": T, "val": V}, "lr": 0.1},
    "by epoch.json": {str(n): {"train_loss": t, "val_loss": v} for n, (t, v) in ROWS},
    "by name of epoch.json": {f"epoch_{n}": {"train": {"loss": t}, "val": {"loss": v}} for n, (t, v) in ROWS},
    "data frame.json": {"columns": ["loss", "val_loss"], "index": [0, 1, 2], "data": [[t, v] for _, (t, v) in ROWS]},
    "ClearML.json": {"loss": {name: {"name": name, "x": [0, 1, 2], "y": y} for name, y in (("train", T), ("val", V))}},
    "pairs.json": {"train_loss": [[n, t] for n, (t, _) in ROWS], "val_loss": [[n, v] for n, (_, v) in ROWS]},
    "points.json": {f"{k}_loss": [{"step": n, "value": p[i]} for n, p in ROWS] for i, k in enumerate(("train", "val"))},
    "halves.json": {
        k: [{"epoch": n, "loss": p[i], "acc": p[i] / 9} for n, p in ROWS] for i, k in enumerate(("train", "val"))
    },
    "wrapped.json": [
        {"event": "end", "data": {"epoch": n, "train": {"loss": t}, "val": {"loss": v}}} for n, (t, v) in ROWS
    ],
    "deep.json": {"args": {"lr": 0.1}, "run": {"history": {"train": {"loss": T}, "val": {"loss": V}}}},
}


@pytest.mark.parametrize("name", SHAPES)
def test_json(log, curve, points, name):
    (run,) = log(name, json.dumps(SHAPES[name]))
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


TEXTS = {
    "told.csv": "sep=;\nepoch;train loss;val loss\n"
    + "".join(f"{n};{t};{v}\n" for n, (t, v) in ROWS).replace(".", ","),
    "headed.csv": "run: first\ndate: 2023\nepoch,train_loss,val_loss\n"
    + "".join(f"{n},{t},{v}\n" for n, (t, v) in ROWS),
    "commas.txt": "".join(f"Epoche {n}: Verlust {t:.3f}; Val-Verlust {v:.3f}\n" for n, (t, v) in ROWS).replace(
        ".", ","
    ),
    "tensors.txt": "".join(
        f"Epoch {n} train loss: tensor({t}, device='cuda:0', grad_fn=<NllLossBackward0>) val loss: np.float64({v})\n"
        for n, (t, v) in ROWS
    ),
    "informer.txt": "".join(
        f"Epoch: {n}, Steps: 261 | Train Loss: {t:.7f} Vali Loss: {v:.7f} Test Loss: 0.4321\n" for n, (t, v) in ROWS
    ),
    "vae.txt": "".join(f"====> Epoch: {n} Average loss: {t}\n====> Test set loss: {v}\n" for n, (t, v) in ROWS),
    "short.csv": "epoch,tr_loss,te_loss\n" + "".join(f"{n},{t},{v}\n" for n, (t, v) in ROWS),
    "units.csv": "epoch,loss [nats],val loss (nats)\n" + "".join(f"{n},{t},{v}\n" for n, (t, v) in ROWS),
    "Russian.csv": "эпоха;потери обучения;потери валидации\n" + "".join(f"{n};{t};{v}\n" for n, (t, v) in ROWS),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(log, curve, points, name):
    (run,) = log(name, TEXTS[name])
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


def test_a_number_is_not_cut_at_its_point(log):
    text = "".join(f"Epoch {n}/3 - loss train/val: {t}/{v}\n" for n, (t, v) in ROWS)
    with pytest.raises(LogError):
        log("slash.txt", text)


def test_counts_with_commas_are_no_decimal_commas(log, curve, points):
    lines = (f"2024-01-01 10:10:1{n},123 epoch {n} of 12,345 images, loss {t} val_loss {v}\n" for n, (t, v) in ROWS)
    (run,) = log("train.log", "".join(lines))
    assert curve(run, "train_loss") == points(T)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("val_loss.txt", "4.0\n3.5\n3.25\n"),
        ("val_loss.csv", "step,value,timestamp\n0,4.0,9\n1,3.5,9\n2,3.25,9\n"),
        ("val.log", "epoch\tloss\tacc\n1\t4.0\t0.1\n2\t3.5\t0.2\n3\t3.25\t0.3\n"),
        ("eval/loss.tsv", "step\tloss\n0\t4.0\n1\t3.5\n2\t3.25\n"),
        ("val_loss.json", "[4.0, 3.5, 3.25]"),
        ("run-a_validation-tag-epoch_loss.json", "[[1.6e9, 0, 4.0], [1.6e9, 1, 3.5], [1.6e9, 2, 3.25]]"),
    ],
)
def test_a_file_that_is_called_validation_is_not_training(log, curve, points, name, text):
    (run,) = log(name, text)
    assert curve(run, "val_loss") == points(V)
    assert curve(run, "train_loss") is None


def test_the_curves_of_dvclive_are_one_run(tmp_path, curve, points):
    for split, values in (("train", T), ("val", V)):
        path = tmp_path / "dvclive" / "plots" / "metrics" / split / "loss.tsv"
        path.parent.mkdir(parents=True)
        path.write_text("step\tloss\n" + "".join(f"{n}\t{each}\n" for n, each in enumerate(values)))
    (run,) = read(tmp_path)
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


def test_a_loss_that_another_section_lacks_is_not_nan(log, curve, points):
    rows = [{"epoch": n, "train_loss": t} for n, (t, _) in ROWS] + [{"epoch": n, "val_acc": 0.5} for n, _ in ROWS]
    (run,) = log("rows.json", json.dumps(rows))
    assert curve(run, "train_loss") == points(T)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("models.csv", "model,accuracy,loss\nresnet,0.9,0.3\nvgg16,0.8,0.4\n", "names its rows by model"),
        ("models.csv", ",Model,accuracy\n0,resnet,0.9\n1,vgg16,0.8\n", "names its rows by Model"),
        ("described.csv", ",loss,val_loss\ncount,9,9\nmean,0.5,0.6\n", "names its rows by its first column"),
        (
            "models.json",
            '{"all": [{"id": 1, "model": "a", "loss": 3}, {"id": 2, "model": "b", "loss": 2}]}',
            "rows by model",
        ),
        ("history.xlsx", "PK\3\4", "is a spreadsheet"),
    ],
)
def test_what_is_no_course_is_refused(log, name, text, why):
    with pytest.raises(LogError, match=why):
        log(name, text)


def test_two_files_of_one_run_are_put_together(tmp_path, curve, points):
    for name, values in (("train_log.csv", T), ("val_log.csv", V), ("other.csv", V)):
        (tmp_path / name).write_text("epoch,loss\n" + "".join(f"{n},{each}\n" for n, each in enumerate(values)))
    other, run = read(tmp_path)
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)
    assert "train_log.csv and val_log.csv were put together" in run.notes[-1]
    assert curve(other, "val_loss") is None


def test_an_accuracy_above_one_is_a_percentage(log, curve, near, points):
    (run,) = log("log.csv", "epoch,val_acc\n1,1.0\n2,1.1\n3,1.3\n")
    assert near(curve(run, "val_accuracy"), points([0.01, 0.011, 0.013]))
