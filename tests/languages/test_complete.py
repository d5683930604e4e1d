"""Every message of the areas that docs/languages.md calls covered, and of every error, stands in every catalogue."""

import functools
import importlib.resources
import pathlib
import re
import string

import pytest

import thalweg
from thalweg.core.catalogue_file import read_catalogue
from thalweg.core.languages import languages
from thalweg.experiments.dimension_words import sentence_of
from thalweg.histories.reading import READERS
from thalweg.rendering.words import WORDS

SOURCES = pathlib.Path(thalweg.__file__).parent
EXPERIMENTS = sorted(str(path.relative_to(SOURCES / "experiments")) for path in SOURCES.glob("experiments/**/*.py"))
COVERED = (
    "workbench/report.py",
    *(f"workbench/reporting/{name}.py" for name in ("advice", "answer", "context", "data", "masks", "masks_scores")),
    *("workbench/reporting/parts.py", "workbench/reporting/transfer.py", "workbench/answering/mask_scores.py"),
    *("rendering/pages/diagnosis.py", "rendering/texts/diagnosis.py", "rendering/telling_apart.py"),
    *("diagnosis/wording.py", "diagnosis/remedies.py", "diagnosis/learning_rate.py", "diagnosis/live_rate.py"),
    "diagnosis/trial_features.py",
    *("diagnosis/rate_model.py", "diagnosis/curve.py", "diagnosis/noise.py", "diagnosis/overfitting.py"),
    *(f"diagnosis/rules/{name}.py" for name in ("activations", "batches", "curvature", "curves", "data", "depth")),
    *(f"diagnosis/rules/{name}.py" for name in ("gradients", "head", "layers", "learning_rate", "network")),
    *("diagnosis/rules/progress.py", "diagnosis/rules/validation.py", "core/learning_rate.py", "data/health/health.py"),
    "diagnosis/rules/standstill.py",
    *("cli/data.py", "cli/training.py", "cli/display.py", "cli/explanation.py", "rendering/pages/explanation.py"),
    "workbench/explain.py",
    *(f"workbench/explaining/{name}.py" for name in ("hierarchy", "maps", "pictures", "samples", "stages")),
    *(
        "workbench/landscape.py",
        "workbench/compare.py",
        "rendering/pages/comparison.py",
        "rendering/pages/landscape.py",
    ),
    *("rendering/pages/lab.py", *(f"experiments/{name}" for name in EXPERIMENTS)),
    *("curvature/critical_exact.py", "curvature/critical_sampled.py", "curvature/objective.py", "cli/lab.py"),
    *("workbench/notebook.py", "workbench/telling/notebook_progress.py"),
    *("rendering/figures/plane.py", "core/comparison.py", "core/landscape.py", "cli/landscape.py", "cli/comparison.py"),
    *("workbench/starting/transfer.py", "workbench/starting/transfer_start.py", "core/explanation.py"),
)
UNSAID = {
    *("rendering/diagrams/families.py", "rendering/diagrams/grouping.py", "rendering/said_drawing.py"),
    *("rendering/formulas/latex.py", "rendering/formulas/mathml.py", "rendering/terminal.py", "rendering/words.py"),
}
"""Kinds and settings of layers are code; the frame has a test of its own."""
DRAWN = sorted({str(path.relative_to(SOURCES)) for path in SOURCES.glob("rendering/**/*.py")} - UNSAID)
DERIVED = sorted(str(path.relative_to(SOURCES)) for path in SOURCES.glob("derivation/*.py"))
ANSWERED = (
    *("cli/models.py", "cli/networks.py", "cli/serving.py", "workbench/count.py", "workbench/describing/describing.py"),
    *("accounting/ledger.py", "core/layer_cost.py", "workbench/doctor.py", "workbench/doctor_packages.py"),
    *("workbench/derive.py", "workbench/deriving/layer.py", "workbench/draw.py", "workbench/export.py"),
    *("workbench/export_report.py", "workbench/loading/loading.py", "workbench/loading/loading_values.py"),
    *(f"dashboard/{name}.py" for name in ("app", "guard", "serving")),
    *("workbench/runs/session.py", "training/loop.py", "core/learning_rate.py"),
)
COMMANDS = re.compile(
    r"^(--|thalweg |\{mean|class=|from thalweg|.*\{\{way|pip install '|export \w+=|unset |ulimit |\[dir)"
    r"|^(default-src|sandbox allow|svg\.tw|\.tw|@keyframes|@media|\S*\{\{[a-z-]+:|th:nth|caption\{|padding:|td:nth)"
    r"|^(  classDef|flowchart|digraph|  node|\\|\{place\}<div|import json|mid dim|end dim|grids views|box out|&gt;)"
    r"|^.*:::|^(XB Niloofar|Noto Naskh Arabic|DejaVu Sans)$|^% xelatex|^ open$|^auto$"
)
"""Options, commands, styles, fonts and other languages' own words are said as they are."""


ROOMS = sorted(path.name for path in SOURCES.iterdir() if path.name[0] not in "_.")


