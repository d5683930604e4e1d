"""Masks as people really have them: each is read and said how, or refused in one sentence."""

import json

import numpy as np
import pytest
from PIL import Image

import thalweg
from thalweg.core.errors import SourceError

COLOURS = np.array([(128, 128, 128), (128, 64, 128), (64, 0, 128), (0, 0, 0)], np.uint8)
NAMES = ("Sky", "Road", "Car", "Void")
TABLE = "id,name,r,g,b\n" + "".join(
    f"{k},{name},{r},{g},{b}\n" for k, (name, (r, g, b)) in enumerate(zip(NAMES, COLOURS.tolist(), strict=True))
)
COLOUR_TABLE = "".join(f"{r} {g} {b}\t\t{name}\n" for name, (r, g, b) in zip(NAMES, COLOURS.tolist(), strict=True))


def scenes(count=3):
    random = np.random.default_rng(5)
    for index in range(count):
        mask = np.zeros((40, 56), np.uint8)
        mask[18 + index :] = 1
        mask[24:34, 10 + 4 * index : 30 + 4 * index] = 2
        mask[:3] = 3
        picture = np.clip(COLOURS[mask] + random.integers(-15, 15, (*mask.shape, 3)), 0, 255).astype(np.uint8)
        yield f"p{index}", picture, mask


def write(folder, save, *, picture="images/{}.jpg", table=TABLE, name="classes.csv", encoding="utf-8"):
    for stem, pixels, mask in scenes():
        for path, image in ((picture, Image.fromarray(pixels)), (save[0], save[1](mask))):
            target = folder / path.format(stem)
            target.parent.mkdir(parents=True, exist_ok=True)
            image.save(target, **({"quality": 90} if target.suffix.lower() == ".jpg" else {}))
    if table:
        (folder / name).write_text(table, encoding=encoding)
    return thalweg.check(folder)


def coloured(mask):
    return Image.fromarray(COLOURS[mask])


def binary(mask):
    return Image.fromarray((mask == 2).astype(np.uint8) * 255)


