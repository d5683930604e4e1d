"""Fixed splits: tables and data.json, good and odd."""

import pytest

from thalweg.core.codec import dumps
from thalweg.core.dataset import DataSummary, Sample
from thalweg.core.errors import PlanError
from thalweg.data.splitting.split_file import read_parts, write_parts

NAMES = ["a,b.png", 'say "hi".png', "new\nline.png", "گربه.png", "\udcff.png", " space .png", "cr\r.png"]


def test_a_table_survives_every_name(tmp_path):
    rows = [(name, part) for name, part in zip(NAMES, ["train", "validation", "test"] * 3, strict=False)]
    write_parts(tmp_path / "split.csv", rows)
    parts, notices = read_parts(tmp_path / "split.csv", [Sample(name, 0) for name in NAMES])
    assert parts == dict(rows)
    assert notices == ()


def test_the_data_json_of_a_run_is_a_split(tmp_path):
    data = DataSummary(
        source="x", classes=("a",), class_counts=(3,), files=3, train=("1", "\udcff"), validation=("2",), test=("3",)
    )
    (tmp_path / "data.json").write_text(dumps(data))
    parts, _ = read_parts(tmp_path / "data.json", [Sample(name, 0) for name in ("1", "2", "3", "\udcff")])
    assert parts == {"1": "train", "\udcff": "train", "2": "validation", "3": "test"}


def test_a_table_from_a_spreadsheet(tmp_path):
    (tmp_path / "s.csv").write_bytes(b"\xef\xbb\xbffile,part,note\r\n1,Train,x\r\n2,val,\r\n3,testing,\r\n")
    parts, _ = read_parts(tmp_path / "s.csv", [Sample(name, 0) for name in "123"])
    assert parts == {"1": "train", "2": "validation", "3": "test"}


def test_what_does_not_match_is_one_sentence_with_numbers(tmp_path):
    (tmp_path / "s.csv").write_text("file,part\n1,train\n8,train\n9,test\n")
    parts, notices = read_parts(tmp_path / "s.csv", [Sample(name, 0) for name in "1234"])
    assert parts == {"1": "train"}
    (notice,) = notices
    assert "names 2 files that are not in use, such as 8" in notice.reason
    assert "does not name 3 files of the source, such as 2" in notice.reason


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.csv", "1,train\n", "a header line with the columns file and part"),
        ("s.csv", "", "a header line with the columns file and part"),
        ("s.csv", "file,part\n1\n", r"s\.csv, line 2: a file and a part are wanted"),
        ("s.csv", "file,part\n1,training set\n", r"line 2: 'training set' is no part"),
        ("s.csv", "file,part\n1,train\n1,test\n", r"line 3: 1 is in test here and in train before"),
        ("s.csv", "file,part\nz,train\n", r"none of its 1 files is in the source, whose names look like 1"),
        ("s.csv", "file,part\n", "none of its 0 files"),
        ("s.csv", "file,part\n" + "x" * 200_000 + ",train\n", "no CSV table"),
        ("s.json", "{", "no JSON"),
        ("s.json", "[]", "an object with lists of files"),
        ("s.json", '{"train": "1"}', "train is no list of file names"),
        ("s.json", '{"train": [1]}', "train is no list of file names"),
        ("s.json", '{"train": ["1"], "test": ["1"]}', r"test\[0\]: 1 is in test here and in train before"),
    ],
)
def test_an_odd_file_is_one_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(PlanError, match=words):
        read_parts(tmp_path / name, [Sample("1", 0), Sample("2", 0)])


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(PlanError, match=r"cannot be read \(No such file"):
        read_parts(tmp_path / "s.csv", [])
