"""Archives that are damaged or malicious: nothing outside the target, one clear sentence, good pictures survive."""

# Long because every kind of hostile archive is made here, byte by byte, beside the promise it must not break.

import bz2
import contextlib
import gzip
import io
import lzma
import os
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from thalweg.core.errors import SourceError
from thalweg.data.opening.archive import Limits, unpack

PICTURE = os.urandom(3000)
TAR_MODES = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


def write_zip(path: Path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def header(name, **settings):
    info = tarfile.TarInfo(name)
    for key, value in settings.items():
        setattr(info, key, value)
    return info


def write_tar(path: Path, members, mode="w"):
    with tarfile.open(path, mode) as file:
        for name, data in members:
            if isinstance(name, tarfile.TarInfo):
                file.addfile(name, io.BytesIO(data) if data else None)
            else:
                file.addfile(header(name, size=len(data)), io.BytesIO(data))
    return path


@pytest.fixture
def box(tmp_path):
    """A folder around the target, so that anything written outside the target is seen."""
    (tmp_path / "box").mkdir()
    return tmp_path / "box"


def contents(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def unpacked(archive, box, **limits):
    left_out = unpack(archive, box / "target", limits=Limits(**limits))
    assert [path.name for path in box.iterdir()] == ["target"]
    return contents(box / "target"), {notice.file: notice.reason for notice in left_out}


@pytest.mark.parametrize("kind", ["zip", *TAR_MODES])
def test_every_kind_is_unpacked_whatever_it_is_called(tmp_path, box, kind):
    members = [("photos/cat/1.png", PICTURE), ("photos/گربه/۱.png", b"x"), ("photos/dog/empty.png", b"")]
    path = tmp_path / "download"
    write_zip(path, members) if kind == "zip" else write_tar(path, members, TAR_MODES[kind])
    files, left_out = unpacked(path, box)
    assert files == ["photos/cat/1.png", "photos/dog/empty.png", "photos/گربه/۱.png"]
    assert not left_out
    assert (box / "target/photos/cat/1.png").read_bytes() == PICTURE


HOSTILE_NAMES = [
    "../out.png",
    "a/../../out.png",
    "/etc/out.png",
    "C:\\out.png",
    "..\\out.png",
    "a\\..\\..\\out.png",
    "..",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_outside_are_left_out(tmp_path, box, name, kind):
    members = [(name, b"evil"), ("cat/1.png", PICTURE)]
    path = (write_zip if kind == "zip" else write_tar)(tmp_path / "a", members)
    files, left_out = unpacked(path, box)
    assert files == ["cat/1.png"]
    assert list(left_out.values()) == ["leads outside the archive's folder"]


def test_an_absolute_path_writes_nothing_there(tmp_path, box):
    victim = tmp_path / "victim.png"
    for write in (write_zip, write_tar):
        path = write(tmp_path / "a", [(str(victim), b"evil"), ("cat/1.png", b"good")])
        unpack(path, box / write.__name__)
        assert not victim.exists()


def test_links_and_devices_of_a_tar_are_never_made(tmp_path, box):
    kinds = {
        "link": {"type": tarfile.SYMTYPE, "linkname": "/"},
        "hard": {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"},
        "pipe": {"type": tarfile.FIFOTYPE},
        "device": {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3},
    }
    members = [(header(name, **settings), None) for name, settings in kinds.items()]
    path = write_tar(tmp_path / "a.tar", [*members, ("link/out.png", PICTURE)])
    files, left_out = unpacked(path, box)
    assert files == ["link/out.png"]  # `link` became a plain folder, so the file stayed inside
    assert set(left_out) == set(kinds)
    assert not any(path.is_symlink() for path in box.rglob("*"))


def test_links_of_a_zip_are_never_made(tmp_path, box):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    pipe = zipfile.ZipInfo("pipe")
    pipe.external_attr = (stat.S_IFIFO | 0o777) << 16
    path = write_zip(tmp_path / "a.zip", [(link, "/etc"), (pipe, ""), ("link/passwd", b"evil")])
    files, left_out = unpacked(path, box)
    assert files == ["link/passwd"]
    assert left_out == {
        "link": "a link inside an archive, which is not followed",
        "pipe": "a device or pipe, no file",
    }
    assert not (box / "target/link").is_symlink()


def test_a_file_where_a_folder_is_needed_and_a_name_twice(tmp_path, box):
    path = write_tar(tmp_path / "a", [("cat", b"1"), ("cat/1.png", b"2"), ("dog/1.png", b"3"), ("dog/1.png", b"4")])
    files, left_out = unpacked(path, box)
    assert files == ["cat", "dog/1.png"]
    assert (box / "target/dog/1.png").read_bytes() == b"3"
    assert left_out["dog/1.png"] == "another member has the same name"
    assert "cat/1.png" in left_out


def test_a_name_that_is_too_long_is_left_out(tmp_path, box):
    for write in (write_zip, write_tar):
        path = write(tmp_path / "a", [("x" * 300 + ".png", b"1"), ("y" * 251 + ".png", b"2")])
        left_out = unpack(path, box / write.__name__)
        assert contents(box / write.__name__) == ["y" * 251 + ".png"]
        assert "name cannot be used" in left_out[0].reason


def test_one_damaged_picture_in_a_zip_is_named_and_the_rest_is_kept(tmp_path, box):
    path = write_zip(tmp_path / "a.zip", [("cat/1.png", PICTURE), ("cat/2.png", PICTURE[::-1])])
    data = bytearray(path.read_bytes())
    place = data.find(PICTURE[100:120])
    data[place] ^= 0xFF
    path.write_bytes(data)
    files, left_out = unpacked(path, box)
    assert files == ["cat/2.png"]
    assert "damaged in the archive" in left_out["cat/1.png"]


def test_a_damaged_deflate_stream_is_named(tmp_path, box):
    path = write_zip(tmp_path / "a.zip", [("1.png", bytes(9000)), ("2.png", PICTURE)], compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    data[30 + len("1.png")] = 0xFF
    path.write_bytes(data)
    files, left_out = unpacked(path, box)
    assert files == ["2.png"]
    assert set(left_out) == {"1.png"}


def test_an_unknown_method_is_named(tmp_path, box):
    path = write_zip(tmp_path / "a.zip", [("1.png", PICTURE), ("2.png", PICTURE)])
    data = bytearray(path.read_bytes())
    first = data.find(b"PK\x01\x02")
    struct.pack_into("<H", data, 8, 9)
    struct.pack_into("<H", data, first + 10, 9)
    path.write_bytes(data)
    files, left_out = unpacked(path, box)
    assert files == ["2.png"]
    assert "packed in a way that is not read" in left_out["1.png"]


def test_a_locked_zip_is_one_sentence(tmp_path, box):
    path = write_zip(tmp_path / "a.zip", [("1.png", PICTURE)])
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, 6, 1)
    struct.pack_into("<H", data, data.find(b"PK\x01\x02") + 8, 1)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"^a\.zip: is locked with a password; unpack it yourself"):
        unpacked(path, box)


def test_overlapping_members_are_refused(tmp_path, box):
    path = write_zip(tmp_path / "a.zip", [("1.png", PICTURE), ("2.png", PICTURE)])
    data = bytearray(path.read_bytes())
    second = data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 4)
    struct.pack_into("<I", data, second + 42, 0)  # both entries now point at the first member
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"overlap"):
        unpacked(path, box)


@pytest.mark.parametrize("kind", ["zip", *TAR_MODES])
def test_bombs_are_refused_by_size_and_by_ratio(tmp_path, box, kind):
    members = [("1.bmp", bytes(3_000_000)), ("2.bmp", bytes(3_000_000))]
    path = tmp_path / "a"
    if kind == "zip":
        write_zip(path, members, compression=zipfile.ZIP_DEFLATED)
    else:
        write_tar(path, members, TAR_MODES[kind])
    with pytest.raises(SourceError, match=r"unpacks to more than"):
        unpack(path, box / "size", limits=Limits(total_bytes=4_000_000))
    if kind != "tar":
        with pytest.raises(SourceError, match=r"times its size, as decompression bombs do"):
            unpack(path, box / "ratio", limits=Limits(ratio_from_bytes=1_000_000))


def test_a_promise_that_lies_is_stopped_while_unpacking(tmp_path, box):
    members = [("1.bmp", bytes(3_000_000)), ("2.png", b"good")]
    path = write_zip(tmp_path / "a.zip", members, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.find(b"PK\x01\x02") + 24, 10)
    path.write_bytes(data)
    files, left_out = unpacked(path, box)
    assert files == ["2.png"]
    assert set(left_out) == {"1.bmp"}


def test_a_member_that_is_no_photo_by_its_size_is_left_out(tmp_path, box):
    for write in (write_zip, write_tar):
        path = write(tmp_path / "a", [("1.bmp", bytes(5000)), ("2.png", PICTURE)])
        left_out = unpack(path, box / write.__name__, limits=Limits(member_bytes=4000))
        assert contents(box / write.__name__) == ["2.png"]
        assert "no photo" in left_out[0].reason


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_too_many_entries_are_refused_with_the_number(tmp_path, box, kind):
    members = [(f"{number}.png", b"") for number in range(30)]
    path = (write_zip if kind == "zip" else write_tar)(tmp_path / "a", members)
    with pytest.raises(SourceError, match=r"entries.*unpack it yourself and give the folder"):
        unpacked(path, box, entries=20)
    assert len(contents(box / "target")) <= 20


def test_a_million_entries_are_refused_before_the_directory_is_read(tmp_path, box):
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 1_000_000
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1_000_000, 1_000_000, len(directory), 4)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 4 + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + directory + wide + locator + end)
    with pytest.raises(SourceError, match=r"holds 1,000,000 entries, more than 500,000"):
        unpacked(tmp_path / "a.zip", box)


