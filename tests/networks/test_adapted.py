"""A network that somebody wrote is fitted to a source, or refused with what to change."""

import pytest

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.shape import Shape
from thalweg.networks.adapted import adapted
from thalweg.networks.catalogue import network
from thalweg.networks.functional import Input, Network
from thalweg.networks.inline import inline_network
from thalweg.networks.layers import Add, Conv2d, Dense, Flatten, GlobalAvgPool, Rescale, Softmax
from thalweg.networks.sequential import Sequential
from thalweg.networks.spatial import STANDARDISE

PICTURE = Shape(3, (16, 16))


def test_both_ends_and_the_size_are_fitted_and_said():
    written = inline_network("conv2d(4,3) relu flatten dense(5)", Shape(1, (8, 8)))
    spec, changes = adapted(written, PICTURE, 5)
    assert [layer.kind for layer in spec] == ["rescale", "conv2d", "relu", "flatten", "linear", "softmax"]
    assert output_shapes(spec)[spec.outputs[0]] == Shape(5)
    assert changes == (
        "it is given 3x16x16 in place of 1x8x8",
        "pixels are divided by 255 first",
        "a softmax is added at its end",
    )
    assert spec.layers[0].settings["scale"] == 1 / 255


@pytest.mark.parametrize("name", ["small", "plain", "resnet18"])
def test_a_network_that_fits_is_left_alone_and_fitting_twice_changes_nothing(name):
    fitting = network(name, Shape(3, (64, 64)), 2)
    assert adapted(fitting, Shape(3, (64, 64)), 2) == (fitting, ())
    own, _ = adapted(inline_network("flatten dense(2)", PICTURE), PICTURE, 2)
    assert adapted(own, PICTURE, 2) == (own, ())


@pytest.mark.parametrize(("units", "last"), [(1, "sigmoid"), (2, "softmax")])
def test_two_classes_may_be_one_value_or_two(units, last):
    spec, _ = adapted(inline_network(f"flatten dense({units})", PICTURE), PICTURE, 2)
    assert spec.layers[-1].kind == last


def test_every_layer_that_reads_the_input_reads_the_rescaled_one():
    x = Input(3, 16, 16)
    spec, _ = adapted(
        Network(x, Dense(4)(GlobalAvgPool()(Add()(Conv2d(3, 3, padding="same")(x), x)))), Shape(3, (20, 20)), 4
    )
    assert [layer.name for layer in spec if "input" in layer.inputs] == ["rescale"]
    assert spec.layer("add1").inputs == ("conv1", "rescale")


def test_measured_values_are_standardised_by_the_layer_that_training_fills():
    spec, changes = adapted(inline_network("conv1d(4,3) flatten dense(3)", Shape(2, (50,))), Shape(2, (50,)), 3)
    assert spec.layers[0].name == STANDARDISE
    assert changes[0] == "values are standardised first"


def test_a_name_that_is_taken_gets_a_number():
    written = Sequential([Input(3, 16, 16), Flatten(), Rescale(0.5, name="rescale"), Dense(3), Softmax(name="softmax")])
    spec, _ = adapted(written, PICTURE, 3)
    assert spec.layers[0].name == "rescale_2"


@pytest.mark.parametrize(
    ("text", "classes", "said"),
    [
        ("conv2d(4,3)", 2, r"ends in maps of 4x14x14; end it in GlobalAvgPool\(\) or Flatten\(\) and Dense\(2\)"),
        ("flatten dense(10)", 3, "ends in 10 values, and the source has 3 classes: end it in 3"),
        ("flatten dense(10)", 2, r"end it in 1 \(with a sigmoid\) or 2"),
        ("flatten dense(3) sigmoid", 3, "one sample has one class: end it in a softmax"),
        ("flatten dense(1) softmax", 2, "which is always 1: take a sigmoid"),
    ],
)
def test_wrong_ends_are_refused_with_the_way_out(text, classes, said):
    with pytest.raises(SpecError, match=said):
        adapted(inline_network(text, PICTURE), PICTURE, classes)


def test_samples_of_another_kind_several_inputs_and_sizes_too_small_are_refused():
    with pytest.raises(SpecError, match=r"takes signals .*, and the source holds pictures of 3x16x16"):
        adapted(inline_network("conv1d(4,3) flatten dense(2)", Shape(2, (50,))), PICTURE, 2)
    a, b = Input(3, 16, 16, name="a"), Input(3, 16, 16, name="b")
    with pytest.raises(SpecError, match="2 inputs and 1 outputs; one of each"):
        adapted(Network([a, b], Dense(2)(Flatten()(Add()(a, b)))), PICTURE, 2)
    with pytest.raises(ShapeError, match="does not fit samples of 3x4x4"):
        adapted(inline_network("conv2d(4,7) flatten dense(2)", PICTURE), Shape(3, (4, 4)), 2)
