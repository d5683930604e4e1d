"""Runs that start from a pretrained network: a tiny one of our own, under a published name."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from thalweg.core.errors import PlanError, WeightsError
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks import catalogue
from thalweg.networks.ends import classifier, unit_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Conv2d, Dropout, GlobalAvgPool, ReLU
from thalweg.pretrained import published
from thalweg.workbench.evaluate import evaluate
from thalweg.workbench.predict import predict
from thalweg.workbench.resume import resume
from thalweg.workbench.runs import wise_ft
from thalweg.workbench.starting import transfer_start
from thalweg.workbench.train import train

OPTIONS = {"backbone": "tiny", "image_size": 32, "epochs": 3, "batch_size": 8}


def tiny(input_shape, classes):
    pixels = Input(*input_shape.as_tuple())
    x = unit_pixels()(pixels)
    for number, width in enumerate((6, 8, 12), start=1):
        x = Conv2d(width, 3, 2, 1, bias=False, name=f"conv{number}")(x)
        x = ReLU(name=f"relu{number}")(BatchNorm(name=f"norm{number}")(x))
    x = Dropout(0.2, name="dropout")(GlobalAvgPool(name="pool")(x))
    for layer in classifier(classes, name="fc"):
        x = layer(x)
    return Network(pixels, x, name="tiny")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of weights of the tiny network with ten classes."""
    file = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    module = build(tiny(Shape(3, (32, 32)), 10).logits()[0], seed=7)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if "running_mean" in name:
                value.fill_(-0.05)
    save_file(module.state_dict(), file)
    return file


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setattr(catalogue, "_MAKERS", {**catalogue._MAKERS, "tiny": tiny})
    entry = replace(published.PUBLISHED["resnet18"], network="tiny", file="tiny-00000000.pth")
    monkeypatch.setattr(published, "PUBLISHED", {**published.PUBLISHED, "tiny": entry})


def model(result):
    return load_file(f"{result.run}/model.safetensors")


def trunk(tensors):
    return {name: value for name, value in tensors.items() if not name.startswith(("fc.", "num_"))}


def test_a_head_alone_is_trained_on_cached_features(photo_folder, weights, tmp_path):
    result = train(photo_folder, weights=weights, head_only=True, out=tmp_path / "run", **{**OPTIONS, "epochs": 12})
    learned, given = model(result), load_file(weights)
    assert all(torch.equal(value, given[name]) for name, value in trunk(learned).items())
    assert learned["fc.weight"].shape == (1, 12)
    assert result.accuracy > 0.8
    about = json.loads((tmp_path / "run" / "backbone.json").read_text())
    assert (about["frozen"], about["stages"], about["features"]["views"]) == ("all", 3, 4)
    assert evaluate(tmp_path / "run").accuracy == result.accuracy  # the head was folded into the network exactly
    assert predict(tmp_path / "run", [photo_folder / "red" / "red-03.png"]).predictions[0].class_ in {"red", "blue"}
    assert "This is no medical device" in (tmp_path / "run" / "report.html").read_text()


def test_stages_learn_unless_they_are_frozen_and_statistics_stay(photo_folder, weights, tmp_path):
    result = train(photo_folder, weights=weights, freeze=1, split="60/20/20", out=tmp_path / "run", **OPTIONS)
    assert result.accuracy >= 0
    (*_, last) = sorted((tmp_path / "run" / "checkpoints").glob("step-*.safetensors"))
    learned, given = load_file(last), load_file(weights)
    same = {name for name in trunk(given) if torch.equal(learned[f"model/{name}"], given[name])}
    running = {name for name in given if "running" in name or name.endswith("tracked")}
    assert same == running | {"conv1.weight", "norm1.weight", "norm1.bias"}
    point = json.loads((tmp_path / "run" / "threshold.json").read_text())
    assert (point["chosen_on"], point["split"]) == ("validation", "test")
    shares = {layer["name"]: layer.get("trainable", True) for layer in result_layers(tmp_path / "run")}
    assert not shares["conv1"]
    assert shares["conv2"]


@pytest.fixture
def few_suffice(monkeypatch):
    monkeypatch.setattr(wise_ft, "FEWEST", 4)


def test_what_is_kept_lies_between_the_start_and_what_was_learned(photo_folder, weights, tmp_path):
    options = {**OPTIONS, "epochs": 1, "repair": False}
    kept = {
        share: model(train(photo_folder, weights=weights, wise_ft=share, out=tmp_path / f"run{share}", **options))
        for share in (1.0, 0.25)
    }
    start = load_file(tmp_path / "run1.0" / "checkpoints" / "start.safetensors")
    learned = {name: value - start[name] for name, value in kept[1.0].items() if value.is_floating_point()}
    assert sum(float(value.abs().sum()) for value in learned.values()) > 0
    for name, value in learned.items():
        torch.testing.assert_close(kept[0.25][name], start[name] + 0.25 * value, rtol=1e-5, atol=1e-6)
    page = (tmp_path / "run0.25" / "report.html").read_text()
    assert "lie at 0.25 of the way from the start to the trained ones (WiSE-FT)" in page
    assert "--wise-ft 0.25" in page


