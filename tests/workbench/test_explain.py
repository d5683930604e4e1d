"""Runs are explained from outside: a planted corner, a page, JSON, named files, signals, volumes, and refusals."""

import json
import pathlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image

import thalweg
from thalweg.cli.main import main
from thalweg.core.errors import PictureError, PlanError, RunError, SourceError
from thalweg.core.explanation import Album
from thalweg.core.files import printable
from thalweg.core.network_plain import spec_to_plain
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.run_folder import RunFolder
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.rendering.pages.explanation import explain_report, explain_text
from thalweg.rendering.pages.html import render_html
from thalweg.training.checkpoint import save_weights
from thalweg.workbench import explain as explaining
from thalweg.workbench.answering.model import open_model
from thalweg.workbench.explaining import samples as explain_samples
from thalweg.workbench.explaining.maps import explained, sanity_checks
from thalweg.workbench.explaining.samples import Chosen

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"
FEW = {"samples": 2, "search": 8}


def dense_end(read):
    flat = LayerSpec(name="flat", kind="flatten", inputs=(read,))
    dense = LayerSpec(name="dense", kind="linear", settings={"out_features": 1}, inputs=("flat",))
    return flat, dense, LayerSpec(name="sigmoid", kind="sigmoid", inputs=("dense",))


def with_network(run, out, layers):
    """A copy of a run with another network in it, ready for weights of the test's own."""
    shutil.copytree(run, out)
    spec = NetworkSpec(name="own", inputs={"x": Shape(3, (32, 32))}, layers=layers, outputs=("sigmoid",))
    RunFolder(out).write_json("network.json", spec_to_plain(spec))
    save_weights(build(spec.logits()[0], seed=0), out / "model.safetensors")
    return open_model(out, device="cpu")


