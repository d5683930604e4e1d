"""A report in parts for other programs: a card that says only what was measured, tables that read back, figures."""

import csv
import io
import json
import math
import pathlib
import xml.etree.ElementTree as ET

import jsonschema
import pytest

import thalweg
from thalweg.cli.main import main
from thalweg.core.codec import dumps, to_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.errors import PlanError, RunError
from thalweg.core.evaluation import ClassScore, Evaluation
from thalweg.core.finding import Finding
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import Curves, Drawing, Line, Mark, Matrix, Report, Section, Table
from thalweg.core.results import TrainResult
from thalweg.exporting.model_card import model_card
from thalweg.exporting.tables import file_name, report_tables

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"
CLASSES = ("گربه", "a|b `<script>`")
SUMMARY = DataSummary(
    source="photos", classes=CLASSES, class_counts=(12, 60), files=72, train=("a",), validation=("b",)
)
EVALUATION = Evaluation(
    split="validation",
    files=20,
    accuracy=0.8,
    accuracy_interval=(0.58, 0.92),
    majority_class=CLASSES[1],
    majority_accuracy=0.6,
    balanced_accuracy=0.75,
    loss=0.5,
    confusion=((5, 3), (1, 11)),
    classes=tuple(ClassScore(name=name, files=10, precision=0.5, recall=0.5, f1=0.5, auc=0.5) for name in CLASSES),
    auc=math.nan,
    calibration_error=0.1,
)
FIGURE = Curves(
    caption="Loss, $of$ all",
    x_label="epoch",
    y_label="nats",
    lines=(
        Line(label="training", x=tuple(range(1, 501)), y=tuple(1 / k for k in range(1, 501))),
        Line(label="_validation", x=(1, 500), y=(math.nan, 0.25), dashed=True),
    ),
    marks=(Mark(x=5, label="best"),),
    log_y=True,
)
REPORT = Report(
    title="small",
    answer=("80 %.",),
    sections=(
        Section(title="Data", blocks=(Table(caption="=Files", header=("class", "n"), rows=(("=1+1", "-3.5"),)),)),
        Section(
            title="Training",
            blocks=(
                FIGURE,
                Drawing(caption="d", svg='<svg xmlns="http://www.w3.org/2000/svg"></svg>', alternative="a"),
            ),
        ),
        Section(title="Evaluation", blocks=(Matrix(caption="m", labels=CLASSES, counts=((5, 3), (1, 11))),)),
    ),
)


