"""Which files of a folder are pictures to predict: what lies beside the photos is no failure."""

from thalweg.workbench.picture_places import files_in


def test_what_lies_beside_photos_is_passed_over_and_a_damaged_photo_is_not(tmp_path):
    for name in ("a.jpg", "b/c.PNG", "b/d.heic", "README.txt", "labels.csv", "LICENSE", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "a.jpg").write_bytes(b"")
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff\xe0")
    found = [file.removeprefix(f"{tmp_path}/") for file in files_in([tmp_path])]
    assert found == ["a.jpg", "b/c.PNG", "b/d.heic", "photo"]


def test_a_file_that_is_named_itself_is_tried_whatever_its_name(tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"")
    assert list(files_in([tmp_path / "notes.txt"])) == [str(tmp_path / "notes.txt")]
