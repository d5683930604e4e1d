"""Pictures of arrays are, to the bit, what files of the same pictures would be; no such files are written."""

import errno
import os
import shutil

import numpy as np
import pytest
from PIL import Image

import thalweg
from thalweg.core.dataset import Notice
from thalweg.core.errors import PlanError, SourceError
from thalweg.core.plan import TrainingPlan
from thalweg.data.finding.scan import scan
from thalweg.data.measured import array_pictures as module
from thalweg.data.measured.array_pictures import load_stored
from thalweg.data.opening.source import open_source
from thalweg.data.storing.cache import load_pictures
from thalweg.workbench.loading.loading import divide, load
from thalweg.workbench.telling.telling import silent

pytestmark = pytest.mark.usefixtures("own_cache")


def made(count=12, sides=(10, 14, 3), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *sides), dtype=np.uint8)


def stored(place, x, **others):
    np.savez(place, x=x, y=np.arange(len(x)) % 2, **others)
    found = scan(open_source(place))
    return found, [sample.file for sample in found.samples]


def some_grey():
    x = made()
    x[::3] = x[::3, ..., :1]
    return x


KINDS = {"grey": made(sides=(10, 14)), "colour": made(), "some grey": some_grey(), "all grey": made()[..., [0, 0, 0]]}


