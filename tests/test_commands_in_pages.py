"""Every `thalweg` command in every page is read by the real parser: no verb, option or value in the docs is wrong."""

import pathlib
import re
import shlex

import pytest
import typer.main

from thalweg.cli.main import app
from thalweg.cli.settings import take_global_options

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
COMMANDS = typer.main.get_command(app).commands
CALL = re.compile(r"(?:^|&& |-m )thalweg (?!--)(?P<words>[^#\n]*)", re.MULTILINE)
SPOKEN = re.compile(r"`thalweg ([a-z][^`]*)`")


def blocks(text):
    """What stands in blocks of code, fenced or indented; lines that end in a backslash are joined."""
    fenced = re.findall(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    kinds = {"", "bash", "sh", "console"}
    code = [body for _, kind, body in fenced if kind in kinds]
    outside = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)
    code += re.findall(r"^ {4}[^\n]*", outside, re.MULTILINE)
    return "\n".join(line.strip() for body in code for line in body.replace("\\\n", " ").splitlines())


def calls(text):
    return [each["words"].split(" | ")[0].split(" > ")[0].strip() for each in CALL.finditer(blocks(text))]


FOUND = [(path.relative_to(REPOSITORY).as_posix(), words) for path in PAGES for words in calls(path.read_text("utf-8"))]


def test_pages_have_commands():
    assert len(FOUND) > 100
    assert {"README.md", "docs/tutorial.md", "docs/fa/quickstart.md"} <= {page for page, _ in FOUND}


@pytest.mark.parametrize(("page", "words"), FOUND, ids=lambda value: value)
def test_a_command_is_one_that_the_program_reads(page, words):
    _, (verb, *rest) = take_global_options(shlex.split(words))
    assert verb in COMMANDS, f"{page}: there is no verb {verb!r}"
    with COMMANDS[verb].make_context(verb, rest) as context:
        assert context.params or not COMMANDS[verb].params, f"{page}: nothing was read of {words!r}"


SAID = [
    (path.relative_to(REPOSITORY).as_posix(), words)
    for path in PAGES
    for words in SPOKEN.findall(path.read_text("utf-8").replace("\n", " "))
]


@pytest.mark.parametrize("page", sorted({page for page, _ in SAID}))
def test_what_is_said_in_passing_exists(page):
    wrong = []
    for words in (words for place, words in SAID if place == page):
        verb, *rest = words.split()
        options = getattr(COMMANDS.get(verb), "params", ())
        known = {name for option in options for name in (*option.opts, *option.secondary_opts)}
        known |= {"--json", "--quiet", "--traceback", "--lang", "--help"}
        asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
        if verb not in COMMANDS or not asked <= known:
            wrong.append(words)
    assert wrong == []


@pytest.mark.parametrize("words", ["train photos --epoch-count 3", "fit photos", "train photos --epochs many"])
def test_a_wrong_command_is_seen(words):
    page = f"Text\n\n```\nthalweg {words}   # so\n```\n"
    assert calls(page) == [words]
    verb, *rest = shlex.split(words)
    if verb in COMMANDS:
        with pytest.raises(Exception, match=r"No such option|valid integer"):
            COMMANDS[verb].make_context(verb, rest)
