"""Pictures paired with masks in the layouts that people have, and what has no partner told by name."""

import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import SourceError
from thalweg.data.masks.layouts import find_masks


def put(root, *files):
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)


def told(found):
    return {(sample.file, sample.mask, sample.part) for sample in found.samples}


@pytest.mark.parametrize(
    ("files", "pairs"),
    [
        (("images/a.jpg", "masks/a.png"), {("images/a.jpg", "masks/a.png", None)}),
        (("Images/a.jpg", "Labels/a_label.png"), {("Images/a.jpg", "Labels/a_label.png", None)}),
        (
            ("images/train/a.jpg", "images/val/b.jpg", "annotations/train/a.png", "annotations/val/b.png"),
            {
                ("images/train/a.jpg", "annotations/train/a.png", "train"),
                ("images/val/b.jpg", "annotations/val/b.png", "validation"),
            },
        ),
        (
            ("train/images/a.jpg", "train/masks/a.png", "test/images/a.jpg", "test/masks/a.png"),
            {
                ("train/images/a.jpg", "train/masks/a.png", "train"),
                ("test/images/a.jpg", "test/masks/a.png", "test"),
            },
        ),
        (
            ("train/a.png", "trainannot/a.png", "val/b.png", "val_labels/b_L.png"),
            {("train/a.png", "trainannot/a.png", "train"), ("val/b.png", "val_labels/b_L.png", "validation")},
        ),
        (
            (
                "leftImg8bit/train/aachen/a_leftImg8bit.png",
                "gtFine/train/aachen/a_gtFine_labelIds.png",
                "gtFine/train/aachen/a_gtFine_color.png",
                "gtFine/train/aachen/a_gtFine_instanceIds.png",
            ),
            {
                (
                    "leftImg8bit/train/aachen/a_leftImg8bit.png",
                    "gtFine/train/aachen/a_gtFine_labelIds.png",
                    "train",
                )
            },
        ),
        (
            ("wrapped/inside/images/a.jpg", "wrapped/inside/masks/a.png"),
            {("images/a.jpg", "masks/a.png", None)},
        ),
    ],
)
def test_layouts(tmp_path, files, pairs):
    put(tmp_path, *files)
    assert told(find_masks(tmp_path)) == pairs


def test_pascal_voc_takes_its_lists_and_names_what_is_in_none(tmp_path):
    names = ("2007_1", "2007_2", "2007_3")
    put(tmp_path, *(f"VOC2012/JPEGImages/{name}.jpg" for name in (*names, "2007_9")))
    put(tmp_path, *(f"VOC2012/SegmentationClass/{name}.png" for name in names))
    put(tmp_path, "VOC2012/SegmentationObject/2007_1.png")
    lists = tmp_path / "VOC2012" / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("2007_1\n")
    (lists / "val.txt").write_text("2007_2\n2007_8\n")
    found = find_masks(tmp_path)
    assert {(sample.file, sample.part) for sample in found.samples} == {
        ("JPEGImages/2007_1.jpg", "train"),
        ("JPEGImages/2007_2.jpg", "validation"),
    }
    assert found.kind == "voc"
    reasons = {notice.file: notice.reason for notice in found.left_out}
    assert reasons["JPEGImages/2007_9.jpg"] == "has no mask in SegmentationClass/"
    assert "none of the source's lists" in reasons["JPEGImages/2007_3.jpg"]
    assert "names 1 pictures that are not there or have no mask, first 2007_8" in found.warnings[0].reason


def test_who_has_no_partner_is_named(tmp_path):
    put(tmp_path, "images/a.jpg", "images/b.jpg", "masks/a.png", "masks/a_mask.png", "masks/c.png")
    found = find_masks(tmp_path)
    assert [sample.file for sample in found.samples] == ["images/a.jpg"]
    reasons = {notice.file: notice.reason for notice in found.left_out}
    assert reasons == {
        "images/b.jpg": "has no mask in masks/",
        "masks/a_mask.png": "a second mask beside masks/a.png",
        "masks/c.png": "a mask without a picture in images/",
    }


def test_class_folders_are_no_masks_and_folders_without_a_pair_are_refused(tmp_path):
    put(tmp_path / "classes", "cat/a.jpg", "dog/a.jpg")
    assert find_masks(tmp_path / "classes") is None
    put(tmp_path / "apart", "images/a.jpg", "masks/b.png")
    with pytest.raises(SourceError, match=r"no picture has a mask of its name in images/ and masks/ \(2 files"):
        find_masks(tmp_path / "apart")
