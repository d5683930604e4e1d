"""Signals and volumes from a source to a report, and again: trained, evaluated, predicted, resumed, exported."""

import csv
import json
import pathlib
import wave

import numpy as np
import pytest
from PIL import Image

import thalweg
from thalweg.core.errors import PlanError, SourceError, SpecError
from thalweg.workbench.loading.loading import load
from thalweg.workbench.telling.telling import silent

QUICK = {"epochs": 2, "batch_size": 16, "lr": 0.01, "seed": 3, "repair": False}


def waves(count, seed=0, steps=48):
    """Two channels of noise; class 1 has a bump in the first, at any place."""
    random = np.random.default_rng(seed)
    x, y = random.normal(100, 5, (count, 2, steps)).astype(np.float32), np.arange(count) % 2
    for index in np.flatnonzero(y):
        place = random.integers(4, steps - 12)
        x[index, 0, place : place + 8] += 25
    return x, y


@pytest.fixture(scope="module")
def signals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    x, y = waves(120)
    np.savez(folder / "beats.npz", x=x, y=y, classes=np.array(["flat", "bump"]), patient=np.arange(120) // 6, fs=24)
    return folder / "beats.npz"


@pytest.fixture(scope="module")
def run(signals, tmp_path_factory):
    return thalweg.train(signals, out=tmp_path_factory.mktemp("run") / "run", **QUICK | {"epochs": 5})


def data_of(run):
    return json.loads((pathlib.Path(run.run) / "data.json").read_text())


def test_a_signal_network_is_chosen_and_learns(run):
    assert (run.network, run.files, run.train_files) == ("small-1d", 120, 96)
    assert run.accuracy >= 0.9


def test_patients_stay_on_one_side_without_being_asked(run):
    sides = [{file.split("/")[1] for file in data_of(run)[part]} for part in ("train", "validation")]
    assert sides[0]
    assert not sides[0] & sides[1]


def test_the_training_part_alone_standardises_and_the_network_carries_it(run, signals):
    data = data_of(run)
    with np.load(signals) as stored:
        rows = [int(file.rpartition("/")[2]) for file in data["train"]]
        train = stored["x"][rows].astype(np.float64)
    assert data["reading"]["mean"] == pytest.approx(train.mean(axis=(0, 2)).tolist())
    first = json.loads((pathlib.Path(run.run) / "network.json").read_text())["layers"][0]
    assert first["settings"]["scale"] == pytest.approx((1 / train.std(axis=(0, 2))).tolist())
    assert "channels first because 2 is smaller than 48" in data["reading"]["note"]


def test_evaluation_and_predictions_agree_with_the_run(run, signals, tmp_path):
    assert thalweg.evaluate(run.run).accuracy == run.accuracy
    with (pathlib.Path(run.run) / "predictions.csv").open() as file:
        told = {row["file"]: float(row["p_bump"]) for row in csv.DictReader(file)}
    answers = {each.file: each for each in thalweg.predict(run.run, [signals]).predictions}
    assert len(answers) == 120
    for name, share in told.items():
        assert answers[f"{signals.parent}/{name}"].probabilities["bump"] == pytest.approx(share, abs=1e-4)
    # The same signals in other clothes: a table of the values of both channels is another shape, an array is not.
    with np.load(signals) as stored:
        np.save(tmp_path / "x.npy", stored["x"].transpose(0, 2, 1)[:5])
        np.save(tmp_path / "one.npy", stored["x"][7])
        np.save(tmp_path / "short.npy", stored["x"][:3, :, :40])
    again = thalweg.predict(run.run, [tmp_path / "x.npy", tmp_path / "one.npy", tmp_path / "short.npy", "no.npz"])
    shares = [each.probabilities.get("bump") for each in again.predictions]
    rows = [answers[f"{signals}/patient={row // 6}/{row:06d}"].probabilities["bump"] for row in (0, 1, 2, 3, 4, 7)]
    assert shares[:6] == pytest.approx(rows, abs=1e-4)
    assert "has 40 steps; the network takes 48" in again.predictions[6].error
    assert "no such file" in again.predictions[7].error


def test_the_report_shows_signals_as_drawings_and_says_how_they_were_read(run):
    page = (pathlib.Path(run.run) / "report.html").read_text()
    assert page.count("data:image/png;base64,") > 16
    assert "Standardised by the training part alone" in page
    assert "scaled by up to 10 %" in page
    assert "open a cell for its signals" in page


def test_a_run_on_signals_is_repeated_and_resumed_to_the_bit(run, signals, tmp_path):
    again = thalweg.train(signals, out=tmp_path / "again", **QUICK | {"epochs": 5})
    weights = [(pathlib.Path(each.run) / "model.safetensors").read_bytes() for each in (run, again)]
    assert weights[0] == weights[1]
    assert thalweg.resume(run.run).accuracy == run.accuracy


def test_check_tells_constant_and_broken_signals(tmp_path):
    x, y = waves(12)
    x[3], x[4, 0, 0] = 7.0, np.nan
    np.savez(tmp_path / "a.npz", x=x, y=y)
    result = thalweg.check(tmp_path / "a.npz")
    assert result.files == 11
    assert ("a.npz/000003", "constant: all its values are the same") in [(n.file, n.reason) for n in result.warnings]
    assert [notice.file for notice in result.left_out] == ["a.npz/000004"]


@pytest.fixture(scope="module")
def volumes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    arrays, random = {}, np.random.default_rng(0)
    for part, count in (("train", 32), ("val", 8), ("test", 8)):
        labels = np.arange(count) % 2
        values = random.integers(0, 40, (count, 12, 10, 14), np.uint8)
        values[labels == 1, 3:9, 3:8, 4:10] += 120
        arrays |= {f"{part}_images": values, f"{part}_labels": labels[:, None]}
    np.savez_compressed(folder / "glands.npz", **arrays)
    return folder / "glands.npz"


def test_volumes_keep_their_own_split_and_are_brought_to_size(volumes, tmp_path):
    result = thalweg.train(volumes, out=tmp_path / "run", image_size=10, **QUICK)
    assert (result.network, result.split) == ("small-3d", "test")
    assert (result.train_files, result.validation_files, result.test_files) == (32, 8, 8)
    reading = data_of(result)["reading"]
    assert (reading["raw_extents"], reading["extents"]) == ([12, 10, 14], [10, 10, 10])
    page = (tmp_path / "run" / "report.html").read_text()
    assert "three slices through the centre of mass" in page
    assert "mirrored along depth and height and width" in page
    assert thalweg.evaluate(tmp_path / "run", volumes).test_files == 48
    answers = thalweg.predict(tmp_path / "run", [volumes]).predictions
    assert len(answers) == 48
    assert not any(each.error for each in answers)


@pytest.mark.parametrize("network", ["inception"])
def test_the_other_designs_train_on_signals_too(signals, tmp_path, network):
    result = thalweg.train(signals, out=tmp_path / "run", network=network, **QUICK | {"epochs": 1})
    assert result.network == f"{network}-1d"


def test_a_network_for_pictures_is_refused_in_one_line(signals, volumes, tmp_path):
    with pytest.raises(SpecError, match="resnet18 is for pictures, and the source holds signals: take small-1d"):
        thalweg.train(signals, network="resnet18", out=tmp_path / "a")
    np.savez(tmp_path / "tiny.npz", x=np.random.default_rng(0).normal(size=(20, 4, 6, 9)), y=np.arange(20) % 2)
    with pytest.raises(PlanError, match=r"volumes of 1x4x6x9 do not suit plain-3d: .*; try --network small-3d"):
        thalweg.train(tmp_path / "tiny.npz", network="plain", form="volumes", out=tmp_path / "b")
    with pytest.raises(PlanError, match="--augment turns is for pictures; signals take auto or none"):
        thalweg.train(signals, augment="turns", out=tmp_path / "c", lr=0.1)
    with pytest.raises(PlanError, match="--form sounds: choose one of auto, pictures, signals, volumes"):
        thalweg.train(signals, form="sounds")


def test_another_kind_of_source_is_refused_by_a_trained_network(run, volumes, photo_folder):
    with pytest.raises(SourceError, match="signals have 1 or 2"):
        thalweg.evaluate(run.run, volumes)
    with pytest.raises(SourceError, match="the source holds pictures, and the network was trained on signals"):
        thalweg.evaluate(run.run, photo_folder)


def test_a_recording_is_answered_once_for_all_its_windows(tmp_path):
    random = np.random.default_rng(0)
    for label, hz in (("high", 90), ("low", 20)):
        (tmp_path / "sounds" / label).mkdir(parents=True)
        for number in range(6):
            steps = np.arange(random.integers(500, 1400)) + random.integers(1000)
            with wave.open(str(tmp_path / "sounds" / label / f"{number}.wav"), "wb") as file:
                file.setparams((1, 2, 400, 0, "NONE", ""))
                file.writeframes((8000 * np.sin(2 * np.pi * hz * steps / 400)).astype("<i2").tobytes())
    result = thalweg.train(tmp_path / "sounds", out=tmp_path / "run", window=0.5, **QUICK | {"epochs": 4})
    data = data_of(result)
    sides = [{name.partition("@")[0] for name in data[part]} for part in ("train", "validation")]
    assert not sides[0] & sides[1]
    assert data["reading"]["extents"] == [200]
    answers = thalweg.predict(tmp_path / "run", [tmp_path / "sounds"]).predictions
    assert len(answers) == 12
    assert all(pathlib.Path(each.file).parent.name == each.class_ for each in answers)
    assert thalweg.evaluate(tmp_path / "run", tmp_path / "sounds").test_files == result.files


def test_a_clip_is_answered_once(tmp_path):
    random = np.random.default_rng(0)
    for number in range(16):
        folder = tmp_path / "clips" / ("left", "right")[number % 2] / f"clip{number}"
        folder.mkdir(parents=True)
        for frame in range(6):
            pixels = random.integers(0, 60, (16, 16, 3), np.uint8)
            place = 2 * frame if number % 2 else 12 - 2 * frame
            pixels[6:10, place : place + 4] += 150
            Image.fromarray(pixels).save(folder / f"{frame}.png")
    options = QUICK | {"augment": "none", "batch_size": 4}
    result = thalweg.train(tmp_path / "clips", out=tmp_path / "run", **options)
    assert result.network == "small-3d"
    answers = thalweg.predict(tmp_path / "run", [tmp_path / "clips"]).predictions
    assert len(answers) == 16
    assert not any(each.error for each in answers)
    alone = thalweg.predict(tmp_path / "run", [tmp_path / "clips" / "left" / "clip0"]).predictions
    assert alone[0].probabilities["left"] == pytest.approx(answers[0].probabilities["left"], abs=1e-5)


def test_an_exported_file_takes_values_as_they_were_measured(run):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    done = thalweg.export(run.run, onnx=True)
    assert done.max_difference < 1e-4


def test_real_heartbeats_keep_their_patients_apart(shared_data):
    source = shared_data / "ecg-mitbih"
    if not source.is_dir():
        pytest.skip("no heartbeats in shared/data")
    loaded = load(str(source), image_size=4096, listener=silent())
    assert [sum(sample.part == part for sample in loaded.samples) for part in ("train", "test")] == [12_857, 10_388]
    assert len(loaded.measured.groups) == 48
    assert loaded.scan.classes == ("N", "S", "V", "F", "Q")
