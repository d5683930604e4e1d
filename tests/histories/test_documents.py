"""Notebooks and pages: what their outputs printed and the tables that they show, each a run of its own."""

import json

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read

T, V, A = [3.0, 2.0, 1.5], [4.0, 3.5, 3.25], [0.5, 0.6, 0.55]
ROWS = list(enumerate(zip(T, V, A, strict=True), start=1))
NAMES = ("Epoch", "Training Loss", "Validation Loss", "Accuracy")
TABLE = (
    '<style>p {}</style><div><progress value="9" max="9"></progress>[9/9 01:23, Epoch 3/3]</div>\n'
    '<table border="1" class="dataframe"><thead><tr style="text-align: left;">'
    + "".join(f"\n<th>{name}</th>" for name in NAMES)
    + "</tr></thead>\n<tbody>"
    + "".join(f"<tr>\n<td>{n}</td><td>{t}</td><td>{v}</td><td>{a}</td></tr>" for n, (t, v, a) in ROWS)
    + "</tbody></table><p>"
)
KERAS = "".join(
    f"Epoch {n}/3\n\r 1/50 [....] - ETA: 12s - loss: 9.9\x08\x08\r50/50 [====] - 3s 4ms/step - loss: {t} "
    f"- val_loss: {v} - val_accuracy: {a}\n"
    for n, (t, v, a) in ROWS
)
LOOP = "".join(f"Epoch {n} | train loss: {t} | val loss: {v} | val acc: {a}\n" for n, (t, v, a) in ROWS)


def _notebook(*cells):
    made = [
        {"cell_type": "code", "source": "print(f'epoch {n} loss: {loss}')", "outputs": list(cell)} for cell in cells
    ]
    note = {"cell_type": "markdown", "source": ["epoch 1 loss: 99", "epoch 2 loss: 98"]}
    return json.dumps({"cells": [note, *made], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def _printed(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text.splitlines(keepends=True)}


def _shown(text, plain="<IPython.core.display.HTML object>"):
    return {"output_type": "display_data", "data": {"text/html": [text], "text/plain": [plain]}, "metadata": {}}


CELLS = {
    "Keras": [_printed("Downloading\n"), _printed(KERAS)],
    "a loop, with a warning in between": [
        _printed(LOOP[: len(LOOP) // 3]),
        _printed("UserWarning: old\n", "stderr"),
        _printed(LOOP[len(LOOP) // 3 :]),
    ],
    "a table": [
        _shown(TABLE),
        {"output_type": "execute_result", "data": {"text/plain": "TrainOutput(train_loss=1.3)"}},
    ],
    "a dictionary": [
        {
            "output_type": "execute_result",
            "data": {"text/plain": [str({"loss": T, "val_loss": V, "val_accuracy": A})]},
        }
    ],
}


def _whole(run, curve, points):
    return [curve(run, name) for name in ("train_loss", "val_loss", "val_accuracy")] == [
        points(each) for each in (T, V, A)
    ]


@pytest.mark.parametrize("name", CELLS)
def test_a_notebook(log, curve, points, name):
    if name.startswith("a loop"):
        lines = LOOP.splitlines(keepends=True)
        CELLS[name][0], CELLS[name][2] = _printed(lines[0]), _printed("".join(lines[1:]))
    (run,) = log("train.ipynb", _notebook(CELLS[name]))
    assert _whole(run, curve, points)
    assert "cell 2" in run.place


def test_two_runs_of_a_notebook_and_a_score_after_them(log, curve, points):
    score = _printed("Test loss: 0.5\nTest accuracy: 0.8\n    accuracy      0.90    200\nloss: 0.4\n")
    runs = log("train.ipynb", _notebook([_printed(KERAS)], [_shown(TABLE)], [score]))
    assert [run.place[-6:] for run in runs] == ["cell 2", "cell 3"]
    assert all(_whole(run, curve, points) for run in runs)


@pytest.mark.parametrize(
    "page",
    [
        TABLE,
        f"<!DOCTYPE html><html><body><pre>{LOOP}</pre></body></html>",
        f"<html><body><table><tr><th>name</th><th>size</th></tr><tr><td>a</td><td>1</td></tr></table>{TABLE}</body></html>",
    ],
)
def test_a_page(log, curve, points, page):
    (run,) = log("page.html", page)
    assert _whole(run, curve, points)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ipynb", _notebook([_printed("hello\n")])),
        ("a.ipynb", _notebook()),
        ("a.html", "<html><pre>hello</pre></html>"),
    ],
)
def test_nothing_in_it(log, name, text):
    with pytest.raises(LogError, match="outputs and tables hold no training log"):
        log(name, text)


OTHERS = {
    "data.ipynb": [
        _shown("<table><tr><th></th><th>age</th><th>loss</th></tr>" + "<tr><td>0</td><td>3</td><td>4</td></tr>" * 3)
    ],
    "models.ipynb": [
        _shown(
            "<table><tr><th></th><th>Model</th><th>Accuracy</th><th>Loss</th></tr>"
            "<tr><td>0</td><td>net</td><td>0.8</td><td>2</td></tr><tr><td>1</td><td>tree</td><td>0.9</td><td>1</td></tr>"
        )
    ],
    "described.ipynb": [
        _shown(
            "<table><tr><th></th><th>loss</th><th>val_loss</th></tr><tr><td>count</td><td>9</td><td>9</td></tr>"
            "<tr><td>mean</td><td>0.5</td><td>0.6</td></tr></table>"
        )
    ],
    "neighbours.ipynb": [_printed("".join(f"k = {k}, accuracy: 0.{k}\n" for k in range(1, 6)))],
    "nothing.ipynb": [_printed("hello\n")],
}


def test_a_folder_is_searched_for_notebooks_and_what_is_no_training_passed_over(tmp_path, curve, points):
    for name, cell in OTHERS.items():
        (tmp_path / name).write_text(_notebook(cell))
    with pytest.raises(LogError, match="holds no training log that can be read"):
        read(tmp_path)
    for folder in ("", "deeper", ".ipynb_checkpoints"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "train.ipynb").write_text(_notebook([_printed(KERAS)]))
    (tmp_path / "broken.ipynb").write_text('{"cells": [')
    (tmp_path / "log.csv").write_text("epoch,loss\n1,3\n2,2\n")
    runs = read(tmp_path)
    assert sorted(run.place.removeprefix(f"{tmp_path}/") for run in runs) == [
        "deeper/train.ipynb, cell 2",
        "log.csv",
        "train.ipynb, cell 2",
    ]
    assert sum(_whole(run, curve, points) for run in runs) == 2


def test_a_large_notebook_whose_training_comes_after_pictures_is_read_in_a_folder(tmp_path, curve, points):
    picture = {"output_type": "display_data", "data": {"image/png": "A" * (5 << 20)}, "metadata": {}}
    (tmp_path / "train.ipynb").write_text(_notebook([picture], [_printed(KERAS)]))
    (run,) = read(tmp_path)
    assert _whole(run, curve, points)


def test_events_beside_a_notebook_are_read_too(tmp_path, samples):
    events = next((samples / "tensorboard" / "plain").iterdir())
    (tmp_path / events.name).write_bytes(events.read_bytes())
    (tmp_path / "train.ipynb").write_text(_notebook([_printed(KERAS)]))
    assert len(read(tmp_path)) == 2
