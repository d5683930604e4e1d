import base64
import hashlib
import html.parser
import re

import pytest

from thalweg.core.errors import PlanError
from thalweg.core.report import (
    Compared,
    Comparisons,
    Curves,
    Drawing,
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
from thalweg.rendering.pages.html import render_html

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
VOID = {"meta", "link", "img", "br", "input"}


class Page(html.parser.HTMLParser):
    """Reads a page strictly: every element is closed in order; elements and their text are kept."""

    def __init__(self, source):
        super().__init__()
        self.stack, self.elements = [], []
        self.feed(source)
        self.close()
        assert not self.stack, f"left open: {[element['tag'] for element in self.stack]}"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.stack.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        assert self.stack[-1]["tag"] == tag, f"</{tag}> closes <{self.stack[-1]['tag']}>"
        self.stack.pop()

    def handle_data(self, data):
        for element in self.stack:
            element["text"] += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]


def picture(**more):
    return Picture(data=PIXEL, media_type="image/png", **{"caption": "a cell", "file": "a/b.png", **more})


def full_report(text="word"):
    blocks = (
        Paragraph(text=text),
        Paragraph(text=text, style="warning"),
        Paragraph(text=text, style="note"),
        Paragraph(text=f"thalweg train {text}", style="command"),
        Table(caption=text, header=(text, "files"), rows=((text, "1,442"), (text, "7"))),
        Table(caption=text, header=(text,), rows=((text,),) * 60, folded=True),
        Curves(
            caption=text, x_label=text, y_label=text, marks=(Mark(x=2, label=text),),
            lines=(Line(label=text, x=(1, 2, 3), y=(3, 2, 1)),),
        ),
        PictureGrid(caption=text, pictures=tuple(picture(caption=text, file=text, badge=text) for _ in range(30))),
        Matrix(
            caption=text, labels=(text, "b"), counts=((6, 2), (1, 9)), pictures={"0,1": (picture(caption=text),)}
        ),
        Drawing(caption=text, svg='<svg xmlns="http://www.w3.org/2000/svg"><path d="M0,0"/></svg>', alternative=text),
    )  # fmt: skip
    sections = (Section(title=text, blocks=blocks), Section(title="empty", blocks=()))
    return Report(
        title=text, answer=(text, "second", "third"), sections=sections, provenance={"command": text, text: text}
    )


@pytest.fixture
def page():
    return Page(render_html(full_report()))


def test_nothing_is_fetched_and_only_our_script_may_run():
    source = render_html(full_report())
    page = Page(source)
    script, *inert = sorted(page.all("script"), key=lambda element: element.get("type", ""))
    assert [element["type"] for element in inert] == ["application/json"]
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(script["text"].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1]
    for element in page.elements:
        for name, value in element.items():
            assert not name.startswith("on"), element
            if name in {"src", "href", "action", "srcset", "poster", "data"}:
                assert value.startswith(("data:", "#")), element
    assert set(re.findall(r"https?://[^\"'\s<)]+", source)) <= {"http://www.w3.org/2000/svg"}
    assert "url(" not in source
    assert "@import" not in source


def test_hostile_names_show_everywhere_and_do_nothing_anywhere(hostile):
    harmless = {"path", "bdi", "text"}  # as many as the drawing, words from right to left, and lines of names need
    calm, wild = (
        Page(render_html(full_report("two\nlines" + ", long ones" * 4))),
        Page(render_html(full_report(hostile))),
    )
    assert [element["tag"] for element in wild.elements if element["tag"] not in harmless] == [
        element["tag"] for element in calm.elements if element["tag"] not in harmless
    ]
    (title,) = [element["text"] for element in wild.all("h1")]
    assert title == '<script>alert("1")</script>\\u202e\\n\\xff گربه&'
    visible = "".join(element["text"] for element in wild.all("body"))
    assert "\u202e" not in visible
    assert "\udcff" not in render_html(full_report(hostile))


