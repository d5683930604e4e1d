import json
import pathlib
from types import SimpleNamespace

import jsonschema
import pytest
import torch

from thalweg.accounting.ledger import count
from thalweg.core.shape import Shape
from thalweg.experiments.lab import lab
from thalweg.experiments.labs import pointwise
from thalweg.experiments.pointwise_costs import CASES, savings, without_reductions
from thalweg.experiments.pointwise_facts import check_linearity
from thalweg.experiments.pointwise_layers import LayerReach, Step, reach_of_layers, windowed_layers
from thalweg.experiments.pointwise_subject import Subject, is_run, subject_network
from thalweg.experiments.pointwise_trials import five_by_five
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.workbench.telling.telling import silent

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(pointwise, "SIDE", 16)
    monkeypatch.setattr(pointwise, "EPOCHS", (0.5, 1))
    monkeypatch.setattr(pointwise, "TRIAL_EPOCHS", (0.3, 1))
    monkeypatch.setattr(pointwise, "TRIAL_SEEDS", (2, 2))
    monkeypatch.setattr(pointwise, "TIMING", (0.0, 0.0))
    monkeypatch.setattr(pointwise, "CASES", CASES[3:])
    monkeypatch.setattr(pointwise, "WIDE", 8)
    monkeypatch.setattr(pointwise, "published", tuple)  # a doctest counts them


def test_the_lab_on_photos(tiny, blue_and_red, monkeypatch):
    monkeypatch.setattr(pointwise, "lab_data", lambda *_, **__: blue_and_red)
    answer = lab("pointwise", "made", quick=True, workers=1)
    told = json.loads(json.dumps({"schema": 1, **answer.to_json()}))
    jsonschema.validate(told, json.loads((SCHEMAS / "lab.json").read_text(encoding="utf-8")))
    verdicts = {each.claim: each for each in answer.findings}
    assert verdicts["A 1x1 convolution is a linear mix of channels at each place: a product of matrices"].verdict == "supported"  # fmt: skip  # noqa: E501
    assert "channels carry" in "".join(each.observed for each in answer.findings)
    assert [row[0] for row in answer.table.rows if row[0].startswith("before ")] == [f"before conv{n}" for n in (2, 3, 4, 5)]  # fmt: skip  # noqa: E501
    assert len(answer.figures) == 3
    assert check_drawing(answer.figures[0].svg)


@pytest.mark.parametrize(("kind", "said"), [("beats", "A signal, three of"), ("boxes", "A volume, three of")])
def test_the_lab_on_signals_and_volumes(tiny, monkeypatch, request, kind, said):
    monkeypatch.setattr(pointwise, "lab_data", lambda *_, **__: request.getfixturevalue(kind))
    answer = lab("pointwise", "made", quick=True, workers=1)
    assert answer.figures[0].caption.startswith(said)
    assert check_drawing(answer.figures[0].svg)


def test_an_activation_is_what_makes_two_of_them_more_than_one():
    found = check_linearity(torch.rand(6, 5, 4, 4, generator=torch.Generator().manual_seed(0)) - 0.5, seed=1)
    assert found.product < 1e-12
    assert found.two_linear < 1e-12
    assert found.sum_linear < 1e-12
    assert found.sum_active > 0.05
    assert 0.01 < found.unexplained < 1


def test_layers_with_a_window_and_enough_channels_are_looked_into():
    small = subject_network(Shape(1, (16, 16)), 2)
    assert [layer.name for layer in windowed_layers(small)] == ["conv2", "conv3", "conv4", "conv5"]
    assert len(windowed_layers(network("resnet50", Shape(3, (64, 64)), 10))) == 8
    assert windowed_layers(network("lenet", Shape(1, (32, 32)), 10)) == ()
    assert all("depthwise" not in str(each) for each in windowed_layers(network("mobilenet-v2", Shape(3, (64, 64)), 4)))


def test_what_a_layer_needs_is_found_and_counted():
    spec = subject_network(Shape(1, (16, 16)), 3).logits()[0]
    module = build(spec, seed=0).eval()
    pictures = 255 * torch.rand(24, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    batches = (pictures[:12], pictures[12:])
    subject = Subject(said="", spec=spec, module=module, train=batches, test=batches, targets=torch.zeros(24).long())
    with torch.no_grad():
        right = module(pictures).argmax(dim=1)
    found = reach_of_layers(SimpleNamespace(**{name: getattr(subject, name) for name in ("spec", "module", "train", "test")}, targets=right, answers=subject.answers), silent(), seed=0)  # fmt: skip  # noqa: E501
    assert [each.cloud.channels for each in found] == [16, 32, 32, 64]
    assert all(each.accuracy == 1 for each in found)
    assert all(1 < each.cloud.rank <= each.cloud.channels for each in found)
    assert found[0].macs[0] == 8 * 8 * 9 * 16 * 32
    step = found[0].enough
    if step is not None:
        assert found[0].macs[1] == 8 * 8 * (16 * step.channels + 9 * step.channels * 32)


def test_enough_is_where_all_larger_ones_keep_it_too():
    steps = tuple(Step(channels=2**n, accuracy=each, agreement=(1, 1, 1)) for n, each in enumerate((0.9, 0.5, 0.9, 0.895)))  # fmt: skip  # noqa: E501
    reach = LayerReach(name="x", cloud=SimpleNamespace(channels=16, rank=3.0), accuracy=0.9, steps=steps, majority=0, by_chance=0, macs=(1, 1))  # fmt: skip  # noqa: E501
    assert reach.enough.channels == 4
    assert "16 channels carry 3.0 dimensions, 1x1 to 4 keeps 100.0%" in reach.said
    lost = LayerReach(name="x", cloud=reach.cloud, accuracy=1.0, steps=steps, majority=0, by_chance=0, macs=(1, 1))
    assert lost.enough is None
    assert "no 1x1 to fewer" in lost.said


def test_reductions_are_taken_out_of_googlenet():
    whole = network("googlenet", Shape(3, (64, 64)), 10)
    bare = without_reductions(whole)
    kernels = [layer.settings["kernel_size"] for layer in bare.layers if layer.kind == "conv2d"]
    assert sum(layer.kind == "conv2d" for layer in whole.layers) - len(kernels) == 18
    assert count(bare).rows[-1].output_shape == Shape(10)
    assert kernels.count(1) == 1 + 2 * 9


def test_a_pointwise_before_a_window_is_counted_and_timed():
    (found,) = savings(CASES[3:], batch=1, seconds=0.0)
    assert found.parameters == (8 * 8 * 25 + 8, 8 * 4 + 4 + 4 * 8 * 25 + 8)
    assert found.fewer_macs == pytest.approx(2 / (1 + 1 / 25), rel=1e-6)
    assert found.faster > 0
    plain, reduced = (five_by_five(Shape(1, (16, 16)), 2, 8, reduced=each) for each in (None, 2))
    assert count(plain).macs > 2 * count(reduced).macs


def test_only_a_folder_with_a_plan_is_a_run(tmp_path):
    assert not is_run(str(tmp_path))
    (tmp_path / "plan.toml").write_text("")
    assert is_run(str(tmp_path))
