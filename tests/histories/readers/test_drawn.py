"""Tables drawn among other text, as skorch, scikit-learn, rich, PrettyTable and model cards have them."""

# ruff: noqa: E501 - these lines are as long as programs print them

import pytest

T, V, A = [3.0, 2.0, 1.5], [4.0, 3.5, 3.25], [0.5, 0.6, 0.55]
ROWS = list(enumerate(zip(T, V, A, strict=True), start=1))


def _each(pattern):
    return "".join(pattern.format(n=n, t=t, v=v, a=a, p=100 * a) for n, (t, v, a) in ROWS)


DRAWN = {
    "skorch": "  epoch    train_loss    valid_acc    valid_loss     dur\n-------  ------------  -----------  ------------  ------\n"
    + _each(
        "      {n}        \x1b[36m{t:.4f}\x1b[0m       \x1b[32m{a:.4f}\x1b[0m        \x1b[35m{v:.4f}\x1b[0m  0.1234\n"
    ),
    "skorch with a column that is empty but once": "  epoch    train_loss    valid_acc    valid_loss    cp     dur\n"
    "-------  ------------  -----------  ------------  ----  ------\n"
    + _each("      {n}        {t:.4f}       {a:.4f}        {v:.4f}        0.1234\n").replace(
        "4.0000        0", "4.0000     +  0"
    ),
    "a model card": "# my-model\n\nIt achieves Loss: 1.35\n\n| Training Loss | Epoch | Step | Validation Loss | Accuracy |\n"
    "|:-------------:|:-----:|:----:|:---------------:|:--------:|\n"
    + _each("| {t}           | {n}.0   | {n}50  | {v}             | {a}     |\n")
    + "\n\n### Framework versions\n\n- Transformers 4.3\n",
    "rich": "┏━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━┓\n┃ Epoch ┃ Train Loss ┃ Val Loss ┃ Val Acc ┃\n"
    "┡━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━┩\n"
    + _each("│ {n}     │ {t:.4f}     │ {v:.4f}   │ {p:.2f}% │\n")
    + "└───────┴────────────┴──────────┴─────────┘\n",
    "PrettyTable": "+-------+------------+----------+---------+\n| epoch | train_loss | val_loss | val_acc |\n"
    "+-------+------------+----------+---------+\n"
    + _each("|   {n}   |    {t}     |   {v}    | {a} |\n")
    + "+-------+------------+----------+---------+\n",
    "pasted from a notebook": " [250/250 01:23, Epoch 3/3]\nEpoch\tTraining Loss\tValidation Loss\tAccuracy\n"
    + _each("{n}\t{t}\t{v}\t{a}\n")
    + "Checkpoint saved.\n",
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_table_among_text(log, curve, points, name):
    (run,) = log("train.txt", DRAWN[name])
    for signal, values in (("train_loss", T), ("val_loss", V), ("val_accuracy", A)):
        assert curve(run, signal) == points(values), signal


def test_names_of_two_words(log, curve, points):
    text = "      Iter       Train Loss      OOB Improve   Remaining Time \n"
    (run,) = log("boosting.txt", text + _each("         {n}           {t:.4f}           0.0123            1.21s\n"))
    assert curve(run, "train_loss") == points(T)


def test_a_value_that_was_not_logged_is_missing(log, curve):
    text = DRAWN["pasted from a notebook"].replace("1\t3.0", "1\tNo log")
    (run,) = log("train.txt", text)
    assert curve(run, "train_loss") == {2: 2.0, 3: 1.5}
    assert list(curve(run, "val_loss")) == [1, 2, 3]


def test_two_tables_are_two_runs(log):
    other = DRAWN["pasted from a notebook"].replace("Accuracy", "F1").replace("3.0", "9.0")
    assert len(log("train.txt", DRAWN["pasted from a notebook"] + other)) == 2
