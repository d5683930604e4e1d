import pytest

from thalweg.accounting.ledger import count
from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import NAMES, axes_of, network, suited
from thalweg.networks.spatial import standardised


def test_plain_has_the_published_numbers():
    ledger = count(network("plain", Shape(3, (256, 256)), 2))
    assert (ledger.parameters, ledger.buffers) == (16_871_169, 448)


def test_both_forms_of_plain_are_one_network():
    listed, called = (network(name, Shape(3, (64, 64)), 5) for name in ("plain-sequential", "plain-functional"))
    assert listed.layers == called.layers
    assert (listed.form, called.form) == ("sequential", "functional")


def test_small_has_the_measured_design():
    assert count(network("small", Shape(1, (128, 128)), 2)).parameters == 307_505
    assert count(network("small", Shape(3, (97, 131)), 2)).parameters == 307_793


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("plain", "small"))])
@pytest.mark.parametrize(("classes", "units", "last"), [(2, 1, "sigmoid"), (3, 3, "softmax")])
def test_networks_take_pixels_and_end_in_probabilities(name, classes, units, last):
    spec = network(name, Shape(3, (64, 48, 32)[: axes_of(name)]), classes)
    assert spec.layers[0].kind == "rescale"
    assert spec.layers[-1].kind == last
    assert output_shapes(spec)[spec.outputs[0]] == Shape(units)


def test_a_misspelt_name_is_answered_with_near_ones():
    with pytest.raises(SpecError, match=r"'plian'; did you mean plain"):
        network("plian", Shape(3, (64, 64)), 2)


def test_a_name_like_nothing_is_answered_with_all():
    with pytest.raises(SpecError, match=r"known are small, plain"):
        network("qqqqqq", Shape(3, (64, 64)), 2)


@pytest.mark.parametrize("name", ["plain", "small"])
def test_one_class_is_refused(name):
    with pytest.raises(SpecError, match="a classifier of 1 classes"):
        network(name, Shape(3, (64, 64)), 1)


def test_the_same_design_in_one_and_three_dimensions():
    line, volume = network("plain-1d", Shape(2, (360,)), 4), network("plain-3d", Shape(1, (16, 16, 16)), 4)
    assert [layer.kind.replace("3d", "1d") for layer in volume] == [layer.kind for layer in line]
    assert line.layers[1].settings["kernel_size"] == 7
    assert count(network("inception-1d", Shape(1, (187,)), 5)).parameters == 40_805
    assert [layer.name for layer in network("inception-3d", Shape(1, (32,) * 3), 2)][:2] == [
        "standardise",
        "stem.conv1",
    ]


def test_a_network_is_found_for_the_kind_of_samples_or_refused():
    assert [suited(name, 3) for name in ("small", "plain", "inception", "small-3d")] == [
        "small-3d", "plain-3d", "inception-3d", "small-3d",
    ]  # fmt: skip
    with pytest.raises(SpecError, match="resnet18 is for pictures, and the source holds signals: take small-1d"):
        suited("resnet18", 1)
    with pytest.raises(SpecError, match="plain-1d is for signals, and the source holds pictures: take small, plain"):
        suited("plain-1d", 2)
    with pytest.raises(ShapeError, match=r"vgg16 is for pictures .*, not for 3x1000"):
        network("vgg16", Shape(3, (1000,)), 2)


def test_standardisation_is_written_into_the_network_and_pixels_stay():
    spec = standardised(network("small-3d", Shape(2, (8, 8, 8)), 2), (10.0, 0.0), (4.0, 0.0))
    assert dict(spec.layers[0].settings) == {"scale": (0.25, 1.0), "offset": (-2.5, 0.0)}
    photos = network("small", Shape(3, (64, 64)), 2)
    assert standardised(photos, (1.0,), (2.0,)) is photos