def to_paste(language, missing):
    """The entries that a catalogue lacks."""
    quoted = (message.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for message in missing)
    return f"{language}.po lacks:\n" + "\n\n".join(f'msgid "{message}"\nmsgstr ""' for message in quoted)


@functools.cache
def catalogue(language):

    place = importlib.resources.files("thalweg.core").joinpath("catalogues", f"{language}.po")
    return read_catalogue(place.read_text("utf-8"), place.name)


@functools.cache
def known(language):
    """The messages of a catalogue, as `plain` makes them."""
    return frozenset(plain(entry.source) for entry in catalogue(language))


def plain(message):
    """A message without the kinds of its gaps, which the catalogue may sharpen."""
    return re.sub(r"\{_*(\w+?)(:\w+)?\}", r"{\1}", message)


def gaps(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", languages()[1:])
@pytest.mark.parametrize("module", dict.fromkeys((*COVERED, *DRAWN, *DERIVED, *ANSWERED)))
def test_no_message_is_left_untranslated(messages_of, module, language):
    found = [message for message in messages_of(module) if not COMMANDS.match(message)]
    missing = [message for message in found if plain(message) not in known(language)]
    assert not missing, to_paste(language, missing)


def of_other_samples(module):
    """The experiments of a lab that also takes signals and volumes."""
    found, left = {module}, [module]
    while left:
        for name in re.findall(r"from thalweg\.(experiments\.\w+) import", (SOURCES / left.pop()).read_text("utf-8")):
            path = f"{name.replace('.', '/')}.py"
            left += [path] if path not in found else []
            found.add(path)
    return sorted(found)


@pytest.mark.parametrize("language", languages()[1:])
@pytest.mark.parametrize("axes", [1, 3])
def test_labs_speak_of_signals_and_volumes_too(messages_of, axes, language):
    labs = [str(path.relative_to(SOURCES)) for path in SOURCES.glob("experiments/labs/*.py")]
    labs = [lab for lab in labs if "in_words_of" in (SOURCES / lab).read_text("utf-8")]
    assert len(labs) >= 3
    wanted = {}
    for module in {module for lab in labs for module in of_other_samples(lab)}:
        for message in messages_of(module):
            between = re.split(r"(\{[^{}]*\})", message)
            between[::2] = (sentence_of(text, axes) for text in between[::2])
            wanted["".join(between)] = None
    assert sum("voxel" in text or "signal" in text for text in wanted) > 10
    missing = [text for text in wanted if plain(text) not in known(language) and not COMMANDS.match(text)]
    assert not missing, to_paste(language, missing)


@pytest.mark.parametrize("language", languages()[1:])
@pytest.mark.parametrize("room", ROOMS)
def test_no_error_is_left_untranslated(raised_in, room, language):
    missing = [message for message in raised_in(room) if plain(message) not in known(language)]
    assert not missing, to_paste(language, missing)


@pytest.mark.parametrize("language", languages()[1:])
def test_no_note_of_a_reader_of_logs_is_left_untranslated(noted_in, language):
    notes = noted_in("histories")
    assert len(notes) > 50
    missing = [
        note for note in notes if plain(note) not in known(language) and note not in {each.name for each in READERS}
    ]
    assert not missing, to_paste(language, missing)


def test_the_search_for_notes_follows_what_they_are_put_together_from(noted_in, tmp_path, monkeypatch):
    source = """
CUT = "the last row is cut off"
def read(notes: list[str]) -> None:
    notes.append(f"{len(notes)} rows left out")
    notes += [CUT] if notes else _guesses()
    found.notes = ["nothing is named"]
    told = "is put into a variable first"
    Recording(place="not a note at all", notes=(*notes, told))
def _guesses() -> list[str]:
    return ["is asked of a function"]
"""
    (tmp_path / "hall").mkdir()
    (tmp_path / "hall" / "module.py").write_text(source, "utf-8")
    monkeypatch.setitem(noted_in.__globals__, "SOURCES", tmp_path)
    assert set(noted_in("hall")) == {
        "{notes:number} rows left out",
        "the last row is cut off",
        "is asked of a function",
        "nothing is named",
        "is put into a variable first",
    }


def test_the_search_for_errors_follows_what_they_are_put_together_from(raised_in, tmp_path, monkeypatch):
    source = """
LAYOUTS = "one folder a class"
def check(path: str) -> None:
    reason = _reason(path) if path else "nothing is named"
    raise SourceError(f"{path!r}: {reason}; arrange them as {LAYOUTS}")
def _reason(path: str) -> str:
    return "it is a file" if path else other("no sentence of an error")
class OddError(SourceError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is odd")
"""
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "module.py").write_text(source, "utf-8")
    monkeypatch.setitem(raised_in.__globals__, "SOURCES", tmp_path)
    assert raised_in("room") == [
        "{path:text}: {reason}; arrange them as {LAYOUTS}",
        "nothing is named",
        "it is a file",
        "no sentence of an error",
        "one folder a class",
        "{name} is odd",
    ]


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