def test_an_archive_inside_an_archive_stays_packed(tmp_path, box):
    inner = write_zip(tmp_path / "inner.zip", [("cat/1.png", PICTURE)])
    path = write_zip(tmp_path / "a.zip", [("inner.zip", inner.read_bytes())])
    assert unpacked(path, box) == (["inner.zip"], {})


@pytest.mark.parametrize("kind", ["zip", *TAR_MODES])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_an_archive_cut_short_is_refused(tmp_path, box, kind, share):
    members = [(f"{number}.png", os.urandom(3000)) for number in range(10)]
    path = tmp_path / "a"
    write_zip(path, members) if kind == "zip" else write_tar(path, members, TAR_MODES[kind])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(SourceError, match=r"cut short"):
        unpacked(path, box)


def test_a_damaged_tar_header_is_no_silent_end(tmp_path, box):
    path = write_tar(tmp_path / "a.tar", [("1.png", PICTURE), ("2.png", PICTURE), ("3.png", PICTURE)])
    data = bytearray(path.read_bytes())
    data[512 + 3072 + 20] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"damaged after 1 entries"):
        unpacked(path, box)


def test_a_damaged_checksum_of_gzip_is_seen(tmp_path, box):
    plain = write_tar(tmp_path / "a.tar", [("1.png", PICTURE)]).read_bytes()
    data = bytearray(gzip.compress(plain + bytes(100_000)))  # so much padding that no reader of tar looks at its end
    data[-6] ^= 0xFF
    (tmp_path / "a.tar.gz").write_bytes(data)
    with pytest.raises(SourceError, match=r"damaged after 1 entries"):
        unpacked(tmp_path / "a.tar.gz", box)


