import csv
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.histories.steps_tail import StepsTail
from thalweg.histories.stretches import stretches

HEADER = "step,epoch,loss,rate\n"


def _rows(count, first=1):
    return "".join(f"{k},1,{1 / k:.7g},{1e-5 * k:.7g}\n" for k in range(first, first + count))


def test_numbers_are_those_that_python_reads(tmp_path):
    path = tmp_path / "steps.csv"
    strange = "5001,9,nan,inf\n5002,9,-1.5e-07,3\n5003,9,,0.0001234567\n5004,9,123456789.25,-0\n"
    path.write_text(HEADER + _rows(5000) + strange)
    tail = StepsTail(path, ("step", "loss", "rate", "absent"))
    assert tail.refresh()
    with path.open() as file:
        read = list(csv.DictReader(file))
    assert len(tail) == len(read) == 5004
    for name in ("step", "loss", "rate"):
        np.testing.assert_array_equal(tail[name], [float(row[name] or "nan") for row in read])
    assert np.isnan(tail["absent"]).all()


@given(st.floats(allow_nan=False, width=32), st.integers(1, 17))
def test_any_number_reads_as_python_does(tmp_path_factory, value, digits):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    written = f"{value:.{digits}g}"
    path.write_text(f"{HEADER}1,1,{written},1\n")
    tail = StepsTail(path, ("loss",))
    tail.refresh()
    assert tail["loss"].tolist() == [float(written)]


@given(
    st.lists(
        st.one_of(
            st.from_regex(r"[0-9]{0,17}\.[0-9]{1,17}|[0-9]{1,17}\.?", fullmatch=True, alphabet="0123456789."),
            st.floats(1e-9, 1e3).map(lambda value: f"{value:.7g}"),
            st.floats().map(str),
            st.just(""),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_cells_of_all_forms_side_by_side_read_as_python_does(tmp_path_factory, cells):
    path = tmp_path_factory.getbasetemp() / "forms.csv"
    path.write_text("step,loss,rate\n" + "".join(f"{k},{cell},{cells[-k - 1]}\n" for k, cell in enumerate(cells)))
    tail = StepsTail(path, ("loss", "rate"))
    tail.refresh()
    wanted = [float(cell or "nan") for cell in cells]
    np.testing.assert_array_equal(tail["loss"], wanted)
    np.testing.assert_array_equal(tail["rate"], wanted[::-1])


@pytest.mark.parametrize("cell", ["1.2.3", "0.12x4", "0.1234567/", ".", "0:5", "1 2", "12345678:.5"])
def test_what_is_nearly_a_number_is_none(tmp_path, cell):
    path = tmp_path / "steps.csv"
    path.write_text(f"step,loss\n1,0.5\n2,{cell}\n3,0.25\n")
    tail = StepsTail(path, ("step", "loss"))
    tail.refresh()
    assert tail["step"].tolist() == [1, 3]
    assert tail["loss"].tolist() == [0.5, 0.25]


def test_a_row_without_a_column_shifts_no_other(tmp_path):
    path = tmp_path / "steps.csv"
    path.write_text("step,loss,rate\n1,0.5,1\n2,0.4\n3,0.3,1,7\n4,0.2,1\n")  # as many commas as whole rows had
    tail = StepsTail(path, ("step", "loss"))
    tail.refresh()
    assert tail["step"].tolist() == [1, 4]


def test_only_whole_rows_count_and_growth_is_read_on(tmp_path):
    path = tmp_path / "steps.csv"
    tail = StepsTail(path, ("step", "loss"))
    assert not tail.refresh()
    path.write_text(HEADER + "1,1,0.5,1\n2,1,0.2")
    assert tail.refresh()
    assert tail["step"].tolist() == [1]
    with path.open("a") as file:
        file.write("5,1\n3,1,0.1,1\n")
    assert tail.refresh()
    assert tail["loss"].tolist() == [0.5, 0.25, 0.1]
    assert not tail.refresh()


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    path, other = tmp_path / "steps.csv", tmp_path / "other"
    path.write_text(HEADER + _rows(10))
    tail = StepsTail(path, ("step",))
    tail.refresh()
    other.write_text(HEADER + _rows(30))
    other.replace(path)  # as a resumed run does
    assert tail.refresh()
    assert len(tail) == 30
    path.unlink()
    assert tail.refresh()
    assert len(tail) == 0


def test_a_damaged_row_is_left_out(tmp_path):
    path = tmp_path / "steps.csv"
    path.write_text(HEADER + "1,1,0.5,1\nrubbish\n2,1,zero,1\n3,1,0.1,1\n4,1,0.05,1,9\n5,1,0.01,1\n")
    tail = StepsTail(path, ("step", "loss"))
    tail.refresh()
    assert tail["step"].tolist() == [1, 3, 5]


def test_rows_that_do_not_count_up_are_read_one_by_one(tmp_path):
    path = tmp_path / "steps.csv"
    path.write_text(HEADER + _rows(1500) + _rows(1500, first=1700))
    tail = StepsTail(path, ("step",))
    tail.refresh()
    assert tail["step"].tolist() == [*range(1, 1501), *range(1700, 3200)]


@given(st.lists(st.floats(width=32), max_size=400), st.integers(1, 60))
def test_no_extreme_and_no_hole_is_lost(values, limit):
    y = np.array(values, dtype=np.float64)
    short = stretches(np.arange(len(y), dtype=np.float64), y, limit)
    known = y[np.isfinite(y)]
    assert len(short.x) <= max(limit, 0)
    assert short.missing == len(y) - len(known)
    if len(known):
        assert np.nanmin(short.low) == known.min()
        assert np.nanmax(short.high) == known.max()
    told = ~np.isnan(short.mean)
    slack = 1e-9 * np.abs(short.mean[told]) + 1e-30
    assert (short.low[told] <= short.mean[told] + slack).all() or not math.isfinite(known.sum())


@pytest.mark.parametrize("hole", [False, True])
def test_stretches_are_those_of_their_points(hole):
    y = np.random.default_rng(0).normal(size=1003)
    if hole:
        y[500] = np.nan
    short = stretches(np.arange(1003.0), y, 100)
    parts = [y[start : start + short.width] for start in range(0, 1003, short.width)]
    assert short.mean == pytest.approx([np.nanmean(part) for part in parts])
    assert short.low.tolist() == [np.nanmin(part) for part in parts]
    assert short.high.tolist() == [np.nanmax(part) for part in parts]


@pytest.mark.parametrize("count", [0, 1, 600, 601, 1_000_003])
def test_stretches_are_of_one_width(count):
    short = stretches(np.arange(count, dtype=np.float64), np.ones(count), 600)
    assert len(short.x) <= 600
    assert len(short.x) == math.ceil(count / short.width)
