import itertools

import pytest

from thalweg.core.derivation import AnswerCheck
from thalweg.rendering.papers.derivation import derivation_paper, student_sentences
from thalweg.rendering.papers.paper import Equations, Matrix, Sketch, Verdict, Words


def _parts(paper):
    return [*paper.lead, *itertools.chain.from_iterable(section.parts for section in paper.sections)]


def test_everything_the_derivation_says_is_on_the_paper(derivations):
    derivation = derivations()
    paper = derivation_paper(derivation)
    parts = _parts(paper)
    lines = {line for part in parts if isinstance(part, Equations) for line in part.lines}
    assert set(derivation.forward) <= lines
    assert all(set(step.formulas) <= lines for step in derivation.steps)
    words = " ".join(part.text for part in parts if isinstance(part, Words | Verdict))
    assert all(step.reason in words for step in derivation.steps)
    assert derivation.rule in words
    assert derivation.notes[0] in words
    matrices = {part.name: part.rows for part in parts if isinstance(part, Matrix)}
    assert matrices["dO_dx"] == derivation.dO_dx
    assert matrices["dO_df"] == derivation.dO_df
    assert matrices["M"] == derivation.matrix


def test_the_taps_of_the_matrix_are_where_its_entries_are(derivations):
    (matrix,) = [part for part in _parts(derivation_paper(derivations())) if isinstance(part, Matrix) and part.taps]
    for row, taps in zip(matrix.rows, matrix.taps, strict=True):
        assert [f"f{tap + 1}" if tap >= 0 else "0" for tap in taps] == list(row)


def test_the_sketches_show_what_each_output_sees(derivations):
    first, views = [part for part in _parts(derivation_paper(derivations())) if isinstance(part, Sketch)]
    assert [grid.title for grid in first.grids] == ["input x", "filter f", "output y"]
    seen = [[cell.text for row in grid.rows for cell in row if cell.tap >= 0] for grid in views.grids]
    assert seen == [
        ["x1", "x2", "x4", "x5"],
        ["x2", "x3", "x5", "x6"],
        ["x4", "x5", "x7", "x8"],
        ["x5", "x6", "x8", "x9"],
    ]


def test_channels_are_named_one_matrix_each(derivations):
    rows = (("c*f1", "c*f2"), ("c*f3", "c*f4"))
    parts = _parts(derivation_paper(derivations(dO_df=((rows, rows), (rows, rows)))))
    places = [part.place for part in parts if isinstance(part, Matrix) and part.name == "dO_df"]
    assert places == [f"filter {a}, channel {b}" for a in (1, 2) for b in (1, 2)]


def test_outputs_stand_for_the_sums_that_a_gradient_asks_about(derivations):
    made = "x1*f1 + x2*f2 + x4*f3 + x5*f4"
    paper = derivation_paper(derivations(dO_dx=((f"f1*Heaviside({made}, 0)", "f2"),)))
    assert paper.lead[1].rows == (("f1*Heaviside(y1, 0)", "f2"),)
    assert paper.lead[-1].text.startswith("y1, y2, ... stand for the outputs")


@pytest.mark.parametrize("proved", [True, False, None])
def test_a_proof_is_told_as_it_went(derivations, proved):
    paper = derivation_paper(derivations(proved=proved, max_difference=1e-16, proof="Compared with autograd."))
    verdicts = [part for part in _parts(paper) if isinstance(part, Verdict) and "autograd" in part.text]
    assert [verdict.good for verdict in verdicts] == [proved]
    assert "1e-16" in verdicts[0].text


def test_a_wrong_answer_is_said_first_with_place_and_mistake(derivations):
    check = AnswerCheck(
        right=False, first_wrong="dO_dx[0][1] is f1 instead of c*(f1 + f2)", likely_mistake="unflipped filter",
        explanation="Flip it.", compared=9,
    )  # fmt: skip
    paper = derivation_paper(derivations(check=check))
    verdict = paper.lead[1]
    assert verdict.good is False
    assert " ".join(student_sentences(check)) == (
        "The answer is wrong. First: dO_dx[0][1] is f1 instead of c*(f1 + f2). "
        "Likely mistake: unflipped filter. Flip it."
    )
    assert verdict.text == " ".join(student_sentences(check))
