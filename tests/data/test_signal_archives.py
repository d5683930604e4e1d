"""Signals as archives publish them: UCR and UEA series, UCI's HAR, spoken digits, Speech Commands, loose texts."""

import struct

import numpy as np
import pytest

from thalweg.core.errors import SourceError
from thalweg.data.finding.scan import scan
from thalweg.data.measured.store import open_measured
from thalweg.data.opening.source import open_source

HEAD = "#about\n@problemName A\n@timeStamps false\n@univariate {}\n@classLabel true walk run\n@data\n"


def series(rows, channels=1, length=20):
    lines = []
    for n in range(rows):
        values = np.random.default_rng(n).normal(size=(channels, length + n % 3 if channels > 1 else length)).round(3)
        lines.append(":".join(",".join(map(str, each)) for each in values) + (":walk" if n % 2 else ":run"))
    return "\n".join(lines) + "\n"


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def touch(root, *files):
    for file in files:
        put(root / file)


def recording(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(seed).integers(-900, 900, 300).astype("<i2").tobytes()
    sizes = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 200, 400, 2, 16)
    path.write_bytes(sizes + struct.pack("<4sI", b"data", len(data)) + data)


def test_ts_of_one_channel_keeps_its_parts(tmp_path):
    for part in ("TRAIN", "TEST"):
        put(tmp_path / f"A_{part}.ts", HEAD.format("true") + series(6))
    found = scan(open_source(tmp_path))
    assert (found.form, found.classes, len(found.samples)) == ("signal", ("run", "walk"), 12)
    assert {each.part for each in found.samples} == {"train", "test"}
    assert found.measured.extents == (20,)


def test_channels_of_ts_are_channels_however_many(tmp_path):
    put(tmp_path / "A.ts", HEAD.format("false") + series(6, channels=24, length=20))
    found = scan(open_source(tmp_path / "A.ts"))
    assert (found.form, found.measured.channels, found.measured.extents) == ("signal", 24, (21,))
    assert "4 of 6 series are of another length than 21" in " ".join(each.reason for each in found.warnings)


def test_arff_has_its_class_in_the_only_attribute_of_words(tmp_path):
    attributes = "".join(f"@attribute a{n} numeric\n" for n in range(12))
    rows = "\n".join(",".join(["0.5"] * 11 + [str(n), ("x", "y")[n % 2]]) for n in range(6))
    put(tmp_path / "A.arff", f"@relation A\n{attributes}@attribute target {{x,y}}\n@data\n{rows}\n")
    found = scan(open_source(tmp_path / "A.arff"))
    assert (found.classes, found.measured.extents, found.measured.channels) == (("x", "y"), (12,), 1)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.ts", "@classLabel false\n@data\n1,2:3\n", "have no classes"),
        ("a.ts", "@timeStamps true\n@classLabel true a\n@data\n(0,1):a\n", "have a time with each value"),
        ("a.ts", "@classLabel true a b\n@data\n1,2,x:a\n", "series 1 holds 'x', which is no number"),
        ("a.ts", "@classLabel true a b\n", "no series behind a line @data"),
        ("a.ts", "@classLabel true a b\n@data\n1,2:3,4:a\n1,2:b\n", "have 1 to 2 channels"),
        ("a.arff", "@attribute a relational\n@attribute c {x,y}\n@data\n1,x\n", "take the .ts of the same set"),
        ("a.arff", "@attribute a numeric\n@attribute c {x,y}\n@data\n1,2,x\n", "row 1 has 3 cells, the header names 2"),
    ],
)
def test_series_that_are_not_read_say_why(tmp_path, name, text, reason):
    put(tmp_path / name, text)
    with pytest.raises(SourceError, match=reason):
        open_source(tmp_path / name)


def har(root):
    put(root / "activity_labels.txt", "1 WALKING\n2 LAYING\n")
    for part, rows in (("train", 8), ("test", 4)):
        put(root / f"{part}/X_{part}.txt", "1 2 3\n" * rows)
        put(root / f"{part}/y_{part}.txt", "\n".join(str(1 + n % 2) for n in range(rows)))
        put(root / f"{part}/subject_{part}.txt", "\n".join(f"{part[:2]}{n // 2}" for n in range(rows)))
        for axis in "xyz":
            values = np.random.default_rng(rows + ord(axis)).normal(size=(rows, 16))
            put(
                root / f"{part}/Inertial Signals/acc_{axis}_{part}.txt",
                "\n".join(" ".join(map(str, r)) for r in values),
            )


