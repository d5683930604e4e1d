from thalweg.core.report import Matrix, Picture
from thalweg.rendering.figures.confusion import frequent_confusions, matrix_rows


def test_rows_carry_shares_and_the_pictures_of_their_cells():
    picture = Picture(data=b"x", media_type="image/png", caption="")
    rows = matrix_rows(
        Matrix(caption="", labels=("a", "b"), counts=((6, 2), (0, 0)), pictures={"0,1": (picture,)}),
    )
    assert [cell.share for cell in rows[0].cells] == [0.75, 0.25]
    assert [cell.right for cell in rows[0].cells] == [True, False]
    assert rows[0].cells[1].pictures == (picture,)
    assert rows[0].cells[0].pictures == ()
    assert rows[1].cells[0].share == 0


def test_confusions_come_with_the_most_frequent_first_and_without_right_answers():
    matrix = Matrix(caption="", labels=("a", "b", "c"), counts=((50, 1, 0), (7, 50, 0), (3, 0, 50)))
    cells = frequent_confusions(matrix, limit=2)
    assert [(cell.true, cell.predicted, cell.count) for cell in cells] == [("b", "a", 7), ("c", "a", 3)]