def test_the_answer_stands_before_everything_else(page):
    first = next(element for element in page.elements if element["tag"] == "header")
    assert [word in first["text"] for word in ("second", "third")] == [True, True]
    tags = [element["tag"] for element in page.elements]
    assert tags.index("header") < tags.index("nav") < tags.index("main")


def test_every_reference_inside_the_page_has_its_end(page):
    names = [element["id"] for element in page.elements if "id" in element]
    assert len(names) == len(set(names))
    wanted = [link["href"][1:] for link in page.all("a")]
    wanted += [button["popovertarget"] for button in page.all("button") if "popovertarget" in button]
    wanted += [part["aria-labelledby"] for part in page.all("section")]
    assert len(wanted) > 6
    assert set(wanted) <= set(names)


def test_readers_who_cannot_see_or_point_are_served(page):
    assert all(image.get("alt") for image in page.all("img"))
    assert all(drawing.get("aria-label") for drawing in page.all("svg") if drawing.get("role") == "img")
    assert all(cell.get("scope") for cell in page.all("th"))
    assert [element["tag"] for element in page.elements if re.fullmatch("h[1-6]", element["tag"])] == [
        "h1", "h2", "h2", "h2",
    ]  # fmt: skip
    assert page.all("html")[0]["lang"] == "en"


def test_a_cell_with_pictures_opens_them_and_one_without_does_not(page):
    (opener,) = [b for b in page.all("button") if "popovertarget" in b and "popovertargetaction" not in b]
    assert "word, taken for b: 2 files, 25 %; open its pictures (1)" in opener["text"]
    (panel,) = [element for element in page.all("div") if "popover" in element]
    assert panel["id"] == opener["popovertarget"]
    assert "word" in panel["text"]


def test_long_lists_are_folded_and_nothing_is_lost(page):
    assert len(page.all("img")) == 31
    folded = " ".join(part["text"] for part in page.all("details"))
    assert "More pictures (6)" in folded
    assert "60 rows" in folded
    assert len([row for row in page.all("tr") if row["text"].strip() == "word"]) == 60 + 1  # and their header


def test_the_numbers_behind_a_figure_are_there(page):
    (numbers,) = [part for part in page.all("details") if "numbers" in part.get("class", "")]
    assert "word" in numbers["text"]
    assert len([row for row in page.all("td") if row["text"] == "3"]) >= 1


def test_a_command_can_be_copied_whole_with_its_line_breaks():
    report = Report(
        title="t", answer=(), sections=(Section(title="s", blocks=(Paragraph(text="one\ntwo", style="command"),)),)
    )
    page = Page(render_html(report))
    assert [code["text"] for code in page.all("code")] == ["one\ntwo"]


def test_a_hundred_classes_give_a_list_of_confusions_instead_of_a_grid():
    labels = tuple(f"class{index}" for index in range(100))
    counts = [[0] * 100 for _ in range(100)]
    counts[3][7] = 5
    matrix = Matrix(caption="c", labels=labels, counts=tuple(map(tuple, counts)))
    page = Page(render_html(Report(title="t", answer=(), sections=(Section(title="s", blocks=(matrix,)),))))
    assert len(page.all("td")) == 2
    assert any("class3" in row["text"] and "class7" in row["text"] for row in page.all("tr"))


def test_usual_pictures_stay_below_five_megabytes():
    photo = Picture(data=b"\xff" * 12_000, media_type="image/jpeg", caption="c")
    blocks = (PictureGrid(caption="c", pictures=(photo,) * 200), *full_report().sections[0].blocks)
    assert len(render_html(Report(title="t", answer=("a",), sections=(Section(title="s", blocks=blocks),)))) < 5_000_000


def test_a_picture_of_another_type_is_refused():
    bad = Picture(data=b"", media_type='text/html"><script>', caption="c")  # type: ignore[arg-type]
    blocks = (PictureGrid(caption="c", pictures=(bad,)),)
    with pytest.raises(PlanError, match="JPEG and PNG"):
        render_html(Report(title="t", answer=(), sections=(Section(title="s", blocks=blocks),)))


