"""Every answer fits its schema, and every field of the interface is there."""

import dataclasses
import json
import math
import pathlib

import jsonschema
import pytest

from thalweg.core import results
from thalweg.core.codec import from_plain, to_plain
from thalweg.core.dataset import Duplicate, Notice
from thalweg.core.results import CheckResult, ExportResult, Prediction, ReportResult, TrainResult

SCHEMAS = pathlib.Path(results.__file__).parent / "schemas"
NOTICE = Notice("a/b.png", "the file is empty")
TRAINED = TrainResult(
    run="runs/x", report=None, task="classification", network="small", classes=("a", "b"), files=10, train_files=8,
    test_files=2, left_out=(NOTICE,), parameters=5, epochs=0, seconds=1.5, images_per_second=math.nan,
    accuracy=math.nan, accuracy_interval=(math.nan, math.nan), best_accuracy=math.nan, best_epoch=0,
    majority_accuracy=0.5, learning_rate=0.001, interrupted=130,
)  # fmt: skip
CHECKED = CheckResult(
    files=2, classes=("a", "b"), left_out=(NOTICE,), warnings=(NOTICE,),
    duplicates=(Duplicate("near", ("a/1", "b/2"), labels_differ=True),), class_counts={"a": 1, "b": 1},
)  # fmt: skip
FIELDS = {
    "train": "run report task network classes files train_files test_files left_out parameters epochs seconds "
    "images_per_second accuracy accuracy_interval best_accuracy best_epoch majority_accuracy learning_rate "
    "interventions monitor_overhead findings",
    "check": "files classes left_out warnings duplicates",
}


def schema(name):
    loaded = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(loaded)
    return loaded


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("train", TRAINED),
        ("train", dataclasses.replace(TRAINED, report="r", accuracy=0.5, accuracy_interval=(0.1, 0.9))),
        ("check", CHECKED),
        (
            "export",
            ExportResult(path="m", format="onnx", bytes=3, max_difference=1e-7, batch_sizes=(1, 5), files=("m",)),
        ),
        ("report", ReportResult(run="runs/x", report="runs/x/report.html")),
        ("error", {"error": "x: is not there", "exit_status": 2}),
    ],
)  # fmt: skip
def test_an_answer_fits_its_schema(name, answer):
    jsonschema.validate({"schema": 1, **to_plain(answer)}, schema(name))


def test_predictions_have_the_names_of_the_interface():
    good = Prediction(file="bad\udcff.png", class_="a", probabilities={"a": 0.75, "b": 0.25})
    bad = Prediction(file="b.png", class_=None, error="the file is empty")
    answer = {"schema": 1, "predictions": [good.to_json(), bad.to_json()]}
    jsonschema.validate(answer, schema("predict"))
    assert list(good.to_json()) == ["file", "class", "probabilities", "error"]


@pytest.mark.parametrize("name", FIELDS)
def test_the_schema_insists_on_every_field_of_the_interface(name):
    whole = {"schema": 1, **to_plain(TRAINED if name == "train" else CHECKED)}
    for field in FIELDS[name].split():
        part = {key: value for key, value in whole.items() if key != field}
        with pytest.raises(jsonschema.ValidationError, match=field):
            jsonschema.validate(part, schema(name))


def test_an_answer_is_read_back():
    again = from_plain(TrainResult, json.loads(json.dumps(to_plain(TRAINED))))
    assert to_plain(again) == to_plain(TRAINED)
