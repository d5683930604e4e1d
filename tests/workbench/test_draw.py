from dataclasses import replace

import pytest

from thalweg.core.errors import PlanError
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.workbench.count import count
from thalweg.workbench.describing.describing import describe
from thalweg.workbench.draw import FORMATS, draw

BEGINS = {
    "svg": "<svg",
    "text": "lenet: 61,706 parameters",
    "mermaid": "flowchart TD",
    "dot": 'digraph "lenet"',
    "yaml": "schema: 1\nname: lenet",
    "json": '{\n "schema": 1,\n "name": "lenet"',
    "python": "from thalweg.networks.functional import Input\n",
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_be_had_and_written(form, tmp_path):
    drawn = draw("lenet", format=form, out=tmp_path / "lenet")
    assert drawn.drawing.startswith(BEGINS[form])
    assert (tmp_path / "lenet").read_text(encoding="utf-8") == drawn.drawing == str(drawn)
    assert drawn.drawing.endswith("\n")
    assert (drawn.network, drawn.input, drawn.path) == ("lenet", [1, 28, 28], str(tmp_path / "lenet"))


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.svg", "svg"), ("a.TXT", "text"), ("a.mmd", "mermaid"), ("a.dot", "dot"), ("a.gv", "dot"), ("a.py", "python")],
)
def test_the_ending_of_the_file_says_what_to_draw(name, form, tmp_path):
    assert draw("lenet", out=tmp_path / name).format == form


@pytest.mark.parametrize("ending", ["yaml", "yml", "json"])
def test_a_description_that_was_written_is_read_back(ending, tmp_path):
    file = tmp_path / f"شبکه.{ending}"
    draw("inception", out=file)
    spec = describe("inception").spec
    assert describe(file).spec == spec
    frozen = replace(spec, layers=tuple(replace(layer, trainable=False) for layer in spec.layers))
    draw(frozen, out=file)
    assert describe(file).spec == frozen
    assert count(file).total.trainable_parameters == 0


def test_a_notebook_sees_a_picture_only_where_there_is_one():
    assert check_drawing(draw("lenet", format="svg")._repr_svg_())
    assert draw("lenet")._repr_svg_() is None


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(PlanError, match="is a folder"):
        draw("lenet", out=tmp_path, format="svg")


@pytest.mark.parametrize("form", [*FORMATS, "png"])
def test_no_file_of_somebody_else_is_replaced(form, tmp_path):
    if form == "png":
        pytest.importorskip("resvg_py")
    file = tmp_path / "mine"
    file.write_bytes(b"import torch\n")
    with pytest.raises(PlanError, match="is there already"):
        draw("lenet", format=form, out=file)
    assert file.read_bytes() == b"import torch\n"
    file.write_bytes(b"")
    draw("lenet", format=form, out=file)
    draw("lenet", format=form, out=file)
    whole = file.read_bytes()
    if form == "python":  # which may have been changed by hand since
        with pytest.raises(PlanError, match="holds something else"):
            draw("small", format=form, out=file)
    else:
        draw("small", format=form, out=file)
        assert file.read_bytes() != whole
