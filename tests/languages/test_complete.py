"""Every message of the areas that docs/languages.md calls covered stands in every catalogue."""

import re
import string

import pytest

from thalweg.core.catalogue_file import read_catalogue
from thalweg.core.languages import languages
from thalweg.rendering.words import WORDS

COVERED = (
    *("workbench/report.py", "workbench/report_parts.py", "workbench/report_answer.py", "workbench/report_data.py"),
    *("rendering/diagnosis_page.py", "rendering/diagnosis_text.py", "rendering/telling_apart.py"),
    *("diagnosis/wording.py", "diagnosis/remedies.py", "diagnosis/learning_rate.py", "diagnosis/live_rate.py"),
    *("diagnosis/rate_model.py", "diagnosis/curve.py", "diagnosis/noise.py", "diagnosis/overfitting.py"),
    *(f"diagnosis/rules/{name}.py" for name in ("activations", "batches", "curvature", "curves", "data", "depth")),
    *(f"diagnosis/rules/{name}.py" for name in ("gradients", "head", "layers", "learning_rate", "network")),
    *("diagnosis/rules/progress.py", "diagnosis/rules/validation.py", "core/learning_rate.py", "data/health.py"),
    *("cli/data.py", "cli/training.py", "cli/display.py", "cli/explanation.py", "rendering/explain_page.py"),
    *(f"workbench/explain{name}.py" for name in ("", "_hierarchy", "_maps", "_pictures", "_samples", "_stages")),
    *("workbench/transfer.py", "workbench/transfer_start.py", "workbench/report_transfer.py", "core/explanation.py"),
)
COMMANDS = re.compile(r"^(--|thalweg |\{mean)")
"""Options and commands are said as they are in every language."""


def catalogue(language):
    import importlib.resources

    place = importlib.resources.files("thalweg.core").joinpath("catalogues", f"{language}.po")
    return read_catalogue(place.read_text("utf-8"), place.name)


def plain(message):
    """A message without the kinds of its gaps, which the catalogue may sharpen."""
    return re.sub(r"\{_*(\w+?)(:\w+)?\}", r"{\1}", message)


def gaps(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", languages()[1:])
@pytest.mark.parametrize("module", COVERED)
def test_no_message_is_left_untranslated(messages_of, module, language):
    known = {plain(entry.source) for entry in catalogue(language)}
    found = [message for message in messages_of(module) if not COMMANDS.match(message)]
    missing = [message for message in found if plain(message) not in known]
    told = "\n\n".join(f'msgid "{message}"\nmsgstr ""' for message in missing)
    assert not missing, f"{language}.po lacks:\n{told}"


@pytest.mark.parametrize("language", languages()[1:])
def test_the_frame_is_translated_with_the_same_gaps(language):
    known = {entry.source: entry.translation for entry in catalogue(language) if entry.context == "frame"}
    assert [text for text in WORDS.values() if text not in known] == []
    assert [text for text in WORDS.values() if gaps(text) != gaps(known[text])] == []
    assert known["direction"] in {"ltr", "rtl"}
    assert len(known["digits"]) == 10
    assert len(known["separators"]) == 4


@pytest.mark.parametrize("language", languages()[1:])
def test_a_translation_has_no_gap_of_its_own_and_drops_none_that_says_something(language):
    for entry in catalogue(language):
        there = {name.partition(":")[0] for name in gaps(entry.source)}
        here = gaps(entry.translation)
        assert here <= there, entry
        said_otherwise = {name for name in there if name.startswith("_") or name == "plural"}
        assert there - here <= said_otherwise, entry


@pytest.mark.parametrize("language", languages()[1:])
def test_no_message_stands_twice(language):
    keys = [(entry.context, entry.source) for entry in catalogue(language)]
    assert len(keys) == len(set(keys))


def test_the_search_for_messages_finds_them(messages_of, tmp_path, monkeypatch):
    source = (
        '"""A doc string."""\nNAME = f"{value:.1%} of {printable(name)} are {kind!r}, {a if b else c}"\nx["a b c"]\n'
    )
    (tmp_path / "module.py").write_text(source, "utf-8")
    monkeypatch.setitem(messages_of.__globals__, "SOURCES", tmp_path)
    assert messages_of("module.py") == ["{value:number} of {name:text} are {kind:text}, {_if}"]
