import itertools
import math

import numpy as np
import pytest

from thalweg.core.codec import dumps
from thalweg.core.errors import PlanError, RunError, SpecError
from thalweg.core.network_plain import spec_to_plain
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import network
from thalweg.networks.inline import inline_network
from thalweg.workbench.deriving.layer import derive_layer

LAYERS = "conv2d(4,3,padding=1) relu maxpool2d(2) conv2d(6,3,stride=2,padding=1) flatten dense(5)"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run folder as far as `derive` looks at one, and its module."""
    from safetensors.torch import save_file

    from thalweg.modules.build import build

    folder = tmp_path_factory.mktemp("run")
    spec = inline_network(LAYERS, Shape(3, (16, 16)))
    module = build(spec, seed=5).eval()
    (folder / "plan.toml").write_text("")
    (folder / "network.json").write_text(dumps(spec_to_plain(spec)))
    save_file(module.state_dict(), folder / "model.safetensors")
    return folder, module


def test_the_numbers_of_a_run_give_torch_s_output(trained):
    import torch

    folder, module = trained
    photo = torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        before = module.get_submodule("conv1")(photo).relu()
        before = torch.nn.functional.max_pool2d(before, 2)
        after = module.get_submodule("conv2")(before)
    answer = derive_layer(folder, layer="conv2", at="5,0,3")
    places = [tuple(map(int, term.partition("*x_")[2].split("_"))) for term in answer.terms]
    total = math.fsum(a * float(before[(0, *place)]) for a, place in zip(answer.weights, places, strict=True))
    assert total + answer.bias_value == pytest.approx(float(after[0, 5, 0, 3]), abs=1e-6)
    assert answer.weight_name == "conv2.weight"
    assert answer.terms[0] == "w_5_0_1_0*x_0_0_5"


@pytest.mark.parametrize(("layer", "at"), [("conv2", "0,1,2"), ("max_pool1", "3,7,7"), ("conv1", "0,0,0")])
def test_the_part_of_the_photo_is_what_gradients_reach(trained, layer, at):
    import torch

    folder, module = trained
    answer = derive_layer(folder, layer=layer, at=at)
    photo = torch.randn(1, 3, 16, 16, requires_grad=True)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.abs_()  # nothing cancels, every rectifier is open
    values = module.get_submodule("conv1")(photo)
    if layer != "conv1":
        values = torch.nn.functional.avg_pool2d(values.abs(), 2)  # reaches the same places as max pooling may
    if layer == "conv2":
        values = module.get_submodule("conv2")(values)
    values[(0, *map(int, at.split(",")))].backward()
    touched = np.argwhere(photo.grad[0].abs().sum(0).numpy() > 0)
    inside = [
        (max(first, 0), min(last, size - 1))
        for (first, last), size in zip(answer.seen.ranges, answer.seen.extents, strict=True)
    ]
    assert inside == [(int(touched[:, axis].min()), int(touched[:, axis].max())) for axis in (0, 1)]


def test_after_flatten_everything_lies_behind(trained):
    answer = derive_layer(trained[0], layer="dense1", at=[4])
    assert answer.seen.ranges == ((0, 15), (0, 15))
    assert (answer.products, len(answer.weights)) == (96, 96)


def test_without_a_place_the_middle_is_taken_and_said():
    answer = derive_layer("lenet", layer="conv1")
    assert answer.at == (0, 13, 13)
    assert answer.note == "Usual for lenet: input 1x28x28, 10 classes (--input, --classes). Taken: --at 0,13,13."
    assert answer.weights == ()


@pytest.mark.parametrize("name", ["resnet18", "inception"])
def test_every_layer_of_a_network_is_explained(name):
    spec = network(name, Shape(3, (96, 96)), 5)
    told = [derive_layer(spec, layer=layer.name) for layer in spec.layers[:: max(1, len(spec.layers) // 10)]]
    assert all(answer.rule and (answer.products or answer.combine == "sum") for answer in told)
    assert all(len(answer.terms) == min(answer.products, 4096) for answer in told)


def test_two_inputs_have_no_common_picture():
    spec = inline_network("conv2d(2,3) relu", Shape(3, (8, 8)))
    other = NetworkSpec(name="two", inputs={**spec.inputs, "table": Shape(4)}, layers=spec.layers, outputs=spec.outputs)
    assert derive_layer(other, layer="conv1", at="0,0,0").seen is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"layer": "conv_1"}, "no such layer; near are conv1"),
        ({"layer": ""}, "no such layer; it has"),
        ({"layer": "conv1\u202e"}, r"conv1\u202e"),
        ({"layer": "conv1", "at": "0,99,0"}, "the last place is 5,27,27"),
        ({"layer": "conv1", "at": "0,0"}, "channel, row, column count from 0"),
        ({"layer": "conv1", "at": "1;2"}, "such as 0,3,5"),
        ({"layer": "conv1", "at": "-1,0,0"}, "such as 0,3,5"),
        ({"layer": "conv1", "at": "9" * 400}, "such as 0,3,5"),
    ],
)
def test_a_wrong_layer_or_place_gets_one_line(words, told):
    with pytest.raises((SpecError, PlanError)) as stop:
        derive_layer("lenet", **words)
    assert told in str(stop.value)
    assert len(str(stop.value)) < 700


@pytest.mark.parametrize("damage", ["cut", "other", "missing"])
def test_damaged_weights_are_said_in_one_line(trained, tmp_path, damage):
    from safetensors.numpy import save_file

    for name in ("plan.toml", "network.json"):
        (tmp_path / name).write_bytes((trained[0] / name).read_bytes())
    weights = (trained[0] / "model.safetensors").read_bytes()
    if damage == "cut":
        (tmp_path / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    else:
        name = "conv2.weight" if damage == "other" else "conv9.weight"
        save_file({name: np.zeros((2, 2), np.float32)}, tmp_path / "model.safetensors")
    if damage == "missing":
        answer = derive_layer(tmp_path, layer="conv2")
        assert answer.weights == ()
        assert "has no conv2.weight" in answer.notes[0]
    else:
        with pytest.raises(RunError, match="does not hold the weights of 'conv2'"):
            derive_layer(tmp_path, layer="conv2")


def test_every_weight_of_a_row_is_named_once():
    answer = derive_layer("conv2d(2,3,groups=2)", layer="conv1", at="1,0,0", input="4,8,8")
    names = [term.partition("*")[0] for term in answer.terms]
    assert names == [f"w_1_{c}_{r}_{k}" for c, r, k in itertools.product(range(2), range(3), range(3))]
    assert answer.reads[0].channels == (2, 3)


@pytest.mark.parametrize("at", ["0,3,5", "(0, 3, 5)", "0 3 5", "۰،۳،۵", "[0,3,5]"])
def test_a_place_may_be_written_in_many_ways(at):
    assert derive_layer("lenet", layer="conv1", at=at).at == (0, 3, 5)
