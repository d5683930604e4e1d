"""Downloads that are endless, stalled, short, of the wrong kind, or simply good."""

import pathlib

import pytest

from thalweg.core.errors import SourceError
from thalweg.core.files import cache_folder
from thalweg.data.opening import connection
from thalweg.data.opening import fetch as fetch_file
from thalweg.data.opening.fetch import fetch

BODY = b"PK\x03\x04" + bytes(range(256)) * 100


def nothing_kept(cache):
    return [path for path in cache.rglob("*") if path.is_file()] == []


def test_the_cache_is_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("THALWEG_CACHE", "/own")
    assert cache_folder() == pathlib.Path("/own")
    monkeypatch.delenv("THALWEG_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == pathlib.Path("/xdg/thalweg")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_folder() == pathlib.Path("/home/somebody/.cache/thalweg")


def test_a_good_download_is_kept_and_found_again(server, own_cache):
    lines = []
    server.answers["/photos.zip"] = lambda handler: handler.answer(BODY, ETag='"1"')
    path = fetch(server.url + "/photos.zip?token=secret", progress=lines.append)
    assert path.read_bytes() == BODY
    assert path.name == "photos.zip"
    assert lines
    assert "secret" not in "".join(lines)
    lines.clear()
    assert fetch(server.url + "/photos.zip?token=secret", progress=lines.append) == path
    assert lines == []  # the body was not read again
    assert sorted(entry.name for entry in (own_cache / "downloads").iterdir()) == [path.parent.name]


def test_a_new_version_is_downloaded_anew(server, own_cache):
    versions = iter([{"body": BODY, "ETag": '"1"'}, {"body": BODY[::-1], "ETag": '"2"'}])
    server.answers["/a"] = lambda handler: handler.answer(**next(versions))
    first, second = fetch(server.url + "/a"), fetch(server.url + "/a")
    assert first != second
    assert second.read_bytes() == BODY[::-1]


def test_without_a_version_the_contents_decide(server, own_cache):
    bodies = iter([BODY, BODY, BODY[::-1]])
    server.answers["/a"] = lambda handler: handler.answer(next(bodies))
    first, second, third = (fetch(server.url + "/a") for _ in range(3))
    assert first == second != third


def test_a_body_without_length_is_taken(server, own_cache):
    server.answers["/a"] = lambda handler: handler.answer(BODY, Content_Length=None)
    assert fetch(server.url + "/a").read_bytes() == BODY


def test_an_endless_body_is_stopped(server, own_cache, monkeypatch):
    monkeypatch.setattr(fetch_file, "MOST_UNANNOUNCED_BYTES", 3 << 20)

    def endless(handler):
        handler.answer(BODY, Content_Length=None)
        for _ in range(1000):
            handler.wfile.write(bytes(1 << 16))

    server.answers["/a"] = endless
    with pytest.raises(SourceError, match=r"gave more than 3 MiB and was stopped"):
        fetch(server.url + "/a")
    assert nothing_kept(own_cache)


def test_a_stalled_body_is_given_up(server, own_cache, monkeypatch):
    monkeypatch.setattr(connection, "READ_SECONDS", 0.3)

    def stall(handler):
        handler.answer(BODY, Content_Length="1000000")
        server.stopped.wait(5)

    server.answers["/a"] = stall
    with pytest.raises(SourceError, match=r"gave nothing for"):
        fetch(server.url + "/a")
    assert nothing_kept(own_cache)


def test_a_trickling_body_is_given_up(server, own_cache, monkeypatch):
    monkeypatch.setattr(fetch_file, "SLOW_SECONDS", 0.3)

    def trickle(handler):
        handler.answer(b"PK", Content_Length="1000000")
        for _ in range(100):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            server.stopped.wait(0.02)

    server.answers["/a"] = trickle
    with pytest.raises(SourceError, match=r"gave only \d+ bytes in"):
        fetch(server.url + "/a")
    assert nothing_kept(own_cache)


def test_a_short_body_is_refused(server, own_cache):
    server.answers["/a"] = lambda handler: handler.answer(BODY, Content_Length=str(len(BODY) + 1), ETag='"1"')
    with pytest.raises(SourceError, match=r"connection broke|ended after"):
        fetch(server.url + "/a")
    assert nothing_kept(own_cache)


def test_an_announced_giant_is_refused_at_once(server, own_cache):
    server.answers["/a"] = lambda handler: handler.answer(BODY, Content_Length=str(100 << 40))
    with pytest.raises(SourceError, match=r"has 102,400\.0 GiB, but only"):
        fetch(server.url + "/a")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"body": BODY, "Content_Type": "text/html; charset=utf-8"}, "is a web page, no archive"),
        ({"body": b"\n<!DOCTYPE html><p>log in"}, "is a web page, no archive"),
        ({"body": b"gone", "status": 404}, "answers '404 Not Found'"),
        ({"body": b"", "status": 500}, "answers '500"),
        ({"body": b""}, "gave 0 bytes"),
    ],
)
def test_what_is_no_archive_is_one_sentence(server, own_cache, answer, words):
    server.answers["/a"] = lambda handler: handler.answer(**answer)
    with pytest.raises(SourceError, match=words):
        fetch(server.url + "/a")
    assert nothing_kept(own_cache)


@pytest.mark.parametrize("name", ["/..%2f..%2fevil", "/%2e%2e", "/.hidden", "/" + "x" * 500, "/%00"])
def test_a_hostile_name_stays_in_the_cache(server, own_cache, name):
    server.answers[name] = lambda handler: handler.answer(BODY)
    path = fetch(server.url + name)
    assert path.parent.parent == own_cache / "downloads"
    assert len(path.name) <= 100
    assert not path.name.startswith(".")


def test_a_cache_that_cannot_be_written_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "file"))
    server.answers["/a"] = lambda handler: handler.answer(BODY)
    with pytest.raises(SourceError, match=r"set THALWEG_CACHE to a folder with room"):
        fetch(server.url + "/a")
