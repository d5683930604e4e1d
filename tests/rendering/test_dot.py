import re

from thalweg.rendering.dot import to_dot


def test_every_layer_is_a_node_and_every_reading_an_arrow(networks):
    for spec, ledger in networks.values():
        text = to_dot(spec, ledger)
        assert len(re.findall(r"^  n\d+ \[", text, re.MULTILINE)) == len(spec.layers) + len(spec.inputs)
        assert text.count(" -> ") == sum(len(layer.inputs) for layer in spec)


def test_quotes_and_backslashes_in_names_stay_inside_their_label(networks):
    for line in to_dot(*networks["ends"]).splitlines():
        bare = re.sub(r"\\.", "", line)
        assert bare.count('"') % 2 == 0
        assert line.count("label") <= 1


def test_a_small_network_is_as_it_was(networks, golden):
    golden("diagram.dot", to_dot(*networks["branches"]))
