"""The Python that writes a network writes that very network."""

from dataclasses import replace

import pytest

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import NAMES, axes_of, network
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, Conv2d, Dense, Flatten, ReLU
from thalweg.networks.listing import list_network, ways
from thalweg.networks.sequential import Block, Sequential


def run(text):
    known = {}
    exec(text, known)  # noqa: S102 - our own text
    return known["spec"]


def specs():
    for name in NAMES:
        try:
            yield name, network(name, Shape(3, (224, 224, 224)[: axes_of(name)]), 5)
        except ShapeError:  # of one size or axis only
            yield name, network(name, Shape(1, (32,) * axes_of(name)), 5)


@pytest.mark.parametrize(("name", "spec"), list(specs()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_network_of_the_catalogue_comes_back(name, spec):
    for way in ways(spec):
        again = run(list_network(spec, way))
        assert (again.layers, again.inputs, again.outputs) == (spec.layers, spec.inputs, spec.outputs)
        assert again.form == way


def test_a_large_network_with_many_branches_comes_back():
    spec = network("densenet121", Shape(3, (64, 64)), 10)
    assert run(list_network(spec)).layers == spec.layers


def test_blocks_nest_and_names_of_ones_own_stay():
    spec = Sequential([
        Input(3, 8, 8),
        Block("stem", [Conv2d(4, 3, name="first"), Block("inner", [ReLU()]), Conv2d(4, 3)]),
        Block("head", [Flatten(), Dense(2)]),
    ])
    text = list_network(spec)
    assert '    Block("stem", [\n        Conv2d(4, 3, name="first"),\n        Block("inner", [\n' in text
    assert run(text).layers == spec.layers == run(list_network(spec, "functional")).layers


def test_shared_weights_several_inputs_and_outputs():
    left, right = Input(3, 8, 8, name="left"), Input(3, 8, 8, name="right")
    conv = Conv2d(3, 3, padding="same")
    both = Add()(conv(left), conv(conv(right)))
    spec = Network([left, right], [both, conv(both)], name="twins")
    again = run(list_network(spec))
    assert again == spec
    assert ways(spec) == ("functional",)


def test_a_value_that_is_read_again_keeps_its_word():
    x = Input(2, 4, 4)
    first = ReLU()(x)
    spec = Network(x, Add()(Conv2d(2, 3, padding="same")(Conv2d(2, 3, padding="same")(first)), first))
    assert "y = ReLU()(x)\nz = Conv2d(" in list_network(spec)
    assert run(list_network(spec)).layers == spec.layers


def test_what_cannot_be_written_is_refused_with_the_way_out():
    with pytest.raises(SpecError, match="write it functionally"):
        list_network(network("small", Shape(3, (64, 64)), 2), "sequential")
    odd = NetworkSpec(
        name="odd",
        inputs={"input": Shape(1, (4, 4))},
        layers=(LayerSpec(name="a", kind="relu", inputs=("input",)),),
        outputs=("a",),
    )
    frozen = replace(odd, layers=(replace(odd.layers[0], trainable=False),))
    assert list_network(frozen).endswith("# 1 layers were frozen, from a to a\n")
    assert run(list_network(odd)).layers == odd.layers
