import re

import pytest

from thalweg.rendering.papers.derivation import derivation_paper
from thalweg.rendering.papers.paper import Equations, Matrix, Paper, Words
from thalweg.rendering.papers.text import paper_text


def _alone(*parts):
    return paper_text(Paper(title="t", lead=parts, sections=())).partition("\n\n")[2]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_a_derivation_fits_the_terminal(derivations, width, plain):
    text = paper_text(derivation_paper(derivations()), width=width, plain=plain)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() is plain


def test_the_sample_of_text(derivations, golden):
    golden("derivation.txt", paper_text(derivation_paper(derivations())))


def test_the_answer_stands_first_and_its_common_factor_in_front(derivations):
    lines = paper_text(derivation_paper(derivations())).splitlines()
    assert lines[4:7] == [
        "              ⎡ f₁       f₁ + f₂            f₂      ⎤",
        "  ∂O/∂x = c · ⎢ f₁ + f₃  f₁ + f₂ + f₃ + f₄  f₂ + f₄ ⎥",
        "              ⎣ f₃       f₃ + f₄            f₄      ⎦",
    ]


def test_a_matrix_too_wide_shows_its_corners_and_says_so():
    rows = tuple(tuple(str(row * column) for column in range(60)) for row in range(40))
    text = _alone(Matrix(name="M", rows=rows))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" in text
    assert re.search(r"7 of 40 rows and \d+ of 60 columns\s+are shown; --json\s+has\s+all", text)


def test_long_entries_are_listed_and_the_rest_is_counted():
    entry = "x1*f1 + x2*f2 + x3*f3 + x4*f4 + x5*f5 + x6*f6"
    text = _alone(Matrix(name="y", rows=(tuple([entry] * 30),)))
    assert text.startswith("  y₁ = x₁·f₁ + x₂·f₂")
    assert "... and 12 of 30 entries more" in text


def test_a_sum_is_broken_before_its_signs_and_nowhere_else():
    formula = "y1 = " + " + ".join(f"x{number}*f{number}" for number in range(1, 30))
    lines = _alone(Equations(lines=(formula,))).splitlines()
    assert len(lines) > 3
    assert all(line.lstrip().startswith(("y₁ = ", "+ ")) for line in lines)
    assert "".join(line.strip() + " " for line in lines).count("·") == 29


def test_headings_are_bold_only_where_colours_are_wanted(derivations):
    paper = derivation_paper(derivations())
    assert "\x1b[1m" in paper_text(paper, colour=True)
    assert "\x1b" not in paper_text(paper)


def test_what_is_no_formula_and_what_is_hostile_is_shown_as_it_is(hostile):
    text = _alone(Words(text=hostile), Equations(lines=("y1 ~ 3 ! x",)))
    assert "\u202e" not in text
    assert "\\u202e" in text
    assert "y1 ~ 3 ! x" in text
