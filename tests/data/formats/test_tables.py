"""Tables of signals: the label's column is found and the rest are values; what is no such table is told."""

import numpy as np
import pytest

from thalweg.core.errors import SourceError
from thalweg.data.formats.tables import read_table

STEPS = 12


def write(path, rows, separator=","):
    path.write_text("".join(separator.join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


def numbers(count=10, seed=0):
    return np.random.default_rng(seed).normal(size=(count, STEPS)).round(3)


def labelled(place, labels, header=None):
    rows = [[*values[:place], label, *values[place:]] for values, label in zip(numbers().tolist(), labels, strict=True)]
    return ([header] if header else []) + rows


WORDS = ["cat", "dog"] * 5
CLASSES = [0.0, 1.0] * 5


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (labelled(STEPS, CLASSES), CLASSES),
        (labelled(0, [1, 2] * 5), [1.0, 2.0] * 5),
        (labelled(0, WORDS), WORDS),
        (labelled(5, WORDS), WORDS),
        (labelled(STEPS, WORDS, [*(f"t{step}" for step in range(STEPS)), "Species"]), WORDS),
        (labelled(3, CLASSES, [*"abc", "label", *"defghijkl"]), CLASSES),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_column_of_labels_is_found(tmp_path, rows, expected, separator):
    (part,) = read_table(write(tmp_path / "a.csv", rows, separator))
    assert part.labels.tolist() == expected
    assert np.allclose(part.pictures, numbers())
    place = next(index for index, cell in enumerate(rows[-1]) if cell in {1.0, 2, "dog"})
    assert part.said.startswith(f"labels are in column {place + 1} of 13")


def test_patients_and_an_index_are_no_values(tmp_path):
    header = ["", "patient_id", *(f"v{step}" for step in range(STEPS)), "target"]
    rows = [[row, row // 2, *values, row % 2] for row, values in enumerate(numbers().tolist())]
    (part,) = read_table(write(tmp_path / "a.csv", [header, *rows]))
    assert part.pictures.shape == (10, STEPS)
    assert (part.grouped_by, part.groups.tolist()) == ("patient", list("0011223344"))


def test_rows_to_predict_may_have_a_label_or_not(tmp_path):
    (with_label,) = read_table(write(tmp_path / "a.csv", labelled(STEPS, CLASSES)), labelled=False, values=STEPS)
    (without,) = read_table(write(tmp_path / "b.csv", numbers().tolist()), labelled=False, values=STEPS)
    assert np.allclose(with_label.pictures, without.pictures)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("a,b,label\n", "has a header and no rows"),
        ("1,2,3\n4,5,6\n", "2 columns of numbers a row are no signal"),
        ("\n".join(",".join(["0.5"] * 12 + [str(row % 2)][: row != 3]) for row in range(9)), "row 4 has 12 cells"),
        ("\n".join(",".join(["0.5"] * 12 + ["ab"[row % 2]]) for row in range(300)) + "\n1,2,x" + ",3" * 9 + ",a",
         "row 301, column 3: 'x' is no number"),
        ("\n".join(",".join(["0.5", "u", "v"] * 5) for _ in range(4)), "10 columns hold words"),
        ("\n".join(",".join(f"{row}.{cell}" for cell in range(12)) for row in range(9)), "no column holds labels"),
        ("\x00\xff", "no signal"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_signals_is_told_in_one_line(tmp_path, text, told):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=told) as error:
        read_table(tmp_path / "a.csv")
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text_are_told(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00,1,2")
    with pytest.raises(SourceError, match=r"a\.csv: cannot be read as a table"):
        read_table(tmp_path / "a.csv")


def test_an_empty_cell_is_a_value_that_is_missing(tmp_path):
    rows = labelled(STEPS, WORDS)
    rows[2][4] = ""
    (part,) = read_table(write(tmp_path / "a.csv", rows))
    assert np.argwhere(np.isnan(part.pictures)).tolist() == [[2, 4]]


def test_decimal_commas_of_a_spreadsheet(tmp_path):
    rows = [
        [str(value).replace(".", ",") for value in row] + [label] for row, label in zip(numbers(), WORDS, strict=True)
    ]
    (part,) = read_table(write(tmp_path / "a.csv", rows, ";"))
    assert np.allclose(part.pictures, numbers())
    assert list(part.labels) == WORDS