@pytest.mark.parametrize("size", [(14, 10), 16, (11, 24), 9])
@pytest.mark.parametrize("kind", KINDS)
def test_pixels_digests_and_miniatures_are_those_of_files(tmp_path, kind, size):
    found, files = stored(tmp_path / "x.npz", KINDS[kind])
    for file in files:
        (tmp_path / "png" / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(KINDS[kind][int(file[-10:-4])]).save(tmp_path / "png" / file)
    ours = load_stored(found.stored, files, size=size)
    theirs = load_pictures(tmp_path / "png", files, size=size, cache_folder=tmp_path / "other")
    assert np.array_equal(ours.pixels[ours.rows], theirs.pixels[theirs.rows])
    for field in ("content", "thumbnails", "original_sizes"):
        assert np.array_equal(getattr(ours, field), getattr(theirs, field)), field


def test_some_of_the_pictures_in_any_order(tmp_path):
    x = some_grey()
    found, files = stored(tmp_path / "x.npz", x)
    chosen = [file for file in files if int(file[-10:-4]) in {9, 3, 6}][::-1]
    some = load_stored(found.stored, chosen, size=(14, 10))
    assert np.array_equal(some.pixels[some.rows], [x[int(file[-10:-4]), ..., :1] for file in chosen])  # all are grey
    whole = load_stored(found.stored, files, size=(14, 10))
    assert np.array_equal(some.content, whole.content[[files.index(file) for file in chosen]])


def test_names_are_those_that_runs_and_split_files_of_earlier_versions_have(tmp_path):
    arrays = {
        f"{name}_{part}": value for part in ("train", "test") for name, value in (("x", made(4)), ("y", [0, 1] * 2))
    }
    np.savez(tmp_path / "sets.npz", **arrays, classes=np.array(["cat/s", "dog"]))
    found = scan(open_source(tmp_path / "sets.npz"))
    assert [(each.file, each.label, each.part) for each in found.samples[:3]] == [
        ("test/cat_s/sets-000000.png", 0, "test"),
        ("test/cat_s/sets-000002.png", 0, "test"),
        ("test/dog/sets-000001.png", 1, "test"),
    ]
    np.savez(tmp_path / "one.npz", x_train=made(4), y_train=[0, 1] * 2)  # one part is no split
    assert scan(open_source(tmp_path / "one.npz")).samples[0].file == "0/one-000000.png"


def test_no_picture_file_is_written_and_a_second_start_makes_nothing(tmp_path, own_cache):
    said = []
    np.savez(tmp_path / "x.npz", x=made(), y=np.arange(12) % 2)
    for _ in range(2):
        found = scan(open_source(tmp_path / "x.npz", progress=said.append))
        files = [sample.file for sample in found.samples]
        made_now = load_stored(found.stored, files, size=16).decoded
    assert said == ["Storing 12 pictures out of x.npz ..."]
    assert made_now == 0
    assert {path.suffix for path in own_cache.rglob("*") if path.is_file()} == {".bin", ".json"}


def test_a_source_that_changed_is_noticed_though_its_times_did_not(tmp_path):
    found, files = stored(tmp_path / "x.npz", made())
    before = load_stored(found.stored, files, size=16).content.tolist()
    state = (tmp_path / "x.npz").stat()
    x = made()
    x[5, 0, 0] ^= 1
    found, files = stored(tmp_path / "x.npz", x)
    os.utime(tmp_path / "x.npz", ns=(state.st_atime_ns, state.st_mtime_ns))
    after = load_stored(scan(open_source(tmp_path / "x.npz")).stored, files, size=16).content.tolist()
    assert [file for file, one, other in zip(files, before, after, strict=True) if one != other] == ["1/x-000005.png"]


def test_what_another_version_stored_is_not_taken(tmp_path, monkeypatch):
    found, _ = stored(tmp_path / "x.npz", made())
    monkeypatch.setattr("thalweg.data.opening.source.ARRAYS_VERSION", 2)
    assert scan(open_source(tmp_path / "x.npz")).stored.folder != found.stored.folder
    found, files = stored(tmp_path / "x.npz", made())
    for size in (16, (14, 10)):
        assert load_stored(found.stored, files, size=size).decoded == 12
    monkeypatch.setattr("thalweg.data.decoding.decode.DECODER_VERSION", 99)
    for size in (16, (14, 10)):
        assert load_stored(found.stored, files, size=size).decoded == 12


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
@pytest.mark.parametrize("which", ["looks", "pictures"])
def test_what_was_made_of_stored_pictures_is_made_anew_where_it_is_damaged(tmp_path, which, harm):
    found, files = stored(tmp_path / "x.npz", made())
    right = np.array(load_stored(found.stored, files, size=16).pixels)
    (path,) = found.stored.folder.glob(f"{which}-16-*")
    data = path.read_bytes()
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(data[:-100] if harm == "cut" else bytes([data[0] ^ 255, *data[1:]]))
    again = load_stored(found.stored, files, size=16)
    assert (again.decoded, np.array_equal(again.pixels, right)) == (12, True)


def test_stored_pictures_that_are_damaged_are_told_with_the_folder_to_delete(tmp_path):
    found, files = stored(tmp_path / "x.npz", made())
    load_stored(found.stored, files, size=(14, 10))
    values = found.stored.folder / "values.bin"
    data = bytearray(values.read_bytes())
    data[7 * 420 + 5] ^= 255
    values.write_bytes(data)
    with pytest.raises(SourceError, match=r"these samples are damaged .row 7: 1/x-000003.png.; delete that folder"):
        load_stored(scan(open_source(tmp_path / "x.npz")).stored, files, size=(14, 10))
    shutil.rmtree(found.stored.folder.parent)
    assert load_stored(scan(open_source(tmp_path / "x.npz")).stored, files, size=(14, 10)).decoded == 12


def test_classes_are_in_the_order_of_their_names_as_folders_are(tmp_path):
    np.savez(tmp_path / "x.npz", x=made(), y=np.arange(12) % 3, classes=np.array(["zebra", "ape", "lion"]))
    found = scan(open_source(tmp_path / "x.npz"))
    assert found.classes == ("ape", "lion", "zebra")
    assert {sample.file: sample.label for sample in found.samples}["zebra/x-000003.png"] == 2


def test_of_many_broken_pictures_the_first_are_named_and_the_others_counted(tmp_path):
    x = np.zeros((40, 9, 9))
    x[3:28] = np.nan
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(40) % 2)
    left_out = scan(open_source(tmp_path / "x.npz")).left_out
    assert (left_out[0].file, left_out[19].file) == ("x.npz[3]", "x.npz[22]")
    assert left_out[20:] == (Notice("", "5 further pictures hold values that are not finite"),)


