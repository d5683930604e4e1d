"""Going on with a run: finished, moved, changed, damaged, and on a full disk."""

import errno
import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

import thalweg
from thalweg.cli.main import main
from thalweg.core.errors import PlanError, RunError, TrainingFailedError
from thalweg.core.holding import held

QUICK = {"epochs": 2, "image_size": 32, "batch_size": 8, "lr": 0.01}


@pytest.fixture(scope="module")
def trained(photo_folder, tmp_path_factory):
    """A source of our own and a finished run on it, named relative to their folder."""
    folder = tmp_path_factory.mktemp("resume")
    shutil.copytree(photo_folder, folder / "photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        thalweg.train("photos", out="run", **QUICK)
    return folder


@pytest.fixture
def copied(trained, tmp_path):
    for name in ("photos", "run"):
        shutil.copytree(trained / name, tmp_path / name)
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    environment["folder"] = str(tmp_path)
    (tmp_path / "run" / "environment.json").write_text(json.dumps(environment))
    return tmp_path


def test_a_finished_run_is_evaluated_again_from_any_folder(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = json.loads((trained / "run" / "metrics.json").read_text())
    weights = (trained / "run" / "model.safetensors").read_bytes()
    with pytest.raises(SystemExit, match="0"):
        main(["resume", str(trained / "run")])
    told = capsys.readouterr()
    assert "This run is finished: it is evaluated again" in told.err + told.out
    assert "Going on" not in told.err + told.out
    assert json.loads((trained / "run" / "metrics.json").read_text())["accuracy"] == before["accuracy"]
    result = thalweg.resume(trained / "run")
    assert result.accuracy == before["accuracy"]
    assert (trained / "run" / "model.safetensors").read_bytes() == weights
    assert thalweg.evaluate(trained / "run").accuracy == before["accuracy"]


def test_a_run_in_use_is_left_alone(copied):
    def state():
        run = copied / "run"
        return {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file() and path.name != ".lock"}

    before = state()
    with held(copied / "run"), pytest.raises(RunError, match=r"run is in use by another thalweg"):
        thalweg.resume(copied / "run")
    assert state() == before


def test_photos_that_are_gone_are_counted_and_named(copied):
    (copied / "photos" / "red" / "red-03.png").unlink()
    with pytest.raises(RunError, match=r"1 of the 48 files .* not in photos any more, first red/red-03.png"):
        thalweg.resume(copied / "run")
    shutil.rmtree(copied / "photos")
    with pytest.raises(thalweg.ThalwegError, match="photos: there is no such folder"):
        thalweg.resume(copied / "run")


def test_photos_that_changed_are_counted_and_named(copied):
    path = copied / "photos" / "red" / "red-03.png"
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    with pytest.raises(RunError, match=r"1 of the 48 files .* other pictures .*, first red/red-03.png"):
        thalweg.resume(copied / "run")


def test_new_photos_do_no_harm_and_new_classes_are_named(copied):
    extra = np.zeros((32, 32, 3), np.uint8)
    extra[4:9, 2:30] = 200
    Image.fromarray(extra).save(copied / "photos" / "red" / "new.png")
    thalweg.resume(copied / "run")
    (copied / "photos" / "amber").mkdir()
    Image.fromarray(extra[::-1]).save(copied / "photos" / "amber" / "new.png")
    with pytest.raises(RunError, match="now has the classes amber, blue, red and the run knows blue, red"):
        thalweg.resume(copied / "run")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("plan.toml", "epochs = 2", "epochs = 'many'", "plan.toml.epochs"),
        ("plan.toml", "epochs = 2", "epochs = 2\nminutes = 3", "exclude each other"),
        ("plan.toml", "warmup = 0.1", "warmup = 7.0", "warmup 7 is out of range"),
        ("plan.toml", "schema = 1", "schema = 9", "schema 9"),
        ("plan.toml", "seed = 42", "seed = ]", "plan.toml"),
        ("data.json", '"train": [', '"train": 3, "x": [', "data.json"),
        ("data.json", "{", "[", "data.json is damaged"),
        ("network.json", '"kind"', '"kinds"', "network.json"),
        ("network.json", '"conv2d"', '"__import__"', "__import__"),
        ("findings.json", '"findings": [', '"findings": [3, ', "findings.json"),
    ],
)
def test_edited_files_are_refused_in_a_sentence(copied, name, old, new, told):
    path = copied / "run" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises((RunError, PlanError)) as refusal:
        thalweg.resume(copied / "run")
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_full_disk_is_a_failed_run_that_can_go_on(trained, photo_folder, tmp_path, monkeypatch):
    written = []

    def full(source, target):
        written.append(target)
        if "step-" in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        pathlib.Path(source).rename(target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(TrainingFailedError, match=r"No space left on device; .* thalweg resume .*run"):
            thalweg.train(photo_folder, out=tmp_path / "run", **QUICK)
    assert not list((tmp_path / "run").rglob(".writing-*"))
    result = thalweg.resume(tmp_path / "run")
    assert result.accuracy == json.loads((trained / "run" / "metrics.json").read_text())["accuracy"]
    one, two = (folder / "run" / "model.safetensors" for folder in (trained, tmp_path))
    assert one.read_bytes() == two.read_bytes()


def test_labels_that_changed_in_a_table_are_noticed(copied):
    data = copied / "run" / "data.json"
    known = json.loads(data.read_text())
    assert known["labels"]
    data.write_text(json.dumps({**known, "labels": "0" * 16}))
    with pytest.raises(RunError, match="other labels in photos than when it began"):
        thalweg.resume(copied / "run")
    data.write_text(json.dumps({name: value for name, value in known.items() if name != "labels"}))
    thalweg.resume(copied / "run")  # an older run has none


def test_a_copied_run_is_called_by_its_new_place(copied):
    result = thalweg.evaluate(copied / "run")
    assert (result.run, result.report) == (str(copied / "run"), str(copied / "run" / "report.html"))


def test_a_source_that_was_trained_on_says_so(copied, tmp_path, capsys):
    result = thalweg.evaluate(copied / "run", copied / "photos")
    (finding,) = [each for each in result.findings if each.subject == str(copied / "photos")]
    assert finding.evidence[0].observed == result.train_files
    with pytest.raises(SystemExit, match="0"):
        main(["evaluate", str(copied / "run"), str(copied / "photos")])
    assert f"{result.train_files} of 48 files" in capsys.readouterr().err
    for path in (copied / "photos").rglob("*.png"):
        Image.fromarray(np.asarray(Image.open(path)) ^ 3).save(path)
    changed = thalweg.evaluate(copied / "run", copied / "photos")
    assert not [each for each in changed.findings if each.name == "split_leakage"]


def test_weights_with_a_flipped_bit_are_not_answered_with(copied):
    path = copied / "run" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-40] ^= 64
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"digest does not match its content; thalweg resume .*run writes it again"):
        thalweg.predict(copied / "run", copied / "photos")
    thalweg.resume(copied / "run")
    thalweg.predict(copied / "run", copied / "photos")


