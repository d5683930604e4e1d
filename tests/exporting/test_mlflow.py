"""MLflow itself takes what is written, twice without doubling anything, and `diagnose` reads its database."""

import json
import os
import pathlib
import shutil

import jsonschema
import pytest

import thalweg
from thalweg.cli.main import main
from thalweg.core.errors import PlanError

pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
pytest.importorskip("sqlalchemy", reason="the extra mlflow is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")
SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas" / "export.json"


@pytest.fixture(scope="module")
def run(photo_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow") / "run"
    thalweg.train(photo_folder, epochs=3, out=folder, lr=1e-3, image_size=16, batch_size=8)
    return folder


@pytest.fixture(scope="module")
def stopped(run):
    """The same run as it was after two epochs, in a folder of its own."""
    folder = run.parent / "stopped"
    shutil.copytree(run, folder)
    for name in ("metrics.json", "report.html", "report.json", "progress.json", "model.safetensors"):
        (folder / name).unlink()
    (folder / "history.csv").write_text("".join((run / "history.csv").read_text().splitlines(keepends=True)[:3]))
    before = (run / "history.csv").stat().st_mtime - 5
    os.utime(folder / "history.csv", (before, before))
    return folder


@pytest.fixture(scope="module")
def place(run, stopped):
    """A folder with the stopped run in it, then the finished one in its place."""
    folder = run.parent / "tracked"
    first = thalweg.export(stopped, mlflow=folder, experiment="photos")
    seen = _client(folder).get_run(first.tracked[0]["run_id"])
    second = thalweg.export(run, mlflow=folder, experiment="photos")
    return folder, first.tracked[0], seen, second.tracked[0]


def _client(folder):
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{folder.resolve() / 'mlflow.db'}")


def test_a_run_that_went_on_is_brought_up_to_date_and_nothing_is_doubled(run, place):
    folder, first, seen, second = place
    client = _client(folder)
    assert second["run_id"] == first["run_id"]
    assert (first["again"], second["again"]) == (False, True)
    assert seen.info.status == "KILLED"
    there = client.get_run(first["run_id"])
    assert there.info.status == "FINISHED"
    ends = [each.step for each in client.get_metric_history(first["run_id"], "validation/loss")]
    each = ends[0]
    assert ends == [each, 2 * each, 3 * each]
    third = thalweg.export(run, mlflow=folder, experiment="photos").tracked[0]
    assert (third["run_id"], third["points"], third["again"]) == (first["run_id"], 0, True)
    assert len(client.search_runs([there.info.experiment_id])) == 1
    times = [each.timestamp for each in client.get_metric_history(first["run_id"], "train/loss_step")]
    assert times == sorted(times)
    assert there.info.start_time <= times[0]


def test_settings_scores_findings_and_files_are_there(run, place):
    folder, first, _, _ = place
    client = _client(folder)
    there = client.get_run(first["run_id"])
    metrics = json.loads((run / "metrics.json").read_text())
    assert there.data.params["learning_rate"] == "0.001"
    assert there.data.params["epochs"] == "3"
    assert there.data.metrics["score/accuracy"] == metrics["accuracy"]
    assert there.info.run_name == "stopped"
    assert "Right on" in there.data.tags["mlflow.note.content"]
    found = {key for key in there.data.tags if key.startswith("thalweg.finding.")}
    assert found == {f"thalweg.finding.{finding['name']}" for finding in metrics["findings"]}
    names = {entry.path for entry in client.list_artifacts(first["run_id"])}
    assert {"report.html", "MODEL_CARD.md", "figures", "tables", "model", "signals.jsonl"} <= names
    assert "data.json" not in names


def test_diagnose_reads_the_folder_with_the_same_answer(run, place):
    (ours,), (theirs,) = thalweg.diagnose(run).results, thalweg.diagnose(place[0]).results
    assert theirs.learning_rate == ours.learning_rate
    assert theirs.findings == ours.findings
    assert set(theirs.history.signals) == set(ours.history.signals)
    assert theirs.notes == ours.notes


def test_the_command_line_says_what_was_written_and_how_to_see_it(run, place, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["export", str(run), "--mlflow", str(place[0]), "--experiment", "photos"])
    assert stop.value.code == 0
    told = capsys.readouterr()
    assert f"MLflow run {place[1]['run_id']} of photos brought up to date: " in told.out
    assert "Open: mlflow ui --backend-store-uri sqlite:///" in told.out
    assert "INFO" not in told.err
    with pytest.raises(SystemExit):
        main(["export", str(run), "--mlflow", str(place[0]), "--experiment", "photos", "--json"])
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, json.loads(SCHEMA.read_text()))
    assert answer["files"] == [str(place[0].resolve() / "mlflow.db")]


def test_a_place_that_mlflow_refuses_is_one_sentence(run, place):
    with pytest.raises(PlanError, match=r"MLflow at nonsense://x cannot be written: "):
        thalweg.export(run, mlflow="nonsense://x")
    client = _client(place[0])
    client.delete_experiment(client.create_experiment("gone"))
    with pytest.raises(PlanError, match="was deleted: restore it, or name another"):
        thalweg.export(run, mlflow=place[0], experiment="gone")
