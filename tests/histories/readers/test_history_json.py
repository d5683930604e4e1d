import json
import math

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read_mapping


@pytest.mark.parametrize("name", ["history.json", "history.txt"])
def test_a_history_that_was_dumped_or_printed(sample, name, curve, near, points):
    (run,), _ = sample("keras", name)
    truth = sample("keras", "log.csv")[1]
    assert run.format == "Keras History"
    assert near(curve(run, "train_loss"), points(truth["loss"]))
    assert near(curve(run, "val_accuracy"), points(truth["val_accuracy"]))


def test_the_uniform_case(log, curve, near):
    case = {
        "history": {"loss": [1.0, None], "val_loss": [2.0, 3.0], "accuracy": [0.5, 0.6]},
        "batch_loss": [3.0, 2.5, None],
        "seconds": [1, 2],
        "learning_rate": 0.1,
        "name": "anything",
    }
    (run,) = log("case.json", json.dumps(case))
    assert near(curve(run, "train_loss"), {1: 1.0, 2: math.nan})
    assert near(curve(run, "batch_loss"), {1: 3.0, 2: 2.5, 3: math.nan})
    assert curve(run, "learning_rate") == {1: 0.1, 2: 0.1}
    assert curve(run, "seconds") == {1: 1.0, 2: 2.0}
    assert any("null" in note for note in run.notes)


def test_batches_alone_stay_batches(log, curve):
    (run,) = log("case.json", json.dumps({"history": {}, "batch_loss": [3.0, 2.5, 2.0]}))
    assert curve(run, "batch_loss") == {1: 3.0, 2: 2.5, 3: 2.0}
    assert curve(run, "train_loss") is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[{"epoch": 1, "loss": 2}, {"epoch": 2, "loss": 1}]', {1: 2.0, 2: 1.0}),
        ('{"history": [{"epoch": 0, "loss": 2}, {"epoch": 1, "loss": 1}]}', {1: 2.0, 2: 1.0}),
        ('{"loss": {"0": 2, "1": 1}}', {1: 2.0, 2: 1.0}),
        ('{"loss": ["2", "NaN"]}', {1: 2.0, 2: math.nan}),
        ('{"loss": [2, Infinity]}', {1: 2.0, 2: math.inf}),
        ('{"epoch": [3, 4], "loss": [2, 1]}', {3: 2.0, 4: 1.0}),
        ("{'loss': [np.float32(2.0), inf], 'note': None}", {1: 2.0, 2: math.inf}),
        ('{"loss": [[2], [1]]}', {1: 2.0, 2: 1.0}),
    ],
)
def test_shapes_that_programs_write(log, text, wanted, curve, near):
    (run,) = log("history.json", text)
    assert near(curve(run, "train_loss"), wanted)


@pytest.mark.parametrize(
    "text",
    [
        '{"train": {"loss": [2, 1]}, "val": {"loss": [3, 4]}}',
        '{"epochs": [{"train": {"loss": 2}, "val": {"loss": 3}}, {"train": {"loss": 1}, "val": {"loss": 4}}]}',
        '{"train_losses": [2, 1], "val_losses": [3, 4]}',
        '{"history": {"loss": [2, 1], "val_loss": [3, 4]}, "best": {"loss": [9]}}',
    ],
)
def test_train_and_validation_nested(log, curve, text):
    (run,) = log("history.json", text)
    assert curve(run, "train_loss") == {1: 2.0, 2: 1.0}
    assert curve(run, "val_loss") == {1: 3.0, 2: 4.0}


@pytest.mark.parametrize(
    "text",
    ['[{"history": {"loss": [2]}}, {"history": {"loss": [1]}}]', '{"a": {"loss": [2, 2]}, "b": {"loss": [1, 1]}}'],
)
def test_several_cases_in_a_file_are_several_runs(log, curve, text):
    runs = log("cases.json", text)
    assert [curve(run, "train_loss")[1] for run in runs] == [2.0, 1.0]
    assert len({run.place for run in runs}) == 2


def test_nan_from_the_first_epoch_on(log, curve, near):
    (run,) = log("case.json", '{"history": {"loss": [null, null], "val_loss": [null, null], "acc": [0.1, 0.1]}}')
    assert near(curve(run, "train_loss"), {1: math.nan, 2: math.nan})
    assert near(curve(run, "val_loss"), {1: math.nan, 2: math.nan})


def test_yaml_is_read_by_its_name(log, curve):
    (run,) = log("history.yaml", "loss: [2.0, .nan]\nval_loss: [3, 4]\n")
    assert curve(run, "val_loss") == {1: 3.0, 2: 4.0}


def test_a_shorter_list_was_measured_every_few_epochs(log, curve):
    (run,) = log("history.json", json.dumps({"loss": [6, 5, 4, 3, 2, 1], "val_loss": [9, 8]}))
    assert curve(run, "val_loss") == {3: 9.0, 6: 8.0}
    assert "every 3. epoch" in run.notes[0]


def test_a_history_in_memory(curve):
    run = read_mapping({"loss": [2.0, 1.0], "acc": [50.0, 75.0]})
    assert curve(run, "train_accuracy") == {1: 0.5, 2: 0.75}
    with pytest.raises(LogError, match="has no curve that is a loss"):
        read_mapping({"f1": [1.0]})


@pytest.mark.parametrize(
    "text", ['{"loss": [1, 2', "{}", "[]", '{"loss": "a"}', "[1, 2, 3]", "[" * 100_000, '{"a": {"b": [1]}}']
)
def test_json_that_is_no_history_is_refused_in_a_sentence(log, text):
    with pytest.raises(LogError, match=r"history\.json"):
        log("history.json", text)


def test_null_between_numbers_at_equal_distances_was_not_measured(log, curve):
    case = {
        "history": {"loss": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4], "val_loss": [None, 2.0, None, 1.5, None, 1.2, None]}
    }
    (run,) = log("case.json", json.dumps(case))
    assert curve(run, "val_loss") == {2: 2.0, 4: 1.5, 6: 1.2}
    assert any("every 2. epoch" in note for note in run.notes)


@pytest.mark.parametrize("cells", [[1.0, None, None, None], [None, 1.0, None, 1.0, 1.0], [None, 1.0, None, None, None]])
def test_null_elsewhere_is_no_number(log, curve, near, cells):
    (run,) = log("case.json", json.dumps({"history": {"loss": cells}}))
    wanted = {n: math.nan if cell is None else cell for n, cell in enumerate(cells, 1)}
    assert near(curve(run, "train_loss"), wanted)
