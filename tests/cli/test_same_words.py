"""A verb's options have the same words in Python as on the command line."""

import inspect

import pytest
import typer

import thalweg
from thalweg.cli.main import app

VERBS = typer.main.get_command(app).commands
BESIDE = {"format", "out"}
"""How the command line writes an answer that Python hands back as a value."""
NAMES = {"class": "class_", "paths": "runs", "name": "code"}
"""`class` is a word of Python; arguments without an option's name may be called better."""


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"derive"}))  # which takes its options in two forms
def test_every_option_is_a_word_of_the_function(verb):
    known = inspect.signature(getattr(thalweg, verb)).parameters
    words = {max(each.opts, key=len).lstrip("-").replace("-", "_") for each in VERBS[verb].params} - {"help"}
    missing = {word for word in words if word not in known and NAMES.get(word) not in known}
    assert missing <= BESIDE, missing


def test_rules_are_listed_in_python_too():
    assert {"LRN001", "LRN002"} <= {each.code for each in thalweg.rule()}