@pytest.mark.parametrize("kind", TAR_MODES)
def test_members_that_are_left_out_count_as_unpacked(tmp_path, box, kind):
    path = write_tar(tmp_path / "a", [(f"../{number}.png", bytes(1_000_000)) for number in range(5)], TAR_MODES[kind])
    with pytest.raises(SourceError, match=r"unpacks to more than"):
        unpacked(path, box, total_bytes=4_000_000)


def test_a_tar_without_an_end_mark_is_used_and_said(tmp_path, box):
    path = write_tar(tmp_path / "a.tar", [("1.png", bytes(512))])
    path.write_bytes(path.read_bytes()[:1024])
    files, left_out = unpacked(path, box)
    assert files == ["1.png"]
    assert "no end mark" in left_out[""]


def test_a_tar_header_with_an_endless_name_is_refused(tmp_path, box):
    long = header("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=2 << 30)
    path = tmp_path / "a.tar"
    path.write_bytes(long.tobuf() + bytes(4096))
    with pytest.raises(SourceError, match=r"a name of 2,147,483,648 bytes"):
        unpacked(path, box)


def test_an_xz_with_a_giant_dictionary_is_refused(tmp_path, box):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 4096}]
    plain = write_tar(tmp_path / "a.tar", [("1.png", b"x")]).read_bytes()
    data = bytearray(lzma.compress(plain, filters=filters))
    place = data.find(b"\x21\x01")  # filter id, size of its properties, then the dictionary's size
    data[place + 2] = 40  # 4 GiB - 1
    size = (data[12] + 1) * 4
    data[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(data[12 : 12 + size - 4]))
    (tmp_path / "a.tar.xz").write_bytes(data)
    with pytest.raises(SourceError, match=r"[Mm]emory"):
        unpacked(tmp_path / "a.tar.xz", box)