def test_channels_in_files_of_their_own(tmp_path):
    har(tmp_path)
    found = scan(open_source(tmp_path))
    assert (found.classes, found.measured.channels, found.measured.extents) == (("LAYING", "WALKING"), 3, (16,))
    assert [each.part for each in found.samples].count("test") == 4
    assert len(found.measured.groups) == 6
    first = np.loadtxt(tmp_path / "test/Inertial Signals/acc_y_test.txt")
    assert np.allclose(open_measured(found.root).values[0, :, 1], first[0])


def test_channels_of_other_lengths_are_refused(tmp_path):
    har(tmp_path)
    put(tmp_path / "train/Inertial Signals/acc_y_train.txt", "1 2 3\n" * 8)
    with pytest.raises(SourceError, match="8x3 numbers where 8 labels and 16 steps are usual"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("files", "classes"),
    [
        ([f"recordings/{d}_{who}_{n}.wav" for d in (0, 7) for who in ("ann", "bob") for n in range(2)], ("0", "7")),
        ([f"Actor_{a:02d}/03-01-{e:02d}-01-01-01-{a:02d}.wav" for a in (1, 2) for e in (1, 5)], ("angry", "neutral")),
        ([f"AudioWAV/{a}_DFA_{e}_XX.wav" for a in (1001, 1002) for e in ("ANG", "SAD")], ("anger", "sad")),
        ([f"wav/{a}a01{e}a.wav" for a in ("03", "08") for e in "WT"], ("anger", "sadness")),
    ],
)
def test_published_namings_say_classes_and_speakers(tmp_path, files, classes):
    touch(tmp_path, *files)
    found = scan(open_source(tmp_path))
    assert (found.kind, found.classes, len(found.together)) == ("wav", classes, 2)


def test_a_table_and_folders_of_classes_outweigh_a_naming(tmp_path):
    files = [f"{word}/{d}_{who}_0.wav" for word in ("yes", "no") for d in (0, 7) for who in ("ann", "bob")]
    touch(tmp_path / "a", *files)
    assert scan(open_source(tmp_path / "a")).classes == ("no", "yes")
    names = [f"{d}_{who}_{n}.wav" for d in (0, 7) for who in ("ann", "bob") for n in range(2)]
    touch(tmp_path / "b/audio", *names)
    put(
        tmp_path / "b/meta.csv",
        "file,label\n" + "\n".join(f"{name},{('hi', 'lo')[n % 2]}" for n, name in enumerate(names)),
    )
    assert scan(open_source(tmp_path / "b")).classes == ("hi", "lo")


def test_speech_commands_keeps_its_lists_and_its_noise_is_no_word(tmp_path):
    files = [f"{word}/{speaker:08x}_nohash_0.wav" for word in ("no", "yes") for speaker in range(5)]
    touch(tmp_path, *files, "_background_noise_/hum.wav")
    put(tmp_path / "validation_list.txt", f"{files[0]}\n{files[5]}\n")
    put(tmp_path / "testing_list.txt", f"{files[1]}\n{files[6]}\n")
    found = scan(open_source(tmp_path))
    assert found.classes == ("no", "yes")
    assert {each.file: each.part for each in found.samples}[files[6]] == "test"
    assert [each.part for each in found.samples].count("train") == 6
    assert "testing_list.txt and validation_list.txt: the source's own lists" in found.warnings[-2].reason
    assert "between underscores" in " ".join(each.reason for each in found.left_out)


def test_a_list_of_training_files_leaves_the_others_out(tmp_path):
    files = [f"images/{name}/{n}.jpg" for name in ("pie", "soup") for n in range(4)]
    touch(tmp_path, *files)
    lines = [file.removeprefix("images/").removesuffix(".jpg") for file in files]
    put(tmp_path / "meta/train.txt", "\n".join(lines[::4] + lines[1::4]))
    put(tmp_path / "meta/test.txt", "\n".join(lines[2::4]))
    found = scan(open_source(tmp_path))
    assert [each.part for each in found.samples] == ["train", "train", "test"] * 2
    assert [each.file for each in found.left_out if "none of the source's lists" in each.reason] == [
        "pie/3.jpg",
        "soup/3.jpg",
    ]


def test_a_text_that_is_no_list_changes_nothing(tmp_path):
    touch(tmp_path, *(f"{name}/{n}.jpg" for name in ("pie", "soup") for n in range(4)))
    put(tmp_path / "train.txt", "how these were taken\nby whom\nand why\n")
    assert {each.part for each in scan(open_source(tmp_path)).samples} == {None}


