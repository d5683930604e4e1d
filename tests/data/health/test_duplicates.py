"""Twins are found; pictures that merely look alike are not."""

import functools
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from thalweg.core.dataset import Duplicate
from thalweg.data.decoding.decode import decode_planes
from thalweg.data.health import duplicates as module
from thalweg.data.health.duplicates import find_duplicates
from thalweg.data.storing.cache import Pictures

CHEST = Path(__file__).parents[4] / "shared" / "data" / "chest-xray" / "train" / "NORMAL"


def pictures_of(images, size=64):
    small = [image.convert("L").resize((size, size), Image.Resampling.BILINEAR) for image in images]
    content = [np.frombuffer(hashlib.blake2b(one.tobytes(), digest_size=16).digest(), np.uint8) for one in small]
    thumbnails = [np.asarray(one.resize((16, 16), Image.Resampling.BILINEAR)) for one in small]
    return Pictures(
        pixels=np.stack([np.asarray(one)[..., None] for one in small]),
        rows=np.arange(len(small)),
        left_out={},
        warnings={},
        content=np.stack(content),
        thumbnails=np.stack(thumbnails),
        original_sizes=np.array([image.size for image in images]),
    )


@functools.cache
def alike(count, own=20, seed=0):
    """Make pictures of one kind: a strong common look, and something of its own in each."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(6, 6)) * 60
    made = []
    for _ in range(count):
        coarse = np.clip(128 + common + rng.normal(size=(6, 6)) * own, 0, 255).astype(np.uint8)
        fine = np.asarray(Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC)).astype(float)
        made.append(Image.fromarray(np.clip(fine + rng.normal(size=(96, 96)) * 6, 0, 255).astype(np.uint8)))
    return made


def again(image, quality):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("L")


TWINS = {
    "exact": lambda image: image.copy(),
    "encoded": lambda image: again(image, 50),
    "halved": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC),
    "enlarged": lambda image: image.resize((150, 150), Image.Resampling.BICUBIC),
    "mirrored": ImageOps.mirror,
    "mirrored and encoded": lambda image: again(ImageOps.mirror(image), 75),
}


def planted(images, kind):
    """Put a twin of each of the first pictures at the end, and find them."""
    twins = [TWINS[kind](image) for image in images[:20]]
    files = [f"{index:04d}" for index in range(len(images) + len(twins))]
    found = {duplicate.files for duplicate in find_duplicates(pictures_of([*images, *twins]), files)}
    wanted = {(files[index], files[len(images) + index]) for index in range(len(twins))}
    return len(found & wanted) / len(wanted), len(found - wanted) / len(images)


@pytest.mark.parametrize("pairwise", [True, False])
@pytest.mark.parametrize("kind", TWINS)
def test_planted_twins_are_found_among_pictures_of_one_kind(kind, pairwise, monkeypatch):
    if not pairwise:
        monkeypatch.setattr(module, "_ALL_PAIRS", 10)
    right, wrong = planted(alike(200), kind)
    assert right >= (1 if kind == "exact" else 0.95)
    assert wrong <= 0.01


def test_many_blurred_twins_do_not_hide_one_another():
    """Of 300 pictures of different things 90 are twins whose distance is above the least limit: 32 pixels from 18."""
    rng = np.random.default_rng(0)
    images = []
    for _ in range(210):
        scene = rng.integers(0, 256, (12, 12), dtype=np.uint8)
        images.append(Image.fromarray(scene).resize((32, 32), Image.Resampling.BICUBIC))
    twins = [image.resize((18, 18), Image.Resampling.BICUBIC) for image in images[:90]]
    found = find_duplicates(pictures_of([*images, *twins], size=32), [f"{index:03d}" for index in range(300)])
    assert {each.files for each in found} == {(f"{index:03d}", f"{210 + index:03d}") for index in range(90)}


@pytest.mark.skipif(not CHEST.is_dir(), reason="../shared/data/chest-xray is not there")
def test_chest_x_rays_look_alike_but_only_the_planted_twins_are_reported():
    files = sorted(CHEST.iterdir())[:200]
    images = [Image.fromarray(decode_planes(path).pixels[..., 0]) for path in files]
    assert find_duplicates(pictures_of(images), [path.name for path in files]) == ()
    assert planted(images, "mirrored and encoded") == (1, 0)


def test_what_all_pictures_share_says_nothing():
    nearly_the_same = alike(100, own=3)
    assert find_duplicates(pictures_of(nearly_the_same), [f"{index:03d}" for index in range(100)]) == ()


def test_groups_tell_their_kind_and_whether_labels_differ():
    images = list(alike(40))
    images += [images[0].copy(), again(images[1], 80), images[2].copy(), again(images[2], 70)]
    files = [f"{index:02d}" for index in range(44)]
    labels = [0] * 43 + [1]
    assert find_duplicates(pictures_of(images), files, labels) == (
        Duplicate(kind="exact", files=("00", "40")),
        Duplicate(kind="near", files=("01", "41")),
        Duplicate(kind="near", files=("02", "42", "43"), labels_differ=True),
    )


@pytest.mark.parametrize(
    ("other", "twin", "differ"),
    [("turn_right", "mirrored", False), ("turn_right", "exact", True), ("stop", "mirrored", True)],
)
def test_a_mirrored_picture_of_the_other_side_carries_the_right_class(other, twin, differ):
    images = [*alike(20), TWINS[twin](alike(20)[3])]
    labels = [0] * 20 + [1]
    (found,) = find_duplicates(
        pictures_of(images), [f"{number:02}" for number in range(21)], labels, ("turn_left", other)
    )
    assert found.labels_differ is differ


def test_blank_pictures_are_twins_only_if_they_are_equal():
    blank = [Image.new("L", (64, 64), value) for value in (0, 0, 100, 200)]
    groups = find_duplicates(pictures_of([*alike(20), *blank]), [f"{index:02d}" for index in range(24)])
    assert groups == (Duplicate(kind="exact", files=("20", "21")),)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_pictures(count):
    images = alike(count)
    if images:
        assert find_duplicates(pictures_of(images), ["a", "b"][:count]) == ()
        doubled = pictures_of([*images, again(images[0], 80)])
        assert len(find_duplicates(doubled, ["a", "b", "c"][: count + 1])) == 1


def test_files_left_out_are_passed_over():
    pictures = pictures_of([Image.new("L", (64, 64), 0)] * 3)
    pictures.rows[1] = -1
    assert find_duplicates(pictures, ["a", "b", "c"]) == (Duplicate(kind="exact", files=("a", "c")),)


def test_large_sets_are_not_compared_pair_by_pair(monkeypatch):
    monkeypatch.setattr(module, "_ALL_PAIRS", 100)
    monkeypatch.setattr(module._Faces, "all_pairs", lambda *_: pytest.fail("quadratic"))
    assert planted(alike(150), "mirrored")[0] == 1