@pytest.mark.usefixtures("few_suffice")
def test_validation_files_say_how_near_to_the_start_the_weights_may_stay(photo_folder, weights, tmp_path):
    options = {**OPTIONS, "epochs": 2, "split": "60/20/20"}
    whole = train(photo_folder, weights=weights, wise_ft=1, out=tmp_path / "whole", **options)
    asked = train(photo_folder, weights=weights, out=tmp_path / "asked", **options)
    placed = json.loads((tmp_path / "asked" / "backbone.json").read_text())["wise_ft"]
    assert placed["chosen_on"] == "validation"
    assert placed["files"] == asked.validation_files
    assert list(placed["losses"]) == ["1", "0.75", "0.5", "0.25"]
    start = load_file(tmp_path / "asked" / "checkpoints" / "start.safetensors")["conv2.weight"]
    expected = start + placed["share"] * (model(whole)["conv2.weight"] - start)
    torch.testing.assert_close(model(asked)["conv2.weight"], expected, rtol=1e-5, atol=1e-6)
    assert "validation files do not know to be worse" in (tmp_path / "asked" / "report.html").read_text()


@pytest.mark.parametrize("split", ["80/20", "60/20/20"])
def test_nobody_is_asked_who_is_reported_or_too_few(photo_folder, weights, tmp_path, split):
    train(photo_folder, weights=weights, split=split, out=tmp_path / "run", **{**OPTIONS, "epochs": 1})
    assert "wise_ft" not in json.loads((tmp_path / "run" / "backbone.json").read_text())


def result_layers(run):
    return json.loads((run / "network.json").read_text())["layers"]


@pytest.fixture(scope="module")
def whole(photo_folder, weights, tmp_path_factory):
    """Train without a disturbance, once each way: fine-tuned, or the head alone."""
    made = {}

    def run(**how):
        key = tuple(how)
        if key not in made:
            out = tmp_path_factory.mktemp("whole") / "run"
            made[key] = train(photo_folder, weights=weights, out=out, **how, **OPTIONS)
        return made[key]

    return run


@pytest.mark.parametrize(
    ("how", "stop"),
    [({}, 7), ({"head_only": True}, 1)],
    ids=["fine-tuned", "head only"],
)
def test_an_interrupted_run_goes_on_to_the_bit(photo_folder, weights, whole, tmp_path, stop_after, how, stop):
    with stop_after(stop):
        cut = train(photo_folder, weights=weights, out=tmp_path / "cut", **how, **OPTIONS)
    assert cut.interrupted == 130
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    again = resume(tmp_path / "cut")
    assert all(torch.equal(value, model(again)[name]) for name, value in model(whole(**how)).items())


def test_a_run_killed_before_its_first_checkpoint_starts_from_what_it_kept(whole, tmp_path):
    before = model(whole())
    shutil.copytree(whole().run, tmp_path / "run")
    for file in (tmp_path / "run" / "checkpoints").glob("step-*"):
        file.unlink()
    (tmp_path / "run" / "model.safetensors").unlink()
    again = resume(tmp_path / "run")
    assert all(torch.equal(value, model(again)[name]) for name, value in before.items())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"head_only": True}, "--head-only is about a pretrained network"),
        ({"freeze": 1}, "--freeze is about a pretrained network"),
        ({"weights": "a.pth"}, "--weights is about a pretrained network"),
        ({"wise_ft": 0.5}, "--wise-ft is about a pretrained network"),
        ({"backbone": "tiny", "wise_ft": 0}, "--wise-ft 0 is out of range"),
        ({"backbone": "tiny", "head_only": True, "wise_ft": 0.5}, "--wise-ft is about a backbone that is trained"),
        ({"backbone": "tiny", "freeze": "some"}, "a number of stages, or all"),
        ({"backbone": "tiny", "freeze": 1, "head_only": True}, "give one"),
        ({"backbone": "tiny", "network": "plain"}, "leave --network plain out"),
        ({"backbone": "lenet"}, "--backbone lenet: weights are known of efficientnet-lite0, "),
    ],
)
def test_options_that_contradict_each_other_are_refused(photo_folder, tmp_path, options, words):
    with pytest.raises(PlanError, match=words):
        train(photo_folder, out=tmp_path / "run", **options)


def test_a_network_for_masks_was_not_whole_before():
    with pytest.raises(PlanError, match="of one for masks the encoder alone was"):
        TrainingPlan(source="scenes", backbone="tiny", task="segmentation", wise_ft=0.5)


def test_more_stages_than_there_are_cannot_be_frozen(photo_folder, weights, tmp_path):
    with pytest.raises(PlanError, match="tiny has 3 stages; give 0 to 3, or all"):
        train(photo_folder, weights=weights, freeze=4, out=tmp_path / "run", **OPTIONS)


def test_weights_of_another_shape_are_refused_and_no_run_is_made(photo_folder, weights, tmp_path):
    tensors = load_file(weights)
    tensors["conv1.weight"] = torch.ones(6, 1, 3, 3)
    save_file(tensors, tmp_path / "grey.safetensors")
    with pytest.raises(WeightsError, match=r"conv1.weight is 6x1x3x3 in the file, 6x3x3x3 in the network"):
        train(photo_folder, weights=tmp_path / "grey.safetensors", out=tmp_path / "run", **OPTIONS)
    assert not (tmp_path / "run").exists()


def test_a_run_in_minutes_fits_its_first_head_to_what_fits_into_them(photo_folder, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer_start, "HEAD_SHARE", 1e-9)
    options = {**OPTIONS, "epochs": None, "minutes": 0.1}
    result = train(photo_folder, weights=weights, out=tmp_path / "run", **options)
    about = json.loads((tmp_path / "run" / "backbone.json").read_text())
    assert about["features"]["pictures"] == 16  # two batches, however slow the machine is
    assert about["head_first"]["files"] == 1
    assert result.epochs >= 1
