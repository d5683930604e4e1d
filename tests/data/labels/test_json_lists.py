"""Classes in JSON lists, in the forms that people and tools write; what is hostile gets one sentence."""

import json

import pytest

from thalweg.core.errors import SourceError
from thalweg.data.finding.scan import scan
from thalweg.data.opening.source import open_source

TRUTH = {f"img/p{n:03d}.jpg": ("cat", "dog")[n % 2] for n in range(12)}
NAMES = [(file.rpartition("/")[2], label) for file, label in TRUTH.items()]


def coco(**more):
    return {
        "images": [{"id": n, "file_name": name} for n, (name, _) in enumerate(NAMES)],
        "annotations": [{"image_id": n, "category_id": 5 + (n % 2), **more} for n in range(12)],
        "categories": [{"id": 5, "name": "cat"}, {"id": 6, "name": "dog"}],
    }


def studio(place):
    return [
        {"id": n, "data": {"image": place + name}, "annotations": [{"result": [{"value": {"choices": [label]}}]}]}
        for n, (name, label) in enumerate(NAMES)
    ]


VIA = {
    f"{name}1": {"filename": name, "size": 1, "regions": [], "file_attributes": {"kind": {label: True}}}
    for name, label in NAMES
}

FORMS = {
    "names": dict(NAMES),
    "paths": TRUTH,
    "lists of one": {name: [label] for name, label in NAMES},
    "fields": {name: {"label": label, "width": 3} for name, label in NAMES},
    "classes": {label: [name for name, other in NAMES if other == label] for label in ("cat", "dog")},
    "records": [{"file": name, "label": label, "about": {"a": 1}} for name, label in NAMES],
    "pairs": NAMES,
    "COCO": coco(),
    "Label Studio": studio("/data/upload/1/0a1b2c3d-"),
    "Label Studio's local files": studio("/data/local-files/?d=img/"),
    "Label Studio's short form": [
        {"image": f"/data/upload/{name}", "id": n, "choice": label, "annotator": n % 2, "lead_time": 1.5}
        for n, (name, label) in enumerate(NAMES)
    ],
    "VGG Image Annotator": VIA,
    "its project": {"_via_settings": {}, "_via_img_metadata": VIA},
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "img").mkdir()
    for file in TRUTH:
        (tmp_path / file).touch()
    return tmp_path


def classes_in(source):
    found = scan(open_source(source))
    return {sample.file: found.classes[sample.label] for sample in found.samples}


@pytest.mark.parametrize("form", FORMS)
def test_classes_in_json(folder, form):
    (folder / "labels.json").write_text(json.dumps(FORMS[form]), "utf-8")
    assert classes_in(folder) == TRUTH
    assert classes_in(folder / "labels.json") == TRUTH


def test_one_record_a_line(folder):
    lines = "\n".join(json.dumps(each) for each in FORMS["records"])
    (folder / "labels.jsonl").write_text(lines + "\n", "utf-8")
    assert classes_in(folder) == TRUTH


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[" * 100_000, "too deep inside one another"),
        ('{"p000.jpg": "cat", "p000.jpg": "dog"}', "stands there twice, with different values"),
        ('{"p000.jpg": ', "no JSON"),
        ("\x00\xff", "no JSON"),
        (json.dumps({name: ["cat", "dog"] for name, _ in NAMES}), "pictures have several classes"),
        (json.dumps({"a": {"b": {"c": 1}}}), "it names no pictures with their classes"),
        (json.dumps({"../../etc/passwd": "cat", "/etc/hosts": "dog", "a\0.jpg": "cat"}), "it names no pictures"),
        (json.dumps(5), "it names no pictures"),
    ],
)
def test_what_is_no_list_of_classes_gets_a_sentence(folder, text, sentence):
    (folder / "labels.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(SourceError, match=sentence) as raised:
        scan(open_source(folder / "labels.json"))
    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)


def test_boxes_are_still_told(folder):
    (folder / "labels.json").write_text(json.dumps(coco(bbox=[1, 2, 3, 4])), "utf-8")
    with pytest.raises(SourceError, match="boxes of objects"):
        scan(open_source(folder))


def test_names_that_lead_elsewhere_are_told_as_missing(folder):
    (folder / "labels.json").write_text(json.dumps(TRUTH | {"../outside.jpg": "cat", "a\0b.jpg": "dog"}), "utf-8")
    found = scan(open_source(folder))
    assert len(found.samples) == len(TRUTH)
    assert {notice.file for notice in found.left_out} == {"../outside.jpg", "a\0b.jpg"}
