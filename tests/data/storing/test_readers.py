"""Files that processes read give what they give here; whatever happens to a process, the others go on."""

import os
import pathlib
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import SourceError
from thalweg.core.process import another_python
from thalweg.data.storing import cache, readers
from thalweg.data.storing.cache import load_pictures
from thalweg.data.storing.readers import Readers
from thalweg.data.storing.reading import read_entry

SIZE = (16, 12)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Grey and colourful pictures, a damaged one, one that is none, and names as people give them."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name, shape in (("a.png", (20, 30)), ("عکس.png", (20, 30, 3)), ("c d.jpg", (40, 20, 3))):
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(root / name)
    whole = (root / "c d.jpg").read_bytes()
    (root / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "text.png").write_bytes(b"%PDF-1.4")
    (root / os.fsdecode(b"\xff.png")).write_bytes((root / "a.png").read_bytes())
    return root


def paths_in(root):
    return [*sorted(str(path) for path in root.iterdir()), str(root / "gone.png"), str(root)]


def told(entry):
    """What an entry says; a picture that was just written is `changing` for as long as the clock stands."""
    if isinstance(entry, str):
        return entry
    picture = None if entry.picture is None else entry.picture.tolist()
    return (entry.path, entry.digest, picture, entry.original_size, entry.pixels, entry.warning, entry.refused)


def test_a_process_answers_as_this_one_does(photos):
    paths = paths_in(photos)
    with Readers(SIZE) as reading:
        first, again = reading.read(paths), reading.read(paths[:2])
    here = [read_entry(path, SIZE) for path in paths]
    assert [told(entry) for entry in first] == [told(entry) for entry in here]
    assert [told(entry) for entry in again] == [told(entry) for entry in here[:2]]
    assert any(entry.refused for entry in first[:-2]), "a file that is no picture was to be among them"


def test_the_store_is_filled_alike(photos, tmp_path, monkeypatch):
    files = [os.path.basename(path) for path in paths_in(photos)[:-1]]  # noqa: PTH119
    monkeypatch.setattr(cache, "_MANY", 10**9)
    alone = load_pictures(photos, files, size=SIZE, cache_folder=tmp_path / "a")
    monkeypatch.setattr(cache, "_MANY", 1)
    monkeypatch.setattr(cache, "usable_cores", lambda: 2)
    started = []
    monkeypatch.setattr(readers, "another_python", lambda *a, **k: started.append(1) or another_python(*a, **k))
    shared = load_pictures(photos, files, size=SIZE, cache_folder=tmp_path / "b")
    assert started
    assert (shared.left_out, shared.warnings) == (alone.left_out, alone.warnings)
    assert np.array_equal(shared.pixels[shared.rows], alone.pixels[alone.rows])
    for name in ("content", "thumbnails", "original_sizes", "decoded"):
        assert np.array_equal(getattr(shared, name), getattr(alone, name)), name


def test_files_that_only_moved_are_not_decoded_again(photos, tmp_path, monkeypatch):
    names = sorted(os.path.basename(path) for path in paths_in(photos)[:3])  # noqa: PTH119
    load_pictures(photos, names, size=SIZE, cache_folder=tmp_path / "cache")
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in names:
        (moved / name).write_bytes((photos / name).read_bytes())
    monkeypatch.setattr(cache, "_MANY", 1)
    monkeypatch.setattr(cache, "usable_cores", lambda: 2)
    monkeypatch.setattr(readers, "another_python", lambda *_, **__: pytest.fail("a process was started"))
    assert load_pictures(moved, names, size=SIZE, cache_folder=tmp_path / "cache").decoded == 0


def ending(where, how):
    """A process that does so when it is to read such a file."""
    return f"""
import os
from thalweg.data.storing import readers
real = readers.read_entry
readers.read_entry = lambda path, size: {how} if {where!r} in path else real(path, size)
readers.serve({SIZE})
"""


@pytest.mark.parametrize(("how", "said"), [("os._exit(3)", "status 3"), ("os.kill(os.getpid(), 9)", "signal 9")])
def test_a_file_that_ends_its_process_is_left_out_and_the_others_are_read(photos, monkeypatch, how, said):
    monkeypatch.setattr(readers, "another_python", lambda _, **how_else: another_python(ending("cut", how), **how_else))
    paths = paths_in(photos)
    with Readers(SIZE) as reading:
        found = reading.read(paths)
    for path, entry in zip(paths, found, strict=True):
        if "cut" in path:
            assert entry == f"the process that read it ended twice ({said})"
        else:
            assert told(entry) == told(read_entry(path, SIZE))


def test_processes_that_end_at_every_file_are_said_instead_of_waited_for(photos, monkeypatch):
    monkeypatch.setattr(readers, "another_python", lambda _, **how: another_python(ending("", "os._exit(3)"), **how))
    monkeypatch.setattr(readers, "_HOPELESS", 2)
    with Readers(SIZE) as reading:
        (first,) = reading.read([str(photos / "a.png")])
        assert first == "the process that read it ended twice (status 3)"
        with pytest.raises(SourceError, match=r"2 files one after another .*\(status 3\), the last was .*cut\.jpg"):
            reading.read([str(photos / "cut.jpg")])


def test_a_file_that_is_read_in_between_gives_hope(photos, monkeypatch):
    monkeypatch.setattr(readers, "another_python", lambda _, **how: another_python(ending("cut", "os._exit(3)"), **how))
    monkeypatch.setattr(readers, "_HOPELESS", 2)
    with Readers(SIZE) as reading:
        for _ in range(2):
            assert reading.read([str(photos / "cut.jpg")]) == ["the process that read it ended twice (status 3)"]
            (entry,) = reading.read([str(photos / "a.png")])
            assert told(entry) == told(read_entry(str(photos / "a.png"), SIZE))


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "print('hello')", None])
def test_where_no_process_can_be_had_files_are_read_here(photos, monkeypatch, code):
    def start(_, **how):
        if code is None:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return another_python(code, **how)

    monkeypatch.setattr(readers, "another_python", start)
    paths = paths_in(photos)
    with Readers(SIZE) as reading:
        assert [told(entry) for entry in reading.read(paths)] == [told(read_entry(path, SIZE)) for path in paths]


def test_nothing_in_the_working_folder_is_run(photos, tmp_path, monkeypatch):
    for name in ("numpy.py", "random.py", "PIL.py", "marshal.py", "thalweg.py"):
        (tmp_path / name).write_text("open('was run', 'w')")
    monkeypatch.chdir(tmp_path)
    with Readers(SIZE) as reading:
        reading.read(paths_in(photos))
    assert not (tmp_path / "was run").exists()


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="processes are looked up in /proc")  # noqa: PTH112
def test_a_process_ends_when_the_one_that_asks_is_killed(photos, tmp_path):
    script = f"""
    import os, signal
    from thalweg.data.storing.readers import Readers
    readers = Readers({SIZE})
    readers.read([{str(photos / "a.png")!r}])
    print(readers._idle[0]._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    for _ in range(200):
        if not is_running(pid):
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is an orphan")


def is_running(pid):
    try:
        with pathlib.Path(f"/proc/{pid}/stat").open() as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