@pytest.fixture(scope="module")
def run(photo_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("explain") / "run"
    thalweg.train(photo_folder, network="lenet", epochs=2, image_size=32, seed=1, out=out)
    return out


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def asked(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        main(["explain", *map(str, words)])
    return stop.value.code, capsys.readouterr()


def test_from_outside_on_held_out_samples(run, tmp_path, capsys):
    before = contents(run)
    page = tmp_path / "page.html"
    status, said = asked(capsys, run, "--samples", 3, "--search", 12, "--html", page, "--json", "--quiet")
    answer = json.loads(said.out)
    assert status == 0
    jsonschema.validate(answer, json.loads((SCHEMAS / "explain.json").read_text(encoding="utf-8")))
    assert contents(run) == before
    assert len(answer["samples"]) == 3
    assert all(sample["truth_from"] == "split" for sample in answer["samples"])
    stages = answer["stages"]
    assert [stage["extents"] for stage in stages] == [[32, 32], [12, 12]]
    assert stages[0]["receptive_field"] < stages[1]["receptive_field"]
    assert answer["layer"] == stages[1]["layer"]
    first = answer["samples"][0]
    assert {each["method"] for each in first["importances"]} == {"grad_cam", "occlusion", "saliency"}
    assert {curve["order"] for curve in first["curves"]} == {"grad_cam", "occlusion", "random"}
    assert [check["method"] for check in answer["sanity"]] == ["grad_cam", "saliency"]
    assert [step["forgotten"] for step in answer["sanity"][0]["steps"]] == ["the classifier", "stage 1", "stage 0"]
    assert answer["searched"].startswith("12 of ")
    text = page.read_text(encoding="utf-8")
    for words in (
        f"at {answer['layer']}",
        "Filters of the first convolution",
        "Sanity check of saliency",
        "nine patches",
    ):
        assert words in text
    again = thalweg.explain(run, samples=3, search=12)
    assert json.loads(json.dumps(again.to_json()["samples"])) == answer["samples"]


def test_the_report_of_a_run_shows_where_it_looks(run):
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "Where the network looks" in text
    assert "With randomised weights Grad-CAM" in text
    assert f"thalweg explain {run}" in text


def test_a_planted_corner_is_pointed_to_and_forgotten_by_a_random_network(run, tmp_path):
    """A network of one convolution, in-place activation and dense layer, whose answer hangs on one corner."""
    settings = {"out_channels": 2, "kernel_size": 3, "padding": 1}
    first = LayerSpec(name="conv", kind="conv2d", settings=settings, inputs=("x",))
    layers = (first, LayerSpec(name="relu", kind="relu", inputs=("conv",)), *dense_end("relu"))
    out = tmp_path / "planted"
    model = with_network(run, out, layers)
    convolution, dense = model.module.conv, model.module.dense
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[:, :, 1, 1] = 1 / 255
        convolution.bias.zero_()
        dense.weight.zero_()
        dense.bias.zero_()
        dense.weight.view(-1, 2, 32, 32)[0, 0, :8, 24:] = 0.03  # upper right
        dense.bias -= 3
    save_weights(model.module, out / "model.safetensors")
    values = np.random.default_rng(3).integers(90, 160, (32, 32, 3)).astype(np.uint8)
    values[:8, 24:] = 255
    Image.fromarray(values).save(tmp_path / "گربه.png")
    result = thalweg.explain(out, [tmp_path / "گربه.png"], search_in=0)
    (sample,) = result.samples
    assert sample.answer == "red"
    maps = {each.method: np.reshape(each.values, each.cells) for each in sample.importances}
    corner = np.zeros((8, 8), bool)
    corner[:2, 6:] = True
    for method in ("occlusion", "saliency"):
        assert maps[method][corner].min() > 3 * np.abs(maps[method][4:, :4]).max(), method
    assert np.unravel_index(maps["grad_cam"].argmax(), (8, 8)) in [(0, 6), (0, 7), (1, 6), (1, 7)]
    mapped, chance = sample.curve("occlusion"), sample.curve("random")
    assert mapped.deletion_area < chance.deletion_area - 0.1
    assert mapped.insertion_area > chance.insertion_area + 0.02
    assert {check.verdict for check in result.sanity if check.method == "saliency"} == {"changes"}
    assert printable(sample.file).endswith("گربه.png")


def test_named_files_a_broken_one_and_one_of_another_kind(run, photo_folder, tmp_path, capsys):
    good = [photo_folder / "red" / "red-03.png", photo_folder / "blue" / "blue-05.png"]
    broken, other = tmp_path / "شکسته.jpg", tmp_path / "sound.wav"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    other.write_bytes(b"RIFF....WAVEfmt ")
    status, said = asked(capsys, run, *good, broken, other, "--html", tmp_path / "page.html", "--search", 0)
    assert status == 2
    assert "شکسته.jpg: " in said.err
    assert "sound.wav: " in said.err
    assert "red-03.png: " in said.out
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "شکسته.jpg is left out" in re.sub("</?bdi>", "", text)
    result = thalweg.explain(run, good, search_in=0)
    assert [sample.truth for sample in result.samples] == ["red", "blue"]
    assert result.stages[0].silent is None
    assert result.searched == ""
    with pytest.raises(PictureError, match=r"sound.wav: .*nothing is left to explain"):
        thalweg.explain(run, [other])


def test_pictures_of_arrays_are_explained_and_called_as_predict_does(run, photo_folder, tmp_path):
    classes = json.loads((run / "data.json").read_text())["classes"]
    x = np.random.default_rng(0).integers(0, 256, (30, 40, 36, 3), dtype=np.uint8)
    y = np.arange(30) % 2
    np.savez(tmp_path / "test.npz", x=x, y=y, classes=np.array(classes))
    result = thalweg.explain(run, tmp_path / "test.npz", search=0)
    predicted = thalweg.predict(run, tmp_path / "test.npz").predictions
    assert [each.file for each in result.samples] == [each.file for each in predicted[:24]]
    assert [each.answer for each in result.samples] == [each.class_ for each in predicted[:24]]
    assert [each.truth for each in result.samples] == [classes[label] for label in y[:24]]
    assert {each.truth_from for each in result.samples} == {"folder"}
    assert "only the first 24 of the named samples are explained" in result.notes
    np.save(tmp_path / "one.npy", x[0])
    (tmp_path / "broken.npy").write_bytes(b"x")
    photo = next(photo_folder.rglob("*.png"))
    named = [tmp_path / "one.npy", photo, tmp_path / "broken.npy", predicted[29].file]
    result = thalweg.explain(run, named, search=0)
    assert [each.file for each in result.samples] == [str(each) for each in (named[0], named[1], named[3])]
    assert [each.answer for each in result.samples][::2] == [predicted[0].class_, predicted[29].class_]
    assert [Path(each.file).name for each in result.left_out] == ["broken.npy"]
    y = x[:3].astype(np.float32)
    y[1, 0, 0] = np.nan
    result = thalweg.explain(run, y, search=0)
    assert [each.file for each in result.samples] == [f"array.npy/array.npy-00000{row}.png" for row in (0, 2)]
    assert [each.file for each in result.left_out] == ["array.npy/array.npy-000001.png"]


def test_a_run_whose_data_went_away(run, photo_folder, tmp_path, monkeypatch):
    def gone(model, listener):
        raise SourceError("photos is not there")

    monkeypatch.setattr(explaining, "own_data", gone)
    result = thalweg.explain(run, photo_folder / "red" / "red-03.png")
    assert any("photos is not there" in note for note in result.notes)
    with pytest.raises(SourceError, match="not there"):
        thalweg.explain(run)


def test_the_class_and_the_layer_may_be_named(run, photo_folder):
    first = thalweg.explain(run, **FEW)
    early, late = (stage.layer for stage in first.stages)
    result = thalweg.explain(run, photo_folder / "red" / "red-03.png", class_="blue", layer=early, search_in=0)
    maps = result.samples[0].importances
    assert {each.target for each in maps} == {"blue"}
    assert next(each.layer for each in maps if each.method == "grad_cam") == early
    assert next(each.layer_extents for each in maps if each.method == "grad_cam") == (32, 32)
    wrong = ({"class_": "green"}, {"layer": "nowhere"}, {"layer": "sigmoid1"}, {"samples": 0}, {"search": -1})
    for options, words in zip(wrong, ("knows blue, red", late, "no spatial axes|no layer", "samples", "search"), strict=True):  # fmt: skip  # noqa: E501
        with pytest.raises(PlanError, match=words):
            thalweg.explain(run, **options)
    with pytest.raises(PlanError, match="folder that exists"):
        thalweg.explain(run, html="nowhere/page.html")
    with pytest.raises(RunError, match="is no run folder"):
        thalweg.explain(photo_folder)


@pytest.mark.parametrize("axes", [1, 3])
def test_signals_and_volumes(axes, tmp_path, monkeypatch):
    """The class is a bump in the first half of the first axis; the network must look there, and the page be made."""
    random = np.random.default_rng(axes)
    extents = (40,) if axes == 1 else (10, 8, 8)
    values = random.normal(0, 0.3, (40, *extents)).astype(np.float32)
    labels = np.arange(40) % 2
    values[labels == 1, 2 : extents[0] // 3] += 2.0
    source = tmp_path / "measured.npz"
    np.savez(source, x=values, y=labels)
    out = tmp_path / "run"
    form = "signals" if axes == 1 else "volumes"
    thalweg.train(source, form=form, network="plain", epochs=3, out=out, seed=2)
    page = tmp_path / "page.html"
    result = thalweg.explain(out, samples=2, search_in=16, html=page)
    assert result.form == form[:-1]
    assert len(result.samples[0].importances[0].cells) == axes
    hidden = [
        np.reshape(each.values, each.cells)
        for sample in result.samples
        for each in sample.importances
        if each.method == "occlusion"
    ]
    half = hidden[0].shape[0] // 2
    strength = np.mean([np.abs(each) for each in hidden], axis=0)
    assert strength[:half].mean() > strength[half:].mean()
    assert result.stages[0].patches
    assert page.stat().st_size > 10_000
    np.savez(tmp_path / "two.npz", x=values[:2], y=labels[:2])
    named = thalweg.explain(out, tmp_path / "two.npz", search_in=0)
    assert len(named.samples) == 2
    with pytest.raises(PictureError, match="nothing is left"):
        thalweg.explain(out, [tmp_path / "missing.npz"])
    assert not any("only the first" in note for note in named.notes)
    monkeypatch.setattr(explain_samples, "MOST_NAMED", 1)
    few = thalweg.explain(out, tmp_path / "two.npz", search_in=0)
    assert len(few.samples) == 1
    assert "only the first 1 of the named samples are explained" in few.notes


def test_a_network_without_maps(run, tmp_path):
    out = tmp_path / "dense"
    with_network(run, out, dense_end("x"))
    result = thalweg.explain(out, html=tmp_path / "page.html", **FEW)
    assert result.layer is None
    assert result.stages == ()
    assert any("no layer of this network has maps" in note for note in result.notes)
    assert {each.method for each in result.samples[0].importances} == {"occlusion", "saliency"}
    assert [check.method for check in result.sanity] == ["saliency"]


def test_a_map_that_does_not_hang_on_weights_is_told(run, tmp_path):
    """With no layer to forget, the map stays as it is: the check must say so; so must the page."""
    model = open_model(run, device="cpu")
    values = np.random.default_rng(1).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    chosen = [(Chosen(file="a", values=values), 1)]
    same = sanity_checks(model, chosen, None, {"nothing": []}, methods=("saliency",))
    assert same[0].verdict == "does not change"
    result = replace(thalweg.explain(run, **FEW), sanity=same)
    text = render_html(explain_report(result, Album(samples=((), ()))))
    assert "do not read them as an explanation" in text
    assert "saliency does NOT change" in explain_text(result)
    with torch.no_grad():
        for weight in model.module.parameters():
            weight.zero_()
    blank = sanity_checks(model, chosen, None, {"nothing": []}, methods=("saliency",))
    assert blank[0].verdict == "blank"
    maps = explained(model, chosen[0][0], None, curves=False)
    assert maps.sample.curves == ()


def test_one_of_several_heads_is_explained_and_layers_of_the_others_do_not_matter(run, tmp_path):
    conv = {"out_channels": 4, "kernel_size": 3, "padding": 1}
    layers = [LayerSpec(name="trunk", kind="conv2d", settings=conv, inputs=("x",))]
    for name in ("first", "second"):
        layers += [
            LayerSpec(name=f"{name}_conv", kind="conv2d", settings=conv, inputs=("trunk",)),
            LayerSpec(name=f"{name}_relu", kind="relu", inputs=(f"{name}_conv",)),
            LayerSpec(name=f"{name}_pool", kind="global_avg_pool", inputs=(f"{name}_relu",)),
            LayerSpec(name=name, kind="linear", settings={"out_features": 1}, inputs=(f"{name}_pool",)),
        ]
    out = tmp_path / "two"
    shutil.copytree(run, out)
    spec = NetworkSpec(name="two", inputs={"x": Shape(3, (32, 32))}, layers=tuple(layers), outputs=("first", "second"))
    RunFolder(out).write_json("network.json", spec_to_plain(spec))
    save_weights(build(spec, seed=0), out / "model.safetensors")
    found = {head: thalweg.explain(out, head=head, **FEW) for head in (None, "0", "second")}
    assert {head: result.layer for head, result in found.items()} == {
        None: "first_relu",
        "0": "first_relu",
        "second": "second_relu",
    }
    answers = {head: [sample.probability for sample in result.samples] for head, result in found.items()}
    assert answers[None] == answers["0"]
    assert answers["0"] != answers["second"]
    with pytest.raises(PlanError, match=r"--head third: the network of \S* has 0 \(first\), 1 \(second\)$"):
        thalweg.explain(out, head="third", **FEW)


def test_a_head_that_a_usual_run_does_not_have_is_told(run, capsys):
    status, told = asked(capsys, run, "--head", "1")
    assert status == 2
    assert "--head 1: the network of" in told.err
    assert told.err.count("\n") <= 2
