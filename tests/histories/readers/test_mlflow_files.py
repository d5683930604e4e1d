import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read


def test_what_was_logged_is_read_from_any_folder_of_the_store(sample, curve, near, points, samples):
    (run,), truth = sample("mlflow", "mlruns")
    (inner,) = read(next(path.parent for path in (samples / "mlflow" / "mlruns").rglob("metrics")))
    assert repr(inner.history) == repr(run.history)
    assert run.place.endswith("run paper")
    for name in ("train_loss", "val_loss", "val_accuracy"):
        assert near(curve(run, name), points([row[name] for row in truth["files"]]))


def test_a_deleted_run_is_no_run(tmp_path):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "meta.yaml").write_text("lifecycle_stage: deleted\n", encoding="utf-8")
    (tmp_path / "metrics" / "loss").write_text("1 2.0 0\n", encoding="utf-8")
    with pytest.raises(LogError, match="holds no training log"):
        read(tmp_path)


def test_lines_that_are_no_points_are_left_out_and_said(tmp_path, curve):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "meta.yaml").write_text("name: x\n", encoding="utf-8")
    (tmp_path / "metrics" / "loss").write_text("1 2.0 0\n2 1.5 1\n3 half\n", encoding="utf-8")
    (run,) = read(tmp_path)
    assert curve(run, "train_loss") == {1: 2.0, 2: 1.5}
    assert "1 line(s)" in run.notes[0]
