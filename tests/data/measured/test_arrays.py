"""Arrays as sources: every form in, the same pictures out; what is no picture, or no plain data, is refused."""

import gzip
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg
from thalweg.core.errors import SourceError
from thalweg.data.arrays.values import as_labels, as_pictures
from thalweg.data.finding.scan import scan
from thalweg.data.measured.array_pictures import load_stored
from thalweg.data.measured.arrays import array_files
from thalweg.data.opening.source import open_source


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THALWEG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def made(count=12, sides=(10, 12, 3), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *sides), dtype=np.uint8)


def seen(source):
    """Samples of a source with their pixels, by part and class."""
    opened = open_source(source)
    found = scan(opened)
    pixels = {}
    for sample in found.samples:
        key = (sample.part, found.classes[sample.label])
        pixels.setdefault(key, []).append(sample.file)
    whole = load_stored(found.stored, [sample.file for sample in found.samples], size=found.stored.extents[::-1])
    row = dict(zip([sample.file for sample in found.samples], whole.rows, strict=True))
    return found, {key: [whole.pixels[row[file]].squeeze() for file in files] for key, files in pixels.items()}


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


NAMES = [
    {"x": "x", "y": "y"},
    {"x": "images", "y": "labels"},
    {"x": "X", "y": "targets"},
    {"x": "arr_0", "y": "arr_1"},
]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names["x"])
def test_an_npz_file_under_the_names_people_give(tmp_path, names):
    x, y = made(), np.arange(12) % 3
    np.savez(tmp_path / "photos.npz", **{names["x"]: x, names["y"]: y[:, None]})
    found, pixels = seen(tmp_path / "photos.npz")
    assert found.classes == ("0", "1", "2")
    assert len(found.samples) == 12
    assert all(np.array_equal(np.stack(pixels[None, str(label)]), x[y == label]) for label in range(3))


@pytest.mark.parametrize("form", ["x_{}", "{}_images"])
def test_parts_within_one_file_and_as_files_of_their_own(tmp_path, form):
    label = {"x_{}": "y_{}", "{}_images": "{}_labels"}[form]
    arrays = {}
    for number, part in enumerate(("train", "val", "test")):
        arrays |= {form.format(part): made(6, (9, 9), number), label.format(part): np.array([0, 1] * 3)}
    np.savez(tmp_path / "all.npz", **arrays)
    found, pixels = seen(tmp_path / "all.npz")
    assert {key: len(value) for key, value in pixels.items()} == {
        (part, name): 3 for part in ("train", "validation", "test") for name in "01"
    }
    (tmp_path / "parts").mkdir()
    for number, part in enumerate(("train", "test")):
        classes = np.array(["ape", "bear"])
        np.savez(tmp_path / "parts" / f"{part}.npz", x=made(6, (9, 9), number), y=[0, 1] * 3, classes=classes)
    found, again = seen(tmp_path / "parts")
    assert found.classes == ("ape", "bear")
    assert np.array_equal(again["test", "bear"], made(6, (9, 9), 1)[1::2])


def test_idx_files_plain_and_gzipped_with_their_partner(tmp_path):
    x, y = made(8, (28, 28)), np.array([3, 7] * 4, np.uint8)
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(x)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(y))
    _, pixels = seen(tmp_path)
    assert {key: len(value) for key, value in pixels.items()} == {
        (part, name): 4 for part in ("train", "test") for name in "37"
    }
    assert np.array_equal(pixels["train", "7"], x[1::2])
    assert len(scan(open_source(tmp_path / "t10k-images-idx3-ubyte.gz")).samples) == 8


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it is empty"),
        (b"PK\3\4", "does not begin as an idx file does"),
        (idx(made(8, (28, 28)))[:-5], "promises 6,272 bytes of values and it holds 6,267"),
        (idx(made(8, (28, 28))) + b"x", "and it holds more"),
        (b"\0\0\x08\3" + b"\xff" * 12, "promises .* GB"),
    ],
)
def test_idx_files_that_are_damaged(tmp_path, data, told):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(data)
    with pytest.raises(SourceError, match="the file with its labels is missing beside it"):
        open_source(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(8, np.uint8)))
    with pytest.raises(SourceError, match=told):
        open_source(tmp_path)


