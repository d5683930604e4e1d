import html
import html.parser
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from thalweg.rendering.papers.derivation import derivation_paper
from thalweg.rendering.papers.page import paper_page
from thalweg.rendering.papers.paper import Equations, Matrix, Paper, Section, Words

VOID = {"meta", "link", "br", "rect"}
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


class Page(html.parser.HTMLParser):
    """Reads a page strictly: every element is closed in order."""

    def __init__(self, source):
        super().__init__()
        self.stack, self.tags, self.attributes = [], [], []
        self.feed(source)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def test_a_page_is_well_formed_and_needs_nothing_from_anywhere(derivations):
    source = paper_page(derivation_paper(derivations()))
    page = Page(source)
    assert not {"script", "img", "iframe", "object", "form"} & set(page.tags)
    assert not [
        value for name, value in page.attributes if name in {"src", "href"} and not value.startswith(("#", "data:"))
    ]
    assert "default-src 'none'" in source
    assert page.tags.count("math") > 30
    assert page.tags.count("svg") == 1
    assert not re.search(r"https?://", source)


def test_the_sample_of_a_page(derivations, golden):
    golden("derivation.html", paper_page(derivation_paper(derivations())))


def test_words_cannot_become_markup(hostile):
    source = paper_page(Paper(title=hostile, lead=(Words(text=hostile), Equations(lines=("<b>",))), sections=()))
    Page(source)
    assert "<script" not in source
    assert "<b>" not in source
    assert "\u202e" not in source


def _wide_paper():
    """Everything that could be cut off: long sums, wide matrices, tall fractions, many columns."""
    sum_ = " + ".join(f"x_1_2_{number}*f_3_4_{number}" for number in range(40))
    return Paper(
        title="A title with_a_very_long_word_that_has_no_place_to_break_and_would_push_everything_aside",
        lead=(Equations(lines=(f"O = exp({sum_})/(1 + exp(x1*f1))**2 = {sum_}",)),),
        sections=(
            Section(title="Wide", parts=(Matrix(name="dO_dx", rows=(("c*f1 + c*f2",) * 6,) * 3),)),
            Section(title="Long", parts=(Matrix(name="y", rows=((sum_,) * 3,)), Words(text="Word" * 60))),
            Section(
                title="Band",
                parts=(Matrix(name="M", rows=(("f1", "0") * 40,) * 30, taps=((0, -1) * 40,) * 30),),
            ),
        ),
    )


@pytest.mark.skipif(BROWSER is None, reason="no Chromium to look at the page with")
@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("which", ["derivation", "wide"])
def test_a_browser_shows_every_formula_and_cuts_nothing_off(derivations, tmp_path, width, which):
    paper = derivation_paper(derivations()) if which == "derivation" else _wide_paper()
    source = re.sub(r"<meta http-equiv[^>]*>", "", paper_page(paper))  # the page itself lets no script run
    (tmp_path / "page.html").write_text(source, encoding="utf-8")
    look = """
    const inner = document.getElementById('inner').contentDocument, wide = inner.documentElement.clientWidth;
    const sized = [...inner.querySelectorAll('math,svg')].map(e => e.getBoundingClientRect());
    const scrolled = e => e !== inner.body && (['auto', 'scroll'].includes(getComputedStyle(e).overflowX)
      || scrolled(e.parentElement));  // wide fonts make one term wider than a phone: its line then scrolls by itself
    const out = [...inner.querySelectorAll('body *')].filter(e => !scrolled(e.parentElement))
      .filter(e => !e.closest('math') || e.matches('math'))
      .filter(e => { const r = e.getBoundingClientRect(); return r.right > wide + 1 || r.left < -1; });
    document.title = JSON.stringify({width: wide, scroll: inner.documentElement.scrollWidth, formulas: sized.length,
      empty: sized.filter(r => r.width < 4 || r.height < 4).length, out: out.map(e => e.outerHTML.slice(0, 90))});
    """
    frame = f'<iframe id="inner" src="page.html" style="width:{width}px;height:3000px;border:0"></iframe>'
    shell = f"<!doctype html><title>-</title>{frame}<script>onload = () => {{{look}}}</script>"
    (tmp_path / "shell.html").write_text(shell, encoding="utf-8")
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=4000", "--dump-dom",
         pathlib.Path(tmp_path, "shell.html").as_uri()],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    seen = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)[1]))
    assert seen["width"] in range(width - 20, width + 1)
    assert seen["scroll"] <= seen["width"], seen
    assert seen["formulas"] == source.count("<math") + source.count("<svg")
    assert seen["empty"] == 0
    assert seen["out"] == []
