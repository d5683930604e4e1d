import pytest

from thalweg.accounting.ledger import count
from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import NAMES, network


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
    spec = network(name, Shape(3, (64, 48)), classes)
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
