"""The table of the solar cells, real where the package is installed."""

import pytest

from thalweg.core.errors import MissingExtraError, SourceError
from thalweg.data.opening.elpv import DEMO_CLASSES, demo_folder, read_labels


@pytest.mark.parametrize(("above", "expected"), [(0.5, (1803, 821)), (0.0, (1508, 1116))])
def test_the_published_numbers(above, expected):
    pytest.importorskip("elpv_dataset")
    samples, missing = read_labels(demo_folder(), above=above)
    labels = [sample.label for sample in samples]
    assert (labels.count(0), labels.count(1), missing) == (*expected, ())
    assert DEMO_CLASSES[1] == "defective"
    assert [sample.file for sample in samples] == sorted(sample.file for sample in samples)


def test_a_photo_that_is_not_there_is_named(tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    (tmp_path / "labels.csv").write_text("1.png 0.6 mono\n\n2.png 1.0 poly\n")
    samples, missing = read_labels(tmp_path, above=0.5)
    assert [(sample.file, sample.label) for sample in samples] == [("1.png", 1)]
    assert [notice.file for notice in missing] == ["2.png"]


@pytest.mark.parametrize("line", ["1.png", "1.png much mono"])
def test_a_strange_line_is_named(tmp_path, line):
    (tmp_path / "labels.csv").write_text(f"1.png 0.6 mono\n{line}\n")
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"line 2: a file name and a probability"):
        read_labels(tmp_path, above=0.5)


def test_a_package_without_its_table(tmp_path, monkeypatch):
    found = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: found)
    with pytest.raises(SourceError, match=r"holds no labels\.csv"):
        demo_folder()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError):
        demo_folder()
    with pytest.raises(SourceError, match=r"cannot be read"):
        read_labels(tmp_path, above=0.5)
