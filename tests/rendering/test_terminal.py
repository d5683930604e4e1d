from thalweg.core.report import Matrix, Report
from thalweg.rendering.terminal import answer_text, matrix_text


def test_five_lines_are_said_and_commands_are_not_broken(hostile):
    command = "thalweg train photos --backbone efficientnet-lite0 --epochs 20 --seed 42 --image-size 224"
    text = answer_text(Report(title="t", answer=(hostile, command, "3", "4", "5", "6"), sections=()), width=40)
    assert text.splitlines()[-1] == "5"
    assert "--image-size" in text
    assert "\u202e" not in text
    assert max(map(len, text.splitlines())) <= 40


def test_a_matrix_lines_up_and_names_its_axes():
    counts = ((1_442, 20), (7, 9))
    rows = matrix_text(Matrix(caption="Validation", labels=("functional", "گربه"), counts=counts)).splitlines()
    assert "rows: true" in rows[0]
    assert rows[2].split() == ["functional", "1,442", "20", "99", "%"]
    assert len({len(row) for row in rows[1:]}) == 1


def test_many_classes_give_their_confusions_within_the_width():
    labels = tuple(f"a class with a long name {index}" for index in range(40))
    counts = [[0] * 40 for _ in range(40)]
    counts[2][5] = 1234
    text = matrix_text(Matrix(caption="c", labels=labels, counts=tuple(map(tuple, counts))))
    assert "1,234  a class with a long name 2, taken for" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_class_without_files_has_no_share():
    assert "%" not in matrix_text(Matrix(caption="c", labels=("a", "b"), counts=((0, 0), (0, 0))))
