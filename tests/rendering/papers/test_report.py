"""A derivation as tables and drawings."""

from dataclasses import replace

import pytest

from thalweg.core.report import Drawing, Table
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.rendering.pages.page_data import read_page
from thalweg.rendering.papers.derivation import derivation_paper
from thalweg.rendering.papers.page import paper_page
from thalweg.rendering.papers.paper import Cell, Grid, Matrix, Paper, Section, Sketch, Verdict, Words
from thalweg.rendering.papers.report import paper_report
from thalweg.rendering.papers.sketch_drawing import draw_sketch


def _blocks(report, kind):
    return [block for section in report.sections for block in section.blocks if isinstance(block, kind)]


def test_every_line_and_every_matrix_is_a_table_and_every_sketch_a_drawing(derivations):
    derivation = derivations()
    report = paper_report(derivation_paper(derivation, whole=True))
    lines, *matrices = _blocks(report, Table)
    said = {line for _, _, line in lines.rows}
    assert said >= {formula for step in derivation.steps for formula in step.formulas}
    assert said >= {step.reason for step in derivation.steps}
    assert {row[1] for row in lines.rows} >= {"sentence", "formula", "check: good"}
    names = [table.caption.partition(",")[0] for table in matrices]
    assert [name for name in names if name != "y"] == ["dO_dx", "dO_df", "dO_dy", "M"]
    assert matrices[-1].header == ("row", *map(str, range(1, len(derivation.matrix[0]) + 1)))
    assert tuple(row[1:] for row in matrices[-1].rows) == derivation.matrix
    drawings = _blocks(report, Drawing)
    assert len(drawings) >= 2
    assert all(check_drawing(each.svg) for each in drawings)


def test_the_page_shows_some_lines_and_carries_all(derivations, tmp_path):
    derivation = derivations()
    first, *others = derivation.steps
    many = replace(first, formulas=tuple(f"y{number} = x{number}*f1" for number in range(1, 101)))
    derivation = replace(derivation, steps=(many, *others))
    whole = paper_report(derivation_paper(derivation, whole=True))
    text = paper_page(derivation_paper(derivation), data=whole)
    assert "and 64 more" in text
    (tmp_path / "page.html").write_text(text, "utf-8")
    assert read_page(tmp_path / "page.html") == whole
    assert sum(row[2].startswith("y100 =") for row in whole.sections[0].blocks[0].rows) == 1


def test_a_large_matrix_is_the_places_that_are_not_zero():
    rows = tuple(tuple("f1" if column == row else "0" for column in range(200)) for row in range(101))
    (table,) = _blocks(paper_report(Paper(title="", lead=(Matrix(name="M", rows=rows),), sections=())), Table)[1:]
    assert table.header == ("row", "column", "entry")
    assert table.rows[0] == ("1", "1", "f1")
    assert len(table.rows) == 101


@pytest.mark.parametrize(("good", "word"), [(True, "good"), (False, "bad"), (None, "not done")])
def test_a_check_says_what_became_of_it(good, word):
    paper = Paper(title="", lead=(), sections=(Section(title="Checked", parts=(Verdict(good=good, text="t"),)),))
    assert paper_report(paper).sections[0].blocks[0].rows == (("Checked", f"check: {word}", "t"),)
    assert paper_report(Paper(title="", lead=(Words(text="w"),), sections=())).answer == ("w",)


def test_squares_have_the_colour_of_their_entry_and_wrap():
    grid = Grid(
        title="y1", rows=((Cell(text="x1", tap=9), Cell(text="<0>", padding=True), Cell(text="", chosen=True)),)
    )
    svg = draw_sketch(Sketch(grids=(grid,) * 20, caption="<c>")).svg
    assert check_drawing(svg) == svg
    assert svg.count('class="tap1"') == 20
    assert svg.count("padding") == 21  # and its rule
    assert "x₁" in svg
    assert "&lt;0&gt;" in svg
    assert len({place.split(",")[1] for place in svg.split("translate(")[1:]}) > 1
