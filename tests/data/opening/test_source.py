"""What the user may name, and where it ends up."""

import os
import shutil
import socket
import time
import zipfile

import pytest

from thalweg.core.errors import MissingExtraError, SourceError
from thalweg.data.opening import source as source_file
from thalweg.data.opening.source import open_source


@pytest.fixture
def photos_zip(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("cat/1.png", b"a")
        file.writestr("../2.png", b"b")
    return path


def test_a_folder_is_used_in_place(tmp_path, own_cache):
    (tmp_path / "photos").mkdir()
    opened = open_source(tmp_path / "photos")
    assert (opened.root, opened.kind, opened.upright) == (tmp_path / "photos", "folder", True)
    assert not own_cache.exists()


def test_an_archive_is_unpacked_once(photos_zip, own_cache, monkeypatch):
    lines = []
    first = open_source(photos_zip, progress=lines.append)
    assert (first.root / "cat/1.png").read_bytes() == b"a"
    assert [notice.file for notice in first.left_out] == ["../2.png"]
    assert lines == ["Unpacking photos.zip ..."]
    monkeypatch.setattr(source_file, "unpack", None)
    moved = photos_zip.rename(photos_zip.with_name("other name"))
    second = open_source(str(moved))
    assert (second.root, second.left_out, second.kind) == (first.root, first.left_out, "archive")


def test_a_failed_unpacking_leaves_nothing(tmp_path, own_cache):
    path = tmp_path / "photos.tar"
    path.write_bytes(b"no archive" * 100)
    with pytest.raises(SourceError, match=r"photos\.tar: is no zip or tar archive"):
        open_source(path)
    assert list((own_cache / "sources").iterdir()) == []


def test_debris_of_killed_runs_is_swept(photos_zip, own_cache):
    shelf = own_cache / "sources"
    for name, age in ((".unpacking-old", 2 * 24 * 3600), (".unpacking-running", 60)):
        (shelf / name).mkdir(parents=True)
        os.utime(shelf / name, (time.time() - age,) * 2)
    open_source(photos_zip)
    assert sorted(path.name for path in shelf.glob(".*")) == [".unpacking-running"]


def test_a_damaged_cache_is_named(photos_zip, own_cache):
    (open_source(photos_zip).root.parent / "left-out.json").write_text("[")
    with pytest.raises(SourceError, match=r"damaged .*; delete that folder"):
        open_source(photos_zip)


def test_a_faster_run_wins(photos_zip, own_cache, monkeypatch):
    first = open_source(photos_zip)
    kept = first.root.parent.rename(own_cache / "kept")
    real = source_file.unpack

    def slow(archive, target):
        shutil.copytree(kept, first.root.parent)
        return real(archive, target)

    monkeypatch.setattr(source_file, "unpack", slow)
    assert open_source(photos_zip) == first
    assert [path.name for path in (own_cache / "sources").iterdir()] == [first.root.parent.name]


def test_a_link_is_fetched_and_unpacked(server, photos_zip, own_cache):
    body = photos_zip.read_bytes()
    server.answers["/photos.zip"] = lambda handler: handler.answer(body, ETag='"1"')
    opened = open_source(server.url + "/photos.zip")
    assert opened.kind == "url"
    assert (opened.root / "cat/1.png").read_bytes() == b"a"
    assert open_source(server.url + "/photos.zip") == opened


def test_a_drive_link_goes_to_drive(photos_zip, own_cache, monkeypatch):
    place = own_cache / "downloads" / "key" / "archive"
    place.parent.mkdir(parents=True)
    shutil.copy(photos_zip, place)
    monkeypatch.setattr(source_file, "fetch_from_drive", lambda *_, **__: place)
    opened = open_source("https://drive.google.com/file/d/1aB/view")
    assert (opened.kind, opened.root.parent.name) == ("drive", "key")


@pytest.mark.parametrize("link", ["file:///etc", "ftp://example.org/a.zip", "http://192.0.2.1/a.zip"])
def test_other_links_are_refused(link):
    with pytest.raises(SourceError, match=r"https://"):
        open_source(link)


def test_a_missing_name_suggests_the_nearest(tmp_path):
    (tmp_path / "solar-cells").mkdir()
    with pytest.raises(SourceError, match=r"no such folder or file; did you mean .*solar-cells\?"):
        open_source(tmp_path / "solar-cell")
    with pytest.raises(SourceError, match=r"no such folder or file$"):
        open_source(tmp_path / "zebra")
    with pytest.raises(SourceError, match=r"its folder .* does not exist either"):
        open_source(tmp_path / "nowhere" / "zebra")


def test_what_is_neither_folder_nor_file(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match=r"neither a folder nor a file"):
        open_source(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
        with pytest.raises(SourceError, match=r"neither a folder nor a file"):
            open_source("socket")


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5000])
def test_an_impossible_name_is_one_sentence(name):
    with pytest.raises(SourceError, match=r"cannot be opened"):
        open_source(name)


def test_an_unreadable_archive_is_one_sentence(photos_zip, own_cache, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(SourceError, match=r"cannot be read \(Permission denied\)"):
        open_source(photos_zip)


def test_a_cache_that_cannot_be_written_is_named(photos_zip, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "file"))
    with pytest.raises(SourceError, match=r"set THALWEG_CACHE"):
        open_source(photos_zip)


def test_the_demo_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"thalweg\[demo\]"):
        open_source("elpv")
