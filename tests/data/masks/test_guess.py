"""Masks in folders that are called as nobody could foresee, and what only looks like such."""

import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import SourceError
from thalweg.data.finding.scan import scan
from thalweg.data.masks.layouts import find_masks
from thalweg.data.opening.source import open_source

RANDOM = np.random.default_rng(1)


def photo(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, 255, (30, 40, 3), dtype=np.uint8)).save(path)


def mask(path, *, values=(0, 255), kind=np.uint8):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((30, 40), kind)
    for step, value in enumerate(values):
        pixels[step * 9 :] = value
    Image.fromarray(pixels).save(path)


def paired(root):
    found = find_masks(root)
    return {(each.file, each.mask, each.part) for each in found.samples} if found else None


@pytest.mark.parametrize(
    ("pictures", "masks", "part"),
    [
        ("ISIC_Task1_Training_Input/{}.jpg", "ISIC_Task1_Training_Truth/{}_segmentation.png", "train"),
        ("train_images/{}.jpg", "train_masks/{}.png", "train"),
        ("images_prepped_train/{}.png", "annotations_prepped_train/{}.png", "train"),
        ("x/{}.png", "y/{}.png", None),
        ("images/{}.jpg", "annotations/trimaps/{}.png", None),
        ("images/10k/train/{}.jpg", "labels/sem_seg/masks/train/{}.png", "train"),
        ("rgb/{}_Clipped.jpg", "GT_color/{}_mask.png", None),
        ("عکس‌ها/{}.jpg", "ماسک‌ها/{}.png", None),
    ],
)
def test_names_that_agree_and_few_values_make_masks(tmp_path, pictures, masks, part):
    for n in range(4):
        photo(tmp_path / pictures.format(n))
        mask(tmp_path / masks.format(n))
    assert paired(tmp_path) == {(pictures.format(n), masks.format(n), part) for n in range(4)}


def test_classes_that_number_their_files_alike_are_no_masks(tmp_path):
    for n in range(4):
        photo(tmp_path / f"cat/{n}.png")
        photo(tmp_path / f"dog/{n}.png")
    assert paired(tmp_path) is None


def test_drawings_in_two_colours_are_no_masks_of_one_another(tmp_path):
    for n in range(4):
        mask(tmp_path / f"circle/{n}.png")
        mask(tmp_path / f"square/{n}.png")
    assert paired(tmp_path) is None


def test_of_several_folders_of_masks_the_one_of_classes_is_taken(tmp_path):
    for n in range(4):
        photo(tmp_path / f"train/image_02/{n}.png")
        mask(tmp_path / f"train/classes/{n}.png", values=(7, 11))
        mask(tmp_path / f"train/instance/{n}.png", values=(1792, 2816), kind=np.uint16)
    assert {each[1].split("/")[0] for each in paired(tmp_path)} == {"classes"}


def test_two_folders_that_may_both_be_meant_are_asked_about(tmp_path):
    for n in range(4):
        photo(tmp_path / f"scans/{n}.png")
        mask(tmp_path / f"manual/left_mask/{n}.png")
        mask(tmp_path / f"manual/right_mask/{n}.png")
    with pytest.raises(SourceError, match="masks in several folders"):
        find_masks(tmp_path)


def test_what_the_camera_saw_is_no_class(tmp_path):
    for part, first in (("training", 21), ("test", 1)):
        for n in range(first, first + 3):
            photo(tmp_path / f"{part}/images/{n:02d}_{part}.png")
            mask(tmp_path / f"{part}/1st_manual/{n:02d}_manual1.png")
            mask(tmp_path / f"{part}/mask/{n:02d}_{part}_mask.png")
    assert ("test/images/01_test.png", "test/1st_manual/01_manual1.png", "test") in paired(tmp_path)
    assert len(paired(tmp_path)) == 6


def test_patients_in_folders_are_no_classes_and_stay_together(tmp_path):
    for patient in ("p_001", "p_002", "p_003"):
        for n in range(3):
            photo(tmp_path / f"{patient}/{n}.png")
            mask(tmp_path / f"{patient}/{n}_mask.png")
    found = scan(open_source(tmp_path))
    assert found.masks is not None
    assert len(found.samples) == 9
    assert sorted(map(len, found.together)) == [3, 3, 3]


def test_tiles_with_pictures_and_masks_each(tmp_path):
    for tile in (1, 2):
        for n in range(3):
            photo(tmp_path / f"Tile {tile}/images/{n}.png")
            mask(tmp_path / f"Tile {tile}/masks/{n}.png")
    assert len(find_masks(tmp_path).samples) == 6
    assert len(find_masks(tmp_path).together) == 2


def test_classes_with_masks_stay_classes(tmp_path):
    for name in ("benign", "malignant"):
        for n in range(3):
            photo(tmp_path / f"{name}/{n}.png")
            mask(tmp_path / f"{name}/{n}_mask.png")
    assert scan(open_source(tmp_path)).classes == ("benign", "malignant")


