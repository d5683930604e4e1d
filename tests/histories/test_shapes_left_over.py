"""Logs that were refused or read wrongly, each with the curves that a reader of them would see."""

import gzip

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read

TRAIN, VAL = [2.31, 1.92, 1.55, 1.31], [2.2, 1.95, 1.7, 1.52]
ROWS = list(enumerate(zip(TRAIN, VAL, strict=True), start=1))
PERSIAN = str.maketrans("0123456789.", "۰۱۲۳۴۵۶۷۸۹٫")


def _lines(pattern):
    return "".join(pattern.format(n=n, t=t, v=v, k=n * 100) + "\n" for n, (t, v) in ROWS)


@pytest.fixture
def curves(tmp_path):
    """Read a text; the curves by name, and the notes."""

    def _read(text, name="run.log", **columns):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        (run,) = read(path, columns=columns)
        return {each.name: [round(value, 4) for value in each.values] for each in run.history.signals}, run.notes

    return _read


@pytest.mark.parametrize(
    "pattern",
    [
        "epoch {n} train 12.3s loss {t} val 2.1s loss {v}",
        "Epoch {n}: train (12.3s) loss={t} | val (2.1s) loss={v}",
        "epoch {n} train/val loss: {t}/{v}",
        "Epoch {n} - Loss (train/val): {t}/{v}",
        "Epoch {n} loss: train={t} val={v}",
        "Epoch {n} loss: train={t}, val={v} acc: train=0.5, val=0.4",
        "[{n}] Train/Val loss: {t} / {v}, Train/Val acc: 0.5/0.4",
    ],
)
def test_two_splits_in_a_line(curves, pattern):
    found, _ = curves(_lines(pattern))
    assert (found["train_loss"], found["val_loss"]) == (TRAIN, VAL)


def test_a_time_that_names_no_split_of_what_follows(curves):
    found, _ = curves(_lines("epoch {n} | train 2.1s | eval 0.4s | loss {t}"))
    assert found["train_loss"] == TRAIN
    assert "val_loss" not in found


@pytest.mark.parametrize(
    "pattern",
    [
        "دوره {n}: خطا {t} خطای اعتبارسنجی {v}",
        "دور {n}: خطای آموزش {t}، خطای اعتبارسنجی {v}",
        "ایپاک {n} - زیان: {t} - زیان اعتبارسنجی: {v}",
    ],
)
def test_persian(curves, pattern):
    found, _ = curves(_lines(pattern).translate(PERSIAN))
    assert (found["train_loss"], found["val_loss"]) == (TRAIN, VAL)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("run.log", _lines("Epoch {n}: box_loss: {t} cls_loss: {v} dfl_loss: 1.0")),
        ("run.csv", "epoch,box_loss,cls_loss,dfl_loss\n" + _lines("{n},{t},{v},1.0")),
        ("split.csv", "epoch,train/box_loss,train/cls_loss,train/dfl_loss\n" + _lines("{n},{t},{v},1.0")),
    ],
)
def test_a_loss_in_parts_is_their_sum_and_that_is_said(curves, name, text):
    found, notes = curves(text, name)
    assert found["train_loss"] == [round(t + v + 1, 4) for t, v in zip(TRAIN, VAL, strict=True)]
    assert any("train_loss is the sum of" in note and "dfl_loss" in note for note in notes)


def test_a_part_is_the_loss_where_the_user_says_so(curves):
    found, _ = curves(_lines("Epoch {n}: box_loss: {t} cls_loss: {v} dfl_loss: 1.0"), train_loss="cls_loss")
    assert found["train_loss"] == VAL


def test_a_lone_class_loss_stays_the_loss(curves):
    found, notes = curves(_lines("Epoch {n}: cls_loss: {t} acc: 0.5"))
    assert found["train_loss"] == TRAIN
    assert not any("sum" in note for note in notes)


@pytest.mark.parametrize("pattern", ["Epoch {n}: {t}", "epoch {n}/4 - {t}", "Epoch [{n}/4]: {t}"])
def test_a_bare_number_behind_each_epoch(curves, pattern):
    text = "".join(pattern.format(n=n, t=3 - n / 4) + "\n" for n in range(1, 6))
    found, notes = curves("Training begins\n" + text)
    assert found["train_loss"] == [2.75, 2.5, 2.25, 2.0, 1.75]
    assert any("without a name" in note for note in notes)


def test_a_bare_number_that_rises_is_asked_for(curves):
    text = "".join(f"Epoch {n}: 0.{n}5\n" for n in range(1, 6))
    with pytest.raises(LogError, match=r"rises from 0\.15 to 0\.55: say --columns train_accuracy=value"):
        curves(text)
    assert curves(text, train_accuracy="value")[0]["train_accuracy"] == [0.15, 0.25, 0.35, 0.45, 0.55]


@pytest.mark.parametrize(
    "pattern", [" {n}: loss={t}, avg loss={v}, rate=0.001", " {n}: {t}, avg loss {v}", "{n}: {t}, {v} avg, 0.001 rate"]
)
def test_darknet(curves, pattern):
    found, _ = curves(_lines(pattern))
    assert found["train_loss"] == TRAIN


@pytest.mark.parametrize(
    ("pattern", "name"), [("17000000{k} {t} {n}", "train_loss"), ("{n},17000000{k},{t}", "loss.csv")]
)
def test_time_step_and_value_without_a_header(curves, pattern, name):
    found, notes = curves(_lines(pattern), name)
    assert found["train_loss"] == TRAIN
    assert any("a time, a step and a value" in note for note in notes)


def test_series_of_a_plot(curves):
    series = [
        {"name": name, "x": [1, 2, 3, 4], "y": cells} for name, cells in (("train/loss", TRAIN), ("val/loss", VAL))
    ]
    found, _ = curves(str(series).replace("'", '"'), "plot.json")
    assert (found["train_loss"], found["val_loss"]) == (TRAIN, VAL)


@pytest.mark.parametrize("above", [">>> history.history\n", "In [3]: h.history\nOut[3]: ", "history = "])
def test_a_mapping_as_a_session_shows_it(curves, above):
    found, _ = curves(above + str({"loss": TRAIN, "val_loss": VAL}) + "\n")
    assert (found["train_loss"], found["val_loss"]) == (TRAIN, VAL)


def test_what_gzip_packed(curves, tmp_path):
    text = ("epoch,loss,val_loss\n" + _lines("{n},{t},{v}")).encode()
    half = len(text) // 2
    for packed in (gzip.compress(text), gzip.compress(text[:half]) + gzip.compress(text[half:])):
        found, _ = curves(packed, "log.csv.gz")
        assert (found["train_loss"], found["val_loss"]) == (TRAIN, VAL)
    broken = tmp_path / "broken.log.gz"
    broken.write_bytes(gzip.compress(text)[:10] + b"\xff" * 40)
    with pytest.raises(LogError, match="packed by gzip, but damaged"):
        read(broken)


def test_a_speed_is_no_time(curves):
    found, _ = curves(
        _lines("INFO:tensorflow:step = {k}, loss = {t} (0.5 sec)\nINFO:tensorflow:global_step/sec: 212.3")
    )
    assert not any("seconds" in name for name in found)
