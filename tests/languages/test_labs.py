"""What labs measured once (benchmarks/results), as pages in other languages: composed sentences are said whole."""

import dataclasses
import json
import pathlib
import re

import pytest

from thalweg.core.codec import from_plain
from thalweg.core.lab import LabResult
from thalweg.core.languages import languages
from thalweg.core.report import Report
from thalweg.experiments.dimension_words import in_words_of
from thalweg.rendering.pages.lab import lab_report
from thalweg.rendering.translated import translated

RESULTS = sorted((pathlib.Path(__file__).parents[2] / "benchmarks" / "results").glob("lab-*.json"))
OUTDATED = (
    "A shallow network was taken for them",
    "A shift repeats the edge; a camera",
    "seeds draw the files to train on",
    "a linear head on each stage's maps, averaged over their",
)
"""Sentences that the experiments no longer say, or say otherwise."""
SMALL_WORDS = re.compile(
    r"\b(the|of|and|with|to|is|are|at|in|on|by|for|its|from|than|not|which|after)\b", re.IGNORECASE
)
SET_APART = re.compile("\u2066[^\u2069]*\u2069")
"""Commands and papers, which a translation itself sets apart."""
SIZES = re.compile(r"[\d.]+ [kMG] to [\d.]+ [kMG]")


def measured(path):
    plain = json.loads(path.read_text("utf-8"))["answer"]
    rows = plain.pop("table")
    header = list(rows[0]) if rows else []
    table = {"caption": "", "header": header, "rows": [[row[name] for name in header] for row in rows]}
    name = plain.pop("lab")
    plain.pop("schema", None)
    return from_plain(LabResult, {**plain, "name": name, "table": table, "figures": []}, path.name)


def texts(value):
    """Every text of a report."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from texts(each)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name != "provenance":
                yield from texts(getattr(value, field.name))


def left_in_english(report: Report, language: str) -> list[str]:
    found = []
    for text in dict.fromkeys(texts(translated(report, language))):
        bare = SIZES.sub("", SET_APART.sub("", text))
        if SMALL_WORDS.search(bare) and not text.startswith(OUTDATED):
            found.append(text)
    return found


@pytest.mark.parametrize("language", languages()[1:])
@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_lab_says_nothing_of_what_it_measured_in_english(path, language):
    result = measured(path)
    assert left_in_english(lab_report(result), language) == []


@pytest.mark.parametrize("language", languages()[1:])
@pytest.mark.parametrize("axes", [1, 3])
@pytest.mark.parametrize("name", ["architecture", "inception", "stride"])
def test_nor_of_signals_and_volumes(name, axes, language):
    (path,) = (path for path in RESULTS if path.stem == f"lab-{name}")
    result = in_words_of(measured(path), axes)
    assert left_in_english(lab_report(result), language) == []


def test_a_sentence_left_in_english_is_found():
    result = dataclasses.replace(measured(RESULTS[0]), limits=("Nobody has ever said of this what is in it.",))
    assert left_in_english(lab_report(result), "fa") == ["Nobody has ever said of this what is in it."]
