"""Decoded once, found ever after; whatever happens to the cache, the pixels are right."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import PlanError, SourceError
from thalweg.data.decoding.decode import decode, decode_planes, read_picture_file
from thalweg.data.storing import cache as module
from thalweg.data.storing import reading
from thalweg.data.storing.blocks import miniatures
from thalweg.data.storing.cache import default_cache_folder, load_pictures

LONG_AGO = 1_600_000_000


@pytest.fixture
def photos(tmp_path):
    """Twelve pictures, one in three colourful, settled long ago; and where the cache shall be."""
    root = tmp_path / "photos"
    root.mkdir()
    rng = np.random.default_rng(0)
    for index in range(12):
        shape = (20, 30, 3) if index % 3 == 0 else (20, 30)
        save(root / f"{index:02d}.png", rng.integers(0, 256, shape, np.uint8))
    return root


def save(path, pixels):
    Image.fromarray(pixels).save(path)


def names(root):
    return sorted(path.name for path in root.iterdir())


def load(root, cache, files=None, size=16):
    return load_pictures(root, files or names(root), size=size, cache_folder=cache)


def assert_right(pictures, root, files, size=16):
    for index, file in enumerate(files):
        wanted = decode(root / file, size=(size, size)).pixels
        shown = pictures.pixels[pictures.rows[index]]
        assert (np.broadcast_to(shown, wanted.shape) == wanted).all(), file


@pytest.fixture
def settled(monkeypatch):
    """Let files that were just written count as settled, so that names are trusted."""
    monkeypatch.setattr(reading, "_SETTLED_NS", 0)


def test_a_mixed_source_has_three_channels_and_its_grey_ones_are_right(photos, tmp_path):
    pictures = load(photos, tmp_path / "cache")
    assert pictures.pixels.shape[1:] == (16, 16, 3)
    assert pictures.decoded == 12
    assert_right(pictures, photos, names(photos))
    assert pictures.original_sizes.tolist() == [[30, 20]] * 12
    with pytest.raises(ValueError, match="read-only"):
        pictures.pixels[0] = 0


def test_a_grey_source_has_one_channel_even_beside_others(photos, tmp_path):
    load(photos, tmp_path / "cache")
    files = [name for name in names(photos) if int(name[:2]) % 3]
    pictures = load(photos, tmp_path / "cache", files)
    assert pictures.pixels.shape[1:] == (16, 16, 1)
    assert pictures.decoded == 0
    assert_right(pictures, photos, files)


def test_a_second_start_reads_no_picture_file(photos, tmp_path, settled, monkeypatch):
    first = load(photos, tmp_path / "cache")
    monkeypatch.setattr(reading, "read_picture_file", lambda path: pytest.fail(f"{path} was read"))
    second = load(photos, tmp_path / "cache")
    assert second.decoded == 0
    for field in ("rows", "content", "thumbnails", "original_sizes"):
        assert (getattr(first, field) == getattr(second, field)).all()
    assert_right(second, photos, names(photos))


def test_miniatures_made_together_are_those_of_each_picture(photos, tmp_path):
    together = load(photos, tmp_path / "cache", size=40)
    for index, file in enumerate(names(photos)):
        alone = decode_planes(photos / file, size=(40, 40)).pixels
        assert (together.thumbnails[index] == miniatures(alone[None])[0]).all(), file


def test_a_picture_that_lies_there_twice_has_one_row(photos, tmp_path):
    shutil.copy(photos / "00.png", photos / "twin.png")
    pictures = load(photos, tmp_path / "cache")
    assert pictures.rows[-1] == pictures.rows[0]
    assert len(set(pictures.rows.tolist())) == 12
    assert_right(pictures, photos, names(photos))


@pytest.mark.parametrize("full", [False, True])
def test_miniatures_of_many_pictures_lie_in_a_nameless_file_where_there_is_room(photos, tmp_path, monkeypatch, full):
    few = load(photos, tmp_path / "cache")
    monkeypatch.setattr("thalweg.data.storing.roomy.MANY", 1)
    if full:
        monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    before = sorted(path.name for path in (tmp_path / "cache").rglob("*"))
    many = load(photos, tmp_path / "cache")
    assert isinstance(many.thumbnails, np.memmap) == (not full and sys.platform == "linux")
    assert (many.thumbnails == few.thumbnails).all()
    assert sorted(path.name for path in (tmp_path / "cache").rglob("*")) == before


def refuse(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_moved_folder_is_read_but_not_decoded(photos, tmp_path, monkeypatch):
    load(photos, tmp_path / "cache")
    moved = shutil.copytree(photos, tmp_path / "moved")
    monkeypatch.setattr(reading, "decode_planes", lambda *_, **__: pytest.fail("decoded again"))
    assert_right(load(moved, tmp_path / "cache"), moved, names(moved))


def test_a_changed_file_is_decoded_again_even_if_its_time_is_put_back(photos, tmp_path, settled):
    load(photos, tmp_path / "cache")
    path = photos / "01.png"
    state = path.stat()
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0] ^= 128
    save(path, pixels)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    pictures = load(photos, tmp_path / "cache")
    assert pictures.decoded == 1
    assert_right(pictures, photos, names(photos))


def test_what_is_no_picture_is_left_out_with_its_reason_and_not_tried_again(photos, tmp_path, settled, monkeypatch):
    (photos / "03.png").write_bytes(b"%PDF-1.4")
    os.mkfifo(photos / "04.png.pipe")
    files = [*names(photos), "gone.png"]
    pictures = load(photos, tmp_path / "cache", files)
    assert set(pictures.left_out) == {"03.png", "04.png.pipe", "gone.png"}
    assert "PDF" in pictures.left_out["03.png"]
    assert (pictures.rows < 0).sum() == 3
    monkeypatch.setattr(reading, "decode_planes", lambda *_, **__: pytest.fail("tried again"))
    assert load(photos, tmp_path / "cache", files).left_out == pictures.left_out


def test_warnings_are_remembered(photos, tmp_path):
    save(photos / "05.png", np.arange(60_000, 60_100, dtype=np.uint16)[None].repeat(5, axis=0))
    for _ in range(2):
        assert list(load(photos, tmp_path / "cache").warnings) == ["05.png"]


def test_nothing_usable(photos, tmp_path):
    (photos / "03.png").write_bytes(b"x")
    pictures = load(photos, tmp_path / "cache", ["03.png"])
    assert pictures.pixels.shape == (0, 16, 16, 3)
    assert pictures.rows.tolist() == [-1]


def damage_pixels(folder):
    for path in folder.glob("*.colour"):
        path.write_bytes(bytes(path.stat().st_size))


def cut_pixels(folder):
    for path in [*folder.glob("*.colour"), *folder.glob("*.grey")]:
        os.truncate(path, path.stat().st_size // 2)


def damage_index(folder):
    for path in folder.glob("*.sqlite"):
        content = bytearray(path.read_bytes())
        content[100:9000] = b"x" * 8900
        path.write_bytes(content)


def foreign_index(folder):
    for path in folder.glob("*.sqlite"):
        path.write_bytes(b"this is no database at all, it is a letter" * 100)


def empty_index(folder):
    for path in folder.glob("*.sqlite"):
        path.write_bytes(b"")


def damage_name(folder):
    (folder / "current").write_text("../../etc")


@pytest.mark.parametrize("harm", [damage_pixels, cut_pixels, damage_index, foreign_index, empty_index, damage_name])
def test_a_damaged_cache_is_made_anew(photos, tmp_path, settled, harm):
    load(photos, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    harm(folder)
    pictures = load(photos, tmp_path / "cache")
    assert pictures.decoded == 12
    assert_right(pictures, photos, names(photos))
    assert load(photos, tmp_path / "cache").decoded == 0


def test_pixels_stay_mapped_while_the_cache_is_made_anew(photos, tmp_path):
    before = load(photos, tmp_path / "cache")
    copy = before.pixels.copy()
    (folder,) = (tmp_path / "cache").iterdir()
    foreign_index(folder)
    load(photos, tmp_path / "cache")
    assert (before.pixels == copy).all()


def test_a_full_disk_is_one_sentence_with_the_way_out(photos, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(SourceError, match=r"3,072 more bytes, 1,000 are free; .*--image-size.*THALWEG_CACHE"):
        load(photos, tmp_path / "cache")


def test_a_disk_that_fills_up_while_writing_leaves_a_usable_cache(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BATCH_FILES", 5)
    real, calls = os.fsync, []

    def failing(handle):
        calls.append(handle)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        real(handle)

    load_pictures(photos, [], size=16, cache_folder=tmp_path / "cache")
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(SourceError, match="too full"):
        load(photos, tmp_path / "cache")
    monkeypatch.setattr(os, "fsync", real)
    pictures = load(photos, tmp_path / "cache")
    assert pictures.decoded == 7
    assert_right(pictures, photos, names(photos))


@pytest.mark.parametrize("at", ["between two batches", "inside a batch"])
def test_a_cache_that_is_removed_meanwhile_is_made_anew(photos, tmp_path, monkeypatch, at):
    monkeypatch.setattr(module, "_BATCH_FILES", 5)
    cache, removed = tmp_path / "cache", []
    owner, name = (module, "_with_thumbnails") if at == "inside a batch" else (module._Loading, "_check_space")
    real = getattr(owner, name)

    def removing(*words):
        removed.append(cache.exists())
        if len(removed) == 2:
            shutil.rmtree(cache)
        return real(*words)

    monkeypatch.setattr(owner, name, removing)
    assert_right(load(photos, cache), photos, names(photos))
    assert (all(removed), load(photos, cache).decoded) == (True, 0)


def test_a_folder_that_cannot_be_written_is_said(photos, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="THALWEG_CACHE"):
        load(photos, tmp_path / "file")


def test_a_size_below_one_is_refused(photos, tmp_path):
    with pytest.raises(PlanError, match="at least 1"):
        load(photos, tmp_path / "cache", size=0)


def test_where_pictures_are_cached(monkeypatch, tmp_path):
    monkeypatch.delenv("THALWEG_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_cache_folder() == Path.home() / ".cache" / "thalweg" / "pictures"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_folder() == tmp_path / "thalweg" / "pictures"
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "mine"))
    assert default_cache_folder() == tmp_path / "mine" / "pictures"


def test_progress_ends_at_all_files(photos, tmp_path):
    seen = []
    load_pictures(photos, names(photos), size=16, cache_folder=tmp_path, progress=lambda *place: seen.append(place))
    assert seen[-1] == (12, 12)
    assert seen == sorted(seen)


def test_the_source_is_never_written(photos, tmp_path):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.iterdir()}
    load(photos, tmp_path / "cache")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.iterdir()} == before


SCRIPT = """
    import signal

    # a job in the background of a shell is started deaf to Ctrl-C; a person's is not
    signal.signal(signal.SIGINT, signal.default_int_handler)
    import sys, time
    from pathlib import Path
    from thalweg.data.storing import cache, reading
    cache._BATCH_FILES = 2
    slow = float(sys.argv[3])
    real = reading.decode_planes
    reading.decode_planes = lambda *a, **k: (time.sleep(slow), real(*a, **k))[1]
    root = Path(sys.argv[1])
    files = sorted(path.name for path in root.iterdir())
    say = lambda done, _: print("done", done, flush=True)
    pictures = cache.load_pictures(root, files, size=16, cache_folder=Path(sys.argv[2]), progress=say)
    print(pictures.decoded, int(pictures.pixels[pictures.rows].sum()))
"""


def start(root, cache, slow):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(root), str(cache), str(slow)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_at_once_agree(photos, tmp_path):
    both = [start(photos, tmp_path / "cache", 0.01) for _ in range(2)]
    told = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    sums = {out.split()[-1] for out, _ in told}
    pictures = load(photos, tmp_path / "cache")
    assert pictures.decoded == 0
    assert sums == {str(int(pictures.pixels[pictures.rows].sum()))}
    assert_right(pictures, photos, names(photos))


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_the_cache_stays_usable(photos, tmp_path, way):
    process = start(photos, tmp_path / "cache", 0.15)
    while process.stdout.readline() != "done 5\n":  # the first batches of two are written by now
        assert process.poll() is None
    process.send_signal(way)
    process.communicate(timeout=30)
    assert process.returncode != 0
    pictures = load(photos, tmp_path / "cache")
    assert 0 < pictures.decoded < 12
    assert_right(pictures, photos, names(photos))
    assert read_picture_file(photos / "00.png")
