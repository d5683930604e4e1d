import pytest

from thalweg.core.history import epochs_to_csv
from thalweg.histories.reading import read


@pytest.fixture
def run_folder(tmp_path):
    rows = [{"epoch": epoch, "train_loss": 3.0 - epoch, "val_accuracy": 0.5, "learning_rate": 0.1} for epoch in (1, 2)]
    (tmp_path / "history.csv").write_text(epochs_to_csv(rows), encoding="utf-8")
    (tmp_path / "plan.toml").write_text('schema = 1\nnetwork = "small"\n', encoding="utf-8")
    (tmp_path / "steps.csv").write_text(
        "step,epoch,objective,loss,gradient_norm,learning_rate,seconds\n1,1,3,2.5,1,0.1,0\n2,1,2,1.5,3,0.1,1\n3,2,1,1,2,0.1,2\n",
        encoding="utf-8",
    )
    return tmp_path


def test_a_run_folder_has_both_files_and_the_plan(run_folder, curve):
    (run,) = read(run_folder)
    assert run.format == "thalweg run"
    assert curve(run, "train_loss") == {1: 2.0, 2: 1.0}
    assert curve(run, "val_accuracy") == {1: 0.5, 2: 0.5}
    assert curve(run, "batch_loss") == {1: 2.5, 2: 1.5, 3: 1.0}
    assert curve(run, "gradient_norm") == {1: 2.0, 2: 2.0}
    assert curve(run, "batch_gradient_norm") == {1: 1.0, 2: 3.0, 3: 2.0}
    assert run.history.plan["network"] == "small"
    assert run.place == str(run_folder)


def test_the_file_inside_is_the_same_run(run_folder):
    assert read(run_folder / "history.csv")[0].history == read(run_folder)[0].history


def test_a_run_in_its_first_epoch_has_steps_alone(run_folder, curve):
    (run_folder / "history.csv").unlink()
    (run,) = read(run_folder)
    assert curve(run, "batch_loss") == {1: 2.5, 2: 1.5, 3: 1.0}
    assert curve(run, "train_loss") == {1: 2.0, 2: 1.0}


def test_a_run_that_failed_in_its_first_epoch_is_read_by_its_steps(run_folder, curve):
    (run_folder / "history.csv").write_text(epochs_to_csv([]), encoding="utf-8")
    (run,) = read(run_folder)
    assert curve(run, "batch_loss") == {1: 2.5, 2: 1.5, 3: 1.0}


def test_a_damaged_file_beside_costs_nothing_else(run_folder, curve):
    (run_folder / "steps.csv").write_bytes(b"\0\1\2")
    (run_folder / "plan.toml").write_text("=", encoding="utf-8")
    (run,) = read(run_folder)
    assert curve(run, "train_loss") == {1: 2.0, 2: 1.0}
    assert len(run.notes) == 2
