"""Recordings whose classes stand in a table, as ESC-50 and UrbanSound8K have them."""

import csv

import pytest

from thalweg.data.finding.scan import scan
from thalweg.data.opening.source import OpenedSource, open_source

TWO = ("dog", "siren")


def table(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def folder(tmp_path):
    """Ten recordings, flat or in folds, and the rows of a table for them."""

    def make(place):
        files = [place.format(n % 5 + 1) + f"{n}-a.wav" for n in range(10)]
        for file in files:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).touch()
        return {file: TWO[n % 2] for n, file in enumerate(files)}

    return make


def classes_in(source):
    found = scan(open_source(source))
    assert found.kind == "wav"
    return {sample.file: found.classes[sample.label] for sample in found.samples}


def test_esc_50(folder, tmp_path):
    truth = folder("audio/")
    numbers = {label: n for n, label in enumerate(sorted(set(truth.values())))}
    rows = [(file[6:], n % 5, numbers[label], label, f"{n}.ogg") for n, (file, label) in enumerate(truth.items())]
    table(tmp_path / "meta" / "esc50.csv", ("filename", "fold", "target", "category", "src_file"), rows)
    assert classes_in(tmp_path) == truth


def test_urban_sound_8k(folder, tmp_path):
    truth = folder("audio/fold{}/")
    rows = [(file.rpartition("/")[2], n // 2, label) for n, (file, label) in enumerate(truth.items())]
    table(tmp_path / "metadata" / "UrbanSound8K.csv", ("slice_file_name", "fsID", "class"), rows)
    assert classes_in(tmp_path) == truth


def test_a_table_beside_recordings(folder, tmp_path):
    truth = folder("")
    rows = [(file, label, f"p{n // 2}") for n, (file, label) in enumerate(truth.items())]
    table(tmp_path / "labels.csv", ("file", "label", "subject"), rows)
    assert classes_in(tmp_path) == truth
    assert classes_in(tmp_path / "labels.csv") == truth
    found = scan(OpenedSource(name="x", root=tmp_path, kind="folder"))
    assert {tuple(file[0] for file in files) for files in found.together} == {
        tuple(f"{n}{n + 1}") for n in range(0, 9, 2)
    }
    assert "'subject' stay on one side of the split (5 of them)" in " ".join(each.reason for each in found.warnings)
    assert "10 recordings have their class" in found.warnings[0].reason


def test_folders_of_classes_win_over_a_table_that_names_few(folder, tmp_path):
    folder("dog/")
    for n in range(10):
        (tmp_path / "siren").mkdir(exist_ok=True)
        (tmp_path / "siren" / f"s{n}.wav").touch()
    table(tmp_path / "notes.csv", ("file", "label"), [("0-a.wav", "loud"), ("1-a.wav", "quiet")])
    assert set(classes_in(tmp_path).values()) == {"dog", "siren"}
