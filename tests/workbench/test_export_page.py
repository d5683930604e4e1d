"""Tables and figures of a page that stands alone."""

import csv
import io
from pathlib import Path

import pytest

import thalweg
from thalweg.core.errors import PlanError, RunError
from thalweg.core.languages import speaking
from thalweg.core.report import Compared, Comparisons, Picture, PictureGrid, Report, Section
from thalweg.rendering.pages.html import render_html
from thalweg.rendering.pages.page_data import read_page
from thalweg.workbench.deriving.forms import write_paper

LOG = {"loss": [0.69, 0.70, 1.5, 4.0, 9.1, 25.0], "val_loss": [0.7, 0.8, 1.9, 5.0, 11.0, 30.0]}


@pytest.fixture
def page(tmp_path):
    thalweg.diagnose(LOG, html=tmp_path / "found.html")
    return tmp_path / "found.html"


def test_a_page_is_exported_beside_itself(page):
    answer = thalweg.export(page, tables=True, figures=True)
    names = {path.relative_to(page.parent).parts[:2] for path in page.parent.rglob("*.*") if path != page}
    assert {("found", "tables"), ("found", "figures")} <= names
    first = next(iter(sorted((page.parent / "found" / "tables").glob("*.csv"))))
    rows = list(csv.reader(first.read_text("utf-8").splitlines()))
    assert rows[0][0] == "epoch"
    assert [row[0] for row in rows[1:]] == list("123456")
    assert all(name.endswith((".csv", ".svg")) for name in answer.files)


def test_figures_are_in_the_language_of_the_moment_and_tables_are_data(page, tmp_path):
    with speaking("fa"):
        answer = thalweg.export(page, tables=True, figures=True, out=tmp_path / "out")
    drawn = [Path(name).read_text("utf-8") for name in answer.files if name.endswith(".svg")]
    assert all("دوره" in text for text in drawn)
    written = [Path(name).read_text("utf-8") for name in answer.files if name.endswith(".csv")]
    assert not any("دوره" in text for text in written)


def test_a_page_has_no_network(page):
    with pytest.raises(PlanError, match="which has no onnx: give --tables or --figures"):
        thalweg.export(page)
    (page.parent / "other.html").write_text("<p>")
    with pytest.raises(RunError, match="carries no numbers"):
        thalweg.export(page.parent / "other.html", tables=True)


def _picture(shade, **fields):
    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (8, 8), shade).save(out, "PNG")
    return Picture(data=out.getvalue(), media_type="image/png", caption=f"is {shade}", **fields)


@pytest.fixture
def album(tmp_path):
    pair = Compared(truth=_picture(1), answer=_picture(2))
    blocks = (
        PictureGrid(caption="Maps", pictures=(_picture(3, file="a/3.png"), _picture(4))),
        Comparisons(caption="Pairs", pictures=(pair,)),
    )
    report = Report(title="", answer=(), sections=(Section(title="Looks", blocks=blocks),))
    (tmp_path / "album.html").write_text(render_html(report, data=True), encoding="utf-8")
    return tmp_path / "album.html", report


def test_pictures_of_a_page_come_back_as_they_were(album):
    page, report = album
    assert read_page(page) == report


def test_pictures_of_a_page_are_figures_and_damaged_ones_are_left_out(album):
    page, _ = album
    answer = thalweg.export(page, figures=True)
    assert [Path(name).name for name in answer.files] == ["01-looks-maps.svg", "02-looks-pairs.svg"]
    assert [Path(name).read_text("utf-8").count("<image ") for name in answer.files] == [2, 2]
    text = page.read_text("utf-8")
    first = text.index('src="data:image/png;base64,') + 27
    page.write_text(f"{text[:first]}AAAA{text[first + 4 :]}", encoding="utf-8")
    (shown, _) = thalweg.export(page, figures=True).files
    assert Path(shown).read_text("utf-8").count("<image ") == 1


def test_a_page_with_other_pictures_than_its_numbers_say_has_none(album):
    page, _ = album
    text = page.read_text("utf-8")
    page.write_text(text.replace('src="data:image', 'src="other:image', 1), encoding="utf-8")
    with pytest.raises(RunError, match="it holds none of that"):
        thalweg.export(page, figures=True)


def test_a_derivation_has_tables_of_its_lines_and_numbers(tmp_path):
    result = thalweg.derive("conv1d", x="3", f="2")
    page = tmp_path / "derivation.html"
    page.write_text(write_paper(result, "html"), encoding="utf-8")
    with speaking("fa"):
        answer = thalweg.export(page, tables=True, figures=True)
    tables = {Path(name).stem: Path(name).read_text("utf-8") for name in answer.files if name.endswith(".csv")}
    assert "Step 1: Forward pass,formula,y1 = " in next(iter(tables.values()))
    assert any(name.endswith("do_dx") for name in tables)
    assert any(name.endswith(".svg") for name in answer.files)
