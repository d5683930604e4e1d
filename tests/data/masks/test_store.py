"""Masks in the cache: found again, read anew when a file changes, brought to size without new classes."""

import os

import numpy as np
from PIL import Image

from thalweg.data.masks import store as mask_store
from thalweg.data.masks.classes import ClassTable, TableRow
from thalweg.data.masks.coding import choose_coding
from thalweg.data.masks.store import load_masks, odd_values


def test_masks_are_read_once_and_again_when_one_changes(tmp_path, monkeypatch):
    wide = np.repeat(np.array([[0, 3, 255, 3]], np.uint8), 2, axis=0).repeat(4, axis=0).repeat(4, axis=1)
    for name in ("a.pgm", "b.pgm"):
        Image.fromarray(wide).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"broken")
    files = ["a.pgm", "b.pgm", "c.png"]
    coding = choose_coding(tmp_path, files[:2], None, "source")
    found = load_masks(tmp_path, files, coding, extents=(2, 4))
    assert found.pixels[0].tolist() == [[0, 1, 255, 1]] * 2
    assert found.counts[:2].tolist() == [[32, 64]] * 2
    assert found.void.tolist() == [32, 32, 0]
    assert list(found.left_out) == ["c.png"]
    reads = []
    real = mask_store.read_mask
    monkeypatch.setattr(mask_store, "read_mask", lambda path, how: reads.append(path.name) or real(path, how))
    again = load_masks(tmp_path, files, coding, extents=(2, 4))
    assert reads == []
    assert np.array_equal(again.pixels, found.pixels)
    assert again.left_out == found.left_out
    Image.fromarray(np.full((8, 16), 7, np.uint8)).save(tmp_path / "b.pgm")
    os.utime(tmp_path / "b.pgm", ns=(1, 1))
    changed = load_masks(tmp_path, files, coding, extents=(2, 4))
    assert reads == files
    assert changed.unknown == {7: (128, 1)}
    assert changed.left_out["b.pgm"] == "no pixel of the mask belongs to a class (it holds the value 7)"
    assert "128 pixels of 1 mask hold the value 7" in odd_values(changed, coding)[-1].reason


def test_masks_that_lost_their_values_are_told_apart_from_a_few_stray_ones(tmp_path):
    random = np.random.default_rng(0)
    mask = np.kron(random.integers(0, 2, (4, 4)), np.ones((8, 8))).astype(np.uint8) * 90
    Image.fromarray(mask).resize((48, 48), Image.Resampling.BICUBIC).save(tmp_path / "a.png")
    table = ClassTable(rows=(TableRow(value=0, name="road"), TableRow(value=90, name="car")), place="classes.csv")
    coding = choose_coding(tmp_path, ["a.png"], table, "source")
    told = odd_values(load_masks(tmp_path, ["a.png"], coding, extents=(8, 8)), coding)
    assert "save masks without loss (PNG, not JPEG)" in told[0].reason
