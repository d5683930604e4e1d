"""A run gathered for MLflow and Weights & Biases: right steps and times, and read back with the same answer."""

import json
import pathlib
import shutil
import sqlite3

import pytest

import thalweg
from thalweg.core.errors import MissingExtraError, PlanError, RunError
from thalweg.core.run_folder import RunFolder
from thalweg.exporting import mlflow as to_mlflow
from thalweg.histories.reading import read
from thalweg.workbench import export_tracked
from thalweg.workbench.export_tracked import run_key, tracked_run


@pytest.fixture(scope="module")
def run(photo_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked") / "run"
    thalweg.train(photo_folder, epochs=4, out=folder, lr=1e-3, image_size=16, batch_size=8)
    return folder


@pytest.fixture(scope="module")
def gathered(run, tmp_path_factory):
    return tracked_run(RunFolder(run), tmp_path_factory.mktemp("aside"))


def in_a_database(tracked, folder):
    """What MLflow's own database holds of a run, without MLflow."""
    base = sqlite3.connect(folder / "mlflow.db")
    base.execute("CREATE TABLE runs (run_uuid, name, lifecycle_stage, start_time, artifact_uri)")
    base.execute("CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan)")
    base.execute("CREATE TABLE params (key, value, run_uuid)")
    base.execute("CREATE TABLE tags (key, value, run_uuid)")
    base.execute("INSERT INTO runs VALUES ('a', 'run', 'active', 1, 'file:///elsewhere/mlartifacts/a/artifacts')")
    base.execute("INSERT INTO tags VALUES ('thalweg.run', ?, 'a')", (tracked.key,))
    for curve in tracked.curves:
        rows = [
            (curve.tag, 0.0 if value != value else value, round(when * 1000), "a", step, value != value)  # noqa: PLR0124 - nan
            for step, value, when in zip(curve.steps, curve.values, curve.times, strict=True)
        ]
        base.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    base.executemany("INSERT INTO metrics VALUES (?, ?, 1, 'a', 1, 0)", list(tracked.scores.items()))
    settings = [(key, to_mlflow.text(value)) for key, value in tracked.settings.items()]
    base.executemany("INSERT INTO params VALUES (?, ?, 'a')", settings)
    base.commit()
    base.close()
    return folder / "mlflow.db"


def answer(path):
    (result,) = thalweg.diagnose(path).results
    return result.learning_rate, result.findings, set(result.history.signals), result.notes


def test_what_is_written_is_diagnosed_as_the_run_itself(run, gathered, tmp_path):
    database = in_a_database(gathered, tmp_path)
    beside = tmp_path / "mlartifacts" / "a" / "artifacts"
    beside.mkdir(parents=True)
    shutil.copyfile(run / "signals.jsonl", beside / "signals.jsonl")
    assert answer(database) == answer(run)
    (ours,), (theirs,) = read(run), read(database)
    assert theirs.history.plan == {key: value for key, value in ours.history.plan.items() if key != "schema"}


def test_files_that_are_elsewhere_are_missed_aloud_and_never_looked_for_there(run, gathered, tmp_path, monkeypatch):
    inside = tmp_path / "inside"
    inside.mkdir()
    database = in_a_database(gathered, inside)
    base = sqlite3.connect(database)
    base.execute("UPDATE runs SET artifact_uri = ?", (run.as_uri(),))
    base.commit()
    base.close()
    (told,) = read(database)
    assert any("are not beside the database" in note for note in told.notes)
    assert all(signal.subject == "run" for signal in told.history.signals)


def test_epochs_stand_at_the_step_they_ended_with_and_times_run_on(gathered):
    curves = {curve.tag: curve for curve in gathered.curves}
    steps = curves["train/loss_step"].steps
    assert curves["epoch"].values == (1.0, 2.0, 3.0, 4.0)
    each = len(steps) // 4
    assert curves["validation/loss"].steps == (each, 2 * each, 3 * each, 4 * each)
    assert steps == tuple(range(1, 4 * each + 1))
    for curve in gathered.curves:
        assert list(curve.times) == sorted(curve.times), curve.tag
        assert gathered.started <= curve.times[0] <= curve.times[-1] <= gathered.ended + 1e-6, curve.tag
    assert curves["train/loss_step"].times[each - 1] <= curves["validation/loss"].times[0]
    assert curves["train/loss_step"].times[each] >= curves["validation/loss"].times[0] - 1e-6


def test_scores_findings_and_files_go_along_and_names_of_photos_do_not(run, gathered):
    metrics = json.loads((run / "metrics.json").read_text())
    assert gathered.scores["score/accuracy"] == metrics["accuracy"]
    assert gathered.tags["thalweg.learning_rate.verdict"] in {"too_low", "about_right", "too_high", "undetermined"}
    for finding in metrics["findings"]:
        assert gathered.tags[f"thalweg.finding.{finding['name']}"].startswith(finding["severity"])
    kept = {(file.folder, file.path.name) for file in gathered.files}
    assert {("", "report.html"), ("", "MODEL_CARD.md"), ("model", "model.safetensors"), ("", "plan.toml")} <= kept
    assert {folder for folder, _ in kept} == {"", "model", "figures", "tables"}
    assert not {"data.json", "predictions.csv"} & {name for _, name in kept}
    assert all(file.path.is_file() for file in gathered.files)
    assert "Right on" in gathered.description
    assert gathered.status == "finished"


def test_a_run_is_known_again_in_a_copy_and_when_it_has_gone_on(run, gathered, tmp_path):
    stopped = tmp_path / "copy"
    shutil.copytree(run, stopped)
    for name in ("metrics.json", "report.html", "report.json", "progress.json", "model.safetensors"):
        (stopped / name).unlink()
    rows = (stopped / "history.csv").read_text().splitlines(keepends=True)
    (stopped / "history.csv").write_text("".join(rows[:3]))
    part = tracked_run(RunFolder(stopped), tmp_path)
    assert part.key == gathered.key == run_key(RunFolder(run))
    assert part.status == "stopped"
    assert not part.scores
    curves = {curve.tag: curve for curve in part.curves}
    assert curves["epoch"].values == (1.0, 2.0)
    assert "Stopped in epoch 2" in part.description
    (stopped / "history.csv").write_text(rows[0])
    with pytest.raises(RunError, match="no finished epoch yet"):
        tracked_run(RunFolder(stopped), tmp_path)


def test_long_runs_are_thinned(run, tmp_path, monkeypatch):
    monkeypatch.setattr(export_tracked, "MOST_STEPS", 10)
    curves = {curve.tag: curve for curve in tracked_run(RunFolder(run), tmp_path).curves}
    assert 5 <= len(curves["train/loss_step"].steps) <= 10
    assert len(curves["validation/loss"].steps) == 4


@pytest.mark.parametrize(("option", "package"), [("mlflow", "mlflow"), ("wandb", "wandb")])
def test_without_the_package_one_line_says_what_to_install(run, tmp_path, monkeypatch, option, package):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'thalweg\[{package}\]'"):
        thalweg.export(run, out=tmp_path, **{option: str(tmp_path / "place")})
    assert not (tmp_path / "place").exists()


def test_places_that_cannot_be_meant_are_told(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match="is a file: name a folder"):
        thalweg.export(run, mlflow=tmp_path / "file")
    (tmp_path / "mlruns" / "0").mkdir(parents=True)
    (tmp_path / "mlruns" / "0" / "meta.yaml").write_text("")
    with pytest.raises(PlanError, match="migrate-filestore"):
        thalweg.export(run, mlflow=tmp_path / "mlruns")
    with pytest.raises(PlanError, match="name its place with --mlflow"):
        thalweg.export(run, experiment="x")
    with pytest.raises(PlanError, match="--mlflow or --wandb"):
        thalweg.export(run, onnx=False)
    assert isinstance(to_mlflow.destination("sqlite:///x/y.db").database, pathlib.Path)