def test_recordings_may_be_texts_where_there_is_nothing_else(tmp_path):
    for name in ("S", "Z"):
        for n in range(3):
            put(tmp_path / f"{name}/{name}{n:03d}.txt", "\n".join(map(str, range(20))))
    found = scan(open_source(tmp_path))
    assert (found.kind, found.classes, len(found.samples)) == ("table", ("S", "Z"), 6)


def test_persons_as_classes_are_doubted_and_folds_refused(tmp_path):
    for n in range(2):
        recording(tmp_path / f"a/speaker_{n}/1.wav", n)
        recording(tmp_path / f"b/fold{n}/1.wav", n)
    assert "whom samples are of" in " ".join(each.reason for each in scan(open_source(tmp_path / "a")).warnings)
    with pytest.raises(SourceError, match="fold0, fold1 are pieces of the source, no classes"):
        scan(open_source(tmp_path / "b"))


def test_folds_that_hold_the_classes_are_stepped_through(tmp_path):
    touch(tmp_path, *(f"fold{n}/{name}/{n}.wav" for n in range(2) for name in ("cat", "dog")))
    found = scan(open_source(tmp_path))
    assert (found.classes, len(found.samples)) == (("cat", "dog"), 4)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (("imagesTr/1.nii.gz", "labelsTr/1.nii.gz"), "imagesTr/ and labelsTr/ hold samples and their masks"),
        (
            ("B_001/B_001_flair.nii", "B_001/B_001_seg.nii", "B_002/B_002_seg.nii"),
            "most folders hold a mask, such as B_001",
        ),
        (("a/1.nrrd", "b/1.nrrd"), r"volumes of the kind \.nrrd are not read"),
        (("a/1.edf", "b/1.edf"), r"recordings of the kind \.edf are not read"),
        (("a/1.off", "b/1.off"), r"shapes of the kind \.off are not read"),
        (("images/1.jpg", "labels.xlsx"), r"labels\.xlsx: tables of the kind \.xlsx are not read"),
        (("images/1.jpg", "labels.db"), r"labels\.db: tables of the kind \.db"),
        (("x-train.tfrecord-00000-of-00002",), r"files of the kind \.tfrecord are not read"),
    ],
)
def test_what_is_not_trained_on_says_what_to_do(tmp_path, files, reason):
    touch(tmp_path, *files)
    with pytest.raises(SourceError, match=reason):
        scan(open_source(tmp_path))


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"images": np.zeros((4, 9, 9, 3), np.uint8), "masks": np.zeros((4, 9, 9))}, "it holds masks"),
        ({"x": np.zeros((4, 9, 9, 3), np.uint8), "y": np.zeros((4, 9, 9))}, "say a class for every pixel"),
    ],
)
def test_arrays_of_masks_are_refused_with_the_way_out(tmp_path, arrays, reason):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(SourceError, match=reason):
        open_source(tmp_path / "a.npz")


def test_one_array_in_an_archive_is_a_sample(tmp_path):
    for name in ("a", "b"):
        for n in range(3):
            (tmp_path / name).mkdir(exist_ok=True)
            np.savez(tmp_path / f"{name}/{n}.npz", volume=np.full((9, 9, 9), n, np.float32), spacing=np.ones(3))
    from thalweg.data.formats.sample_files import read_sample

    assert scan(open_source(tmp_path)).kind == "npy"
    assert read_sample("npy", tmp_path, "a/2.npz").shape == (9, 9, 9, 1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1.json", '{"shapes": [{"points": [[0, 1]]}], "imagePath": "1.jpg"}'),
        ("a.json", '{"images": [], "annotations": [{"segmentation": [[1, 2, 3, 4]], "bbox": [1, 2, 3, 4]}]}'),
        ("1.xml", "<Annotation><Vertex X='1'/></Annotation>"),
        ("1.txt", "0 0.1 0.1 0.5 0.1 0.5 0.5\n"),
    ],
)
def test_outlines_are_not_called_boxes(tmp_path, name, text):
    touch(tmp_path, "1.jpg")
    put(tmp_path / "ann" / name, text)
    with pytest.raises(SourceError, match="outlines of objects"):
        scan(open_source(tmp_path))


def test_numbers_below_zero_in_two_axes_may_be_signals(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).normal(size=(6, 40, 20)), y=np.arange(6) % 2)
    said = " ".join(each.reason for each in scan(open_source(tmp_path / "a.npz")).warnings)
    assert "where one axis of a sample is time, say --form signals" in said
