"""The rules for every member, whatever kind of archive it comes from."""

import io

import pytest

from thalweg.core.errors import SourceError
from thalweg.data.opening.unpacking import Damaged, Limits, Unpacking


@pytest.fixture
def job(tmp_path):
    (tmp_path / "a.zip").write_bytes(bytes(1000))
    (tmp_path / "target").mkdir()
    limits = Limits(entries=3, total_bytes=5000, member_bytes=4000, ratio=4, ratio_from_bytes=2000)
    return Unpacking(archive=tmp_path / "a.zip", target=tmp_path / "target", limits=limits)


def test_what_lies_about_its_size_is_stopped(job):
    job.write("1.png", 10, lambda: io.BytesIO(bytes(4001)))
    assert [notice.reason for notice in job.left_out] == ["is larger than the archive says"]
    assert list(job.target.iterdir()) == []


def test_all_members_together_are_stopped(job):
    job.write("1.png", 10, lambda: io.BytesIO(bytes(3000)))
    with pytest.raises(SourceError, match=r"times its size, as decompression bombs do"):
        job.write("2.png", 10, lambda: io.BytesIO(bytes(1500)))
    with pytest.raises(SourceError, match=r"unpacks to more than"):
        job.check_size(5001)


def test_entries_are_counted(job):
    for _ in range(3):
        job.count_entry()
    with pytest.raises(SourceError, match=r"^a\.zip: holds more than 3 entries; unpack it yourself"):
        job.count_entry()


def test_a_member_that_cannot_be_read_leaves_no_file(job):
    def broken():
        raise Damaged("broken")

    job.write("cat/1.png", 10, broken)
    assert [(notice.file, notice.reason) for notice in job.left_out] == [("cat/1.png", "broken")]
    assert not (job.target / "cat/1.png").exists()


def test_a_full_disk_ends_the_unpacking(job, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.open", full)
    with pytest.raises(SourceError, match=r"cannot be unpacked .*No space left on device"):
        job.write("1.png", 10, lambda: io.BytesIO(b"x"))
