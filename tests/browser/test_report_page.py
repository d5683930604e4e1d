"""The report in a real browser: nothing is fetched, nothing overflows, everything works with keys alone."""

import base64
import json
import math
import pathlib

import pytest

from thalweg.core.report import (
    Curves,
    KeyNumber,
    Line,
    Mark,
    Matrix,
    Paragraph,
    Picture,
    PictureGrid,
    Report,
    Section,
    Table,
)
from thalweg.rendering.figures.bars import draw_bars
from thalweg.rendering.figures.dots import Dot, draw_dots
from thalweg.rendering.pages.html import render_html

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
LONG = "a-name-without-any-place-to-break-it-" * 4
NAMES = ("گربهٔ سیاه", LONG, "dog, <b>brown</b>")
WIDTHS = (320, 768, 1920)


def picture(name):
    return Picture(data=PIXEL, media_type="image/png", caption=name, file=f"{name}/{LONG}.png", badge="wrong")


def everything():
    epochs = tuple(map(float, range(1, 21)))
    curves = Curves(
        caption="Loss a sample",
        x_label="epoch",
        y_label="nats",
        lines=(
            Line(label="training", x=epochs, y=tuple(2 / x for x in epochs), dashed=True),
            Line(label="validation", x=epochs, y=tuple(math.nan if x == 7 else 3 / x for x in epochs)),
        ),
        marks=(Mark(x=12, label="best epoch 12", reason="the lowest loss"), Mark(x=3, label=LONG, until=5)),
    )
    steps = tuple(map(float, range(5000)))
    spike = tuple(9.0 if step == 3210 else 1.0 for step in steps)
    blocks = (
        Paragraph(text="A sentence."),
        Paragraph(text=f"A warning about {LONG}.", style="warning"),
        Paragraph(text=f"thalweg train {LONG} --epochs 12", style="command"),
        Table(caption="Files", header=("class", "files"), rows=tuple((name, "1,442") for name in NAMES)),
        Table(caption="Long", header=("a", "b"), rows=(('say "hi", twice', "2"),) * 60),
        curves,
        Curves(caption="Steps", x_label="step", y_label="nats", lines=(Line(label="batch", x=steps, y=spike),)),
        PictureGrid(caption="Pictures", pictures=tuple(map(picture, NAMES))),
        Matrix(
            caption="Confusion", labels=NAMES, counts=((6, 2, 0), (1, 9, 0), (0, 0, 3)),
            pictures={"0,1": (picture("cat"),)},
        ),
        draw_bars("Bars", NAMES, {"train": (8, 9, 3), "validation": (2, 1, 1)}),
        draw_dots("Dots", "share right", [Dot(label=name, value=0.8, low=0.7, high=0.9) for name in NAMES]),
    )  # fmt: skip
    number = KeyNumber(label="Accuracy", value="84.1 %", note=f"always {LONG}", share=0.84, low=0.8, high=0.88)
    return Report(
        title=f"small on {LONG}",
        answer=("Right on 84 % of 525 files.", f"Most frequent mistake: {NAMES[0]} taken for {LONG}.", "Next: look."),
        sections=(Section(title="Everything", blocks=blocks), Section(title=LONG, blocks=())),
        provenance={"command": f"thalweg train {LONG}", "Seed": "42"},
        numbers=(number, KeyNumber(label="Time", value="8 s")),
    )


