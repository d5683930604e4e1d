"""A third language is one file: it appears by itself, speaks, and what is wrong with it is one sentence."""

import importlib.resources
import shutil

import pytest

from thalweg.cli.main import main
from thalweg.core import languages
from thalweg.core.errors import PlanError, ThalwegError

GERMAN = """
msgctxt "frame"
msgid "direction"
msgstr "ltr"

msgctxt "help"
msgid "Follow a run in the terminal until it ends."
msgstr "Folgt einem Lauf, bis er endet."

msgid "{{files:number} files belonging to {classes:number} classes"
msgstr ""

msgid "photos: there is no such folder or file"
msgstr "photos: das gibt es nicht"

msgid "{rows:number} of {all:number} rows"
msgstr "{rows} Zeilen von {all}"
""".replace("{{files", "{files")


@pytest.fixture
def catalogues(tmp_path, monkeypatch):
    """A copy of the catalogues' folder that a test may add to."""
    shutil.copytree(str(importlib.resources.files("thalweg.core").joinpath("catalogues")), tmp_path / "catalogues")
    monkeypatch.setattr(languages.importlib.resources, "files", lambda _: tmp_path)
    for cached in (languages.languages, languages.speaker):
        cached.cache_clear()
    yield tmp_path / "catalogues"
    for cached in (languages.languages, languages.speaker):
        cached.cache_clear()


def test_a_file_is_enough(catalogues, capsys):
    (catalogues / "de.po").write_text(GERMAN, "utf-8")
    assert languages.languages() == ("en", "de", "fa")
    assert languages.speaker("de").say("3 of 7 rows") == "3 Zeilen von 7"
    with pytest.raises(SystemExit):
        main(["follow", "--help", "--lang", "de"])
    assert "Folgt einem Lauf, bis er endet." in capsys.readouterr().out


def test_what_a_young_catalogue_lacks_stays_english(catalogues, capsys):
    (catalogues / "de.po").write_text(GERMAN, "utf-8")
    with pytest.raises(SystemExit):
        main(["rule", "CUR001", "--lang", "de"])
    assert "Watches: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('msgid "a"\nmsgstr b\n', "de.po, line 2: 'b' is no quoted text"),
        ('msgid "a"\nmsgstr "b"\nnonsense here\n', "de.po, line 3: 'nonsense here' is no line of a catalogue"),
        ('msgid "{a} of {b}"\nmsgstr "{a} von {c}"\n', "de.po, line 1: the translation has the gap {c}"),
        ('msgid "{a} of {b}"\nmsgstr "{a} von {b"\n', "de.po, line 1: "),
    ],
)
def test_an_ill_file_is_one_sentence_with_its_place(catalogues, capsys, text, place):
    (catalogues / "de.po").write_text(text, "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["rule", "CUR001", "--lang", "de"])
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"thalweg: {place}")
    assert shown.count("\n") == 1


def test_bytes_that_are_no_text_are_one_sentence_too(catalogues, capsys):
    (catalogues / "de.po").write_bytes(b"msgid \xff\xfe")
    with pytest.raises(SystemExit) as ended:
        main(["rule", "CUR001", "--lang", "de"])
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith("thalweg: de.po")
    assert shown.count("\n") == 1


def test_an_unknown_language_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["rule", "CUR001", "--lang", "tlh"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "thalweg: --lang tlh: choose one of en, fa\n"
    with pytest.raises(PlanError, match="en, fa"):
        languages.speaker("tlh")
    assert issubclass(PlanError, ThalwegError)
