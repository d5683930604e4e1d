"""Files of a patient, subject or speaker stay on one side of the split, wherever that stands."""

import csv
import struct

import numpy as np
import pytest

from thalweg.core.errors import SourceError
from thalweg.core.plan import TrainingPlan
from thalweg.data.finding.scan import scan
from thalweg.data.opening.source import open_source
from thalweg.workbench.loading.loading import divide, load
from thalweg.workbench.telling.telling import silent


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def touch(root, *files):
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def groups(root):
    return {frozenset(files) for files in scan(open_source(root)).together}


def said(root):
    return " ".join(notice.reason for notice in scan(open_source(root)).warnings)


def recording(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (np.sin(np.arange(600) / (3 + seed)) * 9000).astype("<i2").tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 200, 400, 2, 16, b"data", len(data)
    )
    path.write_bytes(head + data)


def test_a_table_beside_folders_of_classes_says_the_patients(tmp_path):
    files = [f"{name}/{name}{n}.png" for name in ("benign", "mel") for n in range(4)]
    touch(tmp_path, *files)
    write(
        tmp_path / "metadata.csv",
        [("file", "Patient ID"), *((f.rpartition("/")[2], f"P{n // 2}") for n, f in enumerate(files))],
    )
    assert groups(tmp_path) == {frozenset(files[n : n + 2]) for n in range(0, 8, 2)}
    assert "'Patient ID' stay on one side of the split (4 of them)" in said(tmp_path)


def test_of_several_columns_the_widest_counts(tmp_path):
    files = [f"{n}.png" for n in range(8)]
    touch(tmp_path, *files)
    rows = [(f, f"L{n}", f"P{n // 4}", "ab"[n % 2]) for n, f in enumerate(files)]
    write(tmp_path / "labels.csv", [("file", "lesion_id", "patient_id", "label"), *rows])
    assert groups(tmp_path) == {frozenset(files[:4]), frozenset(files[4:])}


def test_persons_that_are_the_classes_hold_nothing_together(tmp_path):
    files = [f"{n}.png" for n in range(8)]
    touch(tmp_path, *files)
    write(tmp_path / "labels.csv", [("file", "person"), *((f, "ab"[n % 2]) for n, f in enumerate(files))])
    found = scan(open_source(tmp_path))
    assert (found.classes, found.together) == (("a", "b"), ())


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ([f"{c}/sub-{c}{n}_ses-{s}_T1w.nii.gz" for c in ("ad", "cn") for n in range(2) for s in (1, 2)], "subject"),
        ([f"{c}/TCGA-{c}-000{n}-{s}.png" for c in ("AA", "BB") for n in range(2) for s in (1, 2)], "patient"),
        ([f"{c}/0000000{n}_nohash_{s}.wav" for c in ("yes", "no") for n in range(2) for s in (1, 2)], "speaker"),
    ],
)
def test_known_namings_say_it(tmp_path, files, what):
    touch(tmp_path, *files)
    assert len(groups(tmp_path)) == (2 if what == "speaker" else 4)
    assert f"of one {what}, by their names, stay on one side" in said(tmp_path)


def test_windows_of_one_speaker_stay_on_one_side(tmp_path):
    rows = []
    for n in range(24):
        recording(tmp_path / "audio" / f"{n}.wav", n)
        rows.append((f"{n}.wav", f"s{n // 4}", "ab"[n % 2]))
    write(tmp_path / "meta.csv", [("filename", "speaker", "label"), *rows])
    loaded = load(str(tmp_path), image_size=64, listener=silent())
    parts = divide(loaded, TrainingPlan(source=str(tmp_path)))
    speakers = [
        {int(loaded.files[i].split("/")[1].split(".")[0]) // 4 for i in side}
        for side in (parts.train, parts.validation)
    ]
    assert loaded.files[0].endswith("s")
    assert "@" in loaded.files[0]
    assert not speakers[0] & speakers[1]
    assert all(speakers)


def test_a_table_may_name_the_folders_of_patients(tmp_path):
    files = [f"images/p{n:02d}/{s}.png" for n in range(6) for s in range(3)]
    touch(tmp_path, *files)
    write(
        tmp_path / "labels.csv", [("patient", "label"), *((f"p{n:02d}", ("covid", "normal")[n % 2]) for n in range(6))]
    )
    found = scan(open_source(tmp_path))
    assert found.classes == ("covid", "normal")
    assert len(found.samples) == 18
    assert len(found.together) == 6


def test_a_number_for_each_class_folder_is_no_class_of_its_own(tmp_path):
    touch(tmp_path, *(f"c{n}/{s}.png" for n in range(3) for s in range(3)))
    write(tmp_path / "names.csv", [("folder", "label"), ("c0", "cat"), ("c1", "dog"), ("c2", "bird")])
    assert scan(open_source(tmp_path)).classes == ("c0", "c1", "c2")


def test_scans_of_bids_have_their_class_from_participants(tmp_path):
    touch(tmp_path, *(f"sub-{n:02d}/anat/sub-{n:02d}_T1w.nii.gz" for n in range(6)))
    rows = [(f"sub-{n:02d}", 50 + n, ("AD", "CN")[n % 2]) for n in range(6)]
    write(tmp_path / "participants.tsv", [("participant_id", "age", "diagnosis"), *rows])
    text = (tmp_path / "participants.tsv").read_text().replace(",", "\t")
    (tmp_path / "participants.tsv").write_text(text)
    found = scan(open_source(tmp_path))
    assert (found.kind, found.classes, len(found.samples)) == ("nifti", ("AD", "CN"), 6)


@pytest.mark.parametrize("ending", ["csv", "npy"])
def test_recordings_of_one_file_each_have_their_class_from_a_table(tmp_path, ending):
    touch(tmp_path, *(f"data/r{n}.{ending}" for n in range(8)))
    rows = [(f"r{n}.{ending}", ("up", "down")[n % 2], f"s{n // 2}") for n in range(8)]
    write(tmp_path / "labels.csv", [("file", "label", "subject"), *rows])
    found = scan(open_source(tmp_path))
    assert (found.classes, len(found.samples), len(found.together)) == (("down", "up"), 8, 4)
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            [("file", "text"), *((f"{n}.png", f"a photo of the thing {n}") for n in range(6))],
            "captions are not trained on",
        ),
        ([("file", "EncodedPixels"), *((f"{n}.png", f"{n + 5} 3 90 4") for n in range(6))], "runs of pixels"),
        (
            [("file", "target"), *((f"{n}.png", f"{n * 0.37:.2f}") for n in range(12))],
            "12 different numbers in 12 rows",
        ),
    ],
)
def test_what_is_no_class_is_said(tmp_path, rows, reason):
    touch(tmp_path, *(f"images/{n}.png" for n in range(12)))
    write(tmp_path / "train.csv", rows)
    with pytest.raises(SourceError, match=reason):
        scan(open_source(tmp_path))


