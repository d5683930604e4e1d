import pytest
import torch

from thalweg.core.errors import PlanError, ShapeError, SpecError
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import NAMES
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, Conv2d
from thalweg.workbench.describing.describing import describe, usual
from thalweg.workbench.starting.recipes import recipe_for


@pytest.mark.parametrize("name", NAMES)
def test_every_name_has_a_usual_input_that_it_can_read(name):
    shape, classes = usual(name)
    described = describe(name)
    assert list(described.spec.inputs.values()) == [shape]
    assert f"input {shape}, {classes:,} classes" in described.note


@pytest.mark.parametrize("name", ["small", "plain", "plain-functional"])
def test_what_is_usual_is_what_training_takes(name):
    assert usual(name)[0].extents == (recipe_for(name).image_size,) * 2


def test_only_what_was_not_said_is_noted():
    assert describe("lenet", input=(1, 32, 32), classes=4).note == ""
    assert describe("lenet", classes=4).note == "Usual for lenet: input 1x28x28 (--input)."
    assert describe("lenet", input=Shape(1, (32, 32))).note == "Usual for lenet: 10 classes (--classes)."


def test_a_description_and_a_module_are_taken_as_they_are():
    spec = describe("lenet").spec
    assert describe(spec).spec is spec
    assert describe(spec, input="3,40,40").spec.inputs["input"] == Shape(3, (40, 40))
    built = build(spec, device="meta")
    assert [(each.name, each.kind) for each in describe(built).spec] == [(each.name, each.kind) for each in spec]
    assert describe(built, input="1,36,36").spec.inputs["input"] == Shape(1, (36, 36))
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU())
    assert [layer.kind for layer in describe(module, input="3,8,8").spec] == ["conv2d", "relu"]
    with pytest.raises(PlanError, match="Sequential is a torch module: add --input"):
        describe(module)


def test_two_inputs_have_two_sizes():
    a, b = Input(3, 8, 8, name="a"), Input(3, 8, 8, name="b")
    spec = Network([a, b], Conv2d(2, 1)(Add()(a, b)), name="two")
    assert describe(spec).spec is spec
    with pytest.raises(PlanError, match=r"the size of 1; network 'two' has 2 inputs: a \(3x8x8\); b \(3x8x8\)"):
        describe(spec, input="3,16,16")
    assert list(describe(spec, input="3,16,16; 3x16x16").spec.inputs.values()) == [Shape(3, (16, 16))] * 2
    assert describe(spec, input=[(3, 9, 9), "3,9,9"]).spec.inputs["b"] == Shape(3, (9, 9))
    for named in ("lenet", "relu flatten"):
        with pytest.raises(PlanError, match=r"the sizes of 2 inputs; .* has one"):
            describe(named, input="1,28,28; 3")


@pytest.mark.parametrize("given", [(), 7, (3, "8"), [3, 0]])
def test_an_input_that_is_no_shape_is_refused(given):
    with pytest.raises(ShapeError, match="--input"):
        describe("lenet", input=given)


def test_a_size_that_is_no_whole_number_is_named_within_its_shape():
    with pytest.raises(ShapeError, match=r"shape 3xax8 has a size of 'a'; sizes are whole numbers"):
        describe("lenet", input=(3, "a", 8))


def test_a_size_that_does_not_fit_names_the_layer():
    with pytest.raises(ShapeError, match=r"layer 'conv2' \(conv2d\)"):
        describe(describe("lenet").spec, input="1,8,8")


@pytest.mark.parametrize("given", ["(1, 28, 28)", "[1,28,28]", "1 28 28", "1x28x28", " 1 , 28,28 "])
def test_an_input_is_read_as_people_write_it(given):
    assert describe("lenet", input=given).spec.inputs["input"] == Shape(1, (28, 28))


@pytest.mark.parametrize("given", ["1,,28", "()", "1;", "a,28,28", "1,28,28)("])
def test_an_input_of_another_form_is_refused(given):
    with pytest.raises(ShapeError, match="--input: "):
        describe("lenet", input=given)


@pytest.mark.parametrize("ending", ["onnx", "pt2", "h5"])
def test_a_model_file_is_refused_with_the_way_to_count_it(tmp_path, ending):
    file = tmp_path / f"net.{ending}"
    with pytest.raises(SpecError, match="there is no such file"):
        describe(file)
    file.write_bytes(b"x")
    with pytest.raises(SpecError, match=f"[.]{ending} files hold weights .*net.py:build"):
        describe(file)


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5000, "relu" * 2000 + ".json", "c:\\nets\\a", "\n"])
def test_odd_names_are_refused_in_a_line(name):
    with pytest.raises(SpecError) as told:
        describe(name)
    assert "\x00" not in str(told.value)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("MobileNet_v2", "mobilenet-v2"),
        ("ResNet-50", "resnet50"),
        ("VGG 16", "vgg16"),
        ("Inception_V3", "inception-v3"),
    ],
)
def test_a_name_may_be_spelled_as_in_papers(written, name):
    assert describe(written).spec.name == name


def test_an_input_with_channels_last_is_told():
    assert "channels stand first, as in 3,64,64" in describe("conv2d(4,3,padding=1)", input="64,64,3").note
    assert describe("conv2d(4,3,padding=1)", input="3,64,64").note == ""
