import pytest

from thalweg.core.errors import RunError
from thalweg.core.report import Curves, Line, Picture, PictureGrid, Report, Section, Table
from thalweg.rendering.pages.html import render_html
from thalweg.rendering.pages.page_data import carried, read_page

CURVES = Curves(caption="Loss </script>", x_label="epoch", y_label="nats", lines=(Line(label="a", x=(1, 2), y=(2, 1)),))
TABLE = Table(caption="Numbers", header=("a",), rows=(("</script><b>&amp;",),))
PICTURES = PictureGrid(caption="p", pictures=(Picture(data=b"\x89PNG", media_type="image/png", caption="c"),))
REPORT = Report(title="t", answer=("One.",), sections=(Section(title="s", blocks=(CURVES, TABLE, PICTURES)),))


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_page_gives_its_report_back_in_english(tmp_path, language):
    page = tmp_path / "page.html"
    page.write_text(render_html(REPORT, language=language, data=True), "utf-8")
    found = read_page(page)
    assert found.sections[0].blocks[:2] == (CURVES, TABLE)
    assert found.sections[0].blocks[2] == PICTURES
    assert found.answer == ("One.",)


def test_what_is_carried_cannot_end_its_element():
    assert not set("<>&") & set(carried(REPORT))
    assert 'id="data"' not in render_html(REPORT)  # a run keeps its own


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<!doctype html><p>somebody else's", "carries no numbers"),
        ('<script type="application/json" id="data">{"title": </script>', "is damaged"),
        ('<script type="application/json" id="data">{"title": 3}</script>', "page.html"),
    ],
)
def test_a_page_that_is_none_is_told(tmp_path, text, complaint):
    (tmp_path / "page.html").write_text(text, "utf-8")
    with pytest.raises(RunError, match=complaint):
        read_page(tmp_path / "page.html")
