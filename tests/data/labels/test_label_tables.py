"""Classes that stand in tables, in names of files, or in boxes: what people download is seldom one folder a class."""

import csv
from collections import Counter

import pytest

from thalweg.core.errors import SourceError
from thalweg.data.finding.scan import scan
from thalweg.data.opening.source import OpenedSource, open_source

COUNT = 12
TWO = ("cat", "dog")


@pytest.fixture
def folder(tmp_path):
    """Write empty files, and tables by their rows; names alone decide what a scan finds."""

    def make(files, tables=(), separator=",", encoding="utf-8"):
        for file in files:
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for name, rows in dict(tables).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="", encoding=encoding) as file:
                csv.writer(file, delimiter=separator).writerows(rows)
        return tmp_path

    return make


def found_in(root):
    found = scan(OpenedSource(name="photos", root=root, kind="folder"))
    return found, {sample.file: found.classes[sample.label] for sample in found.samples}


def said(found):
    return " ".join(notice.reason for notice in found.warnings)


CELLS = {
    "relative": "img/{n}.png",
    "of this machine": "{root}/img/{n}.png",
    "of Windows": "C:\\Users\\me\\img\\{n}.png",
    "with backslashes": "img\\{n}.png",
    "of another machine": "/content/drive/My Drive/img/{n}.png",
    "a dot before": "./img/{n}.png",
    "the name alone": "{n}.png",
    "without its ending": "{n}",
    "in capitals": "IMG/{n}.PNG",
}


@pytest.mark.parametrize("kind", CELLS)
def test_a_table_may_name_pictures_in_any_way(folder, tmp_path, kind):
    cells = [CELLS[kind].format(n=f"p{n:03d}", root=tmp_path) for n in range(COUNT)]
    rows = [("path", "class"), *((cell, TWO[n % 2]) for n, cell in enumerate(cells))]
    found, named = found_in(folder([f"img/p{n:03d}.png" for n in range(COUNT)], {"labels.csv": rows}))
    assert named == {f"img/p{n:03d}.png": TWO[n % 2] for n in range(COUNT)}
    assert "12 pictures have their class from this table: the classes are in column 2 (class)" in said(found)


def test_a_table_with_semicolons_a_mark_and_german_words(folder):
    rows = [("Datei", "Klasse"), *((f"{n}.png", ("Katze", "Hund")[n % 2]) for n in range(COUNT))]
    root = folder([f"img/{n}.png" for n in range(COUNT)], {"liste.csv": rows}, separator=";", encoding="utf-8-sig")
    assert Counter(found_in(root)[1].values()) == {"Katze": 6, "Hund": 6}


def test_a_list_without_a_header(folder):
    root = folder([f"jpg/image_{n:05d}.jpg" for n in range(COUNT)])
    (root / "labels.txt").write_text("".join(f"image_{n:05d}.jpg {n % 2}\n" for n in range(COUNT)), encoding="utf-8")
    assert Counter(found_in(root)[1].values()) == {"0": 6, "1": 6}


def test_one_column_a_class(folder):
    rows = [
        ("image_id", "healthy", "rust", "scab"),
        *((f"t{n}", *(int(n % 3 == k) for k in range(3))) for n in range(12)),
    ]
    found, named = found_in(folder([f"images/t{n}.jpg" for n in range(12)], {"train.csv": rows}))
    assert found.classes == ("healthy", "rust", "scab")
    assert named["images/t4.jpg"] == "rust"


def test_pictures_that_the_table_does_not_name_are_left_out_and_answers_of_an_example_are_not_believed(folder):
    files = [f"train/{n:03d}.jpg" for n in range(COUNT)] + [f"test/{n:03d}.jpg" for n in range(100, 104)]
    tables = {
        "train.csv": [("id", "label"), *((f"{n:03d}", TWO[n % 2]) for n in range(COUNT)), ("999", "cat")],
        "sample_submission.csv": [("id", "label"), *((str(n), "cat") for n in range(100, 104))],
    }
    found, named = found_in(folder(files, tables))
    assert set(named) == set(files[:COUNT])
    reasons = {notice.file: notice.reason for notice in found.left_out}
    assert reasons["test/100.jpg"] == "no table says its class"
    assert reasons["999"] == "train.csv names it, but no such picture is there"


def test_parts_from_tables_of_parts_and_from_a_column(folder):
    tables = {
        f"{part}/_classes.csv": [
            ("filename", " cat", " dog"),
            *((f"{n}.jpg", int(n % 2 == 0), n % 2) for n in range(4)),
        ]
        for part in ("train", "valid", "test")
    }
    found, named = found_in(
        folder([f"{part}/{n}.jpg" for part in ("train", "valid", "test") for n in range(4)], tables)
    )
    assert named["valid/1.jpg"] == "dog"
    assert Counter(sample.part for sample in found.samples) == {"train": 4, "validation": 4, "test": 4}


