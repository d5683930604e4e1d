"""Every error is said in another language by its own entry, and by no other that happens to fit it."""

import re

import pytest

from thalweg.core.catalogue_file import read_catalogue
from thalweg.core.errors import MissingExtraError
from thalweg.core.languages import Speaker, said, speaking

FIELD = re.compile(r"\{\{|\}\}|\{(\w+)(?::(\w+))?\}")
SAMPLES = {"text": "'ab'", "word": "a", "names": "a", "symbol": "a", "number": "7", None: "7"}
PERSIAN = re.compile("[\u0600-\u06ff]")

LIBRARIES = (
    "those of libraries are written torchvision.models:NAME and timm:NAME",
    "شبکه‌های کتابخانه‌ها چنین نوشته می‌شوند: torchvision.models:NAME و timm:NAME",
)


@pytest.fixture(scope="module")
def entries():
    import importlib.resources

    place = importlib.resources.files("thalweg.core").joinpath("catalogues", "fa.po")
    return {plain(entry.source): entry for entry in read_catalogue(place.read_text("utf-8"), place.name)}


@pytest.fixture(scope="module")
def persian():
    return Speaker("fa")


def plain(message):
    return re.sub(r"\{_*(\w+?)(:\w+)?\}", r"{\1}", message)


def filled(template, values):
    return FIELD.sub(lambda match: match[0][0] if match[1] is None else values[match[1]], template)


@pytest.mark.parametrize("room", ["core", "data", "derivation", "experiments", "histories", "networks", "workbench"])
def test_no_error_is_taken_for_another(raised_in, entries, persian, room):
    assert taken([entries[plain(message)] for message in raised_in(room)], persian, "error") == []


def test_no_note_of_a_reader_of_logs_is_taken_for_another(noted_in, entries, persian):
    notes = [entries[plain(note)] for note in noted_in("histories") if plain(note) in entries]
    assert len(notes) > 50
    assert taken(notes, persian, "") == []


def taken(said, persian, context):
    """Sentences that are translated by another entry than their own."""
    found_elsewhere = []
    for entry in said:
        gaps = {name: kind or None for name, kind in re.findall(r"\{(\w+)(?::(\w+))?\}", entry.source)}
        values = {name: "" if name.startswith("_") else SAMPLES[kind] for name, kind in gaps.items()}
        numbers = {name: persian.number(value) if value == "7" else value for name, value in values.items()}
        wanted = filled(entry.translation, numbers).translate({0x2066: None, 0x2069: None})
        found = persian.say(filled(entry.source, values), context)
        found_elsewhere += [] if found == wanted else [(entry.source, found, wanted)]
    return found_elsewhere


@pytest.mark.parametrize(
    ("english", "wanted"),
    [
        (
            "layer 'c' (conv2d) after 'x' (3x9x9): reads 3x9x9: padding 1 leaves 0 positions on an axis of 9",
            "لایهٔ 'c' (conv2d) پس از 'x' (3x9x9): ورودی 3x9x9: پدینگ ۱ از محوری به اندازهٔ ۹ تنها ۰ جا باقی می‌گذارد",
        ),
        (
            f"no network is called 'resnet51'; did you mean resnet50 or resnet18? ({LIBRARIES[0]})",
            f"شبکه‌ای به نام 'resnet51' نیست؛ آیا منظورتان resnet50 یا resnet18 بود؟ ({LIBRARIES[1]})",
        ),
        ("log.csv cannot be read: Permission denied", "log.csv خوانده نمی‌شود: اجازه داده نشد"),
        (
            "No such option: --epoch (Possible options: --epochs) (thalweg train --help shows how)",
            "چنین گزینه‌ای نیست: --epoch (شاید یکی از این‌ها: --epochs) (thalweg train --help راهش را نشان می‌دهد)",
        ),
        ("photos: there is no such folder or file", "photos: چنین پوشه یا فایلی نیست"),
        (
            str(MissingExtraError("gdown", "drive", "to read NIfTI scans")),
            "gdown برای خواندن اسکن‌های NIfTI لازم است: pip install 'thalweg[drive]'",
        ),
    ],
)
def test_parts_of_an_error_are_said_too(persian, english, wanted):
    assert persian.say(english, "error") == wanted


def test_a_sentence_that_nobody_knows_is_not_bent_into_one_of_ours(persian):
    strange = "CUDA driver 12.4 is too old for this wheel, and the loader has no fallback"
    assert not PERSIAN.search(persian.say(strange, "error"))


def test_an_english_error_reads_no_catalogue(monkeypatch):
    def read(*_args):
        raise AssertionError("the catalogue was read")

    monkeypatch.setattr("thalweg.core.languages.read_catalogue", read)
    with speaking("en"):
        assert said("photos: there is no such folder or file", "error") == "photos: there is no such folder or file"
