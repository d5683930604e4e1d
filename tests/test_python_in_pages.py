"""Every call of `thalweg` in every page fits the function that is called; guides run theirs in tests of their own."""

import ast
import inspect
import pathlib
import re

import pytest

import thalweg

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def parsed(text):
    """The blocks of a page that are Python: those that say so, and those without a name that can be read as such."""
    for kind, body in BLOCK.findall(text):
        try:
            yield ast.parse(body)
        except SyntaxError:
            assert kind != "python", f"a block says it is Python and is not:\n{body}"


def calls(text):
    return [
        node
        for tree in parsed(text)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "thalweg"
    ]


def unfit(call):
    """Why a call cannot be made, or nothing."""
    function = getattr(thalweg, call.func.attr, None)
    if function is None:
        return f"thalweg.{call.func.attr} does not exist"
    words = [word.arg for word in call.keywords if word.arg]
    try:
        inspect.signature(function).bind(*call.args, **dict.fromkeys(words))
    except TypeError as error:
        return f"{ast.unparse(call)}: {error}"
    return None


FOUND = [(path.relative_to(REPOSITORY).as_posix(), call) for path in PAGES for call in calls(path.read_text("utf-8"))]


def test_pages_hold_calls():
    assert len(FOUND) > 20
    assert {"README.md", "docs/notebook.md", "docs/lab.md", "docs/export.md"} <= {page for page, _ in FOUND}


@pytest.mark.parametrize("page", sorted({page for page, _ in FOUND}))
def test_calls_of_a_page_fit(page):
    assert [why for place, call in FOUND if place == page and (why := unfit(call))] == []


@pytest.mark.parametrize("line", ["thalweg.train('photos', epoch=3)", "thalweg.fit('photos')", "thalweg.count()"])
def test_a_call_that_does_not_fit_is_seen(line):
    (call,) = calls(f"Text\n\n```\n{line}\n```\n")
    assert unfit(call)
