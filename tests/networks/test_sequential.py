import pytest

from thalweg.core.errors import ShapeError, SpecError
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Conv2d, Dense, Flatten, ReLU
from thalweg.networks.sequential import Block, Sequential


def test_a_list_reads_as_a_chain():
    spec = Sequential([Input(3, 8, 8), Conv2d(4, 3), ReLU(), Flatten(), Dense(2)], name="chain")
    assert [(layer.name, layer.inputs) for layer in spec] == [
        ("conv1", ("input",)),
        ("relu1", ("conv1",)),
        ("flatten1", ("relu1",)),
        ("dense1", ("flatten1",)),
    ]
    assert (spec.name, spec.form, spec.outputs) == ("chain", "sequential", ("dense1",))


def test_blocks_nest_in_both_forms():
    twice = Block("outer", [Conv2d(4, 1), Block("inner", [Conv2d(4, 1)])])
    listed = Sequential([Input(3, 8, 8), twice])
    x = Input(3, 8, 8)
    assert [layer.name for layer in listed] == ["outer.conv1", "outer.inner.conv1"]
    assert Network(x, twice(x)).layers == listed.layers


@pytest.mark.parametrize("layers", [[], [Conv2d(4, 3)], [Conv2d(4, 3)(Input(3, 8, 8)), ReLU()]])
def test_a_list_must_begin_with_an_input(layers):
    with pytest.raises(SpecError, match=r"must begin with Input"):
        Sequential(layers)


def test_a_second_input_is_refused():
    with pytest.raises(SpecError, match="is no layer"):
        Sequential([Input(3, 8, 8), Input(3, 8, 8)])


def test_a_clash_names_both_neighbours():
    with pytest.raises(ShapeError, match=r"'dense1' \(linear\) after 'conv1' \(4x6x6\)"):
        Sequential([Input(3, 8, 8), Conv2d(4, 3), Dense(2)])
