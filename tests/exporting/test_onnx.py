"""The written file is what torch computes, at any batch size, or it is not written."""

import copy
import importlib
import json

import numpy as np
import pytest
import torch
from torch import nn

from thalweg.core.errors import MissingExtraError, PlanError, RunError
from thalweg.core.shape import Shape
from thalweg.exporting import onnx as exporting
from thalweg.exporting.onnx import BATCH_SIZES, export_onnx
from thalweg.modules.build import build
from thalweg.networks.catalogue import network

INPUT = Shape(3, (16, 16))

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


class _Small(nn.Module):
    """Rescaling, a residual block, dropout and global pooling: what the catalogue's networks are made of."""

    def __init__(self, units):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.branch = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Sequential(nn.MaxPool2d(2), nn.Dropout(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dense = nn.Linear(8, units)

    def forward(self, pixels):
        stem = self.stem(pixels / 255)
        return 20 * self.dense(self.head(stem + self.branch(stem)))


class _Frozen(nn.Module):
    """Looks at the batch size as Python does, so that the exporter can only freeze it."""

    def forward(self, pixels):
        return torch.cat(
            [pixels.mean((1, 2, 3)).reshape(pixels.shape[0], 1) + k for k in range(int(pixels.shape[0]))], 1
        )


class _Restless(nn.Module):
    """Answers differently at every call."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, pixels):
        return pixels.mean((2, 3))[:, :2] / 255 + torch.rand(pixels.shape[0], 2)


def _run(path, pixels):
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {"pixels": pixels.numpy()})[0]


def _pixels(count):
    return torch.randint(0, 256, (count, *INPUT.as_tuple()), generator=torch.Generator().manual_seed(count)).float()


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(7)
    module = _Small(1)
    module.train()
    module(torch.rand(8, 3, 16, 16) * 255)  # running statistics that are not their initial values
    module.stem.eval()  # so that some parts train and some do not
    return module.to(memory_format=torch.channels_last)


@pytest.fixture(scope="module")
def before(small):
    return {name: tensor.clone() for name, tensor in small.state_dict().items()}


@pytest.fixture(scope="module")
def written(small, before, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "گربه.onnx"
    return export_onnx(small, INPUT, path, class_names=["cat", "گربه"], final="sigmoid")


def test_one_sigmoid_unit_gives_two_classes_at_any_batch_size(small, written):
    assert written.batch_sizes == BATCH_SIZES
    assert written.maximum_difference <= 1e-5
    reference = copy.deepcopy(small).eval()
    for count in (1, 2, 3, 7):
        pixels = _pixels(count)
        with torch.no_grad():
            second = torch.sigmoid(reference(pixels))
        given = _run(written.path, pixels)
        np.testing.assert_allclose(given, torch.cat([1 - second, second], dim=1).numpy(), atol=1e-5)


def test_names_types_and_class_names_travel_inside(written):
    proto = onnx.load_model_from_string(written.path.read_bytes())
    onnx.checker.check_model(proto, full_check=True)
    (pixels,), (probabilities,) = proto.graph.input, proto.graph.output
    assert (pixels.name, probabilities.name) == ("pixels", "probabilities")
    assert pixels.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    sizes = [axis.dim_param or axis.dim_value for axis in pixels.type.tensor_type.shape.dim]
    assert sizes == ["batch", 3, 16, 16]
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(metadata["class_names"]) == ["cat", "گربه"]
    assert written.size_bytes == written.path.stat().st_size
    assert written.opset == proto.opset_import[0].version >= 18


def test_nothing_of_this_machine_is_in_the_file(written):
    content = written.path.read_bytes()
    for place in (exporting.__file__, torch.__file__, __file__):
        assert str(place).rsplit("/", 1)[0].encode() not in content


def test_the_module_stays_as_it_was(small, before, written):
    assert small.training
    assert not small.stem.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in small.state_dict().items())


def test_a_network_of_the_catalogue_with_three_classes(tmp_path):
    spec, final = network("plain", INPUT, classes=3).logits()
    assert final == "softmax"
    check = export_onnx(build(spec, seed=1), INPUT, tmp_path / "a.onnx", class_names=["a", "b", "c"], final=final)
    given = _run(check.path, _pixels(4))
    assert given.shape == (4, 3)
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-5)


def test_one_axis_and_a_network_that_gives_probabilities_itself(tmp_path):
    module = nn.Sequential(nn.Conv1d(2, 4, 5), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(4, 2), nn.Softmax(1))
    check = export_onnx(module, Shape(2, (20,)), tmp_path / "a.onnx", class_names=["a", "b"], final=None)
    assert check.maximum_difference <= 1e-5


def test_a_network_whose_batch_size_freezes_is_refused(tmp_path):
    with pytest.raises(RunError, match="batch"):
        export_onnx(_Frozen(), INPUT, tmp_path / "a.onnx", class_names=["a", "b"], final="softmax")
    assert list(tmp_path.iterdir()) == []


def test_a_difference_is_refused_with_its_size_and_nothing_is_written(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"old")
    with pytest.raises(
        RunError, match=r"a\.onnx is not written: at a batch of 1 .* differ by 0\.\d+, more than 0\.0001"
    ):
        export_onnx(_Restless(), INPUT, tmp_path / "a.onnx", class_names=["a", "b"], final="softmax")
    assert (tmp_path / "a.onnx").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_answers_that_are_not_numbers_are_refused(tmp_path):
    broken = np.array([[np.nan, 1]])
    with pytest.raises(RunError, match="differ by nan"):
        exporting._difference(broken, broken, 1, tmp_path)


def test_options_that_do_not_fit(small, tmp_path):
    with pytest.raises(PlanError, match=r"2 probabilities for 3 classes \(a, b, c\)"):
        export_onnx(small, INPUT, tmp_path / "a.onnx", class_names=["a", "b", "c"], final="sigmoid")
    with pytest.raises(PlanError, match="final is 'tanh'"):
        export_onnx(small, INPUT, tmp_path / "a.onnx", class_names=["a", "b"], final="tanh")


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package_is_named_with_its_extra(missing, small, tmp_path, monkeypatch):
    real = importlib.import_module

    def absent(name, package=None):
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtraError, match=rf"^{missing} is needed .* pip install 'thalweg\[onnx\]'"):
        export_onnx(small, INPUT, tmp_path / "a.onnx", class_names=["a", "b"], final="sigmoid")
