"""Folders inside one another as downloads have them: which level holds the classes, and what in it is no picture."""

import pytest

from thalweg.core.errors import SourceError
from thalweg.data.finding.scan import scan
from thalweg.data.opening.source import OpenedSource

MANY = range(4)


@pytest.fixture
def read(tmp_path):
    """Scan a folder of empty files; names alone decide."""

    def make(*files, tables=()):
        for file in files:
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for name, text in dict(tables).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return scan(OpenedSource(name="photos", root=tmp_path, kind="folder"))

    return make


def below(*folders):
    return [f"{folder}/{number}.png" for folder in folders for number in MANY]


def reasons(notices):
    return {notice.file: notice.reason for notice in notices}


def parts(found):
    return {(found.classes[sample.label], sample.part) for sample in found.samples}


def test_a_folder_that_holds_all_classes_once_more_is_none(read):
    found = read(*below("no", "yes", "brain/no", "brain/yes"))
    assert (found.classes, len(found.samples)) == (("no", "yes"), 2 * len(MANY))
    assert reasons(found.left_out) == {"brain": "holds the folders beside it once more: it is no class"}


def test_of_two_classes_none_is_taken_for_a_copy(read):
    found = read(*below("cat", "cat/dog", "dog"))
    assert (found.classes, len(found.samples)) == (("cat", "dog"), 3 * len(MANY))


@pytest.mark.parametrize(
    "folders",
    [
        ("train/images/a", "train/images/b", "test/images/a", "test/images/b"),
        ("asl_train/asl_train/a", "asl_train/asl_train/b", "asl_test/asl_test/a", "asl_test/asl_test/b"),
        ("a/train", "a/test", "b/train", "b/test"),
    ],
)
def test_parts_are_found_wherever_they_stand(read, folders):
    found = read(*below(*folders))
    assert parts(found) == {(name, part) for name in "ab" for part in ("train", "test")}


def test_frames_are_told_from_pictures_in_parts_that_lie_deeper(read):
    found = read(*below("seg_train/seg_train/a", "seg_train/seg_train/b", "seg_train/seg_train/c", "seg_test/seg_test"))
    assert (found.kind, len(found.samples)) == ("picture", 3 * len(MANY))


@pytest.mark.parametrize("note", ["attributes/a.txt", "meta/classes.json"])
def test_the_only_folder_with_pictures_holds_the_classes(read, note):
    found = read(*below("images/001.gull", "images/002.tern"), note, "README")
    assert found.classes == ("001.gull", "002.tern")


def test_an_empty_class_beside_a_deep_one_does_not_make_its_folders_classes(read, tmp_path):
    (tmp_path / "dog").mkdir()
    with pytest.raises(SourceError, match="only one class, 'cat'"):
        read(*below("cat/indoor", "cat/outdoor"))


def test_masks_beside_the_pictures_of_a_class_are_none_of_it(read):
    found = read(*below("cat/images", "cat/masks", "dog/images", "dog/masks"))
    assert {sample.file.split("/")[1] for sample in found.samples} == {"images"}
    assert reasons(found.left_out)["cat/masks"] == "4 masks of the pictures beside them: left out"


def test_masks_are_known_by_the_names_of_their_pictures(read):
    busi = [f"{name}/{name} ({number})" for name in ("benign", "normal") for number in MANY]
    busi = [f"{each}{end}.png" for each in busi for end in ("", "_mask")]
    found = read(*busi, "benign/benign (1)_mask_1.png")
    assert not [sample.file for sample in found.samples if "mask" in sample.file]
    assert len(found.samples) == 2 * len(MANY)


def test_faces_with_masks_are_no_masks(read):
    found = read(*(f"{name}/{number}_mask.png" for name in ("with", "without") for number in MANY))
    assert len(found.samples) == 2 * len(MANY)


def test_which_level_was_read_is_said_where_either_could_be(read):
    found = read(*below("amazon/images/cup", "amazon/images/pen", "webcam/images/cup", "webcam/images/pen"))
    assert found.classes == ("amazon", "webcam")
    assert "the outer folders are the classes (amazon, webcam), not those inside them (cup, pen)" in str(found.warnings)


@pytest.mark.parametrize(("table", "test"), [("test.csv", "Test"), ("test/annotations.txt", "test/images")])
def test_a_table_says_the_classes_of_a_part_without_folders(read, table, test):
    text = "".join(f"{number}.png\t{'ab'[number % 2]}\t0\t0\n" for number in MANY)
    found = read(*below("train/a", "train/b", test), tables={table: text})
    assert parts(found) == {(name, part) for name in "ab" for part in ("train", "test")}
    assert reasons(found.warnings)[test] == "has no class folders: 4 of its pictures have their class from a table"
    assert test not in reasons(found.left_out)


def test_a_class_alone_is_told_to_name_the_folder_around_it(read, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    with pytest.raises(SourceError, match=rf"name the folder around them: {tmp_path}$"):
        scan(OpenedSource(name="cat", root=tmp_path / "cat", kind="folder"))
