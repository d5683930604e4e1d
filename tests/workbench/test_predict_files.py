"""Which files of a folder are pictures to predict: what lies beside the photos is no failure."""

import os
import zipfile

import pytest

from thalweg.core.errors import PlanError
from thalweg.workbench.answering.picture_places import as_files, files_in, missing


def test_what_lies_beside_photos_is_passed_over_and_a_damaged_photo_is_not(tmp_path):
    for name in ("a.jpg", "b/c.PNG", "b/d.heic", "README.txt", "labels.csv", "LICENSE", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "a.jpg").write_bytes(b"")
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff\xe0")
    found = [file.removeprefix(f"{tmp_path}/") for file in files_in([tmp_path])]
    assert found == ["a.jpg", "b/c.PNG", "b/d.heic", "photo"]


def test_a_file_that_is_named_itself_is_tried_whatever_its_name(tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"")
    assert list(files_in([tmp_path / "notes.txt"])) == [str(tmp_path / "notes.txt")]


def test_what_cannot_be_had_is_tried_and_a_loop_ends(tmp_path):
    for name in ("photos", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes(b"")
    os.mkfifo(tmp_path / "photos" / "pipe.png")
    for name, target in (("back", ".."), ("far", "../elsewhere"), ("gone.png", "nowhere.png"), ("gone.md", "no.md")):
        (tmp_path / "photos" / name).symlink_to(target)
    found = [file.removeprefix(f"{tmp_path}/photos/") for file in files_in([tmp_path / "photos"])]
    assert found == ["a.jpg", "far/a.jpg", "gone.png", "pipe.png"]
    assert missing(str(tmp_path / "photos" / "gone.png")) == "a link that leads nowhere"


def test_patterns_are_the_files_that_fit_them(tmp_path):
    for name in ("a.jpg", "b.jpg", "c.png", "[x].jpg"):
        (tmp_path / name).write_bytes(b"")
    with as_files([f"{tmp_path}/*.jpg", f"{tmp_path}/[x].jpg", f"{tmp_path}/*.gif"]) as named:
        found = [str(each).removeprefix(f"{tmp_path}/") for each in named.places]
    assert found == ["[x].jpg", "a.jpg", "b.jpg", "[x].jpg", "*.gif"]
    assert missing(f"{tmp_path}/*.gif") == "no file fits this pattern"


def test_members_of_an_archive_are_called_by_it(tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "deep" / "in" / "cache"))
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
        archive.writestr("cats/a.jpg", b"")
        archive.writestr("../../slip.jpg", b"")
    with as_files(tmp_path / "new.zip") as named:
        assert [named.told(file) for file in files_in(named.places)] == [f"{tmp_path}/new.zip/cats/a.jpg"]
        assert [each.file for each in named.left_out] == [f"{tmp_path}/new.zip/../../slip.jpg"]
    assert not list(tmp_path.rglob("slip.jpg"))


def test_an_empty_name_is_not_the_working_folder():
    with pytest.raises(PlanError, match=r"a name is empty \(''\)"), as_files([""]):
        pass