def test_a_column_says_the_part(folder):
    parts = ("train", "train", "valid", "test")
    rows = [("filepaths", "labels", "data set"), *((f"{n}.png", TWO[n // 2 % 2], parts[n % 4]) for n in range(16))]
    found, _ = found_in(folder([f"img/{n}.png" for n in range(16)], {"birds.csv": rows}))
    assert Counter(sample.part for sample in found.samples) == {"train": 8, "validation": 4, "test": 4}


def test_folders_that_are_no_classes_yield_to_a_table_that_names_all_pictures(folder):
    rows = [
        ("lesion_id", "image_id", "dx", "age"),
        *((f"L{n // 2}", f"I{n}", ("nv", "mel")[n % 2], 40) for n in range(12)),
    ]
    found, _ = found_in(folder([f"images_part_{1 + n % 2}/I{n}.jpg" for n in range(12)], {"metadata.csv": rows}))
    assert found.classes == ("mel", "nv")
    assert "pictures with the same 'lesion_id' stay on one side of the split (6 of them)" in said(found)
    assert ("images_part_1/I0.jpg", "images_part_2/I1.jpg") in found.together


def test_class_folders_stay_classes_beside_a_table(folder):
    rows = [("file", "photographer", "label"), *((f"{TWO[n % 2]}/{n}.jpg", "ann", TWO[n % 2]) for n in range(12))]
    found, _ = found_in(folder([f"{TWO[n % 2]}/{n}.jpg" for n in range(12)], {"metadata.csv": rows}))
    assert (found.classes, found.warnings) == (TWO, ())


SEVERAL = {
    r"6 of 12 pictures have several classes, such as row 3 \(a and b\)": [("f", "a", "b"), ("{n}.png", 1, "{two}")],
    r"'A\|B' in column 'Finding Labels': a picture has one class here": [
        ("f", "Finding Labels"),
        ("{n}.png", "{bars}"),
    ],
    "row 3 calls img/0.png 'dog', a row before 'cat'": [("f", "label"), ("{half}.png", "{kind}")],
    "any of 2 columns .*call the right one 'label'": [("f", "sex", "site"), ("{n}.png", "{kind}", "{kind}")],
}


@pytest.mark.parametrize("told", SEVERAL)
def test_what_has_not_one_class_a_picture_is_refused_in_a_sentence(folder, told):
    head, row = SEVERAL[told]
    words = [{"n": n, "half": n // 2, "two": n % 2, "bars": ("A|B", "A")[n % 2], "kind": TWO[n % 2]} for n in range(12)]
    rows = [head, *([str(cell).format(**each) for cell in row] for each in words)]
    root = folder([f"img/{n}.png" for n in range(12)], {"labels.csv": rows})
    with pytest.raises(SourceError, match=told):
        found_in(root)


def test_a_table_cannot_name_what_lies_outside(folder, tmp_path):
    (tmp_path.parent / "outside.png").touch()
    rows = [("file", "label"), *((f"img/{n}.png", TWO[n % 2]) for n in range(8)), ("../outside.png", "cat")]
    found, named = found_in(folder([f"img/{n}.png" for n in range(8)], {"labels.csv": rows}))
    assert not any("outside" in file for file in named)
    assert "../outside.png" in {notice.file for notice in found.left_out}


@pytest.mark.parametrize("cell", ["{n}.png", "{n}"])
def test_the_table_itself_may_be_named_as_the_source(folder, cell):
    rows = [("id", "label"), *((cell.format(n=f"p{n}"), TWO[n % 2]) for n in range(COUNT))]
    root = folder([f"img/p{n}.png" for n in range(COUNT)], {"train.csv": rows})
    found = scan(open_source(root / "train.csv"))
    assert (found.classes, len(found.samples)) == (TWO, COUNT)


def test_classes_in_the_names_of_files(folder):
    found, named = found_in(
        folder([f"train/{TWO[n % 2]}.{n}.jpg" for n in range(COUNT)] + ["test1/1.jpg", "test1/2.jpg"])
    )
    assert Counter(named.values()) == {"cat": 6, "dog": 6}
    assert "the names of files were read as classes, such as cat.0.jpg and dog.1.jpg" in said(found)
    assert "test1" in {notice.file for notice in found.left_out}


@pytest.mark.parametrize(
    "names",
    [
        ("IMG_{n}", "DSC_{n}"),
        ("{n}", "{n}b"),
        ("a day at the sea {n}", "my cat {n} asleep"),
        ("0001TP_{n:06d}", "0006R0_f{n:05d}"),
    ],
)
def test_names_that_are_no_classes_are_not_taken_for_such(folder, names):
    root = folder([f"{names[n % 2].format(n=n)}.jpg" for n in range(COUNT)])
    with pytest.raises(SourceError, match="lie directly in the folder, without classes"):
        found_in(root)


def test_boxes_are_refused_as_such(folder):
    root = folder([f"{part}/images/{n}.jpg" for part in ("train", "valid") for n in range(4)])
    (root / "train" / "labels").mkdir()
    (root / "train" / "labels" / "0.txt").write_text("0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.05 0.1\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"boxes of objects \(YOLO: train/labels/0.txt\)"):
        found_in(root)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("annotations/instances_train2017.json", '{"images": [], "annotations": [{"bbox": [1, 2, 3, 4]}]}', "COCO"),
        (
            "Annotations/1.xml",
            "<annotation><object><bndbox><xmin>1</xmin></bndbox></object></annotation>",
            "Pascal VOC",
        ),
    ],
)
def test_boxes_of_other_kinds(folder, name, text, kind):
    root = folder([f"images/{n}.jpg" for n in range(4)])
    (root / name).parent.mkdir()
    (root / name).write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=rf"boxes of objects \({kind}: {name}\)"):
        found_in(root)


JOINED = {
    "by commas": ["cat", "dog", "cat,dog"],
    "by blanks": ["scab", "rust", "scab rust"],
    "as a list": ["['cat']", "['dog']", "['cat', 'dog']"],
    "never alone": [
        f"{a} {b}{c}"
        for a in ("clear", "haze")
        for b in ("road", "river")
        for c in ("", " farm", " farm city", " city")
    ],
}


@pytest.mark.parametrize("kind", JOINED)
def test_cells_of_several_classes_are_refused(folder, kind):
    labels = JOINED[kind] * 6
    files = [f"img/{n}.png" for n in range(len(labels))]
    root = folder(files, {"train.csv": [("image", "tags"), *zip(files, labels, strict=True)]})
    with pytest.raises(SourceError, match=r"pictures have several classes, such as"):
        found_in(root)


NAMES = {
    "in a list of one": (["['cat']", "['dog']"], ("cat", "dog")),
    "with commas": (["tench, Tinca tinca", "goldfish, Carassius auratus"], None),
    "of two words": ([f"{colour} {fruit}" for colour in ("red", "green") for fruit in ("apple", "pear")], None),
    "of more words": (["sea lion", "lion", "great white shark", "tiger shark"], None),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_of_several_words_are_one_class(folder, kind):
    labels, classes = NAMES[kind]
    files = [f"img/{n}.png" for n in range(6 * len(labels))]
    root = folder(files, {"train.csv": [("image", "label"), *zip(files, labels * 6, strict=True)]})
    assert found_in(root)[0].classes == (classes or tuple(sorted(labels)))


def test_a_table_of_a_spreadsheet_in_utf_16_is_read(folder):
    rows = [("file", "label"), *((f"{n}.png", TWO[n % 2]) for n in range(COUNT))]
    root = folder([f"img/{n}.png" for n in range(COUNT)], {"a.csv": rows}, encoding="utf-16")
    assert found_in(root)[0].classes == TWO


def test_a_table_in_another_encoding_is_told(folder):
    rows = [("file", "label"), *((f"{n}.png", ("Bär", "Kuh")[n % 2]) for n in range(COUNT))]
    root = folder([f"img/{n}.png" for n in range(COUNT)], {"a.csv": rows}, encoding="latin-1")
    with pytest.raises(SourceError, match=r"a\.csv: .*save it as CSV UTF-8"):
        found_in(root)


def test_columns_of_zeros_are_no_classes(folder):
    rows = [(f"{n}.png", TWO[n % 2], 0, 0) for n in range(COUNT)]
    assert found_in(folder([f"img/{n}.png" for n in range(COUNT)], {"a.csv": rows}))[0].classes == TWO


def test_names_of_files_speak_where_a_list_with_comments_does_not(folder):
    files = [f"images/{name}_{n}.jpg" for name in ("beagle", "Bengal") for n in range(COUNT)]
    rows = [("#Image CLASS-ID SPECIES",), ("#ID: 1:37",)]
    rows += [(f"{name}_{n}", place, place) for place, name in enumerate(("beagle", "Bengal"), 1) for n in range(COUNT)]
    found, _ = found_in(folder(files, {"annotations/list.txt": rows}, separator=" "))
    assert found.classes == ("Bengal", "beagle")
    assert "call the right one 'label'" in said(found)


def test_a_number_before_the_class_in_a_name(folder):
    found, labels = found_in(folder([f"2021_{name}_{n:03d}.jpg" for name in TWO for n in range(COUNT)]))
    assert (found.classes, labels["2021_dog_003.jpg"]) == (TWO, "dog")
    with pytest.raises(SourceError):
        found_in(folder([f"other/{n}_{side}.jpg" for side in ("left", "right") for n in range(COUNT)]) / "other")
