import re

from thalweg.rendering.diagrams.mermaid import to_mermaid


def test_every_layer_is_a_node_and_every_reading_an_arrow(networks):
    for spec, ledger in networks.values():
        text = to_mermaid(spec, ledger)
        assert len(re.findall(r"^  n\d+\[", text, re.MULTILINE)) == len(spec.layers) + len(spec.inputs)
        assert text.count("-->") == sum(len(layer.inputs) for layer in spec)


def test_hostile_names_cannot_leave_their_node(networks):
    text = to_mermaid(*networks["ends"])
    assert "<script" not in text
    for line in text.splitlines():
        assert line.count('"') in {0, 2}


def test_a_small_network_is_as_it_was(networks, golden):
    golden("diagram.mmd", to_mermaid(*networks["branches"]))
