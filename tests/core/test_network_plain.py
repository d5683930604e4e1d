import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.network_plain import spec_from_plain, spec_to_plain
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import NAMES, axes_of, network
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Conv2d, Multiply, Rescale
from thalweg.networks.writing import block


def example():
    x = Input(3, 8, 8)
    with block("stem"):
        conv = Conv2d(3, 3, padding=((0, 2), (1, 1)))
        y = Rescale((0.5, 1.0, 2.0), -1.0)(conv(x))
    return Network(x, Multiply()(conv(y), y), name="example")


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back_is_the_identity(name):
    extents = {1: (256,), 2: (96, 96), 3: (32, 32, 32)}[axes_of(name)]
    spec = network(name, Shape(3, extents), 4)
    again = spec_from_plain(json.loads(json.dumps(spec_to_plain(spec), allow_nan=False)))
    assert again == spec


def test_sharing_blocks_and_tuples_survive():
    assert spec_from_plain(json.loads(json.dumps(spec_to_plain(example())))) == example()


def broken(change):
    plain = spec_to_plain(example())
    change(plain)
    return plain


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plain: plain.update(schema=2), "schema is 2, this version reads 1"),
        (lambda plain: plain.pop("schema"), "schema is None"),
        (lambda plain: plain.update(code="import os"), "unknown field 'code'"),
        (lambda plain: plain.pop("layers"), "'layers' is missing"),
        (lambda plain: plain.update(layers={}), "network layers: a list is wanted"),
        (lambda plain: plain.update(inputs=[3, 8, 8]), "network inputs: an object is wanted"),
        (lambda plain: plain.update(inputs={"input": []}), "not an empty list"),
        (lambda plain: plain.update(inputs={"input": [3, 8.5]}), "size of 8.5"),
        (lambda plain: plain.update(inputs={}), "has no input"),
        (lambda plain: plain.update(form="graph"), "form is 'graph'"),
        (lambda plain: plain.update(outputs=["nowhere"]), "output 'nowhere' does not exist"),
        (lambda plain: plain.update(name="a\nb"), "printable word"),
        (lambda plain: plain["layers"][0].update(kind="exec"), "'stem.conv1' .*unknown layer kind 'exec'"),
        (lambda plain: plain["layers"][0].pop("inputs"), "layer 1: field 'inputs' is missing"),
        (lambda plain: plain["layers"][0].update(inputs=["multiply1"]), "comes later: the layers form a cycle"),
        (lambda plain: plain["layers"][0]["settings"].update(size=1), "unknown setting 'size'"),
        (lambda plain: plain["layers"][0]["settings"].update(stride={"a": 1}), "'stem.conv1', stride: a word"),
        (lambda plain: plain["layers"][0]["settings"].update(stride=[[[1]]]), "'stem.conv1', stride: a word"),
        (lambda plain: plain["layers"][0].update(settings=[]), "settings: an object is wanted"),
        (lambda plain: plain["layers"][2].update(shared="input"), "no earlier layer with its own weights"),
        (lambda plain: plain.update(layers=[5]), "layer 1: an object is wanted"),
    ],
)
def test_whatever_is_odd_is_refused_with_its_place(change, words):
    with pytest.raises(SpecError, match=words):
        spec_from_plain(broken(change))


def test_shapes_are_checked_when_read():
    plain = spec_to_plain(example())
    for number in (0, 2):  # the layer and the one that shares its weights
        plain["layers"][number]["settings"]["stride"] = 2
    with pytest.raises(ShapeError, match=r"'multiply1' .*3x2x2.*3x4x4.*differ"):
        spec_from_plain(plain)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_no_data_whatever_leads_to_another_error(data):
    plain = spec_to_plain(example())
    place = data.draw(st.sampled_from(["top", "layer", "settings"]))
    target = {"top": plain, "layer": plain["layers"][0], "settings": plain["layers"][0]["settings"]}[place]
    target[data.draw(st.sampled_from(list(target)))] = data.draw(_JSON)
    said, again = "", None
    try:
        again = spec_from_plain(plain)
    except SpecError as error:
        said = str(error)
    assert (again is None and len(said.splitlines()) == 1) or spec_from_plain(spec_to_plain(again)) == again
