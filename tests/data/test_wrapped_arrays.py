"""Arrays as they are downloaded: a folder deeper, packed, in several forms, with tables of pixels and of answers."""

import csv
import struct
import tarfile

import numpy as np
import pytest

from thalweg.core.dataset import Wanted
from thalweg.core.errors import SourceError
from thalweg.data.finding.scan import scan
from thalweg.data.measured.arrays import array_files, picture_arrays
from thalweg.data.opening.source import open_source, source_name

COUNT = 12


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THALWEG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def table(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows] if header else rows)
    return path


def pixels(count=COUNT, numbers=81, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, numbers)).tolist()


def mnist(folder):
    folder.mkdir(parents=True)
    x = np.zeros((COUNT, 8, 8), np.uint8)
    for part in ("train", "t10k"):
        images = struct.pack(">IIII", 2051, *x.shape) + x.tobytes()
        (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        labels = struct.pack(">II", 2049, COUNT) + bytes(row % 2 for row in range(COUNT))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def test_arrays_in_folders_of_their_own_are_found(tmp_path):
    mnist(tmp_path / "MNIST" / "raw")
    assert len(scan(open_source(tmp_path)).samples) == 2 * COUNT


def test_arrays_in_an_archive_are_arrays(tmp_path):
    mnist(tmp_path / "here" / "mnist")
    with tarfile.open(tmp_path / "mnist.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "here", "")
    opened = open_source(tmp_path / "mnist.tar.gz")
    assert (opened.kind, len(scan(opened).samples)) == ("arrays", 2 * COUNT)


@pytest.mark.parametrize("names", [[f"pixel{n}" for n in range(81)], [f"{r}x{c}" for r in range(9) for c in range(9)]])
def test_columns_called_pixels_are_pictures(tmp_path, names):
    path = table(tmp_path / "a.csv", ["label", *names], [[row % 2, *each] for row, each in enumerate(pixels())])
    found = scan(open_source(path))
    assert (found.form, found.stored.extents, found.classes) == ("picture", (9, 9), ("0", "1"))
    assert np.array_equal(found.stored.values[:].reshape(COUNT, -1)[0], pixels()[0])
    assert "labels are in column 1 of 82 (label)" in str(found.warnings)
    assert picture_arrays(path) == ((path,),)


def test_columns_called_otherwise_are_signals(tmp_path):
    names = [f"t{number}" for number in range(81)]
    path = table(tmp_path / "a.csv", ["label", *names], [[row % 2, *each] for row, each in enumerate(pixels())])
    assert scan(open_source(path)).form == "signal"
    assert picture_arrays(path) == ()


def test_a_competition_s_tables_without_labels_are_left_out(tmp_path):
    names = [f"pixel{number}" for number in range(81)]
    table(tmp_path / "train.csv", ["label", *names], [[row % 2, *each] for row, each in enumerate(pixels())])
    table(tmp_path / "test.csv", names, [[*each[:-1], 0] for each in pixels(seed=1)])
    table(tmp_path / "sample_submission.csv", ["ImageId", "Label"], [[row, 0] for row in range(COUNT)])
    found = scan(open_source(tmp_path))
    assert len(found.samples) == COUNT
    assert "test.csv: no column of labels, left out" in str(found.warnings)


def test_a_table_of_pixels_alone_has_no_labels(tmp_path):
    path = table(tmp_path / "a.csv", [f"pixel{number}" for number in range(81)], [[0] * 81] * COUNT)
    with pytest.raises(SourceError, match="no column holds labels"):
        open_source(path)


def test_flattened_pictures_get_their_sides_back_where_pictures_are_asked_for(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array(pixels(), np.uint8), y=np.arange(COUNT) % 2)
    assert scan(open_source(tmp_path / "a.npz")).form == "signal"
    found = scan(open_source(tmp_path / "a.npz", wanted=Wanted(form="pictures")))
    assert (found.form, found.stored.extents) == ("picture", (9, 9))


def test_of_a_series_in_several_forms_one_is_read(tmp_path):
    for part in ("TRAIN", "TEST"):
        for ending, mark in ((".tsv", "\t"), (".txt", "  ")):
            rows = [mark.join(map(str, [row % 2, *each])) for row, each in enumerate(pixels(numbers=20))]
            (tmp_path / f"Gun_{part}{ending}").write_text("\n".join(rows), encoding="utf-8")
        (tmp_path / f"Gun_{part}.arff").write_text("@relation", encoding="utf-8")
    (tmp_path / "README.md").write_text("", encoding="utf-8")
    assert [file.name for file in array_files(tmp_path)] == ["Gun_TEST.tsv", "Gun_TRAIN.tsv"]
    for file in tmp_path.glob("*.tsv"):
        file.unlink()
    assert len(scan(open_source(tmp_path)).samples) == 2 * COUNT


def test_labels_called_target_are_found_beside_an_array(tmp_path):
    np.save(tmp_path / "faces.npy", np.zeros((COUNT, 9, 9), np.uint8))
    np.save(tmp_path / "faces_target.npy", np.arange(COUNT) % 2)
    assert len(scan(open_source(tmp_path)).samples) == COUNT


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a.mat", r"files of the kind \.mat are not read; save samples and labels by numpy\.savez"),
        ("a.PT", r"files of the kind \.pt are not loaded, since that could run code"),
        ("a.mp3", r"ffmpeg -i a\.mp3 a\.wav"),
        ("a.jpg", "is a single file; name the folder that holds pictures"),
    ],
)
def test_a_file_that_is_no_source_says_the_way_out(tmp_path, name, told):
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    with pytest.raises(SourceError, match=told):
        open_source(tmp_path / name)


def test_a_link_to_itself_does_not_stop_a_source(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    (tmp_path / "self").symlink_to("self")
    assert scan(open_source(tmp_path)).classes == ("cat", "dog")


@pytest.mark.parametrize("source", [np.zeros((2, 9, 9)), (np.zeros((2, 9, 9)), [0, 1]), ["cat/1.png"], None])
def test_what_is_no_path_is_refused_in_a_sentence(source):
    with pytest.raises(SourceError, match="and a path is wanted: save arrays by") as caught:
        source_name(source)
    assert len(str(caught.value)) < 300