def nothing_half_done(folder):
    return not list(folder.rglob(".*"))


def test_an_interruption_leaves_nothing_half_done(tmp_path, own_cache, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    np.savez(tmp_path / "x.npz", x=made(), y=np.arange(12) % 2)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_gathered", interrupt)
        with pytest.raises(KeyboardInterrupt):
            open_source(tmp_path / "x.npz")
    assert nothing_half_done(own_cache)
    found, files = stored(tmp_path / "x.npz", made())
    with pytest.raises(KeyboardInterrupt):
        load_stored(found.stored, files, size=16, progress=interrupt)
    assert nothing_half_done(own_cache)
    assert load_stored(found.stored, files, size=16).decoded == 12


def test_what_a_killed_run_left_is_removed_after_a_day(tmp_path):
    found, files = stored(tmp_path / "x.npz", made())
    old, new = found.stored.folder / ".writing-old", found.stored.folder / ".writing-new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    load_stored(found.stored, files, size=16)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_full_disk_is_told_with_the_way_out_and_leaves_nothing(tmp_path, own_cache, monkeypatch):
    found, files = stored(tmp_path / "x.npz", made())
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 1, 9))
        with pytest.raises(SourceError, match=r"needs [\d,]+ more bytes, 9 are free"):
            load_stored(found.stored, files, size=16)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "resized", full)
        with pytest.raises(SourceError, match=r"the disk is too full.*set THALWEG_CACHE"):
            load_stored(found.stored, files, size=16)
        patch.setattr(module, "_gathered", full)
        with pytest.raises(SourceError, match=r"No space left on device.*THALWEG_CACHE"):
            stored(tmp_path / "other.npz", made(seed=1))
    assert nothing_half_done(own_cache)


def test_a_size_that_is_none(tmp_path):
    found, files = stored(tmp_path / "x.npz", made())
    with pytest.raises(PlanError, match="need at least 1 pixel a side"):
        load_stored(found.stored, files, size=0)


def test_samples_of_one_patient_stay_on_one_side(tmp_path):
    patients = np.arange(40) // 4
    np.savez(tmp_path / "x.npz", x=made(40), y=np.arange(40) % 2, patient=patients)
    loaded = load(str(tmp_path / "x.npz"), image_size=16, listener=silent())
    assert "samples of one patient stay together: there are 10 of them" in [each.reason for each in loaded.warnings]
    parts = divide(loaded, TrainingPlan(source="x.npz"))
    sides = [{patients[int(loaded.files[index][-10:-4])] for index in part} for part in (parts.train, parts.validation)]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]


def test_twins_across_the_arrays_own_split_are_found_and_left_out_of_training(tmp_path, own_cache):
    train, test = made(30, (24, 24, 3), 1), made(10, (24, 24, 3), 2)
    test[4], test[7] = train[11], train[20, :, ::-1]
    np.savez(tmp_path / "sets.npz", x_train=train, y_train=np.arange(30) % 2, x_test=test, y_test=np.arange(10) % 2)
    told = thalweg.check(tmp_path / "sets.npz")
    assert [(each.kind, each.files) for each in told.duplicates] == [
        ("exact", ("test/0/sets-000004.png", "train/1/sets-000011.png")),
        ("near", ("test/1/sets-000007.png", "train/0/sets-000020.png")),
    ]
    assert [each.code for each in told.findings] == ["DAT002"]
    assert [path.name.split("-")[1] for path in own_cache.rglob("pictures-*")] == ["32"]  # what training takes, not 96
    loaded = load(str(tmp_path / "sets.npz"), image_size=24, listener=silent())
    parts = divide(loaded, TrainingPlan(source="sets.npz"))
    assert {notice.file for notice in parts.left_out} == {"train/1/sets-000011.png", "train/0/sets-000020.png"}
    assert (len(parts.train), len(parts.test)) == (28, 10)