@pytest.fixture(scope="module", params=["en", "fa"])
def page(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_html(everything(), language=request.param), "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_html(everything()), "utf-8")
    return path.as_uri()


def test_nothing_leaves_the_page_and_nothing_goes_wrong_in_it(browser, page):
    with browser.tab() as tab:
        tab.open(page)
        tab.run("for (const part of document.querySelectorAll('details')) part.open = true")
        tab.run("scrollTo(0, document.body.scrollHeight)")
        asked = {event["request"]["url"].partition(":")[0] for event in tab.events("Network.requestWillBeSent")}
        assert asked <= {"file", "data"}
        assert next(event["request"]["url"] for event in tab.events("Network.requestWillBeSent")) == page
        wrong = tab.events("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        assert wrong == []


def test_every_link_inside_has_its_end(browser, page):
    with browser.tab() as tab:
        tab.open(page)
        missing = (
            "[...document.querySelectorAll('a[href]')].filter(a => !document.getElementById(a.hash.slice(1)) "
            "|| a.protocol !== 'file:').map(a => a.outerHTML)"
        )
        assert tab.run("document.querySelectorAll('a[href]').length") >= 4
        assert tab.run(missing) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(browser, axe, page, dark):
    with browser.tab(dark=dark) as tab:
        tab.open(page)
        tab.run("for (const part of document.querySelectorAll('details')) part.open = true")
        tab.run(f"{axe}; 0")
        found = tab.run("axe.run(document).then(all => all.violations.map(v => [v.id, v.nodes.map(n => n.html)]))")
        assert found == []


def test_no_width_scrolls_sideways(browser, page):
    with browser.tab() as tab:
        tab.open(page)
        for width in WIDTHS:
            tab.resize(width)
            assert tab.run("document.documentElement.scrollWidth") <= width, width


def test_values_are_read_with_keys_and_gaps_are_told(browser, english):
    with browser.tab() as tab:
        tab.open(english)
        tab.run("document.querySelector('figure.curves .wide svg').focus()")
        tab.press("Home")
        tab.press("ArrowRight")
        said = "document.querySelector('figure.curves .reading').textContent"
        assert tab.run(said).split("\n") == ["epoch  2", "training  1", "validation  1.5"]
        for _ in range(5):
            tab.press("ArrowRight")
        assert "validation  –" in tab.run(said)
        for _ in range(5):
            tab.press("ArrowRight")
        assert "▸ best epoch 12" in tab.run(said)
        tab.press("Escape")
        assert tab.run("document.querySelector('figure.curves .reading').hidden")


def test_curves_zoom_with_keys_and_by_dragging_and_go_back(browser, english):
    first = "document.querySelector('figure.curves .wide .inside path.line').getAttribute('d')"
    tools = "document.querySelectorAll('figure.curves .tools button')"
    with browser.tab() as tab:
        tab.open(english)
        tab.run("document.querySelector('figure.curves .wide svg').focus()")
        tab.press("+")
        near = tab.run(first)
        assert not tab.run(f"{tools}[2].disabled")
        tab.press("0")
        far = tab.run(first)
        assert near != far
        assert tab.run(f"{tools}[2].disabled")
        box = tab.run(
            "(() => { const svg = document.querySelector('figure.curves .wide svg'); svg.scrollIntoView({block: "
            "'center'}); const r = svg.getBoundingClientRect(); return [r.x, r.y, r.width, r.height] })()"
        )
        y = box[1] + box[3] / 2
        tab.mouse("mousePressed", box[0] + box[2] * 0.5, y)
        tab.mouse("mouseMoved", box[0] + box[2] * 0.7, y)
        tab.mouse("mouseReleased", box[0] + box[2] * 0.8, y)
        assert tab.run(first) != far
        scale = "document.querySelector('figure.curves .wide .scale')"
        ticks = tab.run(f"[...{scale}.querySelectorAll('.middle')].map(t => +t.textContent)")
        assert min(ticks) >= 9
        tab.run(f"{tools}[2].click()")
        assert tab.run(first) == far


def test_a_logarithmic_scale_is_one_press_away(browser, english):
    labels = (
        "[...document.querySelector('figure.curves .wide .scale').querySelectorAll('.end')].map(t => t.textContent)"
    )
    pressed = "document.querySelector('figure.curves [aria-pressed]')"
    with browser.tab() as tab:
        tab.open(english)
        assert tab.run(f"{pressed}.getAttribute('aria-pressed')") == "false"
        tab.run(f"{pressed}.click()")
        assert tab.run(f"{pressed}.getAttribute('aria-pressed')") == "true"
        assert tab.run(labels) == ["0.1", "0.2", "0.5", "1", "2"]


def test_a_spike_among_thousands_of_steps_stays(browser, english):
    with browser.tab() as tab:
        tab.open(english)
        tab.run("document.querySelectorAll('figure.curves')[1].querySelector('.tools button').click()")
        label = "[...document.querySelectorAll('figure.curves')[1].querySelectorAll('.wide .scale .end')].at(-1)"
        assert float(tab.run(f"{label}.textContent")) >= 8


def test_a_table_is_copied_as_csv_whole(browser, english):
    with browser.tab() as tab:
        tab.open(english)
        tab.run("navigator.clipboard.writeText = async (text) => { window.copied = text }; 0")
        tab.run("document.querySelectorAll('figure.table')[1].querySelector('.csv').click()")
        lines = tab.run("window.copied").split("\n")
        assert lines == ["a,b", *['"say ""hi"", twice",2'] * 60]
        tab.run("document.querySelector('figure.matrix .csv').click()")
        assert tab.run("window.copied").split("\n")[2].endswith(",6,2,0,8")


def test_a_confusion_cell_opens_its_pictures_with_keys(browser, english):
    with browser.tab() as tab:
        tab.open(english)
        tab.run("document.querySelector('figure.matrix td button').focus()")
        tab.press("Enter")
        assert tab.run("document.querySelector('.panel:popover-open img') !== null")
        tab.press("Escape")
        assert tab.run("document.querySelector('.panel:popover-open') === null")


def test_parts_of_a_drawing_speak_when_they_are_reached(browser, english):
    with browser.tab() as tab:
        tab.open(english)
        tab.run("document.querySelector('figure.drawing svg').focus()")
        tab.press("ArrowRight")
        tab.press("ArrowRight")
        assert tab.run("document.querySelector('figure.drawing .reading').textContent") == f"{NAMES[0]}, validation: 2"


def test_without_scripts_the_page_still_shows_everything(browser, page):
    with browser.tab(scripts=False) as tab:
        tab.open(page)
        told = tab.run(
            "JSON.stringify({lines: document.querySelectorAll('.wide .inside path.line').length, "
            "buttons: [...document.querySelectorAll('.tools, .copy')].filter(b => b.checkVisibility()).length, "
            "rows: document.querySelectorAll('tbody tr').length > 60})"
        )
        assert json.loads(told) == {"lines": 3, "buttons": 0, "rows": True}


def test_it_prints(browser, page):
    with browser.tab() as tab:
        tab.open(page)
        assert tab.printed().startswith(b"%PDF")


def test_the_driver_would_see_an_error_and_a_request(browser, tmp_path):
    path = pathlib.Path(tmp_path / "bad.html")
    path.write_text("<script src='https://127.0.0.1:1/x.js'></script><script>throw Error('oh')</script>", "utf-8")
    with browser.tab() as tab:
        tab.open(path.as_uri())
        assert tab.events("Runtime.exceptionThrown")
        assert any(event["request"]["url"].startswith("https:") for event in tab.events("Network.requestWillBeSent"))
