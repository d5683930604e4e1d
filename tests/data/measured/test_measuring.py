"""Arrays of signals and volumes as sources: axes told apart, parts and patients kept, broken samples named."""

import numpy as np
import pytest

from thalweg.core.dataset import Wanted
from thalweg.core.errors import SourceError
from thalweg.data.arrays.axes import axes_of_samples
from thalweg.data.arrays.fitting import resize
from thalweg.data.finding.scan import scan
from thalweg.data.measured.store import open_measured
from thalweg.data.measured.values import load_values, standardisation
from thalweg.data.opening.source import open_source


@pytest.fixture(autouse=True)
def cache(own_cache):
    return own_cache


def read(source, **wanted):
    found = scan(open_source(source, wanted=Wanted(**wanted)))
    assert found.measured is not None
    return found, found.measured


def waves(count=20, shape=(2, 40), seed=0):
    return np.random.default_rng(seed).normal(3, 2, (count, *shape)).astype(np.float32)


def save(path, x, **arrays):
    np.savez(path, x=x, y=np.arange(len(x)) % 2, **arrays)
    return path


@pytest.mark.parametrize(
    ("sides", "form", "channel", "said"),
    [
        ((187,), "signal", None, ""),
        ((1, 187), "signal", 0, "channels first because 1 is smaller than 187"),
        ((360, 2), "signal", 1, "channels last because 2 is smaller than 360"),
        ((12, 1000), "signal", 0, "channels first"),
        ((784,), "signal", None, "were these flattened pictures"),
        ((28, 28), "picture", None, ""),
        ((3, 32, 32), "picture", None, ""),
        ((28, 28, 28), "volume", None, ""),
        ((1, 28, 28, 28), "volume", 0, "channels first"),
        ((16, 64, 64, 3), "volume", 3, "channels last because 3 is smaller than 16"),
    ],
)
def test_the_shape_tells_what_samples_are(sides, form, channel, said):
    axes = axes_of_samples(sides)
    assert (axes.form, axes.channel) == (form, channel)
    assert said in axes.why
    assert bool(said) == bool(axes.why)


def test_whole_numbers_up_to_255_are_rather_a_picture_and_the_user_decides():
    assert axes_of_samples((20, 100)).form == "signal"
    assert axes_of_samples((20, 100), are_bytes=True).form == "picture"
    assert axes_of_samples((20, 20), form="signals").form == "signal"
    assert axes_of_samples((4, 64, 64), form="volumes").form == "volume"


@pytest.mark.parametrize(
    ("sides", "form", "told"),
    [
        ((3, 4), "auto", "3x4 numbers are too short for signals"),
        ((4, 64, 64), "auto", "may be pictures of 4 channels"),
        ((1, 1, 64, 64), "auto", "one slice or frame: that is a picture"),
        ((9, 20, 20, 20), "auto", "no axis of channels at either end"),
        ((2, 2, 9, 9, 9), "auto", "neither signals, pictures nor volumes"),
        ((20, 20, 20), "signals", "20x20x20 have 3 axes; signals have 1 or 2"),
    ],
)
def test_shapes_that_fit_nothing_are_told(sides, form, told):
    with pytest.raises(SourceError, match=told):
        axes_of_samples(sides, form=form)


@pytest.mark.parametrize("first", [True, False])
def test_channels_first_or_last_are_stored_alike(tmp_path, first):
    x = waves()
    found, measured = read(save(tmp_path / "a.npz", x if first else x.transpose(0, 2, 1), fs=20))
    assert np.array_equal(measured.values[measured.rows], x.transpose(0, 2, 1))
    order = "first" if first else "last"
    assert measured.index.note == (
        f"read 20 signals of 2 channels x 40 steps (2 s at 20 Hz); channels {order} because 2 is smaller than 40"
    )
    assert [sample.label for sample in found.samples] == [0, 1] * 10


def test_values_stay_on_the_disk_and_small_types_small(tmp_path):
    _, measured = read(save(tmp_path / "a.npz", waves().astype(np.float16)))
    assert isinstance(measured.values, np.memmap)
    assert measured.values.dtype == np.float16
    _, measured = read(save(tmp_path / "b.npz", np.ones((6, 8, 9, 10), np.float64)))
    assert measured.values.dtype == np.float32


def test_the_own_split_and_patients_of_a_source_are_kept(tmp_path):
    for number, part in enumerate(("train", "test")):
        save(tmp_path / f"{part}.npz", waves(12, (1, 30), number), record=np.repeat([7 + number, 20, 30], 4))
    found, measured = read(tmp_path)
    assert {sample.part for sample in found.samples} == {"train", "test"}
    assert found.samples[0].file == "test.npz/record=8/000000"
    by_record = [{found.samples[place].file.split("/")[1] for place in group} for group in measured.groups]
    assert by_record == [{"record=8"}, {"record=20"}, {"record=30"}, {"record=7"}]
    assert "samples of one record stay together: there are 4 of them" in found.warnings[0].reason


