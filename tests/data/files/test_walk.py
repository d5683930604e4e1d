"""Folders that may hold anything: each entry is a candidate, left out with a reason, or debris."""

import os
import socket

import pytest

from thalweg.data.files.walk import list_folder, maybe_picture, walk_folders

SIGNATURES = {
    "jpeg": b"\xff\xd8\xff\xe0",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "bmp": b"BM\x36\x00\x00\x00\x00\x00\x00\x00",
    "webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "tiff": b"II*\x00",
    "pgm": b"P5\n10 10",
    "avif": b"\x00\x00\x00\x20ftypavif",
}


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.Png", "a.b.tif", "گربه.webp", "a.pbm", "a.mpo", "a.avif"])
def test_a_name_makes_a_candidate(name):
    assert maybe_picture("/nowhere", name) == ""


@pytest.mark.parametrize("kind", SIGNATURES)
@pytest.mark.parametrize("name", ["noname", "odd.dat", "trailing."])
def test_first_bytes_make_a_candidate_of_an_odd_name(tmp_path, kind, name):
    (tmp_path / name).write_bytes(SIGNATURES[kind] + bytes(20))
    assert maybe_picture(str(tmp_path), name) == ""


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.txt", SIGNATURES["png"], "no picture by its name: .txt"),
        ("odd.dat", b"BMW is a car", "no picture by its name: .dat"),
        ("noname", b"hello", "no picture by its first bytes"),
        ("empty", b"", "no picture by its first bytes"),
        ("more.zip", SIGNATURES["png"], "an archive inside the source (.zip); unpack it to use what it holds"),
        ("phone.HEIC", b"", "pictures of the kind .heic are not read; save it as JPEG or PNG"),
        ("phone.heif", b"\0\0\0\x18ftypheic", "pictures of the kind .heif are not read; save it as JPEG or PNG"),
        ("renamed.HEIC", SIGNATURES["jpeg"], ""),
        ("camera.nef", b"II*\0" + bytes(20), "pictures of the kind .nef are not read; save it as JPEG or PNG"),
    ],
)
def test_everything_else_has_a_reason(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    assert maybe_picture(str(tmp_path), name) == reason


def test_a_pipe_that_took_a_file_s_place_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "noname")
    assert maybe_picture(str(tmp_path), "noname") == "no picture by its first bytes"
    assert "cannot be read" in maybe_picture(str(tmp_path), "vanished")


def test_every_kind_of_entry(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.jpg").write_bytes(b"")
    (tmp_path / "to-folder").symlink_to("folder")
    (tmp_path / "to-file").symlink_to("file.jpg")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    for junk in (".DS_Store", "._file.jpg", "Thumbs.db", ".hidden.jpg", ".git"):
        (tmp_path / junk).write_bytes(b"")
    (tmp_path / "__MACOSX").mkdir()
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
        listing = list_folder(str(tmp_path))
    assert (listing.folders, listing.linked, listing.files) == (("folder",), ("to-folder",), ("file.jpg", "to-file"))
    assert {notice.file: notice.reason for notice in listing.left_out} == {
        ".hidden.jpg": "hidden: its name begins with a dot",
        "dangling": "a link that leads nowhere",
        "pipe": "a named pipe, no file",
        "self": "a link that leads back to itself",
        "socket": "a socket, no file",
    }


def test_loops_end_and_a_folder_is_read_once(tmp_path):
    (tmp_path / "cat/inner").mkdir(parents=True)
    (tmp_path / "cat/inner/1.jpg").write_bytes(b"")
    (tmp_path / "cat/inner/up").symlink_to(tmp_path / "cat")
    (tmp_path / "a-link").symlink_to("cat/inner")
    (tmp_path / "elsewhere").symlink_to("a-link")
    found, left_out = walk_folders(str(tmp_path), ["cat"], linked=["a-link", "elsewhere"])
    assert found == {"cat": ["cat/inner/1.jpg"], "a-link": [], "elsewhere": []}
    assert {notice.file for notice in left_out} == {"cat/inner/up", "a-link", "elsewhere"}
    assert all("read already" in notice.reason for notice in left_out)


def test_a_linked_folder_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/1.jpg").write_bytes(b"")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat").symlink_to(tmp_path / "disk")
    assert walk_folders(str(tmp_path / "photos"), [], linked=["cat"])[0] == {"cat": ["cat/1.jpg"]}


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), FileNotFoundError(2, "No such file")])
@pytest.mark.parametrize("function", ["scandir", "stat"])
def test_unreadable_and_vanishing_folders_are_named(tmp_path, monkeypatch, error, function):
    for name in ("cat", "cat/locked"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"")
    real = getattr(os, function)

    def refuse(path, *arguments, **options):
        if str(path).endswith("locked"):
            raise error
        return real(path, *arguments, **options)

    monkeypatch.setattr(f"os.{function}", refuse)
    found, left_out = walk_folders(str(tmp_path), ["cat"])
    assert found == {"cat": ["cat/1.jpg"]}
    assert [(notice.file, notice.reason) for notice in left_out] == [
        ("cat/locked", f"cannot be read ({error.strerror})")
    ]


def test_a_tree_deeper_than_any_path_ends(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("x" * 100, dir_fd=here)
        inner = os.open("x" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    _, left_out = walk_folders(str(tmp_path), ["x" * 100])
    assert len(left_out) == 1
    assert "File name too long" in left_out[0].reason


def test_runs_written_into_their_own_source_are_passed_over(tmp_path):
    for run in ("runs/first", "second"):
        (tmp_path / run / "figures").mkdir(parents=True)
        for name in ("plan.toml", "environment.json", "figures/01.png"):
            (tmp_path / run / name).touch()
    (tmp_path / "cat").mkdir()
    assert list_folder(str(tmp_path)).folders == ("cat",)
    (tmp_path / "runs" / "photos").mkdir()  # a folder of that name with anything else in it may be a class
    assert list_folder(str(tmp_path)).folders == ("cat", "runs")
    assert list_folder(str(tmp_path), "runs").folders == ("photos",)
