"""Which links are followed, and how long a server is waited for."""

import time

import pytest

from thalweg.core.errors import SourceError
from thalweg.data.opening import connection
from thalweg.data.opening.connection import answered


def body_of(url, **options):
    with answered(url, **options) as response:
        return response.read()


REFUSED = {
    "file:///etc/passwd": "only https:// links",
    "ftp://example.org/a.zip": "only https:// links",
    "https:///a.zip": "only https:// links",
    "http://192.0.2.1/a.zip": "http:// can be changed on its way",
    "https://[::1/a.zip": "is no link",
    "https://example.org:port/a.zip": "is no link",
}


@pytest.mark.parametrize("url", REFUSED)
def test_other_links_are_refused(url):
    with pytest.raises(SourceError, match=REFUSED[url]):
        body_of(url)


def test_a_password_in_a_link_is_not_shown():
    with pytest.raises(SourceError) as caught:
        body_of("http://me:secret@192.0.2.1/a.zip?token=hidden")
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_redirect_on_the_same_server_is_followed(server):
    server.answers["/a"] = lambda handler: handler.answer(status=302, Location="/b")
    server.answers["/b"] = lambda handler: handler.answer(b"here")
    assert body_of(server.url + "/a") == b"here"
    assert server.asked == ["/a", "/b"]


def test_a_redirect_to_another_door_of_this_machine_is_refused(server, second_server):
    second_server.answers["/secret"] = lambda handler: handler.answer(b"secret")
    server.answers["/a"] = lambda handler: handler.answer(status=302, Location=second_server.url + "/secret")
    with pytest.raises(SourceError, match=r"redirects to the private address"):
        body_of(server.url + "/a")
    assert second_server.asked == []


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("file:///etc/passwd", "only https"),
        ("https://10.0.0.1/", "private address"),
        ("https://169.254.169.254/latest/meta-data", "private address"),
        ("https://[::1]/", "private address"),
        ("https://[::ffff:127.0.0.1]/", "private address"),
        ("https://localhost/", "private address"),
        ("http://192.0.2.1/", "http:// can be changed"),
    ],
)
def test_redirects_that_lead_astray_are_refused(server, target, words):
    server.answers["/a"] = lambda handler: handler.answer(status=307, Location=target)
    with pytest.raises(SourceError, match=words):
        body_of(server.url + "/a")


def test_a_link_found_on_a_page_is_judged_like_a_redirect(server, second_server):
    second_server.answers["/a"] = lambda handler: handler.answer(b"secret")
    with pytest.raises(SourceError, match=r"private address"):
        body_of(second_server.url + "/a", before=server.url + "/page")
    assert body_of(second_server.url + "/a", before=second_server.url + "/page") == b"secret"


def test_redirects_without_end_are_refused(server):
    server.answers["/a"] = lambda handler: handler.answer(status=302, Location="/a")
    with pytest.raises(SourceError, match=r"more than 5 redirects"):
        body_of(server.url + "/a")
    assert len(server.asked) == 6


def test_a_server_that_says_nothing_is_given_up(server, monkeypatch):
    monkeypatch.setattr(connection, "READ_SECONDS", 0.2)
    server.answers["/a"] = lambda _: server.stopped.wait(5)
    with pytest.raises(SourceError, match=r"no answer within"):
        body_of(server.url + "/a")


def test_a_head_that_never_ends_is_given_up(server, monkeypatch):
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.4)

    def trickle(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(40):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            server.stopped.wait(0.05)

    server.answers["/a"] = trickle
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"no whole answer within"):
        body_of(server.url + "/a")
    assert time.monotonic() - start < 5


def test_nobody_there_is_one_sentence(server):
    server.server_close()
    with pytest.raises(SourceError, match=r"cannot be reached"):
        body_of(server.url + "/a")
