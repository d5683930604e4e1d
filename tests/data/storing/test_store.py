"""Batches are recorded as a whole or not at all."""

import contextlib
import os
import pathlib
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from thalweg.core.errors import SourceError
from thalweg.data.storing.store import PictureStore
from thalweg.data.storing.store_values import Entry, StoreDamagedError


def entry(number, channels=1, **changes):
    fields = {
        "path": b"/photos/%d" % number,
        "state": "1 2 3 4",
        "digest": bytes([number]) * 32,
        "picture": np.full((4, 4, channels), number, np.uint8),
        "original_size": (40, 30),
        "pixels": bytes([number]) * 16,
        "thumbnail": bytes(256),
    }
    return Entry(**(fields | changes))


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(PictureStore(tmp_path, 4)) as opened:
        yield opened


def test_what_was_added_is_found(store):
    store.add([entry(1), entry(2, 3, warning="odd"), entry(3, picture=None, refused="no picture")])
    known = store.find_file(b"/photos/2", "1 2 3 4")
    assert known is not None
    assert (known.grey_row, known.colour_row, known.warning, known.original_size) == (None, 0, "odd", (40, 30))
    assert store.rows_of("colour")[0].tolist() == [[[2, 2, 2]] * 4] * 4
    assert store.find_file(b"/photos/2", "1 2 3 5") is None
    refused = store.find_content(bytes([3]) * 32)
    assert refused is not None
    assert (refused.grey_row, refused.colour_row, refused.refused) == (None, None, "no picture")


def test_equal_contents_share_a_row(store):
    store.add([entry(1), entry(1, path=b"/photos/copy")])
    assert len(store.rows_of("grey")) == 1
    assert store.find_file(b"/photos/copy", "1 2 3 4") == store.find_file(b"/photos/1", "1 2 3 4")


def test_a_failing_batch_leaves_nothing(store):
    store.add([entry(1)])

    def failing():
        yield entry(2)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.add(failing())
    assert store.find_content(bytes([2]) * 32) is None
    store.add([entry(3)])
    assert store.rows_of("grey")[1, 0, 0, 0] == 3
    store.check([bytes([1]) * 32, bytes([3]) * 32])


@pytest.mark.skipif(os.name == "nt", reason="how large a file may grow is limited as POSIX has it")
def test_a_file_that_may_not_grow_is_said_with_the_way_out(tmp_path):
    """As `ulimit -f` forbids it: what could not be flushed must not fail once more when the store is closed."""
    code = f"""if True:
        import contextlib, pathlib, resource, sys
        sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
        from test_store import PictureStore, SourceError, entry
        opened = PictureStore(pathlib.Path({str(tmp_path)!r}), 4)
        with contextlib.suppress(SourceError), contextlib.closing(opened) as store:
            resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
            store.add([entry(number % 256, digest=number.to_bytes(32, "big")) for number in range(9000)])
            print("nothing was wrong")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_grey_rows_can_be_copied_into_colour(store):
    store.add([entry(1), entry(2, 3)])
    for _ in range(2):
        store.add_colour([bytes([1]) * 32])
    assert store.rows_of("colour")[:, 0, 0].tolist() == [[2, 2, 2], [1, 1, 1]]


def test_changed_pixels_are_noticed(store, tmp_path):
    store.add([entry(1)])
    (tmp_path / f"{store.name}.grey").write_bytes(bytes(16))
    with pytest.raises(StoreDamagedError):
        store.check([bytes([1]) * 32])


def test_a_foreign_index_is_damage(store, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / f"{store.name}.sqlite")) as index:
        index.executescript("drop table content; create table content (digest, other);")
    with pytest.raises(StoreDamagedError):
        PictureStore(tmp_path, 4)


def test_an_index_that_stays_locked_is_said(store, tmp_path, monkeypatch):
    store._index.execute("pragma busy_timeout = 1")
    with contextlib.closing(sqlite3.connect(tmp_path / f"{store.name}.sqlite", isolation_level=None)) as other:
        other.execute("begin exclusive")
        with pytest.raises(SourceError, match="locked"):
            store.add([entry(1)])