ODD = {
    "RGBA": ("masks/{}.png", lambda mask: coloured(mask).convert("RGBA")),
    "grey with opacity": ("masks/{}.png", lambda mask: Image.fromarray(mask).convert("LA")),
    "word at the end": ("masks/{}_mask.png", Image.fromarray),
    "uppercase endings": ("MASKS/{}_GT.PNG", Image.fromarray),
    "32 bit": ("masks/{}.tif", lambda mask: Image.fromarray(mask.astype(np.int32))),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_files_hold_the_same_classes(kind, tmp_path):
    found = write(tmp_path, ODD[kind])
    assert (found.files, found.classes) == (3, ("Sky", "Road", "Car"))
    assert found.class_counts == {"Sky": 3, "Road": 3, "Car": 3}
    assert "Void counts as void" in found.masks
    assert not found.left_out
    assert not found.warnings


def test_a_table_with_a_mark_and_semicolons_is_read(tmp_path):
    found = write(tmp_path, ODD["word at the end"], table=TABLE.replace(",", ";"), encoding="utf-8-sig")
    assert found.classes == ("Sky", "Road", "Car")


def test_camvid_as_it_was_published(tmp_path):
    found = write(
        tmp_path,
        ("LabeledApproved_full/{}_L.png", coloured),
        picture="701_StillsRaw_full/{}.png",
        table=COLOUR_TABLE,
        name="label_colors.txt",
    )
    assert found.classes == ("Sky", "Road", "Car")
    assert "701_StillsRaw_full/ with LabeledApproved_full/" in found.masks
    assert not found.left_out


def test_masks_beside_their_pictures(tmp_path):
    write(tmp_path, ("all/{}_mask.png", Image.fromarray), picture="all/{}.jpg")
    Image.new("L", (56, 40)).save(tmp_path / "all" / "lonely.png")
    Image.new("L", (56, 40)).save(tmp_path / "all" / "lost_mask.png")
    (tmp_path / "all" / "notes.txt").write_text("x", encoding="utf-8")
    found = thalweg.check(tmp_path)
    assert found.files == 3
    assert {notice.file: notice.reason for notice in found.left_out} == {
        "lonely.png": "has no mask beside it",
        "lost_mask.png": "a mask without a picture beside it",
        "notes.txt": "no picture by its name: .txt",
    }


def test_names_in_other_letters_are_paired_where_one_fits(tmp_path):
    write(tmp_path, ("masks/{}.png", Image.fromarray))
    for path in sorted((tmp_path / "images").iterdir()):
        path.rename(path.with_name(path.name.upper()))
    assert thalweg.check(tmp_path).files == 3
    (tmp_path / "masks" / "p0.png").rename(tmp_path / "masks" / "P0.png")
    (tmp_path / "images" / "P0.JPG").rename(tmp_path / "images" / "p0.jpg")
    for other in ("p1", "P1"):  # an exact name goes before one in other letters
        Image.open(tmp_path / "masks" / "p2.png").save(tmp_path / "masks" / f"{other}.png")
    found = thalweg.check(tmp_path)
    assert found.files == 3
    assert [notice.file for notice in found.left_out] == ["masks/p1.png"]


def test_black_and_white_is_read_with_a_table_of_0_and_1(tmp_path):
    found = write(tmp_path, ("masks/{}.png", binary), table="id,name\n0,ground\n1,car\n")
    assert found.class_counts == {"ground": 3, "car": 3}
    assert "255 stands for car, since the masks hold 0 and 255 alone" in found.masks
    Image.fromarray(np.eye(40, 56, dtype=np.uint8)).save(tmp_path / "masks" / "p2.png")  # a mask that means 1 by 1
    found = thalweg.check(tmp_path)
    assert "255 stands for" not in found.masks
    assert found.class_counts == {"ground": 3, "car": 1}


def test_jpeg_masks_are_taken_for_the_nearest_colour_and_told(tmp_path):
    found = write(tmp_path, ("masks/{}.jpg", coloured))
    assert found.class_counts == {"Sky": 3, "Road": 3, "Car": 3}
    (notice,) = found.warnings
    assert notice.reason.startswith("3 masks saved as JPEG: ")
    exact = write(tmp_path / "exact", ("masks/{}.png", coloured))
    assert exact.class_counts == found.class_counts
    black = write(tmp_path / "black", ("masks/{}.jpg", binary), table="")
    assert black.class_counts == {"background": 3, "foreground": 3}


def test_jpeg_masks_of_numbers_are_refused(tmp_path):
    with pytest.raises(SourceError, match="is a JPEG, which changes numbers, and classes are 1 apart: save the masks"):
        write(tmp_path / "a", ("masks/{}.jpg", Image.fromarray))
    with pytest.raises(SourceError, match=r"are JPEGs, which change numbers, and no classes\.csv says"):
        write(tmp_path / "b", ("masks/{}.jpg", lambda mask: Image.fromarray(mask * 80)), table="")


def test_the_colours_of_a_palette_are_kept(tmp_path):
    def palette(mask):
        image = Image.fromarray(mask)
        image.putpalette(COLOURS.ravel().tolist())
        return image

    write(tmp_path, ("masks/{}.png", palette), table="")
    from thalweg.data.masks.scan import masks_of
    from thalweg.data.opening.source import open_source

    coding = masks_of(open_source(str(tmp_path)))[1]
    assert coding.palette == tuple(map(tuple, COLOURS.tolist()))


REFUSED = {
    "one class in the table": (
        ("masks/{}.png", lambda mask: Image.fromarray((mask == 2).astype(np.uint8))),
        "id,name\n1,car\n",
        r"names fewer than two classes \(1\): give the rest of the picture a line",
    ),
    "one value and void": (
        ("masks/{}.png", lambda mask: Image.fromarray(np.where(mask == 2, 1, 255).astype(np.uint8))),
        "",
        r"all masks hold one value \(1\) beside 255, which counts as void",
    ),
    "numbers that the table lacks": (
        ("masks/{}.png", lambda mask: Image.fromarray(mask + 100)),
        TABLE,
        r"no pixel of the mask belongs to a class \(it holds the value 100",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_said_in_a_sentence(case, tmp_path):
    save, table, said = REFUSED[case]
    with pytest.raises(SourceError, match=said):
        write(tmp_path, save, table=table)


def test_masks_that_lie_packed_beside_pictures_are_named(tmp_path):
    write(tmp_path, ("masks/{}.png", Image.fromarray))
    import shutil

    shutil.make_archive(str(tmp_path / "masks"), "zip", tmp_path, "masks")
    shutil.rmtree(tmp_path / "masks")
    with pytest.raises(SourceError, match=r"the masks lie packed in masks\.zip: unpack it there first"):
        thalweg.check(tmp_path)


GREYS = np.array([0, 128, 255, 0], np.uint8)


def resized(mask):
    small = binary(mask).resize((28, 20), Image.Resampling.BILINEAR)
    return small.resize((56, 40), Image.Resampling.BILINEAR)


@pytest.mark.parametrize(
    ("save", "classes", "about"),
    [
        (lambda mask: Image.fromarray(GREYS[mask]), ("class 0", "class 128", "class 255"), "255 is a class"),
        (resized, ("background", "foreground"), "greys between them"),
        (lambda mask: Image.fromarray((mask == 2).astype(np.uint16) * 65535), ("background", "foreground"), "65535"),
        (lambda mask: Image.fromarray(np.where(mask == 3, 255, mask).astype(np.uint8)), None, "255 counts as void"),
    ],
)
def test_numbers_without_a_table_mean_what_their_distances_say(tmp_path, save, classes, about):
    found = write(tmp_path, ("masks/{}.png", save), table="")
    assert tuple(found.classes) == (classes or ("class 0", "class 1", "class 2"))
    assert about in found.masks


def test_numbers_of_objects_are_doubted(tmp_path):
    for n in range(8):
        for folder, pixels in (("images", np.zeros((40, 56, 3), np.uint8)), ("masks", np.zeros((40, 56), np.uint8))):
            for number in range(n):
                pixels[4 * number : 4 * number + 3] = number + 1
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{n}.png")
    assert "if these are numbers of objects, save them as 0 and 1" in thalweg.check(tmp_path).masks


@pytest.mark.parametrize(
    ("name", "table"),
    [
        (
            "labelmap.txt",
            "# label:color_rgb:parts:actions\n"
            + "".join(f"{n}:{r},{g},{b}::\n" for n, (r, g, b) in zip(NAMES, COLOURS.tolist(), strict=True)),
        ),
        (
            "classes.json",
            json.dumps({
                "classes": [
                    {"title": n, "color": f"#{r:02x}{g:02X}{b:02x}"}
                    for n, (r, g, b) in zip(NAMES, COLOURS.tolist(), strict=True)
                ]
            }),
        ),
    ],
)
def test_tables_of_labelling_tools(tmp_path, name, table):
    found = write(tmp_path, ("masks/{}.png", coloured), table=table, name=name)
    assert tuple(found.classes) == NAMES[:3]
    assert name in found.masks


def test_ade20k_calls_its_classes_in_a_table_of_its_own(tmp_path):
    table = "Idx\tRatio\tTrain\tVal\tStuff\tName\n1\t0.1\t9\t9\t1\twall\n2\t0.1\t9\t9\t1\tsky\n3\t0\t9\t9\t1\tcar\n"
    found = write(tmp_path, ("masks/{}.png", Image.fromarray), table=table, name="objectInfo150.txt")
    assert tuple(found.classes) == ("wall", "sky", "car")
    assert any("the value 0, which is no class" in notice.reason for notice in found.warnings)
