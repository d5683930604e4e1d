import dataclasses

import pytest

from thalweg.core.dependence import Dependence, Reads, Seen
from thalweg.rendering.papers.dependence import dependence_paper
from thalweg.rendering.papers.latex import paper_latex
from thalweg.rendering.papers.markdown import paper_markdown
from thalweg.rendering.papers.page import paper_page
from thalweg.rendering.papers.paper import Words
from thalweg.rendering.papers.text import paper_text

CORNER = Dependence(
    network="net", layer="conv1", kind="conv2d", at=(0, 0, 0), output_shape=(2, 8, 8), rule="A weighted sum.",
    combine="sum", terms=("w_0_0_1_1*x_0_0_0", "w_0_0_1_2*x_0_0_1", "w_0_0_2_1*x_0_1_0", "w_0_0_2_2*x_0_1_1"),
    products=4, padding=5, bias="b_0",
    reads=(Reads(name="input", symbol="x", shape=(1, 8, 8), channels=(0, 0), ranges=((0, 1), (0, 1)), step=(1, 1)),),
    seen=Seen(ranges=((-1, 1), (0, 1)), extents=(8, 8)), weights=(0.5, -0.25, 1.0, 2.0), bias_value=0.125,
    weight_name="conv1.weight", notes=("To be noted.",),
)  # fmt: skip


def test_the_sample_of_a_dependence(golden):
    golden("dependence.txt", paper_text(dependence_paper(CORNER)))


def test_the_sum_its_padding_and_its_numbers_are_told():
    text = paper_text(dependence_paper(CORNER))
    assert "y[0,0,0] = w[0,0,1,1]·x[0,0,0] + w[0,0,1,2]·x[0,0,1]" in text
    assert "+ b₀" in text
    words = " ".join(text.split())
    assert "4 products; 5 more would stand there, but meet padding and contribute nothing." in words
    assert "It sees rows 0 to 1 of 8, columns 0 to 1 of 8 (a window of 3x2)" in words
    assert "reaches over the border" in words
    assert "0.5  -0.25" in text
    assert "b₀ = 0.125" in text


@pytest.mark.parametrize(
    ("combine", "begins"),
    [("mean 9", "y[0,0,0] = (w"), ("max", "y[0,0,0] = Max("), ("product", "y[0,0,0] = w"), ("all", "[w[0,0,1,1]")],
)
def test_every_way_of_putting_together_is_written(combine, begins):
    changed = dataclasses.replace(CORNER, combine=combine, bias=None)
    assert f"  {begins}" in paper_text(dependence_paper(changed))


def test_many_terms_are_cut_and_an_empty_sum_is_zero():
    many = dataclasses.replace(CORNER, terms=tuple(f"w_0_{n}*x_{n}" for n in range(500)), products=3_000, weights=())
    text = paper_text(dependence_paper(many))
    assert "+ rest + b₀" in text
    assert "The first 36 are written out; the rest, 2,964 more," in " ".join(text.split())
    none = dataclasses.replace(CORNER, terms=(), products=0, bias=None, reads=(), seen=None, weights=(), weight_name="")
    assert "y[0,0,0] = 0" in paper_text(dependence_paper(none))


def test_hostile_names_stay_names(hostile):
    named = dataclasses.replace(CORNER, layer=hostile, network=hostile)
    paper = dependence_paper(named)
    assert "<script" not in paper_page(paper)
    assert "\u202e" not in paper_text(paper) + paper_latex(paper) + paper_markdown(paper)
    assert isinstance(paper.lead[0], Words)
