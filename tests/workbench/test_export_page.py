"""Tables and figures of a page that stands alone."""

import csv
from pathlib import Path

import pytest

import thalweg
from thalweg.core.errors import PlanError, RunError
from thalweg.core.languages import speaking

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
