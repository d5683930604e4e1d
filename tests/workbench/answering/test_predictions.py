"""`predictions.csv` holds any name, and is refused when it is of another run."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.errors import RunError
from thalweg.workbench.answering.predictions import csv_line, predictions_from_csv, predictions_to_csv

CLASSES = ("گربه", "🐈 cat", "new\nline", "lone\rreturn", '<script>,"', "bad\udcff\udcfe", "x" * 255)


@given(st.lists(st.text(), min_size=2, max_size=4))
def test_a_row_of_csv_is_read_back_whatever_is_in_it(cells):
    (row,) = csv.reader(io.StringIO(csv_line(cells), newline=""))
    assert row == [cell.encode("utf-8", "backslashreplace").decode() for cell in cells]


def test_every_name_survives_a_file_and_back():
    files = [f"{name}/1.png" for name in CLASSES]
    labels = np.arange(len(CLASSES))
    shares = np.random.default_rng(0).dirichlet(np.ones(len(CLASSES)), len(CLASSES))
    text = predictions_to_csv(files, CLASSES, shares, labels).encode("utf-8").decode("utf-8")
    read_files, read_shares, read_labels = predictions_from_csv(text, CLASSES, files)
    assert read_files == files
    assert read_labels.tolist() == labels.tolist()
    np.testing.assert_allclose(read_shares, shares, rtol=1e-5)


@pytest.mark.parametrize("old", ["p_a", "a/1.png", "0.75", ",a,b,"])
def test_a_file_of_another_run_is_refused(old):
    text = predictions_to_csv(["a/1.png"], ("a", "b"), np.array([[0.25, 0.75]]), np.array([0]))
    assert old in text
    with pytest.raises(RunError, match=r"predictions.csv.* of this run: thalweg resume"):
        predictions_from_csv(text.replace(old, ",c,b," if old == ",a,b," else "other"), ("a", "b"), ["a/1.png"])
