"""Google Drive, imitated on loopback: direct answer, confirmation page, quota page, sign-in, nonsense."""

import builtins

import pytest

from thalweg.core.errors import MissingExtraError, SourceError
from thalweg.data.opening.drive import drive_file_id, fetch_from_drive, is_drive_link

LINK = "https://drive.google.com/file/d/1aB_c-9/view?usp=sharing"
BODY = b"PK\x03\x04" + bytes(range(256)) * 10

CONFIRM = """<html><head><title>Google Drive - Virus scan warning</title></head><body>
<form id="download-form" action="{url}/download" method="get">
<input type="submit" id="uc-download-link" value="Download anyway"/>
<input type="hidden" name="id" value="1aB_c-9"><input type="hidden" name="export" value="download">
<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="u-1"></form></body></html>"""
QUOTA = """<html><head><title>Google Drive - Quota exceeded</title></head><body><p class="uc-error-caption">Sorry, you
can't view or download this file at this time.</p><p class="uc-error-subcaption">Too many users have viewed or
downloaded this file recently.</p></body></html>"""


def html(page, status=200):
    return lambda handler: handler.answer(page.encode(), status=status, Content_Type="text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("link", "identity"),
    [
        (LINK, "1aB_c-9"),
        ("https://drive.google.com/file/d/1aB_c-9", "1aB_c-9"),
        ("https://drive.google.com/file/u/0/d/1aB_c-9/edit", "1aB_c-9"),
        ("https://drive.google.com/uc?id=1aB_c-9&export=download", "1aB_c-9"),
        ("https://drive.google.com/open?id=1aB_c-9", "1aB_c-9"),
        ("https://drive.usercontent.google.com/download?id=1aB_c-9", "1aB_c-9"),
    ],
)
def test_every_form_of_a_link(link, identity):
    assert is_drive_link(link)
    assert drive_file_id(link) == identity


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://drive.google.com/drive/folders/1aB_c-9?usp=sharing", "is a Drive folder; download it in a browser"),
        ("https://docs.google.com/spreadsheets/d/1aB/edit", "is a Google document"),
        ("https://drive.google.com/drive/my-drive", "names no Drive file"),
        ("https://drive.google.com/uc?id=../../x", "names no Drive file"),
    ],
)
def test_what_is_no_file_is_one_sentence(link, words):
    with pytest.raises(SourceError, match=words):
        drive_file_id(link)


def test_other_hosts_are_not_drive():
    assert not is_drive_link("https://drive.google.com.evil.org/file/d/1/view")
    assert not is_drive_link("https://[broken")


def test_a_small_file_comes_at_once_and_is_found_again(server, own_cache):
    server.answers["/uc"] = lambda handler: handler.answer(BODY, ETag='"1"', Content_Type="application/zip")
    path = fetch_from_drive(LINK, _base=server.url)
    assert path.read_bytes() == BODY
    assert fetch_from_drive("https://drive.google.com/open?id=1aB_c-9", _base=server.url) == path
    assert server.asked[0] == "/uc?export=download&id=1aB_c-9"


def test_a_large_file_comes_behind_its_page(server, own_cache):
    server.answers["/uc"] = html(CONFIRM.format(url=server.url))
    server.answers["/download"] = lambda handler: handler.answer(BODY, Content_Type="application/octet-stream")
    assert fetch_from_drive(LINK, _base=server.url).read_bytes() == BODY
    assert "confirm=t" in server.asked[1]
    assert "uuid=u-1" in server.asked[1]


@pytest.mark.parametrize("status", [200, 403, 429])
def test_a_used_up_quota_names_the_manual_way(server, own_cache, status):
    server.answers["/uc"] = html(QUOTA, status)
    with pytest.raises(SourceError, match=r"quota\); open the link in a browser.*thalweg train FILE\.zip"):
        fetch_from_drive(LINK, _base=server.url)


def test_a_quota_page_behind_the_confirmation_is_seen_too(server, own_cache):
    server.answers["/uc"] = html(CONFIRM.format(url=server.url))
    server.answers["/download"] = html(QUOTA)
    with pytest.raises(SourceError, match=r"quota\); open the link in a browser"):
        fetch_from_drive(LINK, _base=server.url)


@pytest.mark.parametrize(
    ("page", "status", "words"),
    [
        ("<html>You need access", 401, "is not shared"),
        ("<html>Not Found", 404, "does not exist"),
        ("<html>something new", 200, r"cannot be downloaded .*thalweg train FILE\.zip"),
        ('<form id="download-form">', 200, r"cannot be downloaded .*thalweg train FILE\.zip"),
    ],
)
def test_other_pages_are_one_sentence(server, own_cache, page, status, words):
    server.answers["/uc"] = html(page, status)
    with pytest.raises(SourceError, match=words):
        fetch_from_drive(LINK, _base=server.url)


def test_pages_without_end_are_refused(server, own_cache):
    server.answers["/uc"] = server.answers["/download"] = html(CONFIRM.format(url=server.url))
    with pytest.raises(SourceError, match=r"shows more than 3 pages"):
        fetch_from_drive(LINK, _base=server.url)


def test_a_page_that_leads_to_another_door_of_this_machine_is_refused(server, second_server, own_cache):
    second_server.answers["/download"] = lambda handler: handler.answer(b"secret")
    server.answers["/uc"] = html(CONFIRM.format(url=second_server.url))
    with pytest.raises(SourceError, match=r"private address"):
        fetch_from_drive(LINK, _base=server.url)
    assert second_server.asked == []


def test_without_gdown_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def refuse(name, *arguments, **options):
        if name.startswith("gdown"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"pip install 'thalweg\[drive\]'"):
        fetch_from_drive(LINK)
