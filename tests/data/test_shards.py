"""Shards of WebDataset: classes in files beside the pictures, one folder a part."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from thalweg.data.finding.scan import scan
from thalweg.data.opening.sibling_labels import classes_beside
from thalweg.data.opening.source import open_source


def picture(seed):
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (9, 9, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


def shard(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as box:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            box.addfile(entry, io.BytesIO(data))


def labelled(count, ending, words, first=0):
    for n in range(first, first + count):
        yield f"{n:06d}.png", picture(n)
        said = words[n % len(words)]
        yield f"{n:06d}{ending}", (json.dumps({"label": said, "key": n}) if ending == ".json" else said).encode()


@pytest.mark.parametrize(
    ("ending", "words"), [(".cls", ("0", "1")), (".json", ("cat", "dog")), (".cls.txt", ("cat", "dog"))]
)
def test_one_shard(tmp_path, ending, words):
    shard(tmp_path / "a.tar", labelled(6, ending, words))
    found = scan(open_source(tmp_path / "a.tar"))
    assert (found.classes, len(found.samples)) == (words, 6)
    assert "6 pictures have their class from a file beside each of them" in found.warnings[0].reason


def test_a_folder_of_shards_keeps_its_parts_and_files_of_one_name_apart(tmp_path):
    for number in range(2):
        shard(tmp_path / f"train-000{number}.tar", labelled(4, ".cls", ("7", "10")))
    shard(tmp_path / "val-0000.tar", labelled(3, ".cls", ("7", "10"), first=90))
    (tmp_path / "README.md").touch()
    found = scan(open_source(tmp_path))
    assert found.classes == ("7", "10")
    parts = [each.part for each in found.samples]
    assert (parts.count("train"), parts.count("validation")) == (8, 3)


def test_a_picture_without_its_file_is_named(tmp_path):
    shard(tmp_path / "a.tar", [*labelled(6, ".cls", ("0", "1")), ("zz.png", picture(99))])
    found = scan(open_source(tmp_path / "a.tar"))
    assert [(each.file, each.reason) for each in found.left_out] == [("zz.png", "no file beside it says its class")]


def test_outlines_beside_pictures_say_no_class(tmp_path):
    (tmp_path / "1.jpg").touch()
    (tmp_path / "1.json").write_text('{"shapes": [], "label": {"a": 1}}')
    assert classes_beside(tmp_path, ["1.jpg"]) == {}


def test_a_damaged_shard_is_named(tmp_path):
    (tmp_path / "train-0000.tar").write_bytes(b"no tar" * 200)
    with pytest.raises(Exception, match=r"train-0000\.tar"):
        open_source(tmp_path)
