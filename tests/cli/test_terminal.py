"""Text for any terminal, words beside the answer, and what a terminal can show."""

import io
import os
import subprocess
import sys

import pytest
from PIL import Image

from thalweg.cli.main import main
from thalweg.cli.settings import Settings
from thalweg.cli.terminal import can_show, emit_text, folded, has_colour, tell_page, write_missing_letters_as_escapes


def standard_output(monkeypatch, encoding):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    return raw


def test_letters_that_the_terminal_lacks_become_escapes(monkeypatch):
    written = standard_output(monkeypatch, "ascii")
    write_missing_letters_as_escapes()
    emit_text("größer \u2588\n")
    assert written.getvalue() == b"gr\\xf6\\xdfer \\u2588\n"


def test_lines_and_signs_become_plain_ones_of_the_same_width(monkeypatch):
    written = standard_output(monkeypatch, "cp1252")
    write_missing_letters_as_escapes()
    emit_text("┌─┐ 3×3\n│a│ → ▼ \u2068…\u2069 ≥ é س\n└┬┘ ±\n")
    assert written.getvalue() == b"+-+ 3\xd73\n|a| > v \x85 >= \xe9 \\u0633\n+++ \xb1\n"


@pytest.mark.parametrize(("columns", "lines"), [(60, 1), (40, 2)])
def test_a_terminal_gets_lines_that_fit_and_a_file_gets_them_whole(monkeypatch, columns, lines):
    text = "processor  one of a kind, avx2, avx512_bf16, amx_tile\n\nend\n"
    assert folded(text, hang=11) == text
    standard_output(monkeypatch, "utf-8")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    told = folded(text, hang=11).splitlines()
    assert len(told) == lines + 2
    assert all(len(line) <= columns for line in told)
    assert told[1] == (" " * 11 + "avx512_bf16, amx_tile" if lines > 1 else "")


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "ascii"])
def test_a_drawing_stays_one_on_a_windows_code_page(monkeypatch, encoding):
    written = standard_output(monkeypatch, encoding)
    with pytest.raises(SystemExit) as stop:
        main(["draw", "small"])
    assert stop.value.code == 0
    text = written.getvalue().decode(encoding)
    assert "\\u" not in text
    assert max(map(len, text.splitlines())) < 90


@pytest.mark.parametrize(
    ("words", "encoding", "told"),
    [
        (["--lang", "fa", "rule", "CUR010"], "cp1252", True),
        (["rule", "CUR010"], "cp1252", False),
        (["--lang", "fa", "rule", "CUR010"], "utf-8", False),
        (["--lang", "fa", "rule", "CUR010", "--json"], "cp1252", False),
        (["--lang", "fa", "--quiet", "rule", "CUR010"], "cp1252", False),
    ],
)
def test_a_code_page_without_the_language_is_told_with_the_way_out(monkeypatch, capfd, words, encoding, told):
    standard_output(monkeypatch, encoding)
    with pytest.raises(SystemExit):
        main(words)
    assert ("standard output is cp1252, which has no letters of --lang fa" in capfd.readouterr().err) is told


@pytest.mark.parametrize("words", [["--help", "--lang", "fa"], ["check", "."]])
def test_a_windows_code_page_is_no_reason_to_fail(tmp_path, words):
    for name in ("گربه‌ها", "dog"):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.new("RGB", (16, 16), (40 * number, 90, len(name))).save(tmp_path / name / f"{number}.png")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "thalweg", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert b"\\u06" in done.stdout


@pytest.mark.parametrize(("encoding", "has_blocks"), [("ascii", False), ("latin-1", False), ("utf-8", True)])
def test_what_can_be_shown_follows_from_the_encoding(monkeypatch, encoding, has_blocks):
    written = standard_output(monkeypatch, encoding)
    assert can_show("\u2581\u2588") is has_blocks
    assert written.getvalue() == b""


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),  # an empty one asks for nothing
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colours_are_for_terminals_that_have_and_people_who_want_them(monkeypatch, terminal, environment, coloured):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    out.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stdout", out)
    assert has_colour() is coloured


def test_a_page_is_told_beside_the_answer_unless_one_wants_quiet(capsys):
    tell_page(Settings(), None)
    tell_page(Settings(quiet=True), "page.html")
    tell_page(Settings(), "page\x07.html")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "Page: page\\u0007.html\n"


@pytest.mark.skipif(os.name == "nt", reason="outputs are closed by a shell of Unix")
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_outputs_that_are_closed_take_nothing_and_break_nothing(closed, tmp_path):
    line = f"{sys.executable} -m thalweg rule LRN001 --json {closed}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_a_reader_that_has_read_enough_is_no_failure():
    """`thalweg rule | head -1`, also where a script wants every part of a pipeline to be good (`pipefail`)."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "thalweg", "rule", "LRN001"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
