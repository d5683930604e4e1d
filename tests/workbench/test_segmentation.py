"""Pictures with masks from the folder to the report: trained, interrupted, evaluated, predicted, exported, refused."""

import csv
import json
import os
import pathlib
import shutil
import signal
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from PIL import Image

import thalweg
from thalweg.core.errors import PlanError, RunError, SourceError
from thalweg.data.masks.decode import read_held
from thalweg.workbench.telling.telling import silent

QUICK = {"epochs": 4, "batch_size": 8, "lr": 0.004, "repair": False, "seed": 3}


@pytest.fixture(scope="module")
def run(street_folder, tmp_path_factory):
    return thalweg.train(street_folder, out=tmp_path_factory.mktemp("segmentation") / "run", **QUICK)


def schema(name):
    text = (pathlib.Path(thalweg.__file__).parent / "core" / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


def test_training_learns_and_answers_with_the_fields_of_a_segmentation(run):
    assert run.task == "segmentation"
    assert run.network == "unet-small"
    assert run.context == "none"
    assert run.classes == ("sky", "road", "car")
    assert (run.train_files, run.test_files, run.split) == (16, 6, "test")
    assert run.accuracy == run.pixel_accuracy > run.majority_accuracy + 0.1
    assert list(run.iou) == ["sky", "road", "car"]
    assert run.mean_iou == pytest.approx(np.mean(list(run.iou.values())))
    plain = {"schema": 1, **json.loads(json.dumps(run.to_json(), default=str))}
    for name in ("auc",):
        plain[name] = None
    jsonschema.validate(json.loads(json.dumps(_plain(run.to_json()))), schema("train"))
    assert plain["mean_iou"] == run.mean_iou


def _plain(value):
    from thalweg.core.codec import to_plain

    return {"schema": 1, **to_plain(value)}


def test_the_run_folder_says_how_masks_were_read_and_scores_every_picture(run, street_folder):
    folder = pathlib.Path(run.run)
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    assert data["masks"]["extents"] == [32, 32]
    assert data["masks"]["palette"][0] == [120, 160, 230]
    train = [np.asarray(Image.open(path)) for path in sorted((street_folder / "train" / "masks").iterdir())]
    assert data["masks"]["pixels"]["train"] == [int(sum((mask == k).sum() for mask in train)) for k in range(3)]
    assert data["masks"]["void"]["train"] == 16 * 2 * 32
    rows = list(csv.DictReader((folder / "pictures.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in rows] == data["test"]
    assert np.average([float(row["accuracy"]) for row in rows]) == pytest.approx(run.accuracy)
    history = (folder / "history.csv").read_text(encoding="utf-8").splitlines()
    assert history[0].endswith("val_mean_iou")
    page = (folder / "report.html").read_text(encoding="utf-8")
    words = ("Intersection over union a class", "What it misses", "The rarest class, car, is", "How far to believe it")
    for word in (*words, "How much context it uses", 'type="range"'):
        assert word in page, word


def test_an_interrupted_run_goes_on_to_the_bit(run, street_folder, tmp_path):
    def stop(progress):
        if progress.epoch == 2 and progress.step == 1:
            os.kill(os.getpid(), signal.SIGINT)

    stopped = thalweg.train(street_folder, out=tmp_path / "run", listener=replace(silent(), train=stop), **QUICK)
    assert stopped.interrupted == 130
    assert stopped.mean_iou is None
    gone_on = thalweg.resume(tmp_path / "run")
    assert gone_on.mean_iou == run.mean_iou
    weights = [(pathlib.Path(each) / "model.safetensors").read_bytes() for each in (run.run, tmp_path / "run")]
    assert weights[0] == weights[1]


def test_evaluate_repeats_the_score_and_goes_by_the_names_of_classes(run, street_folder, tmp_path):
    assert thalweg.evaluate(run.run).mean_iou == pytest.approx(run.mean_iou)
    shuffled = tmp_path / "other"
    (shuffled / "images").mkdir(parents=True)
    (shuffled / "masks").mkdir()
    new = np.full(256, 255, np.uint8)
    new[[0, 1, 2]] = [2, 0, 1]  # the same classes under other numbers
    for path in sorted((street_folder / "test" / "images").iterdir()):
        shutil.copy(path, shuffled / "images")
        mask = np.asarray(Image.open(street_folder / "test" / "masks" / path.name))
        Image.fromarray(new[mask]).save(shuffled / "masks" / path.name)
    (shuffled / "classes.csv").write_text("id,name\n0,road\n1,car\n2,sky\n", encoding="utf-8")
    found = thalweg.evaluate(run.run, shuffled)
    assert found.mean_iou == pytest.approx(run.mean_iou)
    assert found.test_files == 6
    assert (found.best_mean_iou, found.best_epoch) == (None, 0)  # those of training are of another source
    (shuffled / "classes.csv").write_text("id,name\n0,road\n1,lorry\n2,sky\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"1 classes that the run does not know \(lorry\)"):
        thalweg.evaluate(run.run, shuffled)


@pytest.mark.parametrize("view", ["fitted", "whole", "tiles"])
def test_predict_writes_masks_of_the_picture_s_own_size(run, street_folder, tmp_path, view):
    source = street_folder / "test" / "images"
    wide = Image.open(source / "00.png").resize((70, 50))
    wide.save(tmp_path / "wide.png")
    answer = thalweg.predict(run.run, [source, tmp_path / "wide.png"], out=tmp_path / "masks", view=view)
    jsonschema.validate(_plain({"predictions": [each.to_json() for each in answer.predictions]}), schema("predict"))
    for each in answer.predictions:
        assert sum(each.probabilities.values()) == pytest.approx(1)
    with Image.open(tmp_path / "masks" / "wide.png") as mask:
        assert mask.size == (70, 50)
        assert mask.mode == "P"
        assert mask.info == {}
        assert mask.getpalette()[:9] == [120, 160, 230, 90, 90, 90, 200, 40, 40]
    truth = np.asarray(Image.open(street_folder / "test" / "masks" / "00.png"))
    found = read_held(tmp_path / "masks" / "00.png", through_palette=False).values
    assert (found == truth)[truth != 255].mean() > 0.7
    with pytest.raises(PlanError, match="holds something already"):
        thalweg.predict(run.run, [source], out=tmp_path / "masks")


def test_a_file_that_is_no_picture_has_an_error_instead_of_a_mask(run, tmp_path):
    (tmp_path / "a.png").write_text("no picture", encoding="utf-8")
    (answer,) = thalweg.predict(run.run, [tmp_path / "a.png"], out=tmp_path / "masks").predictions
    assert answer.class_ is None
    assert answer.error
    assert answer.mask is None


def test_export_gives_probabilities_of_every_pixel(run, tmp_path):
    pytest.importorskip("onnxruntime")
    done = thalweg.export(run.run, out=tmp_path / "a.onnx")
    assert done.max_difference < 1e-4


def test_what_does_not_fit_together_is_left_out_by_name(street_folder, tmp_path):
    shutil.copytree(street_folder, tmp_path / "street")
    masks = tmp_path / "street" / "train" / "masks"
    (masks / "00.png").unlink()
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(masks / "01.png")
    Image.open(masks / "02.png").resize((64, 64), Image.Resampling.NEAREST).save(masks / "02.png")
    (masks / "03.png").write_bytes(b"broken")
    Image.fromarray(np.full((32, 32), 255, np.uint8)).save(masks / "04.png")
    strange = np.asarray(Image.open(masks / "05.png")).copy()
    strange[0, :7] = 99
    Image.fromarray(strange).save(masks / "05.png")
    table = tmp_path / "street" / "classes.csv"
    table.write_text(table.read_text(encoding="utf-8") + "3,tram,1,1,1\n", encoding="utf-8")
    found = thalweg.check(tmp_path / "street")
    reasons = {notice.file: notice.reason for notice in found.left_out}
    assert reasons["train/images/00.png"] == "has no mask in train/masks/"
    assert "is 40x20 pixels, the picture 32x32" in reasons["train/images/01.png"]
    assert "its mask train/masks/03.png" in reasons["train/images/03.png"]
    assert "no pixel of the mask belongs to a class" in reasons["train/images/04.png"]
    assert len(reasons) == 4
    odd = {(notice.file, notice.reason) for notice in found.warnings}
    assert ("", "7 pixels of 1 mask hold the value 99, which is no class: they count as void") in odd
    assert ("tram", "this class occurs in no mask: nothing can be learned of it") in odd
    assert any(file == "train/images/02.png" and "64x64" in reason for file, reason in odd)
    assert found.files == 16 + 6 + 6 - 4
    assert found.class_counts["road"] == found.files


def test_a_class_that_is_never_trained_is_said(street_folder, tmp_path):
    shutil.copytree(street_folder, tmp_path / "street")
    for path in (tmp_path / "street" / "train" / "masks").iterdir():
        mask = np.asarray(Image.open(path)).copy()
        mask[mask == 2] = 1
        Image.fromarray(mask).save(path)
    said = []
    listener = replace(silent(), say=said.append)
    run = thalweg.train(tmp_path / "street", out=tmp_path / "run", listener=listener, **{**QUICK, "epochs": 1})
    assert any("car: this class occurs in validation and test and never in training" in line for line in said)
    assert run.iou["car"] < 0.2


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"network": "vgg16"}, PlanError, "vgg16 gives a picture one class, and the source holds masks"),
        ({"context": "magic"}, PlanError, "--context magic: choose one of none, pool"),
        ({"network": "unet-small+gc", "context": "pool"}, PlanError, "name two context modules"),
        ({"image_size": "240by180"}, PlanError, "--image-size 240by180: a number of pixels"),
        ({"image_size": "32x"}, PlanError, "--image-size 32x: a number of pixels"),
        ({"task": "poetry"}, PlanError, "--task poetry: choose one of"),
        ({"context": "pool", "batch_size": 1}, PlanError, "--batch-size 1, 16 training pictures: a batch holds 1"),
    ],
)
def test_options_that_do_not_fit_masks_are_refused(street_folder, tmp_path, options, error, said):
    with pytest.raises(error, match=said):
        thalweg.train(street_folder, out=tmp_path / "run", epochs=1, **options)
    assert not (tmp_path / "run").exists()


def test_what_is_for_masks_is_refused_without_them(photo_folder, run, tmp_path):
    with pytest.raises(SourceError, match="no masks found for --task segmentation; wanted are images/ and masks/"):
        thalweg.train(photo_folder, task="segmentation", out=tmp_path / "run")
    for options in ({"context": "gc"}, {"network": "unet-small"}):
        with pytest.raises(PlanError, match="is for pictures with masks"):
            thalweg.train(photo_folder, out=tmp_path / "run", epochs=1, **options)
    with pytest.raises(PlanError, match="240x180: pictures without masks are brought to a square"):
        thalweg.train(photo_folder, image_size="240x180", out=tmp_path / "run", epochs=1)
    with pytest.raises(SourceError):
        thalweg.evaluate(run.run, photo_folder)
    with pytest.raises(PlanError, match="gives every pixel a class"):
        thalweg.explain(run.run)
    with pytest.raises(RunError, match="no run folder"):
        thalweg.predict(tmp_path / "none", ["a.png"], out=tmp_path / "masks")


def test_a_context_and_a_rectangle_go_from_the_command_line(street_folder, tmp_path, capsys):
    from thalweg.cli.main import main

    words = ["train", str(street_folder), "--context", "gc", "--image-size", "40x32", "--epochs", "1", "--json"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--lr", "0.002", "--no-repair", "--out", str(tmp_path / "run")])
    assert left.value.code in {0, 1}
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, schema("train"))
    assert (answer["network"], answer["context"]) == ("unet-small+gc", "gc")
    plan = (tmp_path / "run" / "plan.toml").read_text(encoding="utf-8")
    assert "image_size = 40" in plan
    assert "image_height = 32" in plan


def test_camvid_is_read_as_its_makers_split_it(shared_data):
    from thalweg.data.finding.scan import scan
    from thalweg.data.opening.source import open_source

    found = scan(open_source(shared_data / "camvid"))
    parts = [sample.part for sample in found.samples]
    assert [parts.count(part) for part in ("train", "validation", "test")] == [367, 101, 233]
    assert len(found.classes) == 11
    assert found.left_out == found.warnings == ()