def _result(folder, **fields):
    finding = Finding(code="X", name="x", severity="warning", confidence=1, subject="run", claim="It *fits* too well")
    return TrainResult(
        run=str(folder),
        report=str(folder / "report.html"),
        task="classification",
        network="small",
        classes=CLASSES,
        files=72,
        train_files=52,
        test_files=20,
        left_out=(),
        parameters=9,
        epochs=3,
        seconds=1.0,
        images_per_second=1.0,
        accuracy=0.8,
        accuracy_interval=(0.58, 0.92),
        best_accuracy=0.8,
        best_epoch=3,
        majority_accuracy=0.6,
        learning_rate=1e-3,
        findings=(finding,),
        calibration_error=0.1,
        **fields,
    )


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    plan = TrainingPlan(
        source="photos", epochs=3, learning_rate=1e-3, optimizer="adam", batch_size=8, image_size=32, weight_decay=0.0
    )
    (folder / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
    metrics = {"schema": 1, **to_plain(_result(folder)), "evaluation": to_plain(EVALUATION)}
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (folder / "data.json").write_text(dumps({"schema": 1, **to_plain(SUMMARY)}))
    (folder / "environment.json").write_text(dumps({"schema": 1, "thalweg": "0.1.0", "packages": {}, "hardware": {}}))
    (folder / "report.json").write_text(dumps(REPORT))
    return folder


def test_the_card_says_what_was_measured_and_asks_for_the_rest(run):
    answer = thalweg.export(run, model_card=True)
    assert (answer.format, answer.max_difference, answer.files) == ("model-card", None, (str(run / "MODEL_CARD.md"),))
    card = (run / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlibrary_name: thalweg\npipeline_tag: image-classification\n")
    assert "- Right answers: 80.0% (95 % interval 58.0% to 92.0%) on the 20 files of the validation split" in card
    assert "Most frequent mistake: گربه taken for a\\|b \\`\\<script\\>\\`, 3 of 8 files." in card
    assert "- Fewer than 30 files: گربه." in card
    assert "- warning: It \\*fits\\* too well." in card
    assert "ROC AUC" not in card  # it was not measured
    assert "thalweg train photos --network small --epochs 3" in card
    assert "Licence of data and weights" in card
    assert "<script>" not in card
    rows = [line for line in card.splitlines() if line.startswith("| a")]
    assert {len(line.replace("\\|", "").split("|")) for line in rows} <= {4, 7}


def test_a_segmentation_has_a_card_of_its_own(tmp_path):
    result = _result(tmp_path, mean_iou=0.5, mean_iou_interval=(0.4, 0.6), iou={"road": 0.9, CLASSES[1]: math.nan})
    card = model_card(
        result, summary=SUMMARY, evaluation=None, provenance={}, command="thalweg train ```", repeats="Closely."
    )
    assert "Mean intersection over union: 0.500 (95 % interval over pictures 0.400 to 0.600)." in card
    assert "| road | 0.900 |" in card
    assert "````\nthalweg train ```\n````" in card


def test_every_table_reads_back_with_all_points_and_no_formula():
    tables = {name: list(csv.reader(io.StringIO(text))) for name, text in report_tables(REPORT)}
    assert list(tables) == ["01-data-files.csv", "02-training-loss-of-all.csv", "03-evaluation-m.csv"]
    assert tables["01-data-files.csv"] == [["class", "n"], ["'=1+1", "-3.5"]]
    assert len(tables["02-training-loss-of-all.csv"]) == 501
    assert tables["02-training-loss-of-all.csv"][1] == ["1", "1", "nan"]
    assert tables["03-evaluation-m.csv"][1] == ["گربه", "5", "3"]


def test_the_numbers_of_a_drawing_are_a_table_too():
    numbers = Table(caption="", header=("class", "files"), rows=(("cat", "3"),))
    bars = Drawing(caption="Files", svg="<svg/>", alternative="", numbers=numbers)
    report = Report(title="", answer=(), sections=(Section(title="Data", blocks=(bars, REPORT.sections[0].blocks[0])),))
    assert [name for name, _ in report_tables(report)] == ["01-data-files.csv", "02-data-files.csv"]
    assert next(iter(report_tables(report)))[1] == "class,files\ncat,3\n"


@pytest.mark.parametrize("caption", ["", "../../etc", "a" * 500, "پ" * 500, "con\n\0<>:|?*", "x y " * 100])
def test_file_names_are_safe(caption):
    name = file_name(1, "Data", caption, "csv")
    assert len(name.encode()) <= 140
    assert not set(name) & set('/\\\0<>:|?*"\n ')
    assert name.startswith("01-data")


def test_every_figure_is_written_as_svg_and_png(run, tmp_path):
    pytest.importorskip("resvg_py", reason="the extra plots is not installed")
    answer = thalweg.export(run, tables=True, figures=True, png=True, out=tmp_path / "new" / "place")
    names = [pathlib.Path(path).name for path in answer.files]
    stems = ["01-training-loss-of-all", "02-training-d", "03-evaluation-m"]
    assert names[3:] == [f"{stem}.{ending}" for stem in stems for ending in ("svg", "png")]
    for path in map(pathlib.Path, answer.files[3:]):
        if path.suffix == ".svg":
            assert ET.fromstring(path.read_text(encoding="utf-8")).tag.endswith("svg")  # noqa: S314 - our own
        else:
            assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert answer.bytes == sum(pathlib.Path(path).stat().st_size for path in answer.files)
    assert [path.name for path in run.iterdir() if path.is_dir()] == []


def test_the_command_line_lists_the_files_and_answers_in_one_object(run, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["export", str(run), "--model-card", "--tables"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.splitlines()[0] == str(run / "MODEL_CARD.md")
    with pytest.raises(SystemExit):
        main(["export", str(run), "--tables", "--json"])
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, json.loads((SCHEMAS / "export.json").read_text()))
    assert answer["format"] == "tables"
    assert len(answer["files"]) == 3


def test_what_cannot_be_exported_is_told(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match="cannot be made"):
        thalweg.export(run, tables=True, out=tmp_path / "file")
    with pytest.raises(PlanError, match="name a file in a folder that exists"):
        thalweg.export(run, model_card=True, out=tmp_path / "none" / "card.md")
    with pytest.raises(PlanError, match="no format is named"):
        thalweg.export(run, onnx=False)
    (run / "report.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        thalweg.export(run, tables=True)
    (run / "metrics.json").unlink()
    with pytest.raises(RunError, match="did not get that far"):
        thalweg.export(run, model_card=True)


def test_a_card_that_somebody_filled_in_is_kept(run):
    (written,) = thalweg.export(run, model_card=True).files
    thalweg.export(run, model_card=True)
    card = pathlib.Path(written)
    card.write_text(card.read_text(encoding="utf-8").replace("Licence of data", "CC0; licence of"), encoding="utf-8")
    with pytest.raises(RunError, match=r"MODEL_CARD\.md has been filled in, or is not of thalweg"):
        thalweg.export(run, model_card=True)
    assert "CC0" in card.read_text(encoding="utf-8")


def test_an_onnx_file_takes_no_other_file_s_place(run, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(PlanError, match=r"thesis\.tex is there already and was not written by thalweg"):
        thalweg.export(run, onnx=True, out=tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "mine"
