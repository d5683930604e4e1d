"""The run folder: never over another one, and every damaged file named."""

import os
from pathlib import Path

import pytest

from thalweg.core.errors import RunError
from thalweg.core.run_folder import RunFolder


def test_two_runs_of_one_name_get_two_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, two = RunFolder.create(None, "photos-small"), RunFolder.create(None, "photos-small")
    assert one.path != two.path
    assert (one.path / "checkpoints").is_dir()
    assert (two.path / "checkpoints").is_dir()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(RunError, match="is not empty: name another with --out"):
        RunFolder.create(tmp_path, "x")
    with pytest.raises(RunError, match="is a file: name a folder"):
        RunFolder.create(tmp_path / "mine.txt", "x")
    with pytest.raises(RunError, match="cannot be made"):
        RunFolder.create(tmp_path / "mine.txt" / "run", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(tmp_path):
    assert RunFolder.create(tmp_path, "x").path == tmp_path


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(RunError, match=r"cannot be made: .* is not yours to write"):
        RunFolder.check_free(tmp_path / "a" / "b")


def test_a_run_is_opened_by_its_folder_or_any_file_in_it(tmp_path):
    run = RunFolder.create(tmp_path / "run", "x")
    with pytest.raises(RunError, match="is no run folder"):
        RunFolder.open(run.path)
    run.write_text("plan.toml", "")
    assert RunFolder.open(run.path).path == run.path
    assert RunFolder.open(run.path / "plan.toml").path == run.path


def test_json_and_text_are_read_back_to_the_letter(tmp_path):
    run = RunFolder.create(tmp_path / "run", "x")
    run.write_json("a.json", {"name": "bad\udcff", "loss": float("nan")})
    assert run.read_json("a.json") == {"name": "bad\udcff", "loss": None}
    run.write_text("a.csv", 'a,"lone\rreturn"\r\n')
    assert run.read_text("a.csv") == 'a,"lone\rreturn"\r\n'


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": 2}', b"\xff\xfe", b"null"])
def test_a_damaged_file_is_named(tmp_path, content):
    run = RunFolder.create(tmp_path / "run", "x")
    (run.path / "data.json").write_bytes(content)
    with pytest.raises(RunError, match=r"data\.json (is damaged|is not of schema 1|cannot be read)"):
        run.read_json("data.json")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match=r"has no metrics\.json: the run did not get that far"):
        RunFolder.create(tmp_path / "run", "x").read_json("metrics.json")


def test_what_a_killed_process_left_is_swept_up_and_nothing_else(tmp_path):
    run = RunFolder.create(tmp_path / "run", "x")
    run.write_text("plan.toml", "")
    for debris in (run.path / ".writing-abc", run.path / "checkpoints" / ".writing-def"):
        debris.write_bytes(b"half")
    run.sweep()
    assert sorted(path.name for path in run.path.rglob("*")) == ["checkpoints", "plan.toml"]


def test_a_run_in_the_home_folder_is_made_and_found_there(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert RunFolder.create(Path("~/made"), "net").path == tmp_path / "made"
    (tmp_path / "made" / "plan.toml").touch()
    assert RunFolder.open(Path("~/made")).path == tmp_path / "made"
    assert not (tmp_path / "~").exists()
