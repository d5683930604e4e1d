"""history.csv: written and read back, gaps and all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.errors import RunError
from thalweg.core.history import EPOCH_COLUMNS, RunHistory, epochs_from_csv, epochs_to_csv

NUMBERS = st.floats(-1e6, 1e6).map(lambda value: float(format(value, ".10g")))
ROWS = st.lists(st.dictionaries(st.sampled_from(list(EPOCH_COLUMNS)), NUMBERS), max_size=6).map(
    lambda rows: [{"epoch": number, **row} for number, row in enumerate(rows, start=1)]
)


@given(ROWS)
def test_rows_are_read_back_with_their_gaps(rows):
    assert epochs_from_csv(epochs_to_csv(rows), "history.csv") == rows


def test_the_header_is_the_promised_one():
    assert epochs_to_csv([]).strip() == (
        "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second"
    )


@pytest.mark.parametrize("text", ["epoch,train_loss\n1,low\n", "train_loss\n0.5\n", "epoch,train_loss\n1,0.5,7\n"])
def test_a_line_that_is_no_row_is_named(text):
    with pytest.raises(RunError, match=r"history\.csv: line 2 is not a row of numbers with an epoch"):
        epochs_from_csv(text, "history.csv")


def test_curves_have_a_gap_where_nothing_was_measured():
    history = RunHistory.from_epochs([{"epoch": 1, "val_loss": 0.5}, {"epoch": 2, "train_loss": 0.4}])
    first, second = history.signal("val_loss").values
    assert first == 0.5
    assert math.isnan(second)
    assert history.signal("seconds") is None
    assert history.epochs == 2
    assert RunHistory().epochs == 0
