"""Files are whole or old, never half; and names fit on a line."""

import errno
import os
import pathlib
import stat
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core import files
from thalweg.core.errors import PlanError
from thalweg.core.files import at_home, page_to_write, printable, refuse_foreign, write_atomically


def fail(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def stop(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("content", ["گربه\n", b"\x00\xff", ""])
def test_the_file_holds_what_was_written(tmp_path, content):
    path = tmp_path / "a"
    write_atomically(path, "old")
    write_atomically(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("interruption", [fail, stop])
@pytest.mark.parametrize("point", ["fdopen", "fsync", "chmod", "replace"])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, point, interruption):
    path = tmp_path / "a"
    write_atomically(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(files.os, point, interruption)
        with pytest.raises((OSError, KeyboardInterrupt)):
            write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_bytes_reach_the_disk_before_the_name_and_the_folder_after_it(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor):
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def noting_replace(source, target):
        calls.append("rename")
        assert pathlib.Path(source).read_text() == "whole"
        replace(source, target)

    monkeypatch.setattr(files.os, "fsync", noting_fsync)
    monkeypatch.setattr(files.os, "replace", noting_replace)
    write_atomically(tmp_path / "a", "whole")
    assert calls == ["file", "rename", "folder"]


def test_others_may_read_what_the_umask_lets_them(tmp_path):
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@given(st.text(st.characters()))
def test_a_name_is_one_visible_line(name):
    shown = printable(name)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    for character in shown:
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert character in "\u200c\u200d" or unicodedata.category(character) != "Cf"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("عکس گربه.png", "عکس گربه.png"),
        ("می\u200cروم 👩\u200d💻.png", "می\u200cروم 👩\u200d💻.png"),
        ("a\tb\r\n", "a\\tb\\r\\n"),
        ("bad\udcff", "bad\\xff"),
        ("exe.\u202egnp", "exe.\\u202egnp"),
        ("\x1b[31mred", "\\u001b[31mred"),
        (pathlib.Path("a/b"), f"a{os.sep}b"),
    ],
)
def test_what_is_harmless_stays(name, shown):
    assert printable(name) == shown


def test_only_the_user_s_own_home_is_spelled_out(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert at_home("~/runs") == tmp_path / "runs"
    assert str(at_home("~nobody-of-that-name")) == "~nobody-of-that-name"


@pytest.mark.parametrize("place", ["none/page.html", "folder"])
def test_what_cannot_be_written_is_called_by_its_own_name(tmp_path, place):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"page\.html|folder") as refusal:
        write_atomically(tmp_path / place, "text")
    assert refusal.value.filename == str(tmp_path / place)
    assert not list(tmp_path.rglob(f"{files.WRITING}*"))


def test_a_file_of_somebody_is_not_replaced(tmp_path):
    page = tmp_path / "page.html"
    for content in ("", '<!doctype html><meta name="generator" content="thalweg">'):
        page.write_text(content)
        assert page_to_write(page) == page
    page.write_text("<!doctype html>mine")
    with pytest.raises(PlanError, match=r"--html .*page\.html is there already and was not written by thalweg"):
        page_to_write(page)
    page.write_bytes(bytes(1 << 20) + b"class_names")
    refuse_foreign(page, "--out", b"class_names", at_end=True)
    with pytest.raises(PlanError, match="--out"):
        refuse_foreign(page, "--out", b"class_names")


def test_a_full_disk_is_told_with_the_place(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left") as refusal:
        write_atomically(tmp_path / "report.html", "text")
    assert refusal.value.filename == str(tmp_path / "report.html")
