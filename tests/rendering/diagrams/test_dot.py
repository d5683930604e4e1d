import re

from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.rendering.diagrams.dot import to_dot


def test_every_layer_is_a_node_and_every_reading_an_arrow(networks):
    for spec, ledger in networks.values():
        text = to_dot(spec, ledger)
        assert len(re.findall(r"^  n\d+ \[", text, re.MULTILINE)) == len(spec.layers) + len(spec.inputs)
        assert text.count(" -> ") == sum(len(layer.inputs) for layer in spec)


def test_quotes_and_backslashes_in_names_stay_inside_their_label():
    layer = LayerSpec(name='one " and \\', kind="relu", inputs=("x",))
    spec = NetworkSpec(name="n", inputs={"x": Shape(1)}, layers=(layer,), outputs=(layer.name,))
    text = to_dot(spec, Ledger(network="n", input_shapes={}, rows=()))
    assert '[label="one \\" and \\\\\\nrelu"' in text
    assert all(re.sub(r"\\.", "", line).count('"') % 2 == 0 for line in text.splitlines())


def test_a_small_network_is_as_it_was(networks, golden):
    golden("diagram.dot", to_dot(*networks["branches"]))