def test_the_masks_of_single_objects_are_put_together(tmp_path):
    from thalweg.data.masks.decode import read_held

    for n in range(3):
        place = tmp_path / f"{n:032x}"
        photo(place / f"images/{n:032x}.png")
        for part in range(2):
            pixels = np.zeros((30, 40), np.uint8)
            pixels[part * 10 : part * 10 + 5] = 255
            (place / "masks").mkdir(exist_ok=True)
            Image.fromarray(pixels).save(place / f"masks/{part}.png")
    found = find_masks(tmp_path)
    assert "single objects put together" in found.layout
    held = read_held(tmp_path / found.samples[0].mask, through_palette=False)
    assert int((held.values == 255).sum()) == 2 * 5 * 40


def test_a_part_may_hold_pictures_and_masks_side_by_side(tmp_path):
    for n in range(3):
        photo(tmp_path / f"train/{n}_sat.jpg")
        mask(tmp_path / f"train/{n}_mask.png")
        photo(tmp_path / f"valid/{n + 9}_sat.jpg")
    assert {(each[0], each[2]) for each in paired(tmp_path)} == {(f"train/{n}_sat.jpg", "train") for n in range(3)}
    assert [(each.file, each.reason[:24]) for each in find_masks(tmp_path).left_out] == [
        ("valid", "its pictures have no mas")
    ]


def test_a_table_names_pictures_and_masks(tmp_path):
    rows = ["image,mask,split"]
    for n in range(4):
        photo(tmp_path / f"scans/{n}.jpg")
        mask(tmp_path / f"truth/t{n}.png")
        rows.append(f"scans/{n}.jpg,truth/t{n}.png,{'val' if n == 3 else 'train'}")
    rows.append("scans/9.jpg,truth/t9.png,train")
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    assert ("scans/3.jpg", "truth/t3.png", "validation") in paired(tmp_path)
    assert len(paired(tmp_path)) == 4
    assert find_masks(tmp_path).left_out[0].file == "scans/9.jpg"


def test_masks_of_the_same_name_beside_photos(tmp_path):
    for part in ("traincrop", "testcrop"):
        for n in range(4):
            photo(tmp_path / f"{part}/{n}.jpg")
            mask(tmp_path / f"{part}/{n}.png")
    assert ("testcrop/2.jpg", "testcrop/2.png", "test") in paired(tmp_path)
    assert len(paired(tmp_path)) == 8


def test_photos_of_the_same_name_in_two_formats_are_no_masks(tmp_path):
    for n in range(4):
        photo(tmp_path / f"a/{n}.jpg")
        photo(tmp_path / f"a/{n}.png")
    assert paired(tmp_path) is None


def test_classes_with_masks_of_the_same_name_stay_classes(tmp_path):
    for name in ("cat", "dog"):
        for n in range(4):
            photo(tmp_path / f"{name}/{n}.jpg")
            mask(tmp_path / f"{name}/{n}.png")
    assert paired(tmp_path) is None


def test_a_class_of_drawings_is_no_mask_of_two_of_photos(tmp_path):
    for n in range(4):
        photo(tmp_path / f"cat/{n}.png")
        photo(tmp_path / f"dog/{n}.png")
        mask(tmp_path / f"logo/{n}.png")
    assert scan(open_source(tmp_path)).classes == ("cat", "dog", "logo")


def test_of_masks_with_the_same_names_the_nearest_are_meant(tmp_path):
    for area in ("Rural", "Urban"):
        for n in range(4):
            photo(tmp_path / f"Train/{area}/images_png/{n}.png")
            mask(tmp_path / f"Train/{area}/masks_png/{n}.png")
    assert all(file.split("/")[-3] == masks.split("/")[-3] for file, masks, _ in paired(tmp_path))
    assert len(paired(tmp_path)) == 8


def test_masks_whose_names_agree_with_none_are_no_class(tmp_path):
    for n in range(4):
        photo(tmp_path / f"faces/{n}.jpg")
        mask(tmp_path / f"mask-anno/{n:05d}_hair.png")
        mask(tmp_path / f"mask-anno/{n:05d}_skin.png")
    with pytest.raises(SourceError, match="looks like masks of the pictures in faces/, but no names agree"):
        find_masks(tmp_path)


def test_masks_of_single_classes_are_told_as_such(tmp_path):
    for n in range(4):
        photo(tmp_path / f"images/{n}.png")
        mask(tmp_path / f"masks/{n}_car.png")
        mask(tmp_path / f"masks/{n}_road.png")
    with pytest.raises(SourceError, match=r"each picture has several masks \(0_car.png, 0_road.png\)"):
        find_masks(tmp_path)


@pytest.mark.parametrize(("masks", "doubted"), [("sketch", True), ("masks", False), ("GT", False)])
def test_masks_in_a_folder_that_is_not_called_so_may_be_a_class(tmp_path, masks, doubted):
    for n in range(4):
        photo(tmp_path / f"photo/{n}.png")
        mask(tmp_path / f"{masks}/{n}.png")
    assert ("--task classification" in find_masks(tmp_path).layout) is doubted
