import shutil
import sqlite3

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read

NAMES = ("train_loss", "val_loss", "val_accuracy")


def test_what_was_logged_is_read_deleted_runs_apart(sample, curve, near, points):
    runs, truth = sample("mlflow", "mlflow.db")
    assert [run.place.rpartition(" ")[2] for run in runs] == ["calm", "burst"]
    for run in runs:
        rows = truth[run.place.rpartition(" ")[2]]
        for name in NAMES:
            assert near(curve(run, name), points([row[name] for row in rows]))
    assert "deleted" in runs[0].notes[0]
    assert runs[0].history.plan == {"learning_rate": "0.1"}


def test_a_locked_database_is_read_and_nothing_is_left_beside_it(tmp_path, samples):
    path = tmp_path / "mlflow.db"
    shutil.copyfile(samples / "mlflow" / "mlflow.db", path)
    before = path.read_bytes()
    holder = sqlite3.connect(path)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        assert len(read(path)) == 2
    finally:
        holder.close()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["mlflow.db"]


def test_what_lies_in_the_write_ahead_log_is_read_too(tmp_path, curve, samples):
    path = tmp_path / "mlflow.db"
    shutil.copyfile(samples / "mlflow" / "mlflow.db", path)
    writer = sqlite3.connect(path)
    try:
        writer.execute("PRAGMA journal_mode=WAL")
        uuid = writer.execute("SELECT run_uuid FROM runs WHERE name='calm'").fetchone()[0]
        writer.execute("INSERT INTO metrics VALUES ('train_loss', 0.125, 9e15, ?, 5, 0)", (uuid,))
        writer.commit()
        assert curve(read(path)[0], "train_loss")[6] == 0.125
    finally:
        writer.close()


def test_metrics_without_steps_are_counted_by_time(tmp_path, curve):
    path = tmp_path / "mlflow.db"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE runs (run_uuid, name)")
    base.execute("CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan)")
    base.execute("INSERT INTO runs VALUES ('a', 'one')")
    base.executemany("INSERT INTO metrics VALUES ('loss', ?, ?, 'a', 0, 0)", [(1.0, 30), (3.0, 10), (2.0, 20)])
    base.commit()
    base.close()
    assert curve(read(path)[0], "train_loss") == {1: 3.0, 2: 2.0, 3: 1.0}


@pytest.mark.parametrize("content", [b"SQLite format 3\0", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_database_is_refused_in_a_sentence(log, content):
    with pytest.raises(LogError, match=r"mlflow\.db is a d"):
        log("mlflow.db", content)


def test_another_database_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "other.db"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE t (a)")
    base.commit()
    base.close()
    with pytest.raises(LogError, match="neither MLflow nor trackio"):
        read(path)
