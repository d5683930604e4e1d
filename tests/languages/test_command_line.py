"""Help, rules and the other answers of the command line: every word of them stands in every catalogue."""

import functools
import importlib.resources

import pytest
import typer

from thalweg.cli import helping
from thalweg.cli.main import app, main
from thalweg.core.catalogue_file import read_catalogue
from thalweg.core.languages import languages
from thalweg.rendering.texts.rules import rule_parts
from thalweg.workbench.rules import rules

NOT_SAID = {"Remedies", "References"}
"""Headings over names and titles, which are the same in every language; a few of the latter are sentences."""


@functools.cache
def known(language, context):
    place = importlib.resources.files("thalweg.core").joinpath("catalogues", f"{language}.po")
    entries = read_catalogue(place.read_text("utf-8"), place.name)
    return {entry.source.replace("{{", "{").replace("}}", "}") for entry in entries if entry.context == context}


def to_paste(context, missing):
    return "\n\n".join(f'msgctxt "{context}"\nmsgid "{text}"\nmsgstr ""' for text in missing)


def helps(capsys, words):
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    return capsys.readouterr().out


VERBS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("language", languages()[1:])
@pytest.mark.parametrize("verb", ["", *VERBS])
def test_every_text_of_help_is_translated(monkeypatch, capsys, verb, language):
    asked, answered = [], set()
    say = helping.said

    def said(text, context):
        asked.append(text)
        answered.add(say(text, context))
        return say(text, context)

    monkeypatch.setattr(helping, "said", said)
    shown = helps(capsys, [*verb.split(), "--lang", language])
    sentences = [text for text in asked if text not in answered or (text.isascii() and " " in text)]
    missing = [text for text in sentences if text not in known(language, "help")]
    assert missing == [], to_paste("help", missing)
    assert "Options:" not in shown


def test_help_in_english_is_as_typer_writes_it(monkeypatch, capsys):
    with_ours = helps(capsys, ["derive"])
    command = typer.main.get_command(app).commands["derive"]
    monkeypatch.setattr(type(command), "context_class", typer.core.TyperCommand.context_class)
    assert helps(capsys, ["derive"]) == with_ours


def test_help_keeps_options_defaults_and_marks_of_what_is_wanted(capsys):
    shown = helps(capsys, ["train", "--lang", "fa"])
    for word in ("--batch-size <int>", "--minutes <float>", ": 32]", "[لازم]"):
        assert word in shown, word


@pytest.mark.parametrize("language", languages()[1:])
def test_every_rule_is_translated(language):
    there = known(language, "rule")
    missing = []
    for rule in rules():
        summary, parts = rule_parts(rule.text)
        told = [text for heading, text in parts.items() if heading not in NOT_SAID]
        missing += [text for text in (summary, *parts, *told) if text not in there]
    assert missing == [], to_paste("rule", dict.fromkeys(missing))


def test_a_rule_in_persian_keeps_codes_and_names_of_signals(capsys):
    with pytest.raises(SystemExit):
        main(["rule", "CUR001", "--lang", "fa"])
    shown = capsys.readouterr().out
    assert shown.startswith("CUR001 non_finite: ")
    assert "``batch_non_finite``" in shown
    assert "Watches" not in shown
    assert "چه هنگام اعلام می‌شود: " in shown