def test_a_slider_lies_over_both_pictures_and_a_legend_takes_colours_only():
    pair = Compared(truth=picture(file="a.png"), answer=picture(caption="97 % right"))
    block = Comparisons(caption="Worst", pictures=(pair,), legend=(("<b>road</b>", "#804080"),))
    page = Page(render_html(Report(title="t", answer=("a",), sections=(Section(title="s", blocks=(block,)),))))
    (slider,) = [each for each in page.all("input") if each.get("type") == "range"]
    assert slider["aria-label"].endswith("a.png")
    assert [each.get("class") for each in page.all("img")] == [None, "over"]
    assert not page.all("b")
    bad = Comparisons(caption="Worst", pictures=(), legend=(("road", "red;background:url(x)"),))
    with pytest.raises(PlanError, match="is no colour"):
        render_html(Report(title="t", answer=("a",), sections=(Section(title="s", blocks=(bad,)),)))


def test_persian_reads_from_the_right_and_figures_do_not():
    page = Page(render_html(full_report(), language="fa"))
    assert page.all("html")[0]["dir"] == "rtl"
    assert "فهرست" in page.all("nav")[0]["text"]
    assert all(part.get("dir") == "ltr" for part in page.all("div") if part.get("class") == "plot")


def test_the_frame_of_a_small_report_is_as_it_was(golden):
    report = Report(
        title="small on elpv",
        answer=("84 % are right.",),
        sections=(Section(title="Data", blocks=(Table(caption="Files", header=("class",), rows=(("cat",),)),)),),
        provenance={"seed": "42"},
    )
    source = re.sub(r"(<(style|script)>).*?(</\2>)", r"\1\3", render_html(report), flags=re.DOTALL)
    source = re.sub(r"sha256-[^']*", "sha256-", source)
    golden("report.html", re.sub(r"\n\s*\n+", "\n", source))


def test_a_name_from_right_to_left_leaves_the_numbers_beside_it_where_they_are():
    report = Report(
        title="t",
        answer=("Right.", "always answering سگ‌ها (50.0%)", "is گربه taken for سگ‌ها, 6 of 6"),
        sections=(Section(title="s", blocks=(Paragraph(text="<b>گربه و سگ</b>, 6 of 6 (100%)", style="note"),)),),
    )
    page = render_html(report)
    assert "always answering <bdi>سگ‌ها</bdi> (50.0%)" in page
    assert "is <bdi>گربه</bdi> taken for <bdi>سگ‌ها</bdi>, 6 of 6" in page
    assert "&lt;b&gt;<bdi>گربه و سگ</bdi>&lt;/b&gt;, 6 of 6" in page


def test_a_path_is_read_from_the_left_whatever_its_script():
    picture = Picture(data=b"", media_type="image/png", caption="گربه", file="گربه/0001.png")
    grid = PictureGrid(caption="Answer گربه (74%)", pictures=(picture,))
    page = render_html(Report(title="t", answer=("Right.",), sections=(Section(title="s", blocks=(grid,)),)))
    assert '<bdi class="file" dir="ltr"><bdi>گربه</bdi>/0001.png</bdi>' in page
    assert "Answer <bdi>گربه</bdi> (74%)</figcaption>" in page


def test_a_table_of_sentences_names_its_columns_beside_each_cell_for_phones():
    def of(*rows, header=("claim", "numbers")):
        block = Table(caption="t", header=header, rows=rows)
        return render_html(Report(title="", answer=(), sections=(Section(title="s", blocks=(block,)),)))

    assert 'data-head="numbers"' in of(("a", "b" * 60))
    assert 'data-head="' not in of(("a" * 60, "1"))  # the name of a row may be long
    assert 'data-head="' not in of(("a", "1", "2", "3", "b" * 60), header=tuple("vwxyz"))  # one of numbers
    assert 'data-head="&lt;b&gt;"' in of(("a", "b" * 60), header=("", "<b>"))
