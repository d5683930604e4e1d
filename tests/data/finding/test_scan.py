"""Layouts of folders: good ones, and every odd one that somebody will have."""

import os

import pytest

from thalweg.core.dataset import Wanted
from thalweg.core.errors import SourceError
from thalweg.data.finding.scan import scan
from thalweg.data.opening.source import OpenedSource, open_source


@pytest.fixture
def tree(tmp_path):
    """Make files, and scan the folder that holds them."""

    def make(*files, scanned=True):
        for file in files:
            path = tmp_path / file
            if file.endswith("/"):
                path.mkdir(parents=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"")
        return scan(OpenedSource(name="photos", root=tmp_path, kind="folder")) if scanned else tmp_path

    return make


@pytest.fixture
def locked_elk(monkeypatch):
    """The folder `elk` may not be opened."""
    real = os.scandir

    def refuse(path):
        if str(path).endswith("elk"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("os.scandir", refuse)


def reasons(notices):
    return {notice.file: notice.reason for notice in notices}


def listed(found):
    return [(sample.file, found.classes[sample.label], sample.part) for sample in found.samples]


def test_one_folder_a_class_with_files_nested(tree):
    found = tree("dog/2.jpg", "cat/1.jpg", "cat/deep/er/3.PNG", "cat/notes.txt", "readme.md", "cat/Thumbs.db")
    assert listed(found) == [("cat/1.jpg", "cat", None), ("cat/deep/er/3.PNG", "cat", None), ("dog/2.jpg", "dog", None)]
    assert found.classes == ("cat", "dog")
    assert set(reasons(found.left_out)) == {"cat/notes.txt", "readme.md"}
    assert found.warnings == ()
    assert found.upright


def test_wrapping_folders_are_stepped_through(tree, tmp_path):
    found = tree(
        "dataset/photos/cat/1.jpg", "dataset/photos/dog/1.jpg", "__MACOSX/dataset/._1.jpg", "dataset/license.txt"
    )
    assert found.root == tmp_path / "dataset" / "photos"
    assert [sample.file for sample in found.samples] == ["cat/1.jpg", "dog/1.jpg"]


def test_own_parts_share_one_index_of_classes(tree):
    found = tree("Train/b/1.jpg", "Train/c/1.jpg", "test/a/1.jpg", "test/c/1.jpg", "valid/b/1.jpg", "extra/z/1.jpg")
    assert found.classes == ("a", "b", "c")
    assert listed(found) == [
        ("Train/b/1.jpg", "b", "train"),
        ("Train/c/1.jpg", "c", "train"),
        ("test/a/1.jpg", "a", "test"),
        ("test/c/1.jpg", "c", "test"),
        ("valid/b/1.jpg", "b", "validation"),
    ]
    assert reasons(found.left_out) == {"extra": "lies beside Train, test, valid: it is part of no split"}
    assert reasons(found.warnings) == {"a": "this class occurs in test only"}


def test_a_test_folder_without_classes_is_named(tree):
    found = tree("train/a/1.jpg", "train/b/1.jpg", "test/1.jpg")
    assert [sample.part for sample in found.samples] == ["train", "train"]
    assert reasons(found.left_out) == {
        "test": "holds no class folders; its files are left out",
        "test/1.jpg": "lies beside the class folders: it has no class",
    }


def test_a_stray_picture_does_not_turn_parts_into_classes(tree):
    found = tree("train/a/1.jpg", "train/b/1.jpg", "train/stray.jpg", "test/a/1.jpg", "test/b/1.jpg")
    assert found.classes == ("a", "b")
    assert reasons(found.left_out) == {"train/stray.jpg": "lies beside the class folders: it has no class"}


def test_train_alone_is_a_wrapping_folder(tree, tmp_path):
    found = tree("train/a/1.jpg", "train/b/1.jpg")
    assert (found.root, found.classes) == (tmp_path / "train", ("a", "b"))


def test_parts_without_classes_are_refused(tree):
    with pytest.raises(SourceError, match=r"^photos: test/ and train/ hold no class folders; arrange"):
        tree("train/1.jpg", "test/2.jpg")


def test_a_train_among_buses_is_a_class(tree):
    found = tree("train/1.jpg", "bus/2.jpg", "train/old/3.jpg")
    assert found.classes == ("bus", "train")
    assert "read as a class" in reasons(found.warnings)["train"]


def test_an_empty_class_is_a_warning_and_no_class(tree):
    found = tree("cat/1.jpg", "dog/1.jpg", "elk/", "fox/notes.txt")
    assert found.classes == ("cat", "dog")
    assert set(reasons(found.warnings)) == {"elk", "fox"}
    assert "no picture" in reasons(found.warnings)["elk"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["cat/1.jpg"], r"^photos: only one class, 'cat', has pictures; two are needed"),
        (
            ["cat/1.jpg", "dog/"],
            r"^photos: only one class, .cat., has pictures \(dog: no pictures in it\)",
        ),
        (["cat/1.jpg", "cat/deep/2.jpg", "cat/other/3.jpg"], r"^photos: only one class, 'cat', has pictures"),
        (["1.jpg", "2.jpg"], r"^photos: 2 pictures lie directly in the folder, without classes; arrange them"),
        ([], r"^photos: no pictures found in 0 class folders"),
        (["cat/", "dog/"], r"^photos: no pictures found in 2 class folders"),
        (["cat/a.txt", "dog/b.pdf"], r"no pictures found .*\(2 left out, such as cat/a\.txt: no picture by its name"),
        (["photos.zip"], r"no pictures found .*photos\.zip: an archive inside the source"),
    ],
)
def test_what_is_no_source_is_one_sentence(tree, files, words):
    with pytest.raises(SourceError, match=words) as caught:
        tree(*files)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "twins",
    [
        ("Cat", "cat"),
        ("cafe\u0301", "caf\u00e9"),
        ("cat", "cat\u200f"),
        ("\u06cc\u0648\u0632", "\u064a\u0648\u0632"),
        ("a", "a "),
    ],
)
def test_classes_that_look_the_same_are_a_warning(tree, twins):
    found = tree(*(f"{name}/1.jpg" for name in twins), "dog/1.jpg")
    assert len(found.classes) == 3
    assert len(found.warnings) == 1
    assert "look the same but are 2 classes" in found.warnings[0].reason