def cifar_batches(folder, *, binary):
    x, y = made(8, (3, 32, 32)), [6, 0] * 4
    folder.mkdir()
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        if binary:
            rows = np.concatenate([np.array(y, np.uint8)[:, None], x.reshape(8, -1)], axis=1)
            (folder / f"{name}.bin").write_bytes(rows.tobytes())
        else:
            (folder / name).write_bytes(pickle.dumps({b"data": x.reshape(8, -1), b"labels": y}, protocol=2))
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    if binary:
        (folder / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    else:
        (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": [name.encode() for name in names]}, 2))
    return x


@pytest.mark.parametrize("binary", [True, False])
def test_the_batches_of_cifar(tmp_path, binary):
    x = cifar_batches(tmp_path / "cifar", binary=binary)
    _, pixels = seen(tmp_path / "cifar")
    assert {key: len(value) for key, value in pixels.items()} == {
        ("train", "frog"): 8, ("train", "airplane"): 8, ("test", "frog"): 4, ("test", "airplane"): 4,
    }  # fmt: skip
    assert np.array_equal(pixels["test", "frog"], x[::2].transpose(0, 2, 3, 1))


def test_a_pickle_that_would_run_code_is_not_loaded(tmp_path):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harmed"), "w"))

    cifar_batches(tmp_path / "cifar", binary=False)
    (tmp_path / "cifar" / "data_batch_1").write_bytes(pickle.dumps({b"data": Harm(), b"labels": []}))
    with pytest.raises(SourceError, match=r"wants to load .*open: not loaded, since that could run code"):
        open_source(tmp_path / "cifar")
    np.savez(tmp_path / "objects.npz", x=np.array([Harm(), None], dtype=object), y=[0, 1])
    with pytest.raises(SourceError, match="holds Python objects, which are not loaded"):
        open_source(tmp_path / "objects.npz")
    assert not (tmp_path / "harmed").exists()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_cifar_or_one_clear_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "data_batch_1").write_bytes(data)
    with pytest.raises(SourceError) as error:
        open_source(folder)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"x": np.zeros((9, 5)), "y": np.zeros(9)}, "too short for signals; 8 steps are needed"),
        ({"x": np.zeros((9, 4, 64, 64)), "y": np.zeros(9)}, "may be pictures of 4 channels"),
        ({"x": np.zeros((0, 64, 64)), "y": np.zeros(0)}, "is empty: it holds 0 samples"),
        ({"x": np.zeros(9), "y": np.zeros(9)}, "holds no pictures, signals or volumes"),
        ({"x": np.zeros((9, 9, 9)), "y": np.zeros(8)}, "9 samples and 8 labels do not belong together"),
        (
            {"x": np.zeros((32, 32, 3, 8)), "y": np.zeros(8)},
            "8 labels belong to axis 3 of 32x32x3x8, and samples come first: save numpy.moveaxis",
        ),
        (
            {"x": np.zeros((100, 3, 8)), "y": np.zeros(8)},
            "8 labels belong to axis 2 of 100x3x8, and samples come first: save numpy.moveaxis",
        ),
        ({"x": np.zeros((9, 9, 9)), "y": np.linspace(0, 1, 9)}, "values to predict rather than classes"),
        ({"x": np.zeros((3, 9, 9)), "y": np.eye(3)[:, [0, 0, 1]]}, "a picture with several labels"),
        ({"x": np.full((3, 9, 9), np.nan), "y": [0, 1, 2]}, "no picture of the source holds finite values"),
        ({"x": np.array(["a", "b"]), "y": [0, 1]}, "holds no pictures"),
        ({"weights": np.zeros((3, 3))}, "no pictures with labels found .it holds weights 3x3."),
        ({"x": np.zeros((9, 9, 9)), "y": [0, 5] * 4 + [1], "classes": np.array(["a", "b"])}, "labels run from 0 to 5"),
    ],
)
def test_what_is_no_set_of_pictures_is_told(tmp_path, arrays, told):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(SourceError, match=told):
        open_source(tmp_path / "x.npz")


def test_a_broken_file_and_too_many_files(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK\3\4 no")
    with pytest.raises(SourceError, match=r"x\.npz: is no readable .npz file"):
        open_source(tmp_path / "x.npz")
    (tmp_path / "y.npz").write_bytes(b"")
    with pytest.raises(SourceError, match="2 array files"):
        open_source(tmp_path)


def test_values_are_scaled_over_the_whole_source_alike():
    train, test = np.full((2, 8, 8), 100, np.uint16), np.full((2, 8, 8), 4095, np.uint16)
    (first, second), notes, _ = as_pictures([("a", train), ("b", test)])
    assert [each[:1].max() for each in (first, second)] == [6, 255]
    assert notes == ("values from 0 to 4095 are shown as 0 to 255, over the whole source alike",)
    (shown,), notes, _ = as_pictures([("c", np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 8, 8))])
    assert (shown[:].min(), shown[:].max(), notes) == (0, 255, ())


def test_pictures_that_are_not_finite_are_left_out_and_named(tmp_path):
    x = np.zeros((6, 3, 9, 9), np.float32)
    x[4, 1, 2, 3] = np.inf
    np.savez(tmp_path / "x.npz", x=x, y=np.array(["cat/dog", "cat:dog", "cat/dog"] * 2))
    found, _ = seen(tmp_path / "x.npz")
    assert [(notice.file, notice.reason) for notice in found.left_out] == [
        ("x.npz[4]", "holds values that are not finite")
    ]
    assert len(found.samples) == 5
    assert found.classes == ("cat_dog", "cat_dog (1)")
    assert "channels first" in found.warnings[0].reason


def test_one_hot_rows_and_words_are_labels():
    labels, classes, _ = as_labels([("y", np.eye(3)[[2, 0]], ()), ("z", np.eye(3)[[1]], ())])
    assert ([each.tolist() for each in labels], classes) == ([[2, 0], [1]], ("0", "1", "2"))
    labels, classes, _ = as_labels([("y", np.array(["گربه", "سگ"]), ())])
    assert [classes[index] for index in labels[0]] == ["گربه", "سگ"]


def test_a_folder_of_photos_is_no_array_source(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    np.savez(tmp_path / "train.npz", x=made(), y=np.zeros(12))
    assert array_files(tmp_path) == ()


def test_a_network_is_trained_on_arrays_of_two_parts(tmp_path):
    y = np.arange(40) % 2
    x = (made(40, (16, 16)) // 4 + 120 * y[:, None, None]).astype(np.uint8)
    np.savez(tmp_path / "sets.npz", x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])
    result = thalweg.train(tmp_path / "sets.npz", out=tmp_path / "run", epochs=2, image_size=32, batch_size=8, lr=0.01)
    assert (result.train_files, result.test_files, result.split) == (30, 10, "test")
    assert thalweg.evaluate(tmp_path / "run").accuracy == result.accuracy
