"""Every kind of picture comes out right, or is refused with a reason; nothing is used silently that is damaged."""

import errno
import io
import json
import os
import random
import resource
import sys
import threading
import time
import tracemalloc
import zlib
from collections import defaultdict
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import PictureError, SourceError
from thalweg.data.decoding import decode as module
from thalweg.data.decoding.decode import decode, decode_planes, read_picture_file

HOSTILE = Path(__file__).parents[4] / "shared" / "data" / "hostile-images"
MANIFEST = json.loads((HOSTILE / "manifest.json").read_text("utf-8")) if HOSTILE.is_dir() else []
hostile = pytest.mark.skipif(not MANIFEST, reason="../shared/data/hostile-images is not there")


def photo(width=48, height=32, *, grey=False):
    """Smooth, asymmetric, colourful: every turn and mirror of it looks different."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([255 * x / width, 255 * y / height, 255 * (x + 2 * y) / (width + 2 * height)], axis=2)
    image = Image.fromarray(pixels.astype(np.uint8))
    return image.convert("L") if grey else image


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def as_stored(image, orientation):
    """Turn an upright picture into what a camera with that orientation stores."""
    undo = {
        1: (),
        2: (Image.Transpose.FLIP_LEFT_RIGHT,),
        3: (Image.Transpose.ROTATE_180,),
        4: (Image.Transpose.FLIP_TOP_BOTTOM,),
        5: (Image.Transpose.TRANSPOSE,),
        6: (Image.Transpose.ROTATE_90,),
        7: (Image.Transpose.TRANSVERSE,),
        8: (Image.Transpose.ROTATE_270,),
    }
    for step in undo[orientation]:
        image = image.transpose(step)
    return image


@pytest.mark.parametrize("size", [None, (20, 20)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(kind, orientation, size):
    upright = photo()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
    shown = decode(encoded(as_stored(upright, orientation), kind, exif=exif, **options), size=size)
    wanted = decode(encoded(upright, "PNG"), size=size)
    assert shown.original_size == (48, 32)
    assert shown.pixels.shape == wanted.pixels.shape
    assert np.abs(shown.pixels.astype(int) - wanted.pixels).mean() < (2 if kind == "JPEG" else 0.6)


@hostile
@pytest.mark.parametrize("case", MANIFEST, ids=lambda case: case["file"][:24])
def test_hostile_file(case):
    path = HOSTILE / "files" / case["file"]
    before = time.perf_counter()
    try:
        picture, reason = decode(path), ""
    except PictureError as error:
        picture, reason = None, str(error)
    seconds = time.perf_counter() - before
    expect = case["expect"]
    assert seconds < (1 if expect == "bomb" else 5)
    if expect in {"reject", "bomb"}:
        assert picture is None, "used silently"
    if picture is None:
        assert expect != "decode", reason
        assert len(reason) > 10
        assert "limit" in reason or expect != "bomb"
        return
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (*picture.original_size[::-1], 3)
    if expect == "never-silent":
        assert picture.warnings
    if expect == "decode":
        assert list(picture.original_size) == case["shown_wh"]
        raw = case.get("raw16_min_mean_max")
        assert raw is None or raw[0] == raw[2] or np.ptp(picture.pixels) > 60
        if case.get("mean8_expected"):
            assert picture.pixels.mean() == pytest.approx(case["mean8_expected"], abs=2)


@hostile
def test_hostile_groups_show_the_same_upright_picture():
    groups = defaultdict(list)
    for case in MANIFEST:
        if case.get("upright_group"):
            groups[case["upright_group"]].append(decode(HOSTILE / "files" / case["file"]).pixels.astype(float))
    assert groups
    for members in groups.values():
        middle = np.median(members, axis=0)
        assert max(np.abs(member - middle).mean() for member in members) < 4


@hostile
def test_bombs_are_refused_before_pixels_are_allocated():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in MANIFEST:
        if case["expect"] == "bomb":
            with pytest.raises(PictureError, match=r"[\d,]{11,} .*more than the limit of [\d,]+"):
                decode(HOSTILE / "files" / case["file"])
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 200e6


def png_of(width, height):
    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [11_000, 60_000])
def test_a_png_bomb_of_any_size_is_refused(side):
    with pytest.raises(PictureError, match="more than the limit"):
        decode(png_of(side, side), size=(64, 64))


def test_deep_grey_keeps_its_shades():
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    full = decode(encoded(Image.fromarray(ramp), "PNG"))
    assert full.grey
    assert full.pixels.mean() == pytest.approx(127.5, abs=1)
    twelve = decode(encoded(Image.fromarray((ramp // 16).astype(np.uint16)), "TIFF"))
    assert np.abs(twelve.pixels.astype(int) - full.pixels).max() <= 1
    narrow = decode(encoded(Image.fromarray((60_000 + ramp // 1000).astype(np.uint16)), "PNG"))
    assert np.ptp(narrow.pixels) == 255
    assert "stretched" in narrow.warnings[0]


def test_floating_point_tiff():
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    assert (decode(encoded(Image.fromarray(ramp), "TIFF")).pixels[..., 0].ravel() == np.arange(256)).all()
    ramp[0, 0] = np.nan
    assert "not finite" in decode(encoded(Image.fromarray(ramp), "TIFF")).warnings[0]
    with pytest.raises(PictureError, match="finite"):
        decode(encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF"))


def test_transparency_is_shown_on_white():
    clear = Image.new("RGBA", (4, 4), (10, 200, 30, 0))
    clear.putpixel((0, 0), (10, 200, 30, 255))
    for kind in ("PNG", "WEBP", "TIFF"):
        pixels = decode(encoded(clear, kind, **({"lossless": True} if kind == "WEBP" else {}))).pixels
        assert pixels[0, 0].tolist() == [10, 200, 30]
        assert pixels[1, 1].tolist() == [255, 255, 255]
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.putpixel((1, 0), 1)
    assert decode(encoded(palette, "GIF", transparency=0)).pixels[0].tolist() == [[255] * 3, [9] * 3]


def test_print_colours_and_others():
    cmyk = decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)).pixels
    assert cmyk[4, 4, 0] > 200
    assert cmyk[4, 4, 1:].max() < 60
    assert decode(encoded(Image.new("1", (3, 3), 1), "PNG")).pixels.min() == 255
    lab = decode(encoded(Image.new("LAB", (3, 3), (255, 128, 128)), "TIFF")).pixels
    assert lab.min() > 240


def test_an_animation_is_its_first_frame():
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert decode(data).pixels[2, 2, 0] > 240, kind


def test_grey_is_seen_and_kept_in_one_channel():
    data = encoded(photo(grey=True).convert("RGB"), "PNG")
    assert decode_planes(data).pixels.shape == (32, 48, 1)
    assert decode(data).grey
    assert not decode(encoded(photo(), "PNG")).grey


def test_a_large_jpeg_is_reduced_while_decoded_and_still_looks_the_same():
    big = photo(1600, 1200)
    plain, jpeg = decode(encoded(big, "PNG"), size=(64, 64)), decode(encoded(big, "JPEG", quality=95), size=(64, 64))
    assert np.abs(plain.pixels.astype(int) - jpeg.pixels).mean() < 2
    assert jpeg.original_size == (1600, 1200)
    assert (decode(encoded(big, "JPEG", quality=95), size=(64, 64)).pixels == jpeg.pixels).all()


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_sound_jpegs_raise_no_suspicion_and_keep_their_pixels(options):
    for grey in (False, True):
        data = encoded(photo(130, 70, grey=grey), "JPEG", **options)
        assert decode(data).warnings == ()
        assert decode(data, size=(16, 16)).warnings == ()
        with Image.open(io.BytesIO(data)) as reference:
            assert (decode(data).pixels == np.asarray(reference.convert("RGB"))).all()


def noticed(data):
    try:
        return bool(decode(data).warnings)
    except PictureError:
        return True


def test_a_jpeg_that_ends_early_or_late_is_never_used_silently():
    rng = np.random.default_rng(0)
    data = encoded(Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)), "JPEG")
    scan = data.rfind(b"\xff\xda") + 14
    places = range(scan, len(data) - 60, 101)
    assert all(noticed(data[:place] + b"\xff\xd9") for place in places)
    assert all(noticed(data[:-2] + bytes(extra) + data[-2:]) for extra in (9, 99, 999))
    assert not noticed(data)


def test_what_libjpeg_complains_about_is_noticed_without_asking_it():
    simplejpeg = pytest.importorskip("simplejpeg")
    rng = np.random.default_rng(0)
    data = encoded(Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)), "JPEG")
    scan = data.rfind(b"\xff\xda") + 14
    complaints = 0
    for place in range(scan, len(data) - 60, 53):
        damaged = data[:place] + data[place + 40 :]
        try:
            simplejpeg.decode_jpeg(damaged)
        except ValueError:
            complaints += 1
            assert noticed(damaged)
    assert complaints > 5


def test_files_cut_anywhere_are_refused_or_warned_about():
    for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"):
        data = encoded(photo(), kind)
        for share in (0, 0.01, 0.1, 0.5, 0.9):
            cut = data[: int(len(data) * share)]
            try:
                assert decode(cut).warnings, (kind, share)
            except PictureError as error:
                assert str(error)  # noqa: PT017 - either is right


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000"])
def test_flipped_bytes_raise_nothing_but_picture_errors(kind):
    rng = random.Random(kind)
    data = encoded(photo(24, 24), kind)
    used = 0
    for _ in range(60):
        mutated = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        try:
            used += decode(bytes(mutated), size=(8, 8)).pixels.shape == (8, 8, 3)
        except PictureError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either is right
    assert used < 60 or kind in {"BMP", "PPM", "GIF"}


def test_what_is_no_picture_file_is_refused_with_its_kind(tmp_path):
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    (tmp_path / "empty.png").touch()
    for path, reason in (
        (tmp_path, "folder"),
        (pipe, "pipe"),
        (tmp_path / "empty.png", "empty"),
        (tmp_path / "gone.png", "No such file"),
    ):
        with pytest.raises(PictureError, match=reason):
            decode(path)
    for content, reason in (
        (b"%PDF-1.4", "PDF"),
        (b"PK\x03\x04", "zip"),
        (bytes(100), "zero bytes"),
        (b"hello", "none of"),
    ):
        with pytest.raises(PictureError, match=reason):
            decode(content)


def test_a_huge_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FILE_LIMIT", 10)
    (tmp_path / "a.png").write_bytes(bytes(11))
    with pytest.raises(PictureError, match="11 bytes, more than the limit of 10"):
        read_picture_file(tmp_path / "a.png")


def test_a_small_file_is_read_within_a_small_address_space(tmp_path):
    (tmp_path / "a.png").write_bytes(bytes(11))
    tracemalloc.start()
    read_picture_file(tmp_path / "a.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_process_that_may_open_no_more_files_leaves_none_out(tmp_path, monkeypatch, number):
    monkeypatch.setattr(module.os, "open", mock.Mock(side_effect=OSError(number, "no more")))
    with pytest.raises(SourceError, match="ulimit -n"):
        read_picture_file(tmp_path / "a.png")


def test_programs_are_never_started():
    with pytest.raises(PictureError):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")


def test_threads_see_the_same_pixels_and_only_their_own_warnings():
    odd = encoded(Image.fromarray(np.arange(60_000, 60_100, dtype=np.uint16)[None]), "PNG")
    fine = encoded(photo(), "JPEG")
    wanted = decode(fine, size=(9, 9)).pixels
    wrong = []

    def work(data):
        for _ in range(30):
            shown = decode(data, size=(9, 9))
            if data is fine and (shown.warnings or (shown.pixels != wanted).any()):
                wrong.append(shown)

    threads = [threading.Thread(target=work, args=(data,)) for data in (fine, odd, fine, odd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
