"""8-bit ONNX: smaller, near to float32, and measured on samples that were not used to set its ranges."""

import pathlib

import numpy as np
import pytest
import torch
from torch import nn

from thalweg.core.errors import RunError
from thalweg.core.shape import Shape
from thalweg.exporting.onnx import export_onnx

pytest.importorskip("onnxruntime")

from thalweg.exporting.quantised import quantise


def network() -> nn.Module:
    """Tells by the mean of its first channel whether a picture is bright."""
    module = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 2)
    )
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module[0].weight[:, 0, 1, 1] = 0.01 * torch.arange(1, 33) / 32  # type: ignore[operator]
        module[4].weight[1] = 1.0  # type: ignore[operator]
        module[4].bias[0] = float(module[4].weight[1].sum() * 0.01 * 16.5 / 32 * 127.5)  # type: ignore[operator, index]
    return module.eval()


def samples(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, number)
    pixels = random.uniform(0, 100, (number, 3, 8, 8)) + 155 * labels[:, None, None, None]
    return pixels.astype(np.float32), labels


@pytest.mark.filterwarnings("ignore")  # onnxruntime's own announcements
def test_a_file_in_whole_numbers_answers_as_the_one_in_float_does(tmp_path: pathlib.Path) -> None:
    source = tmp_path / "model.onnx"
    written = export_onnx(network(), Shape(3, (8, 8)), source, class_names=["dark", "bright"], final="softmax")
    held = [samples(20, 1), samples(13, 2)]
    found = quantise(source, tmp_path / "small.onnx", calibration=[samples(16, 3)[0]], held=held, split="validation")
    assert found.files == 33
    assert found.accuracy == found.accuracy_float == found.agreement == 1.0
    assert found.bytes == (tmp_path / "small.onnx").stat().st_size
    assert b"QuantizeLinear" in (tmp_path / "small.onnx").read_bytes()
    assert found.images_per_second > 0 < found.images_per_second_float
    assert written.size_bytes == source.stat().st_size  # the file it was made from stays


@pytest.mark.filterwarnings("ignore")
def test_a_head_that_8_bits_cannot_hold_stays_in_float(tmp_path: pathlib.Path) -> None:
    module = network()
    with torch.no_grad():  # two scores of hundreds that differ by a fifth: one step of 8 bits is larger
        module[4].weight[0] = 10  # type: ignore[operator]
        module[4].weight[1] = 10 + 0.02 * torch.arange(1, 33) / 32  # type: ignore[operator]
        middle = float(
            (module[4].weight[1] - module[4].weight[0]).double() @ (0.01 * torch.arange(1, 33) / 32).double()
        )
        module[4].bias[0] = middle * 127.5  # type: ignore[operator]
    source = tmp_path / "model.onnx"
    export_onnx(module, Shape(3, (8, 8)), source, class_names=["dark", "bright"], final="softmax")
    found = quantise(
        source, tmp_path / "small.onnx", calibration=[samples(40, 3)[0]], held=[samples(40, 1)], split="validation"
    )
    assert found.float_layers == 1
    assert found.agreement > 0.9


def test_a_file_that_is_no_network_is_refused_and_nothing_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no network")
    with pytest.raises(RunError, match="cannot bring this network to 8-bit numbers"):
        quantise(
            tmp_path / "model.onnx",
            tmp_path / "small.onnx",
            calibration=[samples(2, 1)[0]],
            held=[samples(2, 1)],
            split="test",
        )
    assert not (tmp_path / "small.onnx").exists()
