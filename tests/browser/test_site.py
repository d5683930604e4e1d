"""The site: built strictly, without torch; complete in rules, labs, options and names; looked at in a browser."""

import ast
import functools
import html
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import typer.main

import thalweg
from thalweg.cli.main import app
from thalweg.experiments.lab import labs
from thalweg.workbench.rules import rules

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "design" / "interface.md"
BUILD = """
import sys
from mkdocs.commands.build import build
from mkdocs.config import load_config
build(load_config("mkdocs.yml", strict=True, site_dir=sys.argv[1]))
sys.exit("torch was loaded" if "torch" in sys.modules else 0)
"""
NEEDED = ("mkdocs", "material", "mkdocstrings", "mkdocstrings_handlers")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the site is built with {', '.join(missing)}: pip install 'thalweg[docs]'")
    folder = tmp_path_factory.mktemp("site")
    source = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "NO_MKDOCS_2_WARNING": "1"}
    call = [sys.executable, "-c", BUILD, str(folder)]
    done = subprocess.run(call, cwd=REPOSITORY, env=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@functools.cache
def words(site, page):
    """What a page says, without markup, with single spaces."""
    text = (site / page).read_text(encoding="utf-8")
    text = text.partition('<article class="md-content__inner')[2].partition("</article>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def test_every_rule_has_a_page_that_says_what_the_program_says(site):
    for rule in rules():
        shown = words(site, f"rules/{rule.code}.html")
        told = re.sub(r"(^|\s)\w[\w ]{3,30}: ", " ", " ".join(rule.text.replace("`", "").split()))  # without headings
        assert rule.name in shown
        lost = [word for word in set(told.split()) - {f"{rule.code}:"} if word.lower() not in shown.lower()]
        assert lost == [], rule.code
        assert f"{rule.code}.html" in (site / "rules" / "index.html").read_text(encoding="utf-8")


def test_every_lab_has_a_page_with_its_committed_result(site):
    assert len(labs()) > 10
    for name in labs():
        shown = words(site, f"labs/{name}.html")
        assert f"thalweg lab {name} --quick" in shown
        result = REPOSITORY / "benchmarks" / "results" / f"lab-{name}.json"
        if not result.is_file():
            assert "No result of it is committed yet." in shown
            continue
        answer = json.loads(result.read_text("utf-8"))["answer"]
        assert " ".join(answer["question"].split()) in shown
        for finding in answer["findings"]:
            assert f"{finding['verdict']} {' '.join(finding['claim'].split())}" in shown
            assert " ".join(finding["observed"].split())[1:] in shown
        for row in answer["table"]:
            assert " ".join(" ".join(map(str, row.values())).split()).replace(" ", "") in shown.replace(" ", "")
        assert all(" ".join(limit.split()) in shown for limit in answer["limits"])


def test_every_verb_and_option_is_there(site):
    shown = words(site, "reference/commands.html")
    commands = typer.main.get_command(app).commands
    assert len(commands) > 15
    for verb, command in commands.items():
        assert f"thalweg {verb}" in shown
        options = {name for each in command.params if each.param_type_name == "option" for name in each.opts}
        assert [name for name in options if name not in shown] == []


def test_every_public_name_is_there(site):
    verbs = (site / "reference" / "verbs.html").read_text(encoding="utf-8")
    assert [name for name in thalweg.__all__ if f"thalweg.{name}" not in verbs] == []
    exported = 0
    for path in sorted((REPOSITORY / "src" / "thalweg").rglob("*.py")):
        place = path.relative_to(REPOSITORY / "src" / "thalweg").with_suffix("")
        if len(place.parts) == 1:
            continue
        shown = words(site, f"reference/rooms/{place.parts[0]}.html")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                names = ast.literal_eval(node.value)
                exported += len(names)
                assert [name for name in names if not re.search(rf"\b{name}\b", shown)] == [], place
    assert exported > 1000


def test_every_word_of_the_agreed_interface_is_there(site):
    if not SHARED.is_file():
        pytest.skip("no shared/design folder beside the repository")
    pages = ("interface", "reference/commands", "rules/index", "reference/verbs", "dependencies")
    shown = " ".join(words(site, f"{page}.html") for page in pages)
    codes = " ".join(re.findall(r"`([^`]+)`", SHARED.read_text(encoding="utf-8")))
    promised = set(re.findall(r"--[a-z-]+|[a-z]+(?:_[a-z]+)+", codes))
    assert len(promised) > 100
    assert sorted(word for word in promised if word not in shown) == []


def test_nothing_is_fetched_from_elsewhere(site):
    loaded = r"<(?:script|img|link|iframe|source)\b[^>]*?(?:src|href)=\"?(?:https?:)?//[^\" >]+"
    elsewhere = re.compile(loaded + r"|url\(\"?https?:[^)]+")
    found = {
        path.relative_to(site).as_posix(): hits
        for path in site.rglob("*")
        if path.suffix in {".html", ".css"} and (hits := elsewhere.findall(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_examples_are_code_and_persian_reads_from_the_right(site):
    reference = (site / "reference" / "verbs.html").read_text(encoding="utf-8")
    assert "<blockquote>" not in reference
    assert reference.count("Examples:") >= 10
    persian = (site / "fa" / "quickstart.html").read_text(encoding="utf-8")
    assert '<div dir="rtl" lang="fa">' in persian
    assert "&lt;div" not in persian


@pytest.mark.parametrize("page", ["index.html", "reference/commands.html", "fa/quickstart.html", "labs/saddle.html"])
def test_a_phone_shows_a_page_whole_and_asks_nobody(site, browser, page):
    with browser.tab(390, 800) as tab:
        tab.open((site / page).as_uri())
        assert tab.run("document.documentElement.scrollWidth") <= 390
        asked = [event["request"]["url"] for event in tab.events("Network.requestWillBeSent")]
        assert asked
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert tab.events("Network.loadingFailed") == []


def test_search_finds_a_rule_without_a_server(site, browser):
    with browser.tab(1280, 900) as tab:
        tab.open((site / "index.html").as_uri())
        found = tab.run("""new Promise((done) => {
            const field = document.querySelector("[data-md-component=search-query]");
            document.querySelector("#__search").click();
            field.focus(); field.value = "batchnorm_mismatch";
            const end = Date.now() + 30000;
            (function look() {
                field.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
                const link = document.querySelector(".md-search-result__link");
                if (link || Date.now() > end) done(link ? link.getAttribute("href") : "nothing");
                else setTimeout(look, 200);
            })();
        })""")
        assert "NET004" in found