def test_a_column_of_users_holds_rows_together_and_is_no_value(tmp_path):
    rows = [(n // 4, "ab"[n % 2], *np.round(np.sin(np.arange(12) + n), 3)) for n in range(24)]
    write(tmp_path / "emg.csv", [("user", "label", *(f"s{n}" for n in range(12))), *rows])
    loaded = load(str(tmp_path / "emg.csv"), image_size=12, listener=silent())
    assert loaded.measured.extents == (12,)
    assert len(loaded.measured.groups) == 6


def test_a_number_of_a_patient_is_never_a_class(tmp_path):
    touch(tmp_path, *(f"all/{n}.png" for n in range(8)))
    write(tmp_path / "grades.csv", [("name", "patient ID"), *((f"{n}.png", n // 2) for n in range(8))])
    with pytest.raises(SourceError, match=r"no column of it .patient ID. holds classes"):
        scan(open_source(tmp_path))


def test_folders_of_patients_in_those_of_classes_stay_together(tmp_path):
    touch(tmp_path, *(f"{c}/Patient ({p})/{s}.png" for c in ("covid", "healthy") for p in range(3) for s in (4, 9)))
    assert len(groups(tmp_path)) == 3
    assert scan(open_source(tmp_path)).classes == ("covid", "healthy")


def test_a_table_may_name_the_beginnings_of_names(tmp_path):
    touch(tmp_path, *(f"audio/{p}_{n}b1_Al.wav" for p in range(101, 107) for n in range(2)))
    write(tmp_path / "diagnosis.csv", [(p, ("COPD", "URTI")[p % 2]) for p in range(101, 107)])
    found = scan(open_source(tmp_path))
    assert (found.classes, len(found.samples), len(found.together)) == (("COPD", "URTI"), 12, 6)


def test_a_table_in_each_of_several_folders(tmp_path):
    for part in "ab":
        touch(tmp_path, *(f"training-{part}/{part}{n}.wav" for n in range(6)))
        write(tmp_path / f"training-{part}/REFERENCE.csv", [(f"{part}{n}", (-1, 1)[n % 2]) for n in range(6)])
    found = scan(open_source(tmp_path))
    assert (found.classes, len(found.samples)) == (("-1", "1"), 12)


def test_several_classes_in_a_column_called_labels(tmp_path):
    touch(tmp_path, *(f"all/{n}.wav" for n in range(6)))
    rows = [(f"{n}.wav", ("Dog,Animal", "Cat,Animal", "Rain")[n % 3]) for n in range(6)]
    write(tmp_path / "dev.csv", [("fname", "labels"), *rows])
    with pytest.raises(SourceError, match="4 of 6 pictures have several classes"):
        scan(open_source(tmp_path))


def signals(path, rows, classes, *, header=True, offset=0):
    names = [*(f"t{n}" for n in range(12)), "label"]
    body = [(*np.round(np.sin(np.arange(12) + n + offset), 3), classes[n % len(classes)]) for n in range(rows)]
    write(path, [names, *body] if header else body)


def test_tables_of_subjects_are_one_source_and_each_stays_together(tmp_path):
    for n in range(3):
        signals(tmp_path / f"S{n}.csv", 6, "ab", offset=10 * n)
    found = scan(open_source(tmp_path))
    assert (found.classes, len(found.samples), len(found.measured.groups)) == (("a", "b"), 18, 3)


def test_tables_of_one_class_each_are_one_source(tmp_path):
    signals(tmp_path / "ptbdb_normal.csv", 6, (0,), header=False)
    signals(tmp_path / "ptbdb_abnormal.csv", 6, (1,), header=False, offset=50)
    found = scan(open_source(tmp_path))
    assert (found.classes, found.measured.groups) == (("0", "1"), ())


def test_labels_in_a_table_beside(tmp_path):
    for part, rows in (("train", 8), ("test", 4)):
        write(tmp_path / f"X_{part}.csv", [tuple(np.round(np.sin(np.arange(12) + n + rows), 3)) for n in range(rows)])
        write(tmp_path / f"y_{part}.csv", [("label",), *(("ab"[n % 2],) for n in range(rows))])
    found = scan(open_source(tmp_path))
    assert (found.classes, [each.part for each in found.samples].count("test")) == (("a", "b"), 4)
    (tmp_path / "y_test.csv").write_text("a\nb\n")
    with pytest.raises(SourceError, match=r"X_test.csv has 4 rows, y_test.csv beside it 2"):
        open_source(tmp_path)
