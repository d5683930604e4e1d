"""A network of one's own is trained, gone on with, evaluated and exported like one of the catalogue."""

import html
import json

import numpy as np
import pytest

import thalweg
from thalweg.core.errors import PlanError, SpecError
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, Conv2d, Dense, GlobalAvgPool, ReLU
from thalweg.workbench.starting.own_network import own_network

FILE = """
from thalweg.networks.functional import Input
from thalweg.networks.layers import Conv2d, Dense, Flatten, MaxPool2d, ReLU
from thalweg.networks.sequential import Sequential

def build():
    return Sequential([Input(3, 32, 32), Conv2d(6, 3), ReLU(), MaxPool2d(4), Flatten(), Dense(2)], name="mine")
"""


def branching(name="branching"):
    x = Input(3, 32, 32)
    a = ReLU()(Conv2d(8, 3, padding="same")(x))
    return Network(x, Dense(1)(GlobalAvgPool()(Add()(a, Conv2d(8, 1)(a)))), name=name)


@pytest.fixture(scope="module")
def trained(photo_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "net.py").write_text(FILE, encoding="utf-8")
    listed = thalweg.train(photo_folder, network=f"{folder / 'net.py'}:build", epochs=2, lr=0.01, out=folder / "listed")
    called = thalweg.train(photo_folder, network=branching(), epochs=2, lr=0.01, out=folder / "called")
    return folder, listed, called


def test_the_run_holds_the_fitted_network_and_its_plan_says_whose_it_is(trained):
    folder, listed, called = trained
    kinds = [layer["kind"] for layer in json.loads((folder / "listed/network.json").read_text())["layers"]]
    assert kinds == ["rescale", "conv2d", "relu", "max_pool2d", "flatten", "linear", "softmax"]
    assert (listed.network.endswith("net.py:build"), called.network) == (True, "branching")
    assert "own_axes = 2\n" in (folder / "called/plan.toml").read_text()
    assert "image_size = 32\n" in (folder / "called/plan.toml").read_text()


def test_the_report_repeats_it_from_its_own_file_to_the_bit(trained, photo_folder, tmp_path):
    folder, listed, _ = trained
    report = (folder / "listed/report.html").read_text(encoding="utf-8")
    assert f"--network {folder / 'listed/network.json'}" in report
    assert "\n    MaxPool2d(4),\n    Flatten(),\n" in html.unescape(report)  # lines stay lines
    again = thalweg.train(
        photo_folder, network=folder / "listed/network.json", epochs=2, lr=0.01, batch_size=32, out=tmp_path / "again"
    )
    assert again.accuracy == listed.accuracy
    first, second = ((place / "model.safetensors").read_bytes() for place in (folder / "listed", tmp_path / "again"))
    assert first == second


@pytest.mark.parametrize("form", ["listed", "called"])
def test_it_predicts_evaluates_exports_and_is_counted(trained, photo_folder, form):
    folder, *_ = trained
    run = folder / form
    evaluated = thalweg.evaluate(run, photo_folder)
    assert evaluated.files == 48
    answers = thalweg.predict(run, [photo_folder]).predictions
    sums = [sum(answer.probabilities.values()) for answer in answers]
    assert np.allclose(sums, 1, atol=1e-5)
    assert len(answers) == 48
    assert thalweg.export(run, onnx=True).path.endswith(".onnx")
    assert thalweg.count(run).total.parameters == json.loads((run / "metrics.json").read_text())["parameters"]


def test_a_run_that_stopped_goes_on(photo_folder, tmp_path, trained):
    _, _, whole = trained
    folder = tmp_path / "run"
    stopped = thalweg.train(photo_folder, network=branching(), epochs=2, lr=0.01, out=folder)
    assert stopped.accuracy == whole.accuracy
    assert thalweg.resume(folder).accuracy == whole.accuracy


def test_a_name_that_the_catalogue_has_is_told_apart():
    assert own_network("small") is None
    assert own_network(branching("small")).label == "own small"


@pytest.mark.parametrize(
    ("named", "said", "error"),
    [
        ("smal", "no network is called 'smal'; did you mean small", SpecError),
        ("nowhere.yaml", "there is no such file", SpecError),
        ("nowhere.py:build", "there is no such file", SpecError),
        ("timm:resnet18", "--backbone timm:resnet18", PlanError),
    ],
)
def test_what_is_no_network_is_refused_before_anything_is_read(named, said, error):
    with pytest.raises(error, match=said):
        thalweg.train("no/such/source", network=named)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("x = 1", None, "holds no network description: name what to take"),
        ("x = 1", "build", "has no 'build'"),
        ("1/0", None, "running it failed: ZeroDivisionError"),
        ("def build(): return 1/0", "build", r"build\(\) failed: ZeroDivisionError"),
        ("def build(): return 3", "build", "a network's description or a torch module is wanted, not 3"),
        ("def (", None, "running it failed: SyntaxError"),
    ],
)
def test_a_python_file_without_a_network_is_refused(tmp_path, text, name, said):
    path = tmp_path / "net.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=said):
        own_network(f"{path}:{name}" if name else path)