def test_medmnist_names(tmp_path):
    arrays = {}
    for part in ("train", "val", "test"):
        arrays[f"{part}_images"] = np.zeros((4, 9, 9, 9), np.uint8) + np.arange(4, dtype=np.uint8)[:, None, None, None]
        arrays[f"{part}_labels"] = np.array([[0], [1], [0], [1]])
    np.savez_compressed(tmp_path / "m.npz", **arrays)
    found, measured = read(tmp_path / "m.npz")
    assert [sample.part for sample in found.samples] == ["train"] * 4 + ["validation"] * 4 + ["test"] * 4
    assert measured.index.form == "volume"
    assert found.samples[-1].file == "m.npz/test/000003"


def test_broken_samples_are_left_out_and_named(tmp_path):
    x = waves(8).astype(np.float64)
    x[1, 0, 3], x[4, 1, 0], x[6, 0, 0] = np.nan, np.inf, 1e300
    found, measured = read(save(tmp_path / "a.npz", x))
    assert len(found.samples) == 5 == len(measured.rows)
    assert [notice.file for notice in found.left_out] == ["a.npz/000001", "a.npz/000004", "a.npz/000006"]
    assert np.isfinite(measured.values).all()
    with pytest.raises(SourceError, match="none of 8 samples holds finite values only"):
        read(save(tmp_path / "b.npz", np.full((8, 2, 40), np.nan)))


def test_parts_of_different_lengths_and_one_class_are_told(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=waves(), y_train=[0, 1] * 10, x_test=waves(4, (2, 50)), y_test=[0, 1] * 2)
    with pytest.raises(SourceError, match=r"samples of different shapes: a\.npz 20x2x40, a\.npz 4x2x50"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", x=waves(), y=np.zeros(20, int))
    with pytest.raises(SourceError, match="only one class, '0', has samples; 2 are needed"):
        read(tmp_path / "b.npz")


def test_where_a_class_is_lost_the_reason_is_told(tmp_path):
    values = waves()
    values[1::2, 0, 3] = np.nan
    np.savez(tmp_path / "b.npz", x=values, y=np.arange(20) % 2)
    with pytest.raises(
        SourceError, match=r"2 are needed \(10 samples are left out, such as b.npz/000001: holds values"
    ):
        read(tmp_path / "b.npz")


def test_an_npy_file_with_its_labels_beside_it(tmp_path):
    folder = tmp_path / "arrays"
    folder.mkdir()
    np.save(folder / "x.npy", waves())
    with pytest.raises(SourceError, match=r"x\.npy: its labels are missing beside it; call them y\.npy or labels\.npy"):
        read(folder / "x.npy")
    np.save(folder / "y.npy", np.array(["cat", "dog"] * 10))
    np.save(folder / "patient.npy", np.repeat(np.arange(5), 4))
    for source in (folder / "x.npy", folder):
        found, measured = read(source)
        assert found.classes == ("cat", "dog")
        assert len(measured.groups) == 5
    np.save(folder / "y.npy", np.array(["dog", "dog", "cat", "dog"] * 5))  # labels are a part of what was stored
    assert [sample.label for sample in read(folder / "x.npy")[0].samples][:3] == [1, 1, 0]


def test_ragged_arrays_are_python_objects_and_refused(tmp_path):
    rows = np.empty(3, dtype=object)
    rows[:] = [np.zeros(9), np.zeros(10), np.zeros(11)]
    np.save(tmp_path / "x.npy", rows, allow_pickle=True)
    np.save(tmp_path / "y.npy", np.arange(3))
    with pytest.raises(SourceError, match=r"holds Python objects .such as rows of different lengths."):
        read(tmp_path / "x.npy")


def test_samples_are_resized_once_and_never_stretched(tmp_path):
    x = np.random.default_rng(1).integers(0, 255, (6, 8, 12, 16), np.uint8)
    _, measured = read(save(tmp_path / "a.npz", x))
    values = load_values(measured, extents=(8, 6, 8))
    assert values.pixels.shape == (6, 8, 6, 8, 1)
    wanted = resize(x[3], (8, 6, 8)).round()
    assert np.abs(values.pixels[values.rows[3], ..., 0] - wanted).max() <= 1
    before = [(path.name, path.stat().st_mtime_ns) for path in sorted(measured.folder.iterdir())]
    load_values(measured, extents=(8, 6, 8))
    assert [(path.name, path.stat().st_mtime_ns) for path in sorted(measured.folder.iterdir())] == before


def test_standardisation_is_of_the_chosen_rows_alone(tmp_path):
    x = waves(30) + 1e6
    x[:, 1] = 5.0
    _, measured = read(save(tmp_path / "a.npz", x))
    mean, deviation = standardisation(load_values(measured), np.arange(10))
    assert mean == pytest.approx(x[:10].astype(np.float64).mean(axis=(0, 2)))
    assert deviation[0] == pytest.approx(x[:10, 0].astype(np.float64).std())
    assert deviation[1] == 0


def test_a_damaged_store_is_told(tmp_path):
    _, measured = read(save(tmp_path / "a.npz", waves()))
    path = measured.folder / "values.bin"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(SourceError, match=r"damaged .values\.bin is 4 bytes too short.; delete that folder"):
        open_measured(measured.folder)