NAMES = [
    "گربه",
    "cat\nnap",
    "cat\u202egpj",
    "c a t",
    "😺",
    "<script>alert(1)</script>",
    "'; DROP TABLE",
    "-rf",
    "%s",
    "x" * 255,
]


def test_names_of_every_kind(tree):
    found = tree(*(f"{name}/{name[:250]}.jpg" for name in NAMES), "\udcff\udcfe/\udcff.jpg")
    assert len(found.classes) == len(found.samples) == len(NAMES) + 1
    assert found.left_out == ()
    assert all((found.root / sample.file).is_file() for sample in found.samples)


def test_links_pipes_and_loops_in_a_source(tree, tmp_path):
    tree("cat/1.jpg", "dog/1.jpg", "far/away/3.jpg", scanned=False)
    source = tmp_path / "source"
    source.mkdir()
    for name in ("cat", "dog"):
        (tmp_path / name).rename(source / name)
    (source / "elk").symlink_to(tmp_path / "far" / "away")
    (source / "fox").symlink_to(tmp_path / "nowhere")
    (source / "gnu").symlink_to(source)
    (source / "hen").symlink_to("cat")
    (source / "ibis").symlink_to("/")
    (source / "cat/2.jpg").symlink_to("1.jpg")
    (source / "cat/3.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(source / "cat" / "4.jpg")
    found = scan(open_source(source))
    assert found.classes == ("cat", "dog", "elk")
    assert [sample.file for sample in found.samples] == ["cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "elk/3.jpg"]
    assert set(reasons(found.left_out)) == {"cat/3.jpg", "cat/4.jpg", "fox", "gnu", "hen", "ibis"}


def test_an_unreadable_source_is_one_sentence(tree, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(SourceError, match=r"^photos: cannot be read \(Permission denied\)"):
        tree("cat/1.jpg")


def test_an_unreadable_class_is_named(locked_elk, tree):
    found = tree("cat/1.jpg", "dog/1.jpg", "elk/1.jpg")
    assert found.classes == ("cat", "dog")
    assert reasons(found.left_out) == {"elk": "cannot be read (Permission denied)"}
    assert not found.warnings  # it is not called empty


def test_of_a_lone_class_it_is_told_that_the_other_cannot_be_read(locked_elk, tree):
    with pytest.raises(SourceError, match=r"only one class, 'cat', has pictures \(elk: cannot be read \(Permission"):
        tree("cat/1.jpg", "elk/1.jpg")


def test_of_a_lone_class_it_is_told_why_the_other_has_no_pictures(tree):
    with pytest.raises(SourceError, match=r"only one class, 'cat', has pictures \(dog/1\.heic: pictures of the kind"):
        tree("cat/1.jpg", "dog/1.heic")


def test_nothing_in_the_folder_is_touched(tree, tmp_path):
    tree("cat/1.jpg", "dog/odd.dat", "dog/2.jpg", scanned=False)

    def state():
        return {path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in tmp_path.rglob("*")}

    before = state()
    scan(open_source(tmp_path))
    assert state() == before


def test_what_an_archive_left_out_is_kept(tree, tmp_path):
    from thalweg.core.dataset import Notice

    tree("cat/1.jpg", "dog/1.jpg", scanned=False)
    notice = Notice("cat/2.jpg", "damaged in the archive")
    assert scan(OpenedSource(name="a.zip", root=tmp_path, kind="archive", left_out=(notice,))).left_out == (notice,)


@pytest.mark.parametrize(("name", "expected"), [("elpv", (1803, 821)), ("elpv:any", (1508, 1116))])
def test_the_demo_photos(name, expected):
    pytest.importorskip("elpv_dataset")
    found = scan(open_source(name))
    labels = [sample.label for sample in found.samples]
    assert (labels.count(0), labels.count(1)) == expected
    assert found.classes == ("functional", "defective")
    assert not found.upright


def test_a_demo_without_photos_is_one_sentence(tmp_path):
    (tmp_path / "labels.csv").write_text("images/1.png 1.0 mono\n")
    with pytest.raises(SourceError, match=r"^elpv: 0 photos found"):
        scan(OpenedSource(name="elpv", root=tmp_path, kind="elpv"))


def test_chest_xrays_keep_their_own_test_folder(shared_data):
    found = scan(open_source(shared_data / "chest-xray"))
    assert found.classes == ("NORMAL", "PNEUMONIA")
    counts = [(sample.part, sample.label) for sample in found.samples]
    assert [counts.count(key) for key in (("train", 0), ("train", 1), ("test", 0), ("test", 1))] == [750, 750, 231, 387]


def test_a_source_of_masks_is_refused_where_classes_of_pictures_are_insisted_on(shared_data):
    with pytest.raises(SourceError, match=r"hold no class folders"):
        scan(open_source(shared_data / "camvid", wanted=Wanted(task="classification")))


@pytest.mark.parametrize(
    "names",
    [
        ("training_set", "test_set"),
        ("train_images", "val_images"),
        ("Trainingsdaten", "Testdaten"),
        ("entrenamiento", "prueba"),
        ("训练集", "测试集"),
        ("آموزش", "آزمون"),
    ],
)
def test_parts_are_known_by_the_words_in_their_names(tree, names):
    found = tree(*(f"{part}/{name}/{n}.jpg" for part in names for name in ("cat", "dog") for n in (1, 2)))
    assert found.classes == ("cat", "dog")
    assert {sample.part for sample in found.samples} in ({"train", "test"}, {"train", "validation"})


def test_a_part_that_lies_in_a_folder_of_its_own_name(tree):
    files = [f"seg_{part}/seg_{part}/{name}/{n}.jpg" for part in ("train", "test") for name in "ab" for n in (1, 2)]
    found = tree(*files, "seg_pred/seg_pred/1.jpg")
    assert found.classes == ("a", "b")
    assert {sample.part for sample in found.samples} == {"train", "test"}
    assert "seg_pred" in reasons(found.left_out)


def test_classes_with_such_words_in_longer_names_stay_classes(tree):
    assert tree("train station/1.jpg", "test tube/1.jpg").classes == ("test tube", "train station")


@pytest.mark.parametrize(
    "places", [("cat/indoor", "cat/outdoor", "dog/indoor", "dog/outdoor"), ("apple/scab", "apple/rot", "corn/rust")]
)
def test_numbered_photos_in_folders_of_a_class_are_photos(tree, places):
    found = tree(*(f"{place}/{n}.png" for place in places for n in range(5)))
    assert (found.kind, len(found.samples)) == ("picture", 5 * len(places))
    assert "clips" not in str(found.warnings)


def test_clips_are_told_as_such(tree):
    found = tree(*(f"{name}/clip{name}{clip}/{n:03d}.png" for name in "ab" for clip in range(3) for n in range(4)))
    assert found.kind == "clip"
    assert "--form pictures" in reasons(found.warnings)[""]


def test_names_that_are_no_text_are_no_twins_for_that(tree):
    """Under `LANG=C`, or from a disk of another age, names are bytes: none of theirs can be printed."""
    names = [os.fsdecode(name) for name in (b"\xd3\xed\xc8", b"\xe3\xe6\xd2")]
    found = tree(*(f"{name}/{n}.jpg" for name in names for n in (1, 2)))
    assert (len(found.classes), found.warnings) == (2, ())