@pytest.mark.parametrize("classes", [["blue"], ["blue", "blue"], ["blue", "red", "green"]])
def test_classes_of_another_run_are_refused(copied, classes):
    data = copied / "run" / "data.json"
    data.write_text(json.dumps({**json.loads(data.read_text()), "classes": classes}))
    with pytest.raises(RunError, match=r"tells 2 classes apart, and data\.json names"):
        thalweg.predict(copied / "run", copied / "photos")


def test_older_data_without_counts_a_part_is_evaluated(copied):
    data = copied / "run" / "data.json"
    known = json.loads(data.read_text())
    data.write_text(json.dumps({name: value for name, value in known.items() if name != "counts"}))
    assert thalweg.evaluate(copied / "run").majority_accuracy == 0.5


def test_a_folder_with_links_is_not_written_through(copied, tmp_path):
    (tmp_path / "theirs").mkdir()
    (copied / "run" / "resume.log").symlink_to(tmp_path / "theirs" / "notes")
    with pytest.raises(RunError, match=r"resume\.log is a link, and a run writes into its own folder alone"):
        thalweg.resume(copied / "run")
    (copied / "run" / "resume.log").unlink()
    shutil.rmtree(copied / "run" / "checkpoints")
    (copied / "run" / "checkpoints").symlink_to(tmp_path / "theirs")
    with pytest.raises(RunError, match="checkpoints is a link"):
        thalweg.resume(copied / "run")
    (copied / "run" / "checkpoints").unlink()
    (tmp_path / "way").symlink_to(copied / "run")
    thalweg.resume(tmp_path / "way")  # without checkpoints: trained anew
    assert list((copied / "run" / "checkpoints").iterdir())
    assert not list((tmp_path / "theirs").iterdir())


def test_a_failed_run_says_why_it_cannot_answer(copied):
    (copied / "run" / "model.safetensors").unlink()
    with pytest.raises(RunError, match=r"is not finished: thalweg resume .* goes on with it"):
        thalweg.predict(copied / "run", copied / "photos")
    progress = copied / "run" / "progress.json"
    progress.write_text(json.dumps({**json.loads(progress.read_text()), "phase": "failed", "message": "try --lr auto"}))
    with pytest.raises(RunError, match="run failed and has no network to answer with: try --lr auto"):
        thalweg.predict(copied / "run", copied / "photos")