def test_several_xz_streams_are_one_archive(tmp_path, box):
    plain = write_tar(tmp_path / "a.tar", [("1.png", PICTURE)]).read_bytes()
    (tmp_path / "a.tar.xz").write_bytes(lzma.compress(plain[:2000]) + bytes(4) + lzma.compress(plain[2000:]))
    assert unpacked(tmp_path / "a.tar.xz", box) == (["1.png"], {})


REFUSED = {
    "a 7z archive": b"7z\xbc\xaf\x27\x1c" + bytes(600),
    "a RAR archive": b"Rar!\x1a\x07\x00" + bytes(600),
    "0 bytes": b"",
    "no zip or tar archive": b"<html>" * 200,
    "without contents": bytes(10240),
    "a single file that was packed": gzip.compress(b"just text"),
    "a single file that was packed ": bz2.compress(b"just text"),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_no_archive_is_one_sentence(tmp_path, box, words):
    (tmp_path / "photos.zip").write_bytes(REFUSED[words])
    with pytest.raises(SourceError, match=rf"^photos\.zip: .*{words.strip()}"):
        unpacked(tmp_path / "photos.zip", box)


def test_names_that_a_zip_stores_as_plain_bytes_are_read(tmp_path, box):
    path = write_zip(tmp_path / "a.zip", [("AAAAAAAA/1.png", PICTURE)])
    path.write_bytes(path.read_bytes().replace(b"AAAAAAAA", "گربه".encode()))
    assert unpacked(path, box) == (["گربه/1.png"], {})


def test_a_full_disk_is_said_before_unpacking(tmp_path, box, monkeypatch):
    path = write_zip(tmp_path / "a.zip", [("1.png", PICTURE)])
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(SourceError, match=r"disk is too full"):
        unpacked(path, box)


@pytest.mark.parametrize("kind", ["zip", *TAR_MODES])
def test_mutated_archives_end_in_files_or_in_a_sentence(tmp_path, box, kind):
    members = [("cat/1.png", PICTURE[:300]), ("dog/2.png", bytes(300)), ("گربه/" + "x" * 120 + ".png", b"3")]
    path = tmp_path / "a"
    if kind == "zip":
        write_zip(path, members, compression=zipfile.ZIP_DEFLATED)
    else:
        write_tar(path, members, TAR_MODES[kind])
    whole = path.read_bytes()
    chance = random.Random(kind)
    for number in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8))):
            data[chance.randrange(len(data))] = chance.choice((0, 255, chance.randrange(256)))
        path.write_bytes(data)
        with contextlib.suppress(SourceError):
            unpack(path, box / str(number), limits=Limits(total_bytes=1 << 24))
    assert {entry.name for entry in box.iterdir()} <= {str(number) for number in range(60)}
    assert {entry.name for entry in tmp_path.iterdir()} == {"a", "box"}
